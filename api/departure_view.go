package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/clock"
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
	ID                uuid.UUID            `json:"id"`
	EmployeeID        uuid.UUID            `json:"employee_id"`
	Kind              models.DepartureKind `json:"kind" enum:"resignation,mutual_agreement,dismissal,contract_end,retirement,death,group_transfer,assignment_end"`
	KindText          string               `json:"kind_text"`
	LegalGround       string               `json:"legal_ground,omitempty" doc:"For HR administrators, where the departure is read by itself; sealed with its file"`
	Initiator         string               `json:"initiator" enum:"employee,employer,both,law"`
	ReasonCode        string               `json:"reason_code,omitempty" doc:"As legal_ground"`
	Stage             models.Stage         `json:"stage" enum:"pending_departure,departed,purging,purged,withdrawn,annulled"`
	StageText         string               `json:"stage_text"`
	NoticeReceivedOn  clock.Date           `json:"notice_received_on"`
	LastWorkingDay    clock.Date           `json:"last_working_day"`
	EmploymentEndDate clock.Date           `json:"employment_end_date"`
	AccessCutoffAt    time.Time            `json:"access_cutoff_at"`
	EmploymentEndedAt time.Time            `json:"employment_ended_at" doc:"The local end of the employment's last day; now for an immediate departure"`
	TimeZone          string               `json:"time_zone"`
	Immediate         bool                 `json:"immediate"`
	CountsFrom        time.Time            `json:"counts_from" doc:"What deadlines count from: the end of the employment, or the day of entry if that was later, unless two people agreed to the end"`
	AccountsState     models.AccountsState `json:"accounts_state" enum:"linked,unlinking,settled,needs_attention,relinking,relinked"`
	AccountsStateText string               `json:"accounts_state_text"`
	Accounts          []AccountView        `json:"accounts"`
	Retention         []RetentionView      `json:"retention" doc:"Empty until departed"`
	Waiting           []WaitingView        `json:"waiting" doc:"What waits, and for whom"`
	Timeline          []TimelineView       `json:"timeline" doc:"Oldest first"`
	Workflow          *WorkflowView        `json:"workflow,omitempty" doc:"For it_ops"`
	CreatedAt         time.Time            `json:"created_at"`

	knows func(access.Part) bool // what the actor whose view it is may know of
}

// RetentionView is how long one category is kept, and what became of it.
type RetentionView struct {
	Category     models.Category      `json:"category"`
	CategoryText string               `json:"category_text"`
	Deadline     time.Time            `json:"deadline"`
	Rule         string               `json:"rule" doc:"Jurisdiction, category and version of the rule" example:"CN/contract/1"`
	Basis        string               `json:"basis" doc:"Why it is kept so long"`
	State        models.DeadlineState `json:"state" enum:"scheduled,held,in_review,purging,purged,cancelled"`
	StateText    string               `json:"state_text"`
	PurgeID      *uuid.UUID           `json:"purge_id,omitempty" doc:"The purge that claims it"`
	PurgeState   models.PurgeState    `json:"purge_state,omitempty" enum:"claimed,in_review,rejected,purging,purged,cancelled"`
	Advanced     bool                 `json:"advanced,omitempty" doc:"Two people brought it forward: its purge wants a reviewer"`
	Extended     bool                 `json:"extended,omitempty" doc:"Two people kept it longer than the rule"`
}

// WaitingView is something that waits for a person.
type WaitingView struct {
	What          string      `json:"what" enum:"account_stuck,waiver_confirmation,account_retry,account_accepted,no_system_connected,annulment_confirmation,approval,earlier_dates,purge_review,purge_rejected,legal_hold,orchestration"`
	WhatText      string      `json:"what_text"`
	Role          models.Role `json:"role" enum:"hr_admin,reviewer,it_ops" doc:"Who can go on with it"`
	Since         time.Time   `json:"since"`
	System        string      `json:"system,omitempty"`
	SupportCaseID *uuid.UUID  `json:"support_case_id,omitempty"`
	PurgeID       *uuid.UUID  `json:"purge_id,omitempty"`
	HoldID        *uuid.UUID  `json:"hold_id,omitempty" doc:"The hold that keeps the data"`
	EscalatedAt   *time.Time  `json:"escalated_at,omitempty" doc:"Since when it is shown that nobody decides"`
	ApprovalID    *uuid.UUID  `json:"approval_id,omitempty" doc:"The request that waits for a second person"`
}

// TimelineView is one thing that happened.
type TimelineView struct {
	At       time.Time  `json:"at"`
	What     string     `json:"what"`
	WhatText string     `json:"what_text"`
	By       string     `json:"by" doc:"The role, or system"`
	ByID     *uuid.UUID `json:"by_id,omitempty"`
	System   string     `json:"system,omitempty"`
	Category string     `json:"category,omitempty"`
	HoldID   *uuid.UUID `json:"hold_id,omitempty"`
	PurgeID  *uuid.UUID `json:"purge_id,omitempty"`
}

// What waits besides accounts.
const (
	waitsForAnnulment     = "annulment_confirmation"
	waitsForApproval      = "approval"
	waitsForEarlierDates  = "earlier_dates"
	waitsForReview        = "purge_review"
	waitsForRejected      = "purge_rejected"
	waitsForRelease       = "legal_hold"
	waitsForOrchestration = "orchestration"
)

// Over says whether nothing more can happen by itself or by a pending command.
func (v DepartureView) Over() bool {
	switch v.Stage {
	case models.StageWithdrawn, models.StageAnnulled:
		return v.AccountsState == models.AccountsLinked || v.AccountsState == models.AccountsRelinked
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
	if err := s.visible(ctx, actor, dep.EmployeeID); err != nil {
		if errors.Is(err, database.ErrNotFound) {
			return DepartureView{}, departure.ErrNotFound
		}
		return DepartureView{}, err
	}
	deadlines, err := retention.Deadlines(ctx, s.DB, dep.ID)
	if err != nil {
		return DepartureView{}, err
	}
	now, err := s.DB.Now(ctx)
	if err != nil {
		return DepartureView{}, err
	}
	view, err := s.renderDeparture(ctx, actor, language, dep, deadlines, now)
	if err != nil || !view.knows(access.PartGround) {
		return view, err
	}
	codes, err := departure.OpenCodes(ctx, s.DB, s.Vault, dep)
	view.LegalGround, view.ReasonCode = codes.LegalGround, codes.ReasonCode
	return view, err
}

func (s *server) departureViews(ctx context.Context, actor models.Actor, language i18n.Language, rows []models.Departure) ([]DepartureView, error) {
	ids := make([]uuid.UUID, len(rows))
	for i, dep := range rows {
		ids[i] = dep.ID
	}
	deadlines, err := retention.DeadlinesOf(ctx, s.DB, ids)
	if err != nil {
		return nil, err
	}
	now, err := s.DB.Now(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]DepartureView, len(rows))
	for i, dep := range rows {
		if views[i], err = s.renderDeparture(ctx, actor, language, dep, deadlines[dep.ID], now); err != nil {
			return nil, err
		}
	}
	return views, nil
}

func (s *server) renderDeparture(ctx context.Context, actor models.Actor, language i18n.Language, dep models.Departure, deadlines []retention.DeadlineView, now time.Time) (DepartureView, error) {
	text := func(prefix, code string) string { return i18n.Text(language, prefix+"."+code) }
	knows := knowledge(actor, dep)
	v := DepartureView{
		ID: dep.ID, EmployeeID: dep.EmployeeID, Kind: dep.Kind, KindText: text("kind", string(dep.Kind)),
		Initiator: dep.Initiator,
		Stage:     dep.Stage, StageText: text("stage", string(dep.Stage)),
		NoticeReceivedOn: dep.NoticeReceivedOn, LastWorkingDay: dep.LastWorkingDay, EmploymentEndDate: dep.EmploymentEndDate,
		AccessCutoffAt: dep.AccessCutoffAt.UTC(), EmploymentEndedAt: dep.EmploymentEndedAt.UTC(), TimeZone: dep.TimeZone,
		Immediate: dep.Immediate, CountsFrom: dep.EventAt().UTC(), AccountsState: dep.AccountsState, AccountsStateText: text("accounts_state", string(dep.AccountsState)),
		CreatedAt: dep.CreatedAt.UTC(), knows: knows,
	}
	var err error
	if v.Retention, err = s.retentionViews(ctx, language, deadlines, knows); err != nil {
		return v, err
	}
	accounts, err := account.Accounts(ctx, s.DB, dep.EmploymentID)
	if err != nil {
		return v, err
	}
	v.Accounts = accountViews(language, accounts)
	if v.Timeline, err = s.timelineViews(ctx, language, dep.ID, knows); err != nil {
		return v, err
	}
	var lastEvent time.Time
	if n := len(v.Timeline); n > 0 {
		lastEvent = v.Timeline[n-1].At
	}
	if dep.DepartedAt != nil && knows(access.PartReviews) {
		if v.Timeline, err = s.withObjections(ctx, language, dep, v.Timeline); err != nil {
			return v, err
		}
	}
	if v.Waiting, err = s.waitingViews(ctx, language, dep, lastEvent, now); err != nil {
		return v, err
	}
	v.Waiting = slices.DeleteFunc(v.Waiting, func(w WaitingView) bool { return !knows(partOfWaiting(w.What)) })
	if knows(access.PartWorkflow) {
		v.Workflow = s.workflow(ctx, "departure/"+dep.ID.String())
	}
	return v, nil
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
	case account.WaitsForSupport, account.WaitsForRetry, account.WaitsForSystem, account.WaitsForConnection, waitsForOrchestration:
		return access.PartTroubles
	case waitsForReview, waitsForRejected, waitsForRelease:
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

func (s *server) retentionViews(ctx context.Context, language i18n.Language, deadlines []retention.DeadlineView, knows func(access.Part) bool) ([]RetentionView, error) {
	var rejecters []uuid.UUID
	for _, d := range deadlines {
		if d.Purge != nil && d.Purge.State == models.PurgeRejected && d.Purge.RejectedBy != nil {
			rejecters = append(rejecters, *d.Purge.RejectedBy)
		}
	}
	people, err := s.people(ctx, rejecters)
	if err != nil {
		return nil, err
	}
	views := make([]RetentionView, len(deadlines))
	for i, d := range deadlines {
		basis := d.Rule.BasisEn
		if language == i18n.Chinese {
			basis = d.Rule.BasisZh
		}
		views[i] = RetentionView{
			Category: d.Category, CategoryText: i18n.Text(language, "category."+string(d.Category)), Deadline: d.Deadline.UTC(),
			Rule:  fmt.Sprintf("%s/%s/%d", d.Rule.Jurisdiction, d.Rule.Category, d.Rule.Version),
			Basis: basis, State: d.State, StateText: i18n.Text(language, "retention_state."+string(d.State)),
			Advanced: d.Advanced, Extended: d.ExtendedUntil != nil,
		}
		if d.Purge != nil {
			views[i].PurgeID, views[i].PurgeState = &d.Purge.ID, d.Purge.State
		}
		switch {
		case d.Purge != nil && d.Purge.State == models.PurgeRejected && !knows(access.PartReviews):
			views[i].PurgeState = models.PurgeInReview // what a reviewer said is not theirs to know
		case d.Purge != nil && d.Purge.State == models.PurgeRejected:
			var by []string
			if d.Purge.RejectedBy != nil {
				by = []string{people[*d.Purge.RejectedBy].text()}
			}
			views[i].StateText = rejectedText(language, by)
		case d.State == models.DeadlineScheduled && d.ExtendedUntil != nil:
			views[i].StateText = i18n.Text(language, "retention_state.extended")
		}
	}
	return views, nil
}

func (s *server) waitingViews(ctx context.Context, language i18n.Language, dep models.Departure, lastEvent, now time.Time) ([]WaitingView, error) {
	views := []WaitingView{}
	add := func(v WaitingView) {
		v.WhatText, v.Since = i18n.Text(language, "waiting."+v.What), v.Since.UTC()
		views = append(views, v)
	}
	cases, err := account.Waiting(ctx, s.DB, dep.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		add(WaitingView{What: c.What, Role: c.Role, Since: c.Since, System: c.System, SupportCaseID: given(c.SupportCaseID)})
	}
	requests, err := approval.PendingAbout(ctx, s.DB, "departure", dep.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		what := waitsForApproval
		if r.Operation == operations.Annul {
			err := departure.Annullable(s.DB.Read(ctx), dep)
			if errors.Is(err, departure.ErrRehired) || errors.Is(err, departure.ErrPurgeBegan) || errors.Is(err, departure.ErrStage) {
				continue
			}
			if err != nil {
				return nil, err
			}
			what = waitsForAnnulment
		}
		if r.Operation == operations.EarlierDates {
			what = waitsForEarlierDates
		}
		add(WaitingView{What: what, Role: models.RoleReviewer, Since: r.RequestedAt, ApprovalID: &r.ID})
	}
	if since := departure.Unattended(dep, lastEvent, now); !since.IsZero() {
		add(WaitingView{What: waitsForOrchestration, Role: models.RoleITOps, Since: since})
	}
	if dep.DepartedAt == nil {
		return views, nil
	}
	purges, err := s.undecidedPurges(ctx, dep.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range purges {
		v := WaitingView{What: waitsForReview, Role: models.RoleReviewer, Since: p.CreatedAt, PurgeID: &p.ID, EscalatedAt: utc(p.EscalatedAt)}
		if p.State == models.PurgeRejected {
			v.What, v.Since = waitsForRejected, *p.RejectedAt
		}
		add(v)
	}
	holds, err := retention.HoldsInForce(ctx, s.DB, dep.ID)
	if err != nil {
		return nil, err
	}
	for _, h := range holds {
		add(WaitingView{What: waitsForRelease, Role: models.RoleHRAdmin, Since: h.PlacedAt, HoldID: &h.ID})
	}
	return views, nil
}

func (s *server) timelineViews(ctx context.Context, language i18n.Language, id uuid.UUID, knows func(access.Part) bool) ([]TimelineView, error) {
	events, err := departure.Timeline(ctx, s.DB, id, 0)
	if err != nil {
		return nil, err
	}
	events = knownEvents(events, knows)
	views := make([]TimelineView, len(events))
	for i, e := range events {
		views[i] = TimelineView{
			At: e.At.UTC(), What: e.What, WhatText: i18n.Text(language, "event."+e.What),
			By: e.ActorRole, ByID: e.ActorID, System: e.System, Category: e.Category,
		}
	}
	return views, nil
}

// withObjections adds to a timeline who kept the data: the holds and the rejections themselves say so, for
// those who may know what waits for reviewers.
func (s *server) withObjections(ctx context.Context, language i18n.Language, dep models.Departure, timeline []TimelineView) ([]TimelineView, error) {
	rows, err := retention.Objections(ctx, s.DB, dep)
	if err != nil {
		return nil, err
	}
	for _, o := range rows {
		by := models.RoleHRAdmin
		switch {
		case o.What == retention.EventPurgeRejected:
			by = models.RoleReviewer
		case o.ByID == nil:
			by = models.RoleSystem
		}
		timeline = append(timeline, TimelineView{
			At: o.At.UTC(), What: o.What, WhatText: i18n.Text(language, "event."+o.What), By: string(by), ByID: o.ByID, HoldID: o.HoldID, PurgeID: o.PurgeID,
		})
	}
	slices.SortStableFunc(timeline, func(a, b TimelineView) int { return a.At.Compare(b.At) })
	return timeline, nil
}
