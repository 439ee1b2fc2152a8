package holds

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/internal/textform"
	"lethe/models"
)

// HoldView is a legal hold: it suspends the deletion of somebody's data in every employment. It is about
// one person (employee_id), about whoever matches a filter (query), or about everybody.
type HoldView struct {
	ID             uuid.UUID          `json:"id"`
	EmployeeID     *uuid.UUID         `json:"employee_id,omitempty"`
	Person         *render.PersonView `json:"person,omitempty" doc:"employee_id, by name"`
	Query          *HoldQuery         `json:"query,omitempty"`
	QueryText      []string           `json:"query_text,omitempty" doc:"The legal entity and the department of query, by name"`
	Everybody      bool               `json:"everybody"`
	Categories     []models.Category  `json:"categories" doc:"What is kept; none means everything"`
	CategoriesText []string           `json:"categories_text"`
	Matter         string             `json:"matter" doc:"Reference of the case, not its story"`
	PlacedBy       *uuid.UUID         `json:"placed_by,omitempty"`
	Placer         *render.PersonView `json:"placer,omitempty" doc:"placed_by, by name"`
	PlacedAt       time.Time          `json:"placed_at"`
	render.PassedOn
	Covers     *HoldCover         `json:"covers,omitempty" doc:"How much it keeps at the moment: of one that is placed or read by itself, until it is released"`
	ReleasedBy *uuid.UUID         `json:"released_by,omitempty"`
	Releaser   *render.PersonView `json:"releaser,omitempty" doc:"released_by, by name"`
	ReleasedAt *time.Time         `json:"released_at,omitempty"`
}

// HoldCover is how many a hold keeps the data of.
type HoldCover struct {
	People int64 `json:"people" doc:"People of whom something is left that it keeps"`
	Files  int64 `json:"files" doc:"Their employments of which something is left that it keeps"`
}

// HoldQuery is the filter of a hold. All that is given must fit one and the same employment; whoever has
// or comes to have such a one is covered with all employments, until the release.
type HoldQuery struct {
	LegalEntityID *uuid.UUID  `json:"legal_entity_id,omitempty"`
	DepartmentID  *uuid.UUID  `json:"department_id,omitempty"`
	LeftFrom      *clock.Date `json:"left_from,omitempty" doc:"First day on which the employment may have ended"`
	LeftTo        *clock.Date `json:"left_to,omitempty" doc:"Last day on which the employment may have ended"`
}

// NewHold is the body of a hold: exactly one of employee_id, query and everybody.
type NewHold struct {
	EmployeeID *uuid.UUID        `json:"employee_id,omitempty" doc:"Everything of this person: each employment, also one that begins later"`
	Query      *HoldQuery        `json:"query,omitempty" doc:"Whoever matches, now or later; one that matches whoever places it takes a second person (202)"`
	Everybody  bool              `json:"everybody,omitempty" doc:"The whole company; a second person decides (202)"`
	Categories []models.Category `json:"categories,omitempty" maxItems:"20" uniqueItems:"true" doc:"Left out: everything that is not destroyed yet"`
	Matter     string            `json:"matter" minLength:"1" maxLength:"100" doc:"Reference of the case, not its story. It is kept, sealed, as long as the log" example:"劳仲案(2026)123"`
	approvals.ApprovalFields
}

func (s *server) registerHolds() {
	r := s.Resource("Holds", identity.ScopeDepartures)
	httpkit.Handle(r, httpkit.Route{At: "POST /holds", Summary: "Suspend the deletion of somebody's data", To: httpkit.Roles{httpkit.HR}, Status: http.StatusCreated, OrRequest: true}, s.placeHold)
	httpkit.Handle(r, httpkit.Route{At: "GET /holds", Summary: "List holds, oldest first", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}}, s.listHolds)
	httpkit.Handle(r, httpkit.Route{At: "GET /holds/{id}", Summary: "Read a hold", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}}, s.getHold)
	httpkit.Handle(r, httpkit.Route{At: "POST /holds/{id}/release", Summary: "Ask to release a hold; a second person decides", To: httpkit.Roles{httpkit.HR}, Status: http.StatusAccepted}, s.releaseHold)
}

// holdViews shows holds with whom they are on and who decided.
func (s *server) holdViews(ctx context.Context, language i18n.Language, holds []retention.HoldView) ([]HoldView, error) {
	var ids, inFilters []uuid.UUID
	for _, h := range holds {
		ids = append(ids, render.GivenOf(h.EmployeeID, h.PlacedBy, h.ReleasedBy)...)
		q := h.Query()
		inFilters = append(inFilters, render.GivenOf(q.LegalEntityID, q.DepartmentID)...)
	}
	people, err := s.People(ctx, language, ids)
	if err != nil {
		return nil, err
	}
	units, err := s.Units(ctx, language, inFilters)
	if err != nil {
		return nil, err
	}
	views := make([]HoldView, len(holds))
	for i, h := range holds {
		views[i] = holdView(h, people)
		views[i].CategoriesText = closed.Texts(language, views[i].Categories)
		if q := h.Query(); !q.Empty() {
			for _, id := range render.GivenOf(q.LegalEntityID, q.DepartmentID) {
				views[i].QueryText = append(views[i].QueryText, units[id])
			}
		}
	}
	return views, nil
}

func holdView(h retention.HoldView, people render.Named) HoldView {
	v := HoldView{
		ID: h.ID, EmployeeID: h.EmployeeID, Person: people.Of(h.EmployeeID), Placer: people.Of(h.PlacedBy), Releaser: people.Of(h.ReleasedBy), Everybody: h.Everybody, Categories: []models.Category{}, Matter: h.Matter,
		PlacedBy: h.PlacedBy, PlacedAt: h.PlacedAt.UTC(), ReleasedBy: h.ReleasedBy, ReleasedAt: render.UTC(h.ReleasedAt),
	}
	if q := h.Query(); !q.Empty() {
		v.Query = (*HoldQuery)(&q)
	}
	for c := range strings.SplitSeq(h.Categories, ",") {
		if c != "" {
			v.Categories = append(v.Categories, models.Category(c))
		}
	}
	return v
}

func (b NewHold) order(by models.Actor) retention.HoldOrder {
	o := retention.HoldOrder{Everybody: b.Everybody, Categories: b.Categories, Matter: b.Matter, By: by}
	if b.EmployeeID != nil {
		o.EmployeeID = *b.EmployeeID
	}
	if b.Query != nil {
		o.Query = retention.HoldQuery(*b.Query)
	}
	return o
}

// maxMatter is in characters.
const maxMatter = 100

type newHoldInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewHold
}

func (s *server) placeHold(ctx context.Context, in *newHoldInput) (*approvals.Outcome[HoldView], error) {
	matter, fault := textform.Line(in.Body.Matter, maxMatter)
	switch fault {
	case textform.Empty:
		return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "body.matter", Code: httpkit.FieldRequired})
	case textform.TooLong, textform.Unreadable:
		return nil, httpkit.AtField("matter", httpkit.CodeTextUnreadable)
	}
	in.Body.Matter = matter
	b := in.Body
	order := b.order(httpkit.ActorOf(ctx))
	st := approvals.Step{
		Operation: operations.HoldEverybody, Command: operations.HoldOnEverybody{Categories: b.Categories, Matter: b.Matter},
		Reason: b.ApprovalReason, Key: in.Key, Route: "POST /holds", Body: b,
	}
	if !b.Everybody || b.EmployeeID != nil || b.Query != nil {
		st.Operation, st.Command = operations.HoldOwn, operations.HoldByFilter{Query: order.Query, Categories: b.Categories, Matter: b.Matter}
		st.Assess = func(tx *database.Tx) ([]models.Cause, error) { return retention.AssessHold(tx, order) }
		st.Alone = func(tx *database.Tx) (httpkit.Creation, error) {
			hold, _, err := retention.PlaceHold(tx, order)
			if errors.Is(err, database.ErrNotFound) {
				return httpkit.Creation{}, httpkit.AtField("employee_id", httpkit.CodeEmployeeNotFound)
			}
			return httpkit.Created(models.Ref{Kind: models.RefHold, ID: hold.ID}), err
		}
	}
	out, err := approvals.Take(ctx, s.Desk, in.Language(), &st, func(id uuid.UUID) (HoldView, error) { return s.oneHold(ctx, in.Language(), id) })
	if err != nil {
		return nil, err
	}
	s.EndOvertaken(ctx)
	return out, nil
}

type listHoldsInput struct {
	httpkit.Paging
	httpkit.Speaking
	EmployeeID uuid.UUID     `query:"employee_id" doc:"Only those that cover this person, by a filter or on everybody too"`
	Active     httpkit.YesNo `query:"active" enum:"true,false" doc:"true: only those in force; false: only those that are released"`
}

func (s *server) listHolds(ctx context.Context, in *listHoldsInput) (*httpkit.Answer[httpkit.Page[HoldView]], error) {
	f := retention.HoldFilter{EmployeeID: httpkit.Given(in.EmployeeID), Active: in.Active.Bool(), NotOn: httpkit.ActorOf(ctx).EmployeeID, Limit: in.Limit}
	return httpkit.List(in.Paging, func(v HoldView) uuid.UUID { return v.ID }, func(after uuid.UUID) ([]HoldView, bool, error) {
		f.After = after
		holds, more, err := retention.Holds(ctx, s.DB, f)
		if err != nil {
			return nil, false, err
		}
		views, err := s.holdViews(ctx, in.Language(), holds)
		if err != nil {
			return nil, false, err
		}
		return views, more, render.MarkPassedOn(ctx, s.Renderer, models.HoldingHold, models.RoleHRAdmin, views, in.Language(), holdHolder)
	})
}

func (s *server) getHold(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[HoldView], error) {
	view, err := s.oneHold(ctx, in.Language(), in.ID)
	if err != nil {
		return nil, err
	}
	views := []HoldView{view}
	err = render.MarkPassedOn(ctx, s.Renderer, models.HoldingHold, models.RoleHRAdmin, views, in.Language(), holdHolder)
	return &httpkit.Answer[HoldView]{Body: views[0]}, err
}

// oneHold is a hold with how much it keeps. A list leaves that out: counting takes as long as a hold is wide.
func (s *server) oneHold(ctx context.Context, language i18n.Language, id uuid.UUID) (HoldView, error) {
	hold, err := retention.GetHold(ctx, s.DB, id)
	if err == nil && hold.EmployeeID != nil && *hold.EmployeeID == httpkit.ActorOf(ctx).EmployeeID {
		err = httpkit.NewProblem(httpkit.CodeNotFound) // that somebody inquires into them is not theirs to know
	}
	if err != nil {
		return HoldView{}, err
	}
	view, err := httpkit.One(s.holdViews(ctx, language, []retention.HoldView{hold}))
	if err != nil || hold.ReleasedAt != nil {
		return view, err
	}
	cover, err := retention.CoverOf(ctx, s.DB, id)
	view.Covers = (*HoldCover)(&cover)
	return view, err
}

type releaseHoldInput struct {
	httpkit.Idempotent
	httpkit.ByID
	Body struct {
		approvals.ApprovalFields
	} `required:"false"`
}

func (s *server) releaseHold(ctx context.Context, in *releaseHoldInput) (*approvals.Outcome[approvals.ApprovalView], error) {
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.ReleaseHold, Command: operations.HoldRelease{HoldID: in.ID}, Reason: in.Body.ApprovalReason,
		Key: in.Key, Route: "POST /holds/" + in.ID.String() + "/release", Body: in.Body,
	})
}

// holdHolder is who placed a hold that is in force.
func holdHolder(v *HoldView) (uuid.UUID, *uuid.UUID, *render.PassedOn) {
	if v.ReleasedAt != nil {
		return v.ID, nil, nil
	}
	return v.ID, v.PlacedBy, &v.PassedOn
}
