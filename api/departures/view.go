package departures

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/purges"
	"lethe/api/render"
	"lethe/api/successions"
	"lethe/internal/access"
	"lethe/internal/account"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/internal/succession"
	"lethe/models"
)

// DepartureView is a departure as a caller may see it. Texts are in the caller's language; programs
// go by the codes beside them.
type DepartureView struct {
	ID                uuid.UUID                 `json:"id"`
	EmployeeID        uuid.UUID                 `json:"employee_id"`
	Person            render.PersonView         `json:"person"`
	Kind              models.DepartureKind      `json:"kind"`
	KindText          string                    `json:"kind_text"`
	LegalGround       string                    `json:"legal_ground,omitempty" doc:"For HR administrators, where the departure is read by itself; sealed with its file"`
	Initiator         models.Initiator          `json:"initiator"`
	InitiatorText     string                    `json:"initiator_text"`
	ReasonCode        string                    `json:"reason_code,omitempty" doc:"As legal_ground"`
	Stage             models.Stage              `json:"stage"`
	StageText         string                    `json:"stage_text"`
	NoticeReceivedOn  clock.Date                `json:"notice_received_on"`
	LastWorkingDay    clock.Date                `json:"last_working_day"`
	EmploymentEndDate clock.Date                `json:"employment_end_date"`
	AccessCutoffAt    time.Time                 `json:"access_cutoff_at"`
	EmploymentEndedAt time.Time                 `json:"employment_ended_at" doc:"The local end of the employment's last day; now for an immediate departure"`
	TimeZone          string                    `json:"time_zone"`
	Immediate         bool                      `json:"immediate"`
	CountsFrom        time.Time                 `json:"counts_from" doc:"What deadlines count from: the end of the employment, or the day of entry if that was later, unless two people agreed to the end"`
	AccountsState     models.AccountsState      `json:"accounts_state"`
	AccountsStateText string                    `json:"accounts_state_text"`
	Accounts          []accounts.AccountView    `json:"accounts"`
	Retention         []purges.RetentionView    `json:"retention" doc:"Empty until departed"`
	Planned           []purges.PlannedView      `json:"planned_retention,omitempty" doc:"Until when each category will be kept, of a pending departure that is read by itself"`
	SuccessorMissing  []successions.MissingView `json:"successor_missing,omitempty" doc:"What the person looks after here that nobody takes over, of a pending departure that an HR administrator reads by itself; it delays nothing"`
	Waiting           []WaitingView             `json:"waiting" doc:"What waits, and for whom"`
	Timeline          []TimelineView            `json:"timeline" doc:"Oldest first"`
	Workflow          *render.WorkflowView      `json:"workflow,omitempty" doc:"For it_ops"`
	EmployedAgain     bool                      `json:"employed_again,omitempty" doc:"The person has left by it and works for the company again"`
	CreatedAt         time.Time                 `json:"created_at"`

	knows func(access.Part) bool // what the actor whose view it is may know of
}

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

// missing is what whoever leaves looks after that nobody takes over.
func (s *server) missing(ctx context.Context, actor models.Actor, language i18n.Language, dep models.Departure) ([]successions.MissingView, error) {
	var held succession.Holdings
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		held, err = succession.Of(tx, actor.EmployeeID, dep.EmployeeID, false)
		return err
	})
	return successions.Missing(language, held.Groups), err
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
		if actor.Role == models.RoleHRAdmin && actor.EmployeeID != dep.EmployeeID {
			if view.SuccessorMissing, err = s.missing(ctx, actor, language, dep); err != nil {
				return view, err
			}
		}
	}
	if !view.knows(access.PartGround) {
		return view, nil
	}
	codes, err := departure.OpenCodes(ctx, s.DB, s.Vault, dep)
	view.LegalGround, view.ReasonCode = codes.LegalGround, codes.ReasonCode
	return view, err
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
