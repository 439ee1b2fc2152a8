// Package successions serves what people look after here, who takes it over when they leave, and what passed on.
package successions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/succession"
	"lethe/models"
)

type server struct{ *approvals.Desk }

// Register serves the resource.
func Register(desk *approvals.Desk) {
	s := &server{desk}
	httpkit.Describe[succession.Reason](s.API)
	r := s.Resource("Succession", identity.ScopeDepartures)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /employees/{id}/holdings", Summary: "Read what somebody looks after here, and who would take it over", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		More: "Things that are held by name, by kind, with what becomes of them when the person leaves, is cut off, disabled or loses the role. IT operations see support cases only. Nobody reads the own.",
	}, s.holdings)
	httpkit.Handle(r, httpkit.Route{
		At: "PUT /employees/{id}/successors", Summary: "Name who takes over what somebody looks after", To: httpkit.Roles{httpkit.HR},
		More: "All of them at once: whoever was named before is named no more. It can be done before a departure and after it began; a missing successor delays nothing. Each is looked at again when something passes.",
	}, s.putSuccessors)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /successions", Summary: "List what passed on, newest first", To: httpkit.Staff,
		More: "HR administrators and auditors see everything but the own, the others what their role looks after.",
	}, s.list)
	httpkit.Handle(r, httpkit.Route{At: "GET /successions/{id}", Summary: "Read how something passed on", To: httpkit.Staff}, s.get)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /successions/upcoming", Summary: "List who leaves within seven days and looks after something that nobody takes over", To: httpkit.Roles{httpkit.HR},
	}, s.upcoming)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /successions/{id}/taking", Summary: "Say who takes over what fell to a role", To: httpkit.Roles{httpkit.HR}, Status: http.StatusCreated,
	}, s.take)
}

// MissingView is how many things of a kind nobody takes over.
type MissingView struct {
	Kind     models.Holding `json:"kind"`
	KindText string         `json:"kind_text"`
	Count    int            `json:"count"`
}

// Missing is what of some groups nobody takes over.
func Missing(language i18n.Language, groups []succession.Group) []MissingView {
	views := []MissingView{}
	for _, g := range groups {
		if g.Missing > 0 {
			views = append(views, MissingView{g.Name, closed.Text(language, g.Name), g.Missing})
		}
	}
	return views
}

// Holdings are what somebody looks after here.
type Holdings struct {
	EmployeeID     uuid.UUID          `json:"employee_id"`
	Person         *render.PersonView `json:"person,omitempty" doc:"employee_id, by name"`
	AccessCutoffAt *time.Time         `json:"access_cutoff_at,omitempty" doc:"When the person's access ends; left out: nobody has said so"`
	Version        int                `json:"version" doc:"Of whom was named; 0: nobody ever was"`
	NamedBy        *render.PersonView `json:"named_by,omitempty"`
	NamedAt        *time.Time         `json:"named_at,omitempty"`
	Successor      *render.PersonView `json:"successor,omitempty" doc:"Who takes over whatever names nobody else"`
	Missing        int                `json:"missing" doc:"How many things nobody takes over"`
	Kinds          []HoldingKind      `json:"kinds" doc:"Those of which there is something"`
}

// HoldingKind are the things of one kind.
type HoldingKind struct {
	Kind        models.Holding       `json:"kind"`
	KindText    string               `json:"kind_text"`
	Effect      models.HoldingEffect `json:"effect"`
	EffectText  string               `json:"effect_text" doc:"What becomes of them when the person is gone"`
	FallsTo     models.Role          `json:"falls_to"`
	FallsToText string               `json:"falls_to_text"`
	Successor   *render.PersonView   `json:"successor,omitempty" doc:"Who is named for this kind"`
	Missing     int                  `json:"missing" doc:"How many of them nobody takes over"`
	Things      []HeldThing          `json:"things"`
	Proposals   []SuccessorProposal  `json:"proposals" doc:"Who could take all of them over"`
}

// HeldThing is one of them.
type HeldThing struct {
	ID        uuid.UUID          `json:"id"`
	Text      string             `json:"text" doc:"What it is called"`
	Since     *time.Time         `json:"since,omitempty"`
	Successor *render.PersonView `json:"successor,omitempty" doc:"Who takes it over as things are"`
}

// SuccessorProposal is somebody who could take things over, and why.
type SuccessorProposal struct {
	Person     *render.PersonView `json:"person"`
	Reason     succession.Reason  `json:"reason"`
	ReasonText string             `json:"reason_text"`
}

func (s *server) holdings(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[Holdings], error) {
	return httpkit.AnswerOf(s.holdingsOf(ctx, in.Language(), in.ID))
}

func (s *server) holdingsOf(ctx context.Context, language i18n.Language, who uuid.UUID) (v Holdings, err error) {
	by := httpkit.ActorOf(ctx)
	if who == by.EmployeeID {
		return v, succession.ErrOwn
	}
	if err := s.Visible(ctx, by, who); err != nil {
		return v, err
	}
	var h succession.Holdings
	err = database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		h, err = succession.Of(tx, by.EmployeeID, who, by.Role == httpkit.HR)
		return err
	})
	if err != nil {
		return v, err
	}
	if by.Role != httpkit.HR {
		var cases []succession.Group
		for _, g := range h.Groups {
			if g.FallsTo == by.Role {
				cases = append(cases, g)
			}
		}
		h = succession.Holdings{Groups: cases}
	}
	people, err := s.peopleIn(ctx, language, who, h)
	if err != nil {
		return v, err
	}
	v = Holdings{EmployeeID: who, Person: people.Of(&who), AccessCutoffAt: render.UTC(h.Cutoff), Version: h.Plan.Version, Missing: h.Missing(), Kinds: []HoldingKind{}}
	if h.Plan.Version > 0 {
		v.NamedBy, v.NamedAt = people.Of(&h.Plan.NamedBy), render.UTC(&h.Plan.NamedAt)
	}
	if id, named := h.Plan.Successors[""]; named {
		v.Successor = people.Of(&id)
	}
	for _, g := range h.Groups {
		v.Kinds = append(v.Kinds, kindView(language, g, h.Plan, people))
	}
	return v, nil
}

// peopleIn names everybody whom somebody's holdings show.
func (s *server) peopleIn(ctx context.Context, language i18n.Language, who uuid.UUID, h succession.Holdings) (render.Named, error) {
	ids := []uuid.UUID{who, h.Plan.NamedBy}
	for _, id := range h.Plan.Successors {
		ids = append(ids, id)
	}
	for _, g := range h.Groups {
		for _, t := range g.Things {
			ids = append(ids, render.GivenOf(t.About, t.Successor)...)
		}
		for _, p := range g.Proposals {
			ids = append(ids, p.EmployeeID)
		}
	}
	return s.PeopleInLog(ctx, language, ids)
}

func kindView(language i18n.Language, g succession.Group, plan succession.Plan, people render.Named) HoldingKind {
	v := HoldingKind{
		Kind: g.Name, KindText: closed.Text(language, g.Name), Effect: g.Effect, EffectText: closed.Text(language, g.Effect),
		FallsTo: g.FallsTo, FallsToText: closed.Text(language, g.FallsTo), Missing: g.Missing, Things: []HeldThing{}, Proposals: []SuccessorProposal{},
	}
	if id, named := plan.Successors[g.Name]; named {
		v.Successor = people.Of(&id)
	}
	for _, t := range g.Things {
		v.Things = append(v.Things, HeldThing{ID: t.ThingID, Text: thingText(language, g.Name, t.Thing, people), Since: render.UTC(t.Since), Successor: people.Of(t.Successor)})
	}
	for _, p := range g.Proposals {
		v.Proposals = append(v.Proposals, SuccessorProposal{people.Of(&p.EmployeeID), p.Reason, fmt.Sprintf(closed.Text(language, p.Reason), p.Load)})
	}
	return v
}

// thingText is what something is called.
func thingText(language i18n.Language, kind models.Holding, t succession.Thing, people render.Named) string {
	text := language.Of(t.Zh, t.En)
	switch {
	case kind == models.HoldingRole:
		text = closed.Text(language, models.Role(t.Code))
	case kind == models.HoldingRequest:
		text = i18n.Text(language, "approval.operation."+t.Code)
	}
	if p := people.Of(t.About); p != nil {
		if text != "" {
			text += language.Of("：", ": ")
		}
		text += p.Text()
	}
	return text
}

// KindSuccessor is who takes over the things of one kind.
type KindSuccessor struct {
	Kind        models.Holding `json:"kind"`
	SuccessorID uuid.UUID      `json:"successor_id"`
}

type putSuccessorsInput struct {
	httpkit.ByID
	Body struct {
		BaseVersion int             `json:"base_version" minimum:"0" doc:"The version that it was made from"`
		SuccessorID *uuid.UUID      `json:"successor_id,omitempty" doc:"Who takes over whatever names nobody else; left out: nobody"`
		ByKind      []KindSuccessor `json:"by_kind,omitempty" maxItems:"20"`
	}
}

func (s *server) putSuccessors(ctx context.Context, in *putSuccessorsInput) (*httpkit.Answer[Holdings], error) {
	by := httpkit.ActorOf(ctx)
	order := succession.Order{EmployeeID: in.ID, Base: in.Body.BaseVersion, Successors: map[models.Holding]uuid.UUID{}}
	at := map[models.Holding]string{"": "successor_id"}
	if in.Body.SuccessorID != nil {
		order.Successors[""] = *in.Body.SuccessorID
	}
	for i, k := range in.Body.ByKind {
		order.Successors[k.Kind], at[k.Kind] = k.SuccessorID, fmt.Sprintf("by_kind[%d].successor_id", i)
	}
	if in.ID != by.EmployeeID {
		if err := s.Visible(ctx, by, in.ID); err != nil {
			return nil, err
		}
	}
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		_, err := succession.Name(tx, by, order)
		return err
	})
	var not *succession.UnfitError
	if errors.As(err, &not) {
		return nil, unfit(not, at[not.Kind], in.Language())
	}
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.holdingsOf(ctx, in.Language(), in.ID))
}

// Succession is that something passed on.
type Succession struct {
	ID        uuid.UUID              `json:"id"`
	Kind      models.Holding         `json:"kind"`
	KindText  string                 `json:"kind_text"`
	ThingID   uuid.UUID              `json:"thing_id"`
	ThingText string                 `json:"thing_text,omitempty" doc:"What it is called, while it is open"`
	From      *render.PersonView     `json:"from,omitempty" doc:"Left out: the role"`
	To        *render.PersonView     `json:"to,omitempty" doc:"Left out: the role, where somebody has to take it"`
	Role      models.Role            `json:"role" doc:"The role that looks after it where nobody does by name"`
	RoleText  string                 `json:"role_text"`
	Cause     models.SuccessionCause `json:"cause"`
	CauseText string                 `json:"cause_text"`
	At        time.Time              `json:"at"`
	By        *render.PersonView     `json:"by,omitempty" doc:"Who said who takes it"`
}

func (s *server) views(ctx context.Context, language i18n.Language, rows []models.Succession) ([]Succession, error) {
	things, err := succession.Things(ctx, s.DB, rows)
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	for _, r := range rows {
		ids = append(ids, render.GivenOf(r.FromID, r.ToID, r.PassedBy, things[r.ThingID].About)...)
	}
	people, err := s.PeopleInLog(ctx, language, ids)
	return httpkit.Each(rows, func(r models.Succession) Succession {
		return Succession{
			ThingText: thingText(language, r.Kind, things[r.ThingID], people),
			ID:        r.ID, Kind: r.Kind, KindText: closed.Text(language, r.Kind), ThingID: r.ThingID, From: people.Of(r.FromID), To: people.Of(r.ToID), Role: r.Role,
			RoleText: closed.Text(language, r.Role), Cause: r.Cause, CauseText: closed.Text(language, r.Cause), At: r.At.UTC(), By: people.Of(r.PassedBy),
		}
	}), err
}

// Filter is what somebody may see of what passed on.
func Filter(by models.Actor) succession.Filter {
	f := succession.Filter{Reader: by.EmployeeID}
	if by.Role == httpkit.Reviewer || by.Role == httpkit.IT {
		f.Roles = []models.Role{by.Role}
	}
	return f
}

type listInput struct {
	httpkit.Paging
	httpkit.Speaking
	Open httpkit.YesNo `query:"open" enum:"true" doc:"true: only what fell to a role that still looks after it"`
}

func (s *server) list(ctx context.Context, in *listInput) (*httpkit.Answer[httpkit.Page[Succession]], error) {
	f := Filter(httpkit.ActorOf(ctx))
	f.Open, f.Limit = in.Open == "true", in.Limit
	return httpkit.List(in.Paging, func(v Succession) uuid.UUID { return v.ID }, func(before uuid.UUID) ([]Succession, bool, error) {
		f.Before = before
		rows, err := succession.List(ctx, s.DB, f)
		if err != nil {
			return nil, false, err
		}
		more := len(rows) > in.Limit
		if more {
			rows = rows[:in.Limit]
		}
		views, err := s.views(ctx, in.Language(), rows)
		return views, more, err
	})
}

func (s *server) get(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[Succession], error) {
	row, err := succession.Get(ctx, s.DB, Filter(httpkit.ActorOf(ctx)), in.ID)
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(httpkit.One(s.views(ctx, in.Language(), []models.Succession{row})))
}

type takeInput struct {
	httpkit.ByID
	Body struct {
		EmployeeID uuid.UUID `json:"employee_id" doc:"Who takes it"`
	}
}

func (s *server) take(ctx context.Context, in *takeInput) (*httpkit.CreatedAnswer[Succession], error) {
	by := httpkit.ActorOf(ctx)
	var row models.Succession
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		row, err = succession.Take(tx, by, in.ID, in.Body.EmployeeID)
		return err
	})
	var not *succession.UnfitError
	if errors.As(err, &not) {
		return nil, unfit(not, "employee_id", in.Language())
	}
	if err != nil {
		return nil, err
	}
	row, err = succession.Get(ctx, s.DB, Filter(by), row.ID)
	if err != nil {
		return nil, err
	}
	view, err := httpkit.One(s.views(ctx, in.Language(), []models.Succession{row}))
	return httpkit.CreatedOf(httpkit.Created(models.Ref{Kind: models.RefSuccession, ID: row.ID}), view, err)
}

// LeavingHolder is somebody who leaves soon and looks after something that nobody takes over.
type LeavingHolder struct {
	DepartureID    uuid.UUID          `json:"departure_id"`
	Person         *render.PersonView `json:"person"`
	AccessCutoffAt time.Time          `json:"access_cutoff_at"`
	Missing        []MissingView      `json:"missing"`
}

func (s *server) upcoming(ctx context.Context, in *httpkit.Speaking) (*httpkit.Answer[httpkit.Page[LeavingHolder]], error) {
	rows, err := succession.Ahead(ctx, s.DB, httpkit.ActorOf(ctx).EmployeeID)
	if err != nil {
		return nil, err
	}
	people, err := s.People(ctx, in.Language(), httpkit.Each(rows, func(u succession.Upcoming) uuid.UUID { return u.EmployeeID }))
	views := httpkit.Each(rows, func(u succession.Upcoming) LeavingHolder {
		return LeavingHolder{u.DepartureID, people.Of(&u.EmployeeID), u.AccessCutoffAt.UTC(), Missing(in.Language(), u.Groups)}
	})
	return httpkit.AnswerOf(httpkit.PageOf(views, nil), err)
}
