package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/internal/textform"
	"lethe/models"
)

// HoldView is a legal hold: it suspends the deletion of somebody's data in every employment. It is about
// one person (employee_id), about whoever matches a filter (query), or about everybody.
type HoldView struct {
	ID         uuid.UUID         `json:"id"`
	EmployeeID *uuid.UUID        `json:"employee_id,omitempty"`
	Person     *PersonView       `json:"person,omitempty" doc:"employee_id, by name"`
	Query      *HoldQuery        `json:"query,omitempty"`
	Everybody  bool              `json:"everybody"`
	Categories []models.Category `json:"categories" doc:"What is kept; none means everything"`
	Matter     string            `json:"matter" doc:"Reference of the case, not its story"`
	PlacedBy   *uuid.UUID        `json:"placed_by,omitempty"`
	Placer     *PersonView       `json:"placer,omitempty" doc:"placed_by, by name"`
	PlacedAt   time.Time         `json:"placed_at"`
	PassedTo   *models.Role      `json:"passed_to,omitempty" doc:"Who placed it is gone: the role that looks after it"`
	Covers     *HoldCover        `json:"covers,omitempty" doc:"How much it keeps at the moment: of one that is placed or read by itself, until it is released"`
	ReleasedBy *uuid.UUID        `json:"released_by,omitempty"`
	Releaser   *PersonView       `json:"releaser,omitempty" doc:"released_by, by name"`
	ReleasedAt *time.Time        `json:"released_at,omitempty"`
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
	ApprovalFields
}

func (s *server) registerHolds() {
	r := s.resource("Holds", identity.ScopeDepartures)
	handle(r, route{at: "POST /holds", summary: "Suspend the deletion of somebody's data", to: roles{hr}, status: http.StatusCreated, orRequest: true}, s.placeHold)
	handle(r, route{at: "GET /holds", summary: "List holds, oldest first", to: roles{hr, reviewer, auditor}}, s.listHolds)
	handle(r, route{at: "GET /holds/{id}", summary: "Read a hold", to: roles{hr, reviewer, auditor}}, s.getHold)
	handle(r, route{at: "POST /holds/{id}/release", summary: "Ask to release a hold; a second person decides", to: roles{hr}, status: http.StatusAccepted}, s.releaseHold)
}

// holdViews shows holds with whom they are on and who decided.
func (s *server) holdViews(ctx context.Context, holds []retention.HoldView) ([]HoldView, error) {
	var ids []uuid.UUID
	for _, h := range holds {
		ids = append(ids, givenOf(h.EmployeeID, h.PlacedBy, h.ReleasedBy)...)
	}
	people, err := s.people(ctx, ids)
	views := make([]HoldView, len(holds))
	for i, h := range holds {
		views[i] = holdView(h, people)
	}
	return views, err
}

func holdView(h retention.HoldView, people named) HoldView {
	v := HoldView{
		ID: h.ID, EmployeeID: h.EmployeeID, Person: people.of(h.EmployeeID), Placer: people.of(h.PlacedBy), Releaser: people.of(h.ReleasedBy), Everybody: h.Everybody, Categories: []models.Category{}, Matter: h.Matter,
		PlacedBy: h.PlacedBy, PlacedAt: h.PlacedAt.UTC(), ReleasedBy: h.ReleasedBy, ReleasedAt: utc(h.ReleasedAt),
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
	Idempotent
	Speaking
	Body NewHold
}

func (s *server) placeHold(ctx context.Context, in *newHoldInput) (*outcome[HoldView], error) {
	matter, fault := textform.Line(in.Body.Matter, maxMatter)
	switch fault {
	case textform.Empty:
		return nil, at("matter", fieldRequired)
	case textform.TooLong, textform.Unreadable:
		return nil, at("matter", codeTextUnreadable)
	}
	in.Body.Matter = matter
	b := in.Body
	order := b.order(actorOf(ctx))
	st := step{
		operation: operations.HoldEverybody, command: operations.HoldOnEverybody{Categories: b.Categories, Matter: b.Matter},
		reason: b.ApprovalReason, key: in.Key, route: "POST /holds", body: b,
	}
	if !b.Everybody || b.EmployeeID != nil || b.Query != nil {
		st.operation, st.command = operations.HoldOwn, operations.HoldByFilter{Query: order.Query, Categories: b.Categories, Matter: b.Matter}
		st.assess = func(tx *database.Tx) ([]models.Cause, error) { return retention.AssessHold(tx, order) }
		st.alone = func(tx *database.Tx) (creation, error) {
			hold, _, err := retention.PlaceHold(tx, order)
			if errors.Is(err, database.ErrNotFound) {
				return creation{}, at("employee_id", codeEmployeeNotFound)
			}
			return created(models.Ref{Kind: models.RefHold, ID: hold.ID}), err
		}
	}
	out, err := take(ctx, s, in.language(), &st, func(id uuid.UUID) (HoldView, error) { return s.oneHold(ctx, id) })
	if err != nil {
		return nil, err
	}
	s.endOvertaken(ctx)
	return out, nil
}

// endOvertaken ends the requests that a command has just overtaken. What fails here is left to the next sweep.
func (s *server) endOvertaken(ctx context.Context) {
	if _, err := s.Approvals.EndOvertaken(ctx, s.DB); err != nil {
		s.Log.WarnContext(ctx, "requests that were overtaken are left open for now", "request_id", requestIDOf(ctx), "error", err.Error())
	}
}

type listHoldsInput struct {
	Paging
	Speaking
	EmployeeID uuid.UUID `query:"employee_id" doc:"Only those that cover this person, by a filter or on everybody too"`
	Active     bool      `query:"active" doc:"Only those that are not released"`
}

func (s *server) listHolds(ctx context.Context, in *listHoldsInput) (*answer[Page[HoldView]], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	f := retention.HoldFilter{EmployeeID: given(in.EmployeeID), Active: in.Active, NotOn: actorOf(ctx).EmployeeID, Limit: in.Limit}
	f.After = after
	holds, more, err := retention.Holds(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	page := Page[HoldView]{}
	if page.Items, err = s.holdViews(ctx, holds); err != nil {
		return nil, err
	}
	page.NextCursor = next(in.Paging, holds, more, func(v retention.HoldView) uuid.UUID { return v.ID })
	return &answer[Page[HoldView]]{page}, passedOn(ctx, s, models.RoleHRAdmin, page.Items, holdHolder)
}

func (s *server) getHold(ctx context.Context, in *ByID) (*answer[HoldView], error) {
	view, err := s.oneHold(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	views := []HoldView{view}
	err = passedOn(ctx, s, models.RoleHRAdmin, views, holdHolder)
	return &answer[HoldView]{views[0]}, err
}

// oneHold is a hold with how much it keeps. A list leaves that out: counting takes as long as a hold is wide.
func (s *server) oneHold(ctx context.Context, id uuid.UUID) (HoldView, error) {
	hold, err := retention.GetHold(ctx, s.DB, id)
	if err == nil && hold.EmployeeID != nil && *hold.EmployeeID == actorOf(ctx).EmployeeID {
		err = problem(codeNotFound) // that somebody inquires into them is not theirs to know
	}
	if err != nil {
		return HoldView{}, err
	}
	views, err := s.holdViews(ctx, []retention.HoldView{hold})
	view := views[0]
	if err != nil || hold.ReleasedAt != nil {
		return view, err
	}
	cover, err := retention.CoverOf(ctx, s.DB, id)
	view.Covers = (*HoldCover)(&cover)
	return view, err
}

type releaseHoldInput struct {
	Idempotent
	ByID
	Body struct {
		ApprovalFields
	} `required:"false"`
}

func (s *server) releaseHold(ctx context.Context, in *releaseHoldInput) (*outcome[ApprovalView], error) {
	return s.ask(ctx, in.language(), step{
		operation: operations.ReleaseHold, command: operations.HoldRelease{HoldID: in.ID}, reason: in.Body.ApprovalReason,
		key: in.Key, route: "POST /holds/" + in.ID.String() + "/release", body: in.Body,
	})
}
