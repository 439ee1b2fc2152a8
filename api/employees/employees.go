package employees

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// NewEmployee is the body of a hire.
type NewEmployee struct {
	EmployeeNo    string            `json:"employee_no" minLength:"1" maxLength:"64" doc:"Letters, digits, dot, dash and underscore. That of somebody who left opens a new employment" example:"E00042"`
	Name          string            `json:"name" minLength:"1" maxLength:"200"`
	DepartmentID  uuid.UUID         `json:"department_id"`
	LegalEntityID *uuid.UUID        `json:"legal_entity_id,omitempty" doc:"Left out: the department's"`
	SiteID        *uuid.UUID        `json:"site_id,omitempty" doc:"Where the person works; left out: not said"`
	Post          string            `json:"post,omitempty" maxLength:"200"`
	HiredOn       clock.Date        `json:"hired_on"`
	TimeZone      string            `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name. Left out: the legal entity's" example:"Asia/Shanghai"`
	Fields        map[string]string `json:"fields,omitempty" doc:"Sensitive values by the keys of the field catalogue. They are sealed at once"`
	approvals.ApprovalFields
}

// EmployeePatch is the body of a change to a file; what is left out stays.
type EmployeePatch struct {
	Name          *string            `json:"name,omitempty" minLength:"1" maxLength:"200"`
	DepartmentID  *uuid.UUID         `json:"department_id,omitempty"`
	SiteID        *uuid.UUID         `json:"site_id,omitempty" doc:"Where the person works"`
	NoSite        bool               `json:"no_site,omitempty" doc:"That is not said any more"`
	Post          *string            `json:"post,omitempty" maxLength:"200"`
	Fields        map[string]*string `json:"fields,omitempty" doc:"Sensitive values by the keys of the field catalogue; null removes one"`
	LegalEntityID *uuid.UUID         `json:"legal_entity_id,omitempty" doc:"A change needs an approval"`
	Jurisdiction  *string            `json:"jurisdiction,omitempty" maxLength:"16" doc:"A change needs an approval"`
	TimeZone      *string            `json:"time_zone,omitempty" maxLength:"64" doc:"A change needs an approval"`
	HiredOn       *clock.Date        `json:"hired_on,omitempty" doc:"A change needs an approval"`
	approvals.ApprovalFields
}

type newEmployeeInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewEmployee
}

func (s *server) registerEmployees() {
	r := s.Resource("Employees", identity.ScopePeople)
	httpkit.Handle(r, httpkit.Route{At: "POST /employees", Summary: "Hire somebody; a second person decides", To: httpkit.Roles{httpkit.HR}, Status: http.StatusAccepted}, s.createEmployee)
	httpkit.Handle(r, httpkit.Route{At: "GET /employees", Summary: "List people", To: httpkit.Everyone}, s.listEmployees)
	httpkit.Handle(r, httpkit.Route{At: "GET /employees/{id}", Summary: "Read a file; sensitive fields are masked", Former: true, To: httpkit.Everyone}, s.getEmployee)
	httpkit.Handle(r, httpkit.Route{At: "PATCH /employees/{id}", Summary: "Change a file", To: httpkit.Roles{httpkit.HR}, OrRequest: true}, s.patchEmployee)
}

func (s *server) createEmployee(ctx context.Context, in *newEmployeeInput) (*approvals.Outcome[approvals.ApprovalView], error) {
	b := in.Body
	n := archive.NewEmployee{
		EmployeeNo: b.EmployeeNo, Name: b.Name, DepartmentID: b.DepartmentID, SiteID: b.SiteID, Post: b.Post,
		HiredOn: b.HiredOn, TimeZone: b.TimeZone, Fields: b.Fields,
	}
	if b.LegalEntityID != nil {
		n.LegalEntityID = *b.LegalEntityID
	}
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.CreateEmployee, Command: n, Reason: b.ApprovalReason,
		Key: in.Key, Route: "POST /employees", Body: b,
	})
}

type listEmployeesInput struct {
	httpkit.Paging
	httpkit.Speaking
	Search       string                `query:"q" maxLength:"100" doc:"Part of a name, of a former one or of the employee number; or the beginning of the name or of one of its syllables in pinyin (zhangwei, wei) or initials (zw)"`
	Status       models.EmployeeStatus `query:"status" doc:"Only those in this state"`
	DepartmentID uuid.UUID             `query:"department_id" doc:"Only those of this department"`
	SiteID       uuid.UUID             `query:"site_id" doc:"Only those at this site"`
}

func (s *server) listEmployees(ctx context.Context, in *listEmployeesInput) (*httpkit.Answer[httpkit.Page[archive.Employee]], error) {
	return httpkit.List(in.Paging, func(e archive.Employee) uuid.UUID { return e.ID }, func(after uuid.UUID) ([]archive.Employee, bool, error) {
		people, more, err := archive.List(ctx, s.DB, archive.Filter{
			Actor: httpkit.ActorOf(ctx), Query: in.Search, Status: in.Status,
			DepartmentID: in.DepartmentID, SiteID: in.SiteID, After: after, Limit: in.Limit,
		})
		if err != nil {
			return nil, false, located("query.", err)
		}
		return people, more, s.name(ctx, in.Language(), people)
	})
}

func (s *server) getEmployee(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[archive.EmployeeView], error) {
	return s.showEmployee(ctx, in.ID, in.Language())
}

func (s *server) showEmployee(ctx context.Context, id uuid.UUID, language i18n.Language) (*httpkit.Answer[archive.EmployeeView], error) {
	view, err := s.fileView(ctx, id, language)
	if errors.Is(err, database.ErrNotFound) {
		return nil, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	}
	return httpkit.AnswerOf(view, err)
}

// fileView is a file as the actor may see it, with the texts of what is closed and the names of what has an id.
func (s *server) fileView(ctx context.Context, id uuid.UUID, language i18n.Language) (archive.EmployeeView, error) {
	view, err := archive.Get(ctx, s.DB, httpkit.ActorOf(ctx), id, language)
	if err != nil {
		return view, err
	}
	one := []archive.Employee{view.Employee}
	err = s.name(ctx, language, one)
	view.Employee = one[0]
	return view, err
}

func (s *server) name(ctx context.Context, language i18n.Language, people []archive.Employee) error {
	var ids []uuid.UUID
	for _, p := range people {
		ids = append(append(ids, p.DepartmentID, p.LegalEntityID), render.GivenOf(p.SiteID)...)
	}
	units, err := s.Units(ctx, language, ids)
	for i, p := range people {
		people[i].StatusText = closed.Text(language, p.Status)
		people[i].Department, people[i].LegalEntity = units[p.DepartmentID], units[p.LegalEntityID]
		if p.SiteID != nil {
			people[i].Site = units[*p.SiteID]
		}
	}
	return err
}

type patchEmployeeInput struct {
	httpkit.ByID
	Body EmployeePatch
}

func (s *server) patchEmployee(ctx context.Context, in *patchEmployeeInput) (*approvals.Outcome[archive.EmployeeView], error) {
	b := in.Body
	patch := archive.Patch{
		Name: b.Name, DepartmentID: b.DepartmentID, SiteID: b.SiteID, NoSite: b.NoSite, Post: b.Post, Fields: b.Fields,
		LegalEntityID: b.LegalEntityID, Jurisdiction: b.Jurisdiction, TimeZone: b.TimeZone, HiredOn: b.HiredOn,
	}
	out, err := approvals.Take(ctx, s.Desk, in.Language(), &approvals.Step{
		Operation: operations.ChangeBasis, Command: operations.BasisChange{EmployeeID: in.ID, Patch: patch}, Reason: b.ApprovalReason,
		Assess: func(tx *database.Tx) ([]models.Cause, error) { return archive.Assess(tx, in.ID, patch) },
		Alone: func(tx *database.Tx) (httpkit.Creation, error) {
			return httpkit.Done(models.Ref{Kind: models.RefEmployee, ID: in.ID}), archive.Update(tx, s.Vault, in.ID, patch)
		},
	}, func(id uuid.UUID) (archive.EmployeeView, error) {
		return s.fileView(ctx, id, in.Language())
	})
	if errors.Is(err, database.ErrNotFound) {
		return nil, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	}
	return out, err
}
