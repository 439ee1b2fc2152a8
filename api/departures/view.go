package departures

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"lethe/api/accounts"
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/models"
)

// DepartureView is a departure as a caller may see it. Texts are in the caller's language; programs
// go by the codes beside them.
type DepartureView struct {
	ID                uuid.UUID              `json:"id"`
	EmployeeID        uuid.UUID              `json:"employee_id"`
	Person            render.PersonView      `json:"person"`
	Kind              models.DepartureKind   `json:"kind"`
	KindText          string                 `json:"kind_text"`
	LegalGround       string                 `json:"legal_ground,omitempty" doc:"For HR administrators, where the departure is read by itself; sealed with its file"`
	Initiator         models.Initiator       `json:"initiator"`
	InitiatorText     string                 `json:"initiator_text"`
	ReasonCode        string                 `json:"reason_code,omitempty" doc:"As legal_ground"`
	Stage             models.Stage           `json:"stage"`
	StageText         string                 `json:"stage_text"`
	NoticeReceivedOn  clock.Date             `json:"notice_received_on"`
	LastWorkingDay    clock.Date             `json:"last_working_day"`
	EmploymentEndDate clock.Date             `json:"employment_end_date"`
	AccessCutoffAt    time.Time              `json:"access_cutoff_at"`
	EmploymentEndedAt time.Time              `json:"employment_ended_at" doc:"The local end of the employment's last day; now for an immediate departure"`
	TimeZone          string                 `json:"time_zone"`
	Immediate         bool                   `json:"immediate"`
	CountsFrom        time.Time              `json:"counts_from" doc:"What deadlines count from: the end of the employment, or the day of entry if that was later, unless two people agreed to the end"`
	AccountsState     models.AccountsState   `json:"accounts_state"`
	AccountsStateText string                 `json:"accounts_state_text"`
	Accounts          []accounts.AccountView `json:"accounts"`
	Retention         []purges.RetentionView `json:"retention" doc:"Empty until departed"`
	Planned           []purges.PlannedView   `json:"planned_retention,omitempty" doc:"Until when each category will be kept, of a pending departure that is read by itself"`
	Waiting           []WaitingView          `json:"waiting" doc:"What waits, and for whom"`
	Timeline          []TimelineView         `json:"timeline" doc:"Oldest first"`
	Workflow          *render.WorkflowView   `json:"workflow,omitempty" doc:"For it_ops"`
	EmployedAgain     bool                   `json:"employed_again,omitempty" doc:"The person has left by it and works for the company again"`
	CreatedAt         time.Time              `json:"created_at"`

	knows func(access.Part) bool // what the actor whose view it is may know of
}

// WaitingView is something that waits for a person.
type WaitingView struct {
	What          string        `json:"what" enum:"account_stuck,waiver_confirmation,account_retry,account_accepted,no_system_connected,annulment_confirmation,approval,earlier_dates,purge_review,purge_rejected,legal_hold,orchestration"`
	WhatText      string        `json:"what_text"`
	Role          models.Role   `json:"role" enum:"hr_admin,reviewer,it_ops" doc:"Who can go on with it; of several roles the first"`
	Roles         []models.Role `json:"roles" doc:"All who can"`
	RolesText     []string      `json:"roles_text"`
	RoleText      string        `json:"role_text" doc:"Them in words"`
	Since         time.Time     `json:"since"`
	System        string        `json:"system,omitempty"`
	SystemText    string        `json:"system_text,omitempty"`
	SupportCaseID *uuid.UUID    `json:"support_case_id,omitempty"`
	PurgeID       *uuid.UUID    `json:"purge_id,omitempty"`
	HoldID        *uuid.UUID    `json:"hold_id,omitempty" doc:"The hold that keeps the data"`
	EscalatedAt   *time.Time    `json:"escalated_at,omitempty" doc:"Since when it is shown that nobody decides"`
	ApprovalID    *uuid.UUID    `json:"approval_id,omitempty" doc:"The request that waits for a second person"`
}

// TimelineView is one thing that happened.
type TimelineView struct {
	At           time.Time          `json:"at"`
	What         string             `json:"what"`
	WhatText     string             `json:"what_text"`
	By           string             `json:"by" doc:"The role, or system"`
	ByText       string             `json:"by_text"`
	ByID         *uuid.UUID         `json:"by_id,omitempty"`
	ByPerson     *render.PersonView `json:"by_person,omitempty"`
	ApprovedBy   *render.PersonView `json:"approved_by,omitempty" doc:"Who agreed to a change of dates that took two people, where the departure is read by itself"`
	Category     string             `json:"category,omitempty"`
	CategoryText string             `json:"category_text,omitempty"`
	HoldID       *uuid.UUID         `json:"hold_id,omitempty"`
	PurgeID      *uuid.UUID         `json:"purge_id,omitempty"`
	// Changes are what became of the dates.
	Changes []approvals.ChangeView `json:"changes,omitempty" doc:"Which dates were changed, where the departure is read by itself; for as long as the log keeps it"`
}

// What waits besides accounts.
const (
	WaitsForAnnulment     = "annulment_confirmation"
	WaitsForApproval      = "approval"
	WaitsForEarlierDates  = "earlier_dates"
	waitsForReview        = "purge_review"
	WaitsForRejected      = "purge_rejected"
	WaitsForRelease       = "legal_hold"
	WaitsForOrchestration = "orchestration"
)

// Over says whether nothing more can happen by itself or by a pending command.
func (v DepartureView) Over() bool {
	switch v.Stage {
	case models.StageWithdrawn, models.StageAnnulled:
		switch v.AccountsState {
		case models.AccountsLinked, models.AccountsRelinked, models.AccountsSettled: // settled: an emergency cut keeps them closed
			return true
		}
	case models.StagePurged:
		return v.AccountsState == models.AccountsSettled
	}
	return false
}

// departureView reads one departure as the actor may see it; otherwise it is departure.ErrNotFound.
func (s *server) departureView(ctx context.Context, actor models.Actor, language i18n.Language, id uuid.UUID) (DepartureView, error) {
	dep, err := departure.Get(ctx, s.DB, id)
	if err != nil {
		return DepartureView{}, err
	}
	if err := s.Visible(ctx, actor, dep.EmployeeID); err != nil {
		if errors.Is(err, database.ErrNotFound) {
			return DepartureView{}, departure.ErrNotFound
		}
		return DepartureView{}, err
	}
	views, err := s.departureViews(ctx, actor, language, []models.Departure{dep})
	if err != nil {
		return DepartureView{}, err
	}
	view := views[0]
	if view.Workflow != nil {
		view.Workflow.RunID = s.RunOf(ctx, view.Workflow.ID)
	}
	if err := s.addDateChanges(ctx, language, dep, view.Timeline); err != nil {
		return view, err
	}
	if dep.Stage == models.StagePendingDeparture {
		if view.Planned, err = s.planned(ctx, language, dep); err != nil {
			return view, err
		}
	}
	if !view.knows(access.PartGround) {
		return view, nil
	}
	codes, err := departure.OpenCodes(ctx, s.DB, s.Vault, dep)
	view.LegalGround, view.ReasonCode = codes.LegalGround, codes.ReasonCode
	return view, err
}

// addDateChanges says in a timeline which dates were changed.
func (s *server) addDateChanges(ctx context.Context, language i18n.Language, dep models.Departure, timeline []TimelineView) error {
	changes, err := departure.DateChanges(ctx, s.DB, dep.ID)
	if err != nil {
		return err
	}
	var approvers []uuid.UUID
	for _, of := range changes {
		approvers = append(approvers, render.GivenOf(of.ApprovedBy)...)
	}
	people, err := s.People(ctx, language, approvers)
	if err != nil {
		return err
	}
	for i, v := range timeline {
		if v.What != departure.EventDatesChanged {
			continue
		}
		timeline[i].Changes, timeline[i].ApprovedBy = changeViews(changes[v.At].Changes, dep.TimeZone, language), people.Of(changes[v.At].ApprovedBy)
	}
	return nil
}

// changeViews says in a language which dates change, instants by the clock of the zone.
func changeViews(changes []departure.DateChange, zone string, language i18n.Language) []approvals.ChangeView {
	return approvals.ChangeViews(httpkit.Each(changes, func(c departure.DateChange) approval.Change {
		return approval.Change{Field: c.Field, Before: c.Before, After: c.After, Zone: zone}
	}), approvals.Words{}, language)
}

func (s *server) planned(ctx context.Context, language i18n.Language, dep models.Departure) ([]purges.PlannedView, error) {
	var planned []retention.Planned
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		employment, err := database.First[models.Employment](tx.DB().Where("id = ?", dep.EmploymentID))
		if err != nil {
			return fmt.Errorf("reading an employment: %w", err)
		}
		planned, err = retention.Plan(tx, employment.Jurisdiction, dep.EventAt(), dep.TimeZone)
		return err
	})
	return purges.Planned(language, planned), err
}

// departureViews renders departures; what they show is read for all of them at once.
func (s *server) departureViews(ctx context.Context, actor models.Actor, language i18n.Language, rows []models.Departure) ([]DepartureView, error) {
	views := make([]DepartureView, len(rows))
	if len(rows) == 0 {
		return views, nil
	}
	r, err := s.readAround(ctx, language, rows)
	if err != nil {
		return nil, err
	}
	for i, dep := range rows {
		views[i] = s.renderDeparture(actor, language, dep, r)
	}
	return views, nil
}

// around is what the views of some departures show besides their own rows: by departure, where nothing else
// is said.
type around struct {
	now        time.Time
	employed   map[uuid.UUID]uuid.UUID // who is employed now, by which employment
	deadlines  map[uuid.UUID][]retention.DeadlineView
	accounts   map[uuid.UUID][]account.View // by employment
	timelines  map[uuid.UUID][]models.DepartureEvent
	objections map[uuid.UUID][]retention.Objection
	waiting    map[uuid.UUID][]account.Waited
	requests   map[uuid.UUID][]models.Approval
	annullable map[uuid.UUID]bool
	undecided  map[uuid.UUID][]models.Purge
	holds      map[uuid.UUID][]retention.HoldInForce
	deciders   map[string][]models.Role // the roles that may decide about an operation
	people     render.Named             // whose they are, and who did something
}

// atOnce is how many questions about one page wait for the database together.
const atOnce = 4

func (s *server) readAround(ctx context.Context, language i18n.Language, rows []models.Departure) (r around, err error) {
	var ids, employments, people []uuid.UUID
	for _, dep := range rows {
		ids, employments, people = append(ids, dep.ID), append(employments, dep.EmploymentID), append(people, dep.EmployeeID)
	}
	r.deciders = map[string][]models.Role{}
	for _, op := range s.Approvals.Operations() {
		r.deciders[op.Name] = op.Approvers
	}
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	// First those who ask several questions one after the other.
	read(group, &r.deadlines, func() (map[uuid.UUID][]retention.DeadlineView, error) { return retention.DeadlinesOf(each, s.DB, ids) })
	read(group, &r.accounts, func() (map[uuid.UUID][]account.View, error) { return account.Accounts(each, s.DB, employments) })
	read(group, &r.waiting, func() (map[uuid.UUID][]account.Waited, error) { return account.Waiting(each, s.DB, ids) })
	group.Go(func() (err error) {
		if r.requests, err = approval.PendingAbout(each, s.DB, "departure", ids); err != nil || len(r.requests) == 0 {
			return err
		}
		r.annullable, err = departure.Annullable(each, s.DB, rows)
		return err
	})
	read(group, &r.timelines, func() (map[uuid.UUID][]models.DepartureEvent, error) { return departure.Timelines(each, s.DB, ids) })
	read(group, &r.objections, func() (map[uuid.UUID][]retention.Objection, error) { return retention.Objections(each, s.DB, ids) })
	read(group, &r.undecided, func() (map[uuid.UUID][]models.Purge, error) { return retention.Undecided(each, s.DB, ids) })
	read(group, &r.holds, func() (map[uuid.UUID][]retention.HoldInForce, error) { return retention.HoldsInForce(each, s.DB, ids) })
	read(group, &r.employed, func() (map[uuid.UUID]uuid.UUID, error) { return departure.EmployedAgain(each, s.DB, people) })
	read(group, &r.now, func() (time.Time, error) { return s.DB.Now(each) })
	if err := group.Wait(); err != nil {
		return r, err
	}
	r.people, err = s.People(ctx, language, append(people, r.actors()...))
	return r, err
}

// read has a group ask for one thing.
func read[T any](group *errgroup.Group, into *T, ask func() (T, error)) {
	group.Go(func() (err error) {
		*into, err = ask()
		return err
	})
}

// actors are the people who did something that is shown.
func (r around) actors() (ids []uuid.UUID) {
	for _, deadlines := range r.deadlines {
		for _, d := range deadlines {
			if d.Purge != nil {
				ids = append(ids, render.GivenOf(d.Purge.RejectedBy)...)
			}
		}
	}
	for _, events := range r.timelines {
		for _, e := range events {
			ids = append(ids, render.GivenOf(e.ActorID)...)
		}
	}
	for _, objections := range r.objections {
		for _, o := range objections {
			ids = append(ids, render.GivenOf(o.ByID)...)
		}
	}
	return ids
}

func (s *server) renderDeparture(actor models.Actor, language i18n.Language, dep models.Departure, r around) DepartureView {
	knows := knowledge(actor, dep)
	linked := r.accounts[dep.EmploymentID]
	if actor.EmployeeID == dep.EmployeeID || !access.MaySee(actor.Role, access.RelationNone) {
		linked = account.AsBefore(linked)
	}
	accountsState := account.StateOf(dep.AccountsState, linked)
	if !access.MaySee(actor.Role, access.RelationNone) { // of others they know the role
		r.people = r.people.Only(dep.EmployeeID, actor.EmployeeID)
	}
	v := DepartureView{
		ID: dep.ID, EmployeeID: dep.EmployeeID, Person: r.people[dep.EmployeeID], Kind: dep.Kind, KindText: closed.Text(language, dep.Kind),
		Initiator: dep.Initiator, InitiatorText: closed.Text(language, dep.Initiator),
		Stage: dep.Stage, StageText: closed.Text(language, dep.Stage),
		NoticeReceivedOn: dep.NoticeReceivedOn, LastWorkingDay: dep.LastWorkingDay, EmploymentEndDate: dep.EmploymentEndDate,
		AccessCutoffAt: dep.AccessCutoffAt.UTC(), EmploymentEndedAt: dep.EmploymentEndedAt.UTC(), TimeZone: dep.TimeZone,
		Immediate: dep.Immediate, CountsFrom: dep.EventAt().UTC(), AccountsState: accountsState, AccountsStateText: closed.Text(language, accountsState),
		Retention: r.retentionViews(language, dep, knows), Accounts: accounts.AccountViews(language, linked, knows(access.PartIDs)),
		Timeline: r.timelineViews(language, dep.ID, knows), CreatedAt: dep.CreatedAt.UTC(), knows: knows,
	}
	if again, ok := r.employed[dep.EmployeeID]; ok && dep.DepartedAt != nil {
		v.EmployedAgain = again != dep.EmploymentID
	}
	var lastEvent time.Time
	if n := len(v.Timeline); n > 0 {
		lastEvent = v.Timeline[n-1].At
	}
	if dep.DepartedAt != nil && knows(access.PartReviews) {
		v.Timeline = r.withObjections(language, dep.ID, v.Timeline)
	}
	v.Waiting = slices.DeleteFunc(r.waitingViews(language, dep, lastEvent), func(w WaitingView) bool { return !knows(partOfWaiting(w.What)) })
	for i, w := range v.Waiting {
		v.Waiting[i].SystemText = v.systemText(w.System)
	}
	if knows(access.PartWorkflow) {
		v.Workflow = s.Workflow("departure/" + dep.ID.String())
	}
	return v
}

// systemText is what people call a system in which the leaver has an account.
func (v DepartureView) systemText(name string) string {
	for _, a := range v.Accounts {
		if a.System == name {
			return a.SystemText
		}
	}
	return name
}

// knowledge is which parts of a departure the actor may know of.
func knowledge(actor models.Actor, dep models.Departure) func(access.Part) bool {
	leaver := actor.EmployeeID == dep.EmployeeID
	return func(part access.Part) bool { return part == "" || access.MayKnow(actor, leaver, part) }
}

// partOfWaiting is the part of a departure that something that waits belongs to. What is new here and
// is named nowhere counts as a request, which the fewest know of.
func partOfWaiting(what string) access.Part {
	switch what {
	case account.WaitsForSupport, account.WaitsForRetry, account.WaitsForSystem, account.WaitsForConnection, WaitsForOrchestration:
		return access.PartTroubles
	case waitsForReview, WaitsForRejected, WaitsForRelease:
		return access.PartReviews
	}
	return access.PartRequests
}

// partOfEvent is the part that a line of the timeline tells of; empty for what everybody may know who
// sees the person.
func partOfEvent(what string) access.Part {
	switch what {
	case departure.EventAnnulmentRequested, departure.EventAnnulmentDropped:
		return access.PartRequests
	case departure.EventAccountsAttention, departure.EventAccountsResumed:
		return access.PartTroubles
	}
	return ""
}

// knownEvents leaves out the lines of which the actor may not know.
func knownEvents(events []models.DepartureEvent, knows func(access.Part) bool) []models.DepartureEvent {
	return slices.DeleteFunc(events, func(e models.DepartureEvent) bool { return !knows(partOfEvent(e.What)) })
}

func (r around) retentionViews(language i18n.Language, dep models.Departure, knows func(access.Part) bool) []purges.RetentionView {
	deadlines := r.deadlines[dep.ID]
	zone, err := clock.LoadZone(dep.TimeZone)
	if err != nil { // a zone that this program does not know any more
		zone = time.UTC
	}
	views := make([]purges.RetentionView, len(deadlines))
	for i, d := range deadlines {
		views[i] = purges.Retention(language, d, r.people, knows)
		views[i].CountDays(language, r.now, zone)
	}
	return views
}

func (r around) waitingViews(language i18n.Language, dep models.Departure, lastEvent time.Time) []WaitingView {
	views := []WaitingView{}
	add := func(v WaitingView) {
		if v.Roles == nil {
			v.Roles = []models.Role{v.Role}
		}
		v.RolesText = closed.Texts(language, v.Roles)
		v.RoleText = language.List(v.RolesText)
		v.WhatText, v.Since = i18n.Text(language, "waiting."+v.What), v.Since.UTC()
		views = append(views, v)
	}
	for _, c := range r.waiting[dep.ID] {
		add(WaitingView{What: c.What, Role: c.Role, Since: c.Since, System: c.System, SupportCaseID: httpkit.Given(c.SupportCaseID)})
	}
	for _, request := range r.requests[dep.ID] {
		what := WaitsForApproval
		switch request.Operation {
		case operations.Annul:
			if !r.annullable[dep.ID] {
				continue
			}
			what = WaitsForAnnulment
		case operations.EarlierDates:
			what = WaitsForEarlierDates
		}
		add(WaitingView{What: what, Role: models.RoleReviewer, Roles: r.deciders[request.Operation], Since: request.RequestedAt, ApprovalID: &request.ID})
	}
	if since := departure.Unattended(dep, lastEvent, r.now); !since.IsZero() {
		add(WaitingView{What: WaitsForOrchestration, Role: models.RoleITOps, Since: since})
	}
	if dep.DepartedAt == nil {
		return views
	}
	for _, p := range r.undecided[dep.ID] {
		v := WaitingView{What: waitsForReview, Role: models.RoleReviewer, Since: p.CreatedAt, PurgeID: &p.ID, EscalatedAt: render.UTC(p.EscalatedAt)}
		if p.State == models.PurgeRejected {
			v.What, v.Since = WaitsForRejected, *p.RejectedAt
		}
		add(v)
	}
	for _, h := range r.holds[dep.ID] {
		add(WaitingView{What: WaitsForRelease, Role: models.RoleHRAdmin, Since: h.PlacedAt, HoldID: &h.ID})
	}
	return views
}

func (r around) timelineViews(language i18n.Language, departureID uuid.UUID, knows func(access.Part) bool) []TimelineView {
	events := knownEvents(r.timelines[departureID], knows)
	views := make([]TimelineView, len(events))
	for i, e := range events {
		views[i] = TimelineView{
			At: e.At.UTC(), What: e.What, WhatText: i18n.Text(language, "event."+e.What),
			By: e.ActorRole, ByText: closed.Text(language, models.Role(e.ActorRole)), ByID: e.ActorID, ByPerson: r.people.Of(e.ActorID), Category: e.Category,
		}
		if e.Category != "" {
			views[i].CategoryText = closed.Text(language, models.Category(e.Category))
		}
	}
	return views
}

// withObjections adds to a timeline who kept the data: the holds and the rejections themselves say so, for
// those who may know what waits for reviewers.
func (r around) withObjections(language i18n.Language, departureID uuid.UUID, timeline []TimelineView) []TimelineView {
	for _, o := range r.objections[departureID] {
		by := models.RoleHRAdmin
		switch {
		case o.What == retention.EventPurgeRejected:
			by = models.RoleReviewer
		case o.ByID == nil:
			by = models.RoleSystem
		}
		timeline = append(timeline, TimelineView{
			At: o.At.UTC(), What: o.What, WhatText: i18n.Text(language, "event."+o.What), By: string(by), ByText: closed.Text(language, by),
			ByID: o.ByID, ByPerson: r.people.Of(o.ByID), HoldID: o.HoldID, PurgeID: o.PurgeID,
		})
	}
	slices.SortStableFunc(timeline, func(a, b TimelineView) int { return a.At.Compare(b.At) })
	return timeline
}
