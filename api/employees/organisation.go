package employees

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/retention"
	"lethe/models"
)

// LegalEntityView is a company that people are employed by.
type LegalEntityView struct {
	ID           uuid.UUID `json:"id"`
	Code         string    `json:"code"`
	Name         string    `json:"name" doc:"In the caller's language"`
	NameZh       string    `json:"name_zh"`
	NameEn       string    `json:"name_en"`
	Jurisdiction string    `json:"jurisdiction" doc:"By whose rules its people's data is kept" example:"CN"`
	Region       string    `json:"region,omitempty" doc:"The part of it whose public holidays count; left out: not known" example:"BY"`
	TimeZone     string    `json:"time_zone" example:"Asia/Shanghai"`
	CutoffTime   string    `json:"cutoff_time" doc:"The local time of day at which access ends on the last working day, unless a departure says otherwise" example:"18:00:00"`
}

// DepartmentView is a part of a legal entity.
type DepartmentView struct {
	ID            uuid.UUID          `json:"id"`
	Code          string             `json:"code"`
	Name          string             `json:"name" doc:"In the caller's language"`
	NameZh        string             `json:"name_zh"`
	NameEn        string             `json:"name_en"`
	LegalEntityID uuid.UUID          `json:"legal_entity_id"`
	ParentID      *uuid.UUID         `json:"parent_id,omitempty" doc:"The department above it"`
	Head          *render.PersonView `json:"head,omitempty" doc:"Who heads it"`
}

// NewLegalEntity is the body of a legal entity to be entered.
type NewLegalEntity struct {
	Code         string `json:"code" minLength:"1" maxLength:"64" doc:"Letters, digits, dot, dash and underscore" example:"SH01"`
	NameZh       string `json:"name_zh" minLength:"1" maxLength:"200"`
	NameEn       string `json:"name_en" minLength:"1" maxLength:"200"`
	Jurisdiction string `json:"jurisdiction" minLength:"1" maxLength:"16" doc:"One that there are retention rules for; it stays" example:"CN"`
	Region       string `json:"region,omitempty" maxLength:"8" doc:"The part of it whose public holidays count, as its calendar lists them" example:"BY"`
	TimeZone     string `json:"time_zone" minLength:"1" maxLength:"64" doc:"IANA name; it stays" example:"Asia/Shanghai"`
	CutoffTime   string `json:"cutoff_time,omitempty" default:"18:00" maxLength:"8" doc:"The local time of day at which access ends on the last working day"`
}

// LegalEntityPatch is the body of a change; what is left out stays.
type LegalEntityPatch struct {
	NameZh     *string `json:"name_zh,omitempty" minLength:"1" maxLength:"200"`
	NameEn     *string `json:"name_en,omitempty" minLength:"1" maxLength:"200"`
	Region     *string `json:"region,omitempty" maxLength:"8" doc:"For what falls due from now on; empty: not known"`
	CutoffTime *string `json:"cutoff_time,omitempty" maxLength:"8" doc:"For departures that begin from now on"`
}

// NewDepartment is the body of a department to be entered.
type NewDepartment struct {
	Code          string    `json:"code" minLength:"1" maxLength:"64" doc:"Letters, digits, dot, dash and underscore" example:"RD"`
	NameZh        string    `json:"name_zh" minLength:"1" maxLength:"200"`
	NameEn        string    `json:"name_en" minLength:"1" maxLength:"200"`
	LegalEntityID uuid.UUID `json:"legal_entity_id"`
	// ParentID is of the same legal entity.
	ParentID *uuid.UUID `json:"parent_id,omitempty" doc:"The department above it, of the same legal entity"`
}

// DepartmentPatch is the body of a change; what is left out stays.
type DepartmentPatch struct {
	NameZh   *string    `json:"name_zh,omitempty" minLength:"1" maxLength:"200"`
	NameEn   *string    `json:"name_en,omitempty" minLength:"1" maxLength:"200"`
	ParentID *uuid.UUID `json:"parent_id,omitempty" doc:"The department above it, of the same legal entity"`
	NoParent bool       `json:"no_parent,omitempty" doc:"There is none above it any more"`
}

func (s *server) registerOrganisation() {
	r := s.Resource("Organisation", identity.ScopePeople)
	seen, hr := httpkit.Roles{httpkit.HR, httpkit.Head, httpkit.Reviewer, httpkit.Auditor, httpkit.IT}, httpkit.Roles{httpkit.HR}
	httpkit.Handle(r, httpkit.Route{At: "GET /legal-entities", Summary: "List the legal entities", To: seen}, s.listEntities)
	httpkit.Handle(r, httpkit.Route{At: "POST /legal-entities", Summary: "Enter a legal entity", To: hr, Status: http.StatusCreated}, s.createEntity)
	httpkit.Handle(r, httpkit.Route{At: "PATCH /legal-entities/{id}", Summary: "Change the names of a legal entity, its region, or its time of day for cutoffs", To: hr}, s.changeEntity)
	httpkit.Handle(r, httpkit.Route{At: "GET /departments", Summary: "List the departments", To: seen}, s.listDepartments)
	httpkit.Handle(r, httpkit.Route{At: "POST /departments", Summary: "Enter a department", To: hr, Status: http.StatusCreated}, s.createDepartment)
	httpkit.Handle(r, httpkit.Route{At: "PATCH /departments/{id}", Summary: "Change the names of a department, or which one it stands below", To: hr}, s.changeDepartment)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /field-catalogue", Summary: "Read the sections and fields that files have", To: seen, Problems: []int{http.StatusNotFound},
		More: "HR, reviewers and auditors read with it what the company itself added, as it is edited.",
	}, s.catalogue)
	httpkit.Handle(r, httpkit.Route{
		At: "PUT /field-catalogue", Summary: "Ask for other sections, fields and notices of the company's own; a second person decides", To: hr, Status: http.StatusAccepted,
		More: "What is there stays: a field is retired, not removed, and its section, category and type stay. Nobody looks at the fields of a new section until the permissions grant it.",
	}, s.changeCatalogue)
}

type organisationInput struct {
	httpkit.Paging
	httpkit.Speaking
}

func (s *server) listEntities(ctx context.Context, in *organisationInput) (*httpkit.Answer[httpkit.Page[LegalEntityView]], error) {
	return httpkit.List(in.Paging, func(v LegalEntityView) uuid.UUID { return v.ID }, func(after uuid.UUID) ([]LegalEntityView, bool, error) {
		rows, more, err := archive.LegalEntities(ctx, s.DB, after, in.Limit)
		return httpkit.Each(rows, func(e models.LegalEntity) LegalEntityView { return entityView(e, in.Language()) }), more, err
	})
}

func entityView(e models.LegalEntity, language i18n.Language) LegalEntityView {
	return LegalEntityView{
		ID: e.ID, Code: e.Code, Name: language.Of(e.NameZh, e.NameEn), NameZh: e.NameZh, NameEn: e.NameEn,
		Jurisdiction: e.Jurisdiction, Region: e.Region, TimeZone: e.TimeZone, CutoffTime: e.CutoffTime,
	}
}

func (s *server) entity(ctx context.Context, id uuid.UUID, language i18n.Language) (LegalEntityView, error) {
	row, err := database.First[models.LegalEntity](s.DB.Read(ctx).Where("id = ?", id))
	return entityView(row, language), err
}

func (s *server) createEntity(ctx context.Context, in *struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewLegalEntity
}) (*httpkit.CreatedAnswer[LegalEntityView], error) {
	b := in.Body
	made, err := s.Create(ctx, in.Key, "POST /legal-entities", b, func(tx *database.Tx) (httpkit.Creation, error) {
		known, err := retention.HasRules(tx, b.Jurisdiction)
		if err == nil && !known {
			err = httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "body.jurisdiction", Code: httpkit.FieldNotAllowed})
		}
		if err != nil {
			return httpkit.Creation{}, err
		}
		id, err := archive.CreateLegalEntity(tx, archive.NewLegalEntity{
			Code: b.Code, NameZh: b.NameZh, NameEn: b.NameEn, Jurisdiction: b.Jurisdiction, Region: b.Region, TimeZone: b.TimeZone, CutoffTime: b.CutoffTime,
		})
		return httpkit.Created(models.Ref{Kind: models.RefEntity, ID: id}), err
	})
	if err != nil {
		return nil, err
	}
	view, err := s.entity(ctx, made.ID, in.Language())
	return httpkit.CreatedOf(made, view, err)
}

func (s *server) changeEntity(ctx context.Context, in *struct {
	httpkit.ByID
	Body LegalEntityPatch
}) (*httpkit.Answer[LegalEntityView], error) {
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		return archive.ChangeLegalEntity(tx, in.ID, archive.LegalEntityPatch(in.Body))
	})
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.entity(ctx, in.ID, in.Language()))
}

type listDepartmentsInput struct {
	httpkit.Paging
	httpkit.Speaking
	LegalEntityID uuid.UUID `query:"legal_entity_id" doc:"Only those of this legal entity"`
}

func (s *server) listDepartments(ctx context.Context, in *listDepartmentsInput) (*httpkit.Answer[httpkit.Page[DepartmentView]], error) {
	return httpkit.List(in.Paging, func(v DepartmentView) uuid.UUID { return v.ID }, func(after uuid.UUID) ([]DepartmentView, bool, error) {
		rows, more, err := archive.Departments(ctx, s.DB, httpkit.Given(in.LegalEntityID), after, in.Limit)
		if err != nil {
			return nil, false, err
		}
		views, err := s.departmentViews(ctx, rows, in.Language())
		return views, more, err
	})
}

func (s *server) departmentViews(ctx context.Context, rows []models.Department, language i18n.Language) ([]DepartmentView, error) {
	var heads []uuid.UUID
	for _, d := range rows {
		heads = append(heads, render.GivenOf(d.HeadEmployeeID)...)
	}
	people, err := s.People(ctx, language, heads)
	if err != nil {
		return nil, err
	}
	if actor := httpkit.ActorOf(ctx); !access.MaySee(actor.Role, access.RelationNone) { // of other people's heads they know nothing
		people = people.Only(actor.EmployeeID)
	}
	views := make([]DepartmentView, len(rows))
	for i, d := range rows {
		views[i] = DepartmentView{
			ID: d.ID, Code: d.Code, Name: language.Of(d.NameZh, d.NameEn), NameZh: d.NameZh, NameEn: d.NameEn,
			LegalEntityID: d.LegalEntityID, ParentID: d.ParentID, Head: people.Of(d.HeadEmployeeID),
		}
	}
	return views, nil
}

func (s *server) department(ctx context.Context, id uuid.UUID, language i18n.Language) (DepartmentView, error) {
	row, err := database.First[models.Department](s.DB.Read(ctx).Where("id = ?", id))
	if err != nil {
		return DepartmentView{}, err
	}
	return httpkit.One(s.departmentViews(ctx, []models.Department{row}, language))
}

func (s *server) createDepartment(ctx context.Context, in *struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewDepartment
}) (*httpkit.CreatedAnswer[DepartmentView], error) {
	b := in.Body
	made, err := s.Create(ctx, in.Key, "POST /departments", b, func(tx *database.Tx) (httpkit.Creation, error) {
		id, err := archive.CreateDepartment(tx, archive.NewDepartment{Code: b.Code, NameZh: b.NameZh, NameEn: b.NameEn, LegalEntityID: b.LegalEntityID, ParentID: b.ParentID})
		return httpkit.Created(models.Ref{Kind: models.RefDepartment, ID: id}), err
	})
	if err != nil {
		return nil, err
	}
	view, err := s.department(ctx, made.ID, in.Language())
	return httpkit.CreatedOf(made, view, err)
}

func (s *server) changeDepartment(ctx context.Context, in *struct {
	httpkit.ByID
	Body DepartmentPatch
}) (*httpkit.Answer[DepartmentView], error) {
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		return archive.ChangeDepartment(tx, in.ID, archive.DepartmentPatch(in.Body))
	})
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.department(ctx, in.ID, in.Language()))
}
