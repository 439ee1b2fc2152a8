package purges

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/models"
)

// RetentionView is how long one category is kept, and what became of it.
type RetentionView struct {
	Category     models.Category      `json:"category"`
	CategoryText string               `json:"category_text"`
	Deadline     time.Time            `json:"deadline"`
	Rule         string               `json:"rule" doc:"Jurisdiction, category and version of the rule" example:"CN/contract/1"`
	Basis        string               `json:"basis" doc:"Why it is kept so long"`
	State        models.DeadlineState `json:"state"`
	StateText    string               `json:"state_text"`
	PurgeID      *uuid.UUID           `json:"purge_id,omitempty" doc:"The purge that claims it"`
	PurgeState   models.PurgeState    `json:"purge_state,omitempty"`
	PurgeText    string               `json:"purge_state_text,omitempty"`
	Advanced     bool                 `json:"advanced,omitempty" doc:"Two people brought it forward: its purge wants a reviewer"`
	Extended     bool                 `json:"extended,omitempty" doc:"Two people kept it longer than the rule"`
	// CertificateID and DaysLeft say what became of it, or when it goes.
	CertificateID *uuid.UUID `json:"certificate_id,omitempty" doc:"The proof that it was destroyed"`
	DaysLeft      *int       `json:"days_left,omitempty" doc:"Of what is still there, where the departure is listed or read: days to the last one on which it is kept, by the calendar of its zone; 0: today or overdue"`
	DaysLeftText  string     `json:"days_left_text,omitempty"`
}

// CountDays says how many days are left to the deadline of what is still there.
func (v *RetentionView) CountDays(language i18n.Language, now time.Time, zone *time.Location) {
	if v.State == models.DeadlinePurged || v.State == models.DeadlineCancelled {
		return
	}
	last := clock.Today(v.Deadline.Add(-time.Nanosecond), zone) // a deadline is the end of a day
	days := max(0, clock.Today(now, zone).DaysUntil(last))
	v.DaysLeft, v.DaysLeftText = &days, fmt.Sprintf(i18n.Text(language, "retention.days_left"), days)
	if !now.Before(v.Deadline) {
		v.DaysLeftText = i18n.Text(language, "retention.due")
	}
}

// PlannedView is how long one category will be kept if a departure takes effect as it is planned.
type PlannedView struct {
	Category     models.Category `json:"category"`
	CategoryText string          `json:"category_text"`
	Deadline     time.Time       `json:"deadline"`
	Rule         string          `json:"rule" doc:"Jurisdiction, category and version of the rule" example:"CN/contract/1"`
	Basis        string          `json:"basis" doc:"Why it is kept so long"`
}

// Planned renders what is planned.
func Planned(language i18n.Language, planned []retention.Planned) []PlannedView {
	views := make([]PlannedView, len(planned))
	for i, p := range planned {
		views[i] = PlannedView{p.Rule.Category, closed.Text(language, p.Rule.Category), p.Deadline.UTC(), RuleName(p.Rule), Basis(language, p.Rule)}
	}
	return views
}

// RuleName is a rule: jurisdiction, category and version.
func RuleName(r models.RetentionRule) string {
	return fmt.Sprintf("%s/%s/%d", r.Jurisdiction, r.Category, r.Version)
}

// Basis is on what a rule rests.
func Basis(language i18n.Language, r models.RetentionRule) string {
	if language == i18n.Chinese {
		return r.BasisZh
	}
	return r.BasisEn
}

// Retention renders a deadline for somebody who knows of those parts of the departure.
func Retention(language i18n.Language, d retention.DeadlineView, people render.Named, knows func(access.Part) bool) RetentionView {
	v := RetentionView{
		Category: d.Category, CategoryText: closed.Text(language, d.Category), Deadline: d.Deadline.UTC(),
		Rule: RuleName(d.Rule), Basis: Basis(language, d.Rule), State: d.State, StateText: closed.Text(language, d.State),
		Advanced: d.Advanced, Extended: d.ExtendedUntil != nil, CertificateID: d.CertificateID,
	}
	if d.Purge != nil {
		v.PurgeID, v.PurgeState = &d.Purge.ID, d.Purge.State
	}
	if d.State == models.DeadlineHeld && !knows(access.PartReviews) { // nor that somebody inquires into them
		v.State, v.StateText = models.DeadlineScheduled, closed.Text(language, models.DeadlineScheduled)
	}
	switch {
	case d.Purge != nil && d.Purge.State == models.PurgeRejected && !knows(access.PartReviews):
		v.PurgeState = models.PurgeInReview // what a reviewer said is not theirs to know
	case d.Purge != nil && d.Purge.State == models.PurgeRejected:
		var by []string
		if p := people.Of(d.Purge.RejectedBy); p != nil {
			by = []string{p.Text()}
		}
		v.StateText = rejectedText(language, by)
	case d.State == models.DeadlineScheduled && d.ExtendedUntil != nil:
		v.StateText = i18n.Text(language, "retention_state.extended")
	}
	if v.PurgeState != "" {
		v.PurgeText = closed.Text(language, v.PurgeState)
	}
	return v
}

// UpcomingView is a category of somebody's data that will be destroyed.
type UpcomingView struct {
	DepartureID uuid.UUID         `json:"departure_id"`
	Person      render.PersonView `json:"person" doc:"Whose data it is"`
	RetentionView
}

type listDeadlinesInput struct {
	httpkit.Paging
	httpkit.Speaking
	Before     time.Time       `query:"before" doc:"Only what will be destroyed before it"`
	WithinDays int             `query:"within_days" minimum:"0" maximum:"36500" doc:"Only what will be destroyed within so many times 24 hours, as the overview counts it"`
	Category   models.Category `query:"category" doc:"Only this category"`
	EmployeeID uuid.UUID       `query:"employee_id" doc:"Only of this person, of each employment"`
	NotHeld    bool            `query:"not_held" doc:"Without what a hold keeps"`
}

func (s *server) listDeadlines(ctx context.Context, in *listDeadlinesInput) (*httpkit.Answer[httpkit.Page[UpcomingView]], error) {
	f := retention.UpcomingFilter{Before: httpkit.Instant(in.Before), Within: time.Duration(in.WithinDays) * 24 * time.Hour, Category: in.Category, EmployeeID: httpkit.Given(in.EmployeeID), NotHeld: in.NotHeld, Limit: in.Limit}
	var err error
	if f.After, f.AfterAt, err = in.Sorted(); err != nil {
		return nil, err
	}
	rows, more, err := retention.UpcomingDeadlines(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	people, err := s.People(ctx, in.Language(), httpkit.Each(rows, func(u retention.Upcoming) uuid.UUID { return u.EmployeeID }))
	if err != nil {
		return nil, err
	}
	page := httpkit.Page[UpcomingView]{Items: make([]UpcomingView, len(rows))}
	if more {
		last := rows[len(rows)-1]
		page.NextCursor = in.SortedCursor(last.ID, last.Deadline)
	}
	actor := httpkit.ActorOf(ctx)
	for i, row := range rows {
		knows := func(part access.Part) bool { return access.MayKnow(actor, actor.EmployeeID == row.EmployeeID, part) }
		page.Items[i] = UpcomingView{row.DepartureID, people[row.EmployeeID], Retention(in.Language(), row.DeadlineView, people, knows)}
	}
	return &httpkit.Answer[httpkit.Page[UpcomingView]]{Body: page}, nil
}
