package purges

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/approval"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/models"
)

// PurgeView is the destruction of what was due together.
type PurgeView struct {
	ID             uuid.UUID          `json:"id"`
	DepartureID    uuid.UUID          `json:"departure_id"`
	EmployeeID     uuid.UUID          `json:"employee_id"`
	Categories     []models.Category  `json:"categories"`
	CategoriesText []string           `json:"categories_text"`
	State          models.PurgeState  `json:"state"`
	StateText      string             `json:"state_text"`
	ImportID       *uuid.UUID         `json:"import_id,omitempty" doc:"Of somebody who had left before and came in with a file: the import, all of which can be decided about at once"`
	Person         render.PersonView  `json:"person" doc:"Whose data it destroys"`
	ReviewRequired bool               `json:"review_required" doc:"Without a decision it is not carried out"`
	ReviewUntil    *time.Time         `json:"review_until,omitempty" doc:"Undecided, it is carried out then"`
	Decision       models.Decision    `json:"decision,omitempty"`
	DecisionText   string             `json:"decision_text,omitempty"`
	DecidedBy      *uuid.UUID         `json:"decided_by,omitempty"`
	Decider        *render.PersonView `json:"decider,omitempty" doc:"decided_by, by name"`
	DecidedAt      *time.Time         `json:"decided_at,omitempty"`
	render.PassedOn
	ExtendedUntil *clock.Date          `json:"extended_until,omitempty" doc:"Of an extension: the last day that what it claimed is kept"`
	Because       string               `json:"extended_because,omitempty" doc:"Of an extension: why, as its requester said, for those who see that request"`
	ConfirmedBy   *uuid.UUID           `json:"confirmed_by,omitempty" doc:"The second one of two people who decided about a rejected purge"`
	Confirmer     *render.PersonView   `json:"confirmer,omitempty" doc:"confirmed_by, by name"`
	RejectedBy    *uuid.UUID           `json:"rejected_by,omitempty"`
	RejectedAt    *time.Time           `json:"rejected_at,omitempty"`
	Rejections    []RejectionView      `json:"rejections" doc:"Who rejected what it claims, in this purge or in a former one: none of them approves it"`
	Escalated     bool                 `json:"escalated" doc:"It waits for a decision for 14 days or longer"`
	EscalatedAt   *time.Time           `json:"escalated_at,omitempty" doc:"When that was shown last; again every 14 days"`
	Escalations   int                  `json:"escalations,omitempty" doc:"How often"`
	DueSince      time.Time            `json:"due_since" doc:"When the first of what it claims fell due: by the rules, and not when the purge was made"`
	CreatedAt     time.Time            `json:"created_at"`
	EndedAt       *time.Time           `json:"ended_at,omitempty"`
	Workflow      *render.WorkflowView `json:"workflow,omitempty" doc:"For it_ops"`
}

// RejectionView is that somebody rejected the destruction of categories.
type RejectionView struct {
	By             *uuid.UUID         `json:"by,omitempty" doc:"Left out if an older version did not say"`
	Person         *render.PersonView `json:"person,omitempty"`
	At             time.Time          `json:"at"`
	PurgeID        uuid.UUID          `json:"purge_id" doc:"The purge that claimed them then"`
	Categories     []models.Category  `json:"categories"`
	CategoriesText []string           `json:"categories_text"`
}

// rejectionViews groups rejections by the decision that they come from.
func rejectionViews(rows []retention.Rejection, people render.Named, language i18n.Language) []RejectionView {
	views := []RejectionView{}
	for _, r := range rows {
		i := slices.IndexFunc(views, func(v RejectionView) bool { return v.PurgeID == r.PurgeID })
		if i < 0 {
			v := RejectionView{By: r.RejectedBy, Person: people.Of(r.RejectedBy), At: r.RejectedAt.UTC(), PurgeID: r.PurgeID}
			i, views = len(views), append(views, v)
		}
		views[i].Categories = append(views[i].Categories, r.Category)
		views[i].CategoriesText = append(views[i].CategoriesText, closed.Text(language, r.Category))
	}
	slices.SortStableFunc(views, func(a, b RejectionView) int { return a.At.Compare(b.At) })
	return views
}

func (s *server) registerPurges() {
	r := s.Resource("Purges", identity.ScopeDepartures)
	httpkit.Handle(r, httpkit.Route{At: "GET /retention/deadlines", Summary: "List what will be destroyed, soonest first", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}}, s.listDeadlines)
	httpkit.Handle(r, httpkit.Route{At: "GET /purges", Summary: "List purges, oldest first", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor, httpkit.IT}}, s.listPurges)
	httpkit.Handle(r, httpkit.Route{At: "GET /purges/{id}", Summary: "Read a purge", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor, httpkit.IT}}, s.getPurge)
	httpkit.Handle(r, httpkit.Route{At: "POST /purges/{id}/decision", Summary: "Decide about a purge in review", To: httpkit.Roles{httpkit.Reviewer}, NoSealedCodes: true, OrRequest: true}, s.decidePurge)
	s.registerCertificates()
}

// purgeViews renders purges with the people whom they are about and who rejected them.
func (s *server) purgeViews(ctx context.Context, purges []retention.PurgeView, language i18n.Language) ([]PurgeView, error) {
	var ids, extended []uuid.UUID
	for _, p := range purges {
		ids = append(ids, render.GivenOf(&p.EmployeeID, p.DecidedBy, p.ConfirmedBy)...)
		for _, r := range p.Rejections {
			ids = append(ids, render.GivenOf(r.RejectedBy)...)
		}
		if p.Decision == models.DecisionExtended {
			extended = append(extended, p.ID)
		}
	}
	people, err := s.People(ctx, language, ids)
	if err != nil {
		return nil, err
	}
	because, err := s.extensions(ctx, extended)
	if err != nil {
		return nil, err
	}
	views := make([]PurgeView, len(purges))
	for i, p := range purges {
		views[i] = s.purgeView(ctx, p, people, language)
		if p.Decision != models.DecisionExtended {
			continue
		}
		views[i].ExtendedUntil, views[i].Because = p.ExtendedUntil, because[p.ID]
		switch {
		case p.ExtendedUntil != nil && views[i].Because != "":
			views[i].StateText = fmt.Sprintf(i18n.Text(language, "purge_text.extended"), dayText(language, *p.ExtendedUntil), views[i].Because)
		case p.ExtendedUntil != nil:
			views[i].StateText = fmt.Sprintf(i18n.Text(language, "purge_text.kept"), dayText(language, *p.ExtendedUntil))
		}
	}
	return views, nil
}

func dayText(language i18n.Language, d clock.Date) string {
	return language.Day(clock.StartOfDay(d, time.UTC))
}

// extensions is why two people kept what purges claimed, by purge: for those who see the requests that say so.
func (s *server) extensions(ctx context.Context, purges []uuid.UUID) (map[uuid.UUID]string, error) {
	requests, err := approval.Approved(ctx, s.DB, operations.ExtendPurge, "purge", purges)
	if err != nil {
		return nil, err
	}
	visible := s.ApprovalsOf(httpkit.ActorOf(ctx))
	var of []uuid.UUID
	var rows []models.Approval
	for purge, about := range requests {
		if visible.Sees(about[0]) {
			of, rows = append(of, purge), append(rows, about[0])
		}
	}
	written, err := approval.OpenWritten(ctx, s.DB, rows...)
	if err != nil {
		return nil, err
	}
	because := make(map[uuid.UUID]string, len(of))
	for i, purge := range of {
		because[purge] = written[i].Reason
	}
	return because, nil
}

// rejectedText says by whom a purge was rejected, and what can be done now.
func rejectedText(language i18n.Language, by []string) string {
	if len(by) == 0 {
		return i18n.Text(language, "purge_text.rejected_by_somebody")
	}
	return fmt.Sprintf(i18n.Text(language, "purge_text.rejected"), strings.Join(by, ", "))
}

func (s *server) purgeView(ctx context.Context, p retention.PurgeView, people render.Named, language i18n.Language) PurgeView {
	v := PurgeView{
		ID: p.ID, DepartureID: p.DepartureID, EmployeeID: p.EmployeeID, Categories: append([]models.Category{}, p.Categories...), CategoriesText: closed.Texts(language, p.Categories),
		State: p.State, StateText: closed.Text(language, p.State),
		ImportID: p.BatchID, Person: people[p.EmployeeID], ReviewRequired: p.ReviewRequired, ReviewUntil: render.UTC(p.ReviewUntil), Decision: p.Decision,
		DecidedBy: p.DecidedBy, Decider: people.Of(p.DecidedBy), DecidedAt: render.UTC(p.DecidedAt), ConfirmedBy: p.ConfirmedBy, Confirmer: people.Of(p.ConfirmedBy), RejectedBy: p.RejectedBy, RejectedAt: render.UTC(p.RejectedAt),
		Rejections: rejectionViews(p.Rejections, people, language), Escalated: escalated(p), EscalatedAt: render.UTC(p.EscalatedAt), Escalations: p.Escalations, DueSince: p.DueSince.UTC(), CreatedAt: p.CreatedAt.UTC(), EndedAt: render.UTC(p.EndedAt),
	}
	if p.Decision != "" {
		v.DecisionText = closed.Text(language, p.Decision)
	}
	if p.State == models.PurgeRejected {
		var by []string
		for _, r := range v.Rejections {
			if r.Person != nil && !slices.Contains(by, r.Person.Text()) {
				by = append(by, r.Person.Text())
			}
		}
		v.StateText = rejectedText(language, by)
	}
	if httpkit.ActorOf(ctx).Role == models.RoleITOps {
		v.Workflow = s.Workflow("purge/" + p.ID.String())
	}
	return v
}

// escalated says whether a purge still waits for a decision that was found missing.
func escalated(p retention.PurgeView) bool {
	return p.EscalatedAt != nil && (p.State == models.PurgeInReview || p.State == models.PurgeRejected)
}

type listPurgesInput struct {
	httpkit.Paging
	httpkit.Speaking
	State      models.PurgeState `query:"state" doc:"Only those in this state"`
	EmployeeID uuid.UUID         `query:"employee_id" doc:"Only those of this person's data, of each employment"`
	Escalated  httpkit.YesNo     `query:"escalated" enum:"true,false" doc:"Only those that wait for a decision: true, for 14 days or longer; false, not so long yet"`
}

func (s *server) listPurges(ctx context.Context, in *listPurgesInput) (*httpkit.Answer[httpkit.Page[PurgeView]], error) {
	f := retention.PurgeFilter{State: in.State, EmployeeID: httpkit.Given(in.EmployeeID), Escalated: in.Escalated.Bool(), NotOf: httpkit.ActorOf(ctx).EmployeeID, Limit: in.Limit}
	return httpkit.List(in.Paging, func(v PurgeView) uuid.UUID { return v.ID }, func(after uuid.UUID) ([]PurgeView, bool, error) {
		f.After = after
		purges, more, err := retention.Purges(ctx, s.DB, f)
		if err != nil {
			return nil, false, err
		}
		views, err := s.purgeViews(ctx, purges, in.Language())
		if err != nil {
			return nil, false, err
		}
		return views, more, render.MarkPassedOn(ctx, s.Renderer, models.HoldingRejection, models.RoleReviewer, views, in.Language(), purgeHolder)
	})
}

func (s *server) getPurge(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[PurgeView], error) {
	return httpkit.AnswerOf(s.onePurge(ctx, in))
}

// onePurge is a purge. Of the own data nobody is told one.
func (s *server) onePurge(ctx context.Context, in *httpkit.ByID) (PurgeView, error) {
	p, err := retention.GetPurge(ctx, s.DB, in.ID)
	if err != nil {
		return PurgeView{}, err
	}
	if p.EmployeeID == httpkit.ActorOf(ctx).EmployeeID { // who is to decide about it, and what was said, is not theirs to know
		return PurgeView{}, httpkit.NewProblem(httpkit.CodeNotFound)
	}
	views, err := s.purgeViews(ctx, []retention.PurgeView{p}, in.Language())
	if err != nil {
		return PurgeView{}, err
	}
	if w := views[0].Workflow; w != nil {
		w.RunID = s.RunOf(ctx, w.ID)
	}
	err = render.MarkPassedOn(ctx, s.Renderer, models.HoldingRejection, models.RoleReviewer, views, in.Language(), purgeHolder)
	return views[0], err
}

type decisionInput struct {
	httpkit.ByID
	Body struct {
		Decision models.Decision `json:"decision" doc:"extended ends a rejected purge: what it claims is kept to a day. A rejected one is approved, or extended, by two people"`
		Until    *clock.Date     `json:"until,omitempty" doc:"Of an extension: the last day that it is kept"`
		Reason   string          `json:"reason,omitempty" maxLength:"500" doc:"Of an extension: why, for the second person and the log. No names, numbers or illnesses"`
		approvals.ApprovalFields
	}
}

func (s *server) decidePurge(ctx context.Context, in *decisionInput) (*approvals.Outcome[PurgeView], error) {
	call := approvals.Step{
		Operation: operations.DecidePurge, Command: operations.PurgeDecision{PurgeID: in.ID, Decision: in.Body.Decision},
		Reason: in.Body.ApprovalReason,
	}
	p, err := retention.GetPurge(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	switch extends := in.Body.Decision == models.DecisionExtended; {
	case extends && in.Body.Until == nil:
		return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "body.until", Code: "required"})
	case extends && in.Body.Reason == "":
		return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "body.reason", Code: "required"})
	case !extends && in.Body.Until != nil:
		return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "body.until", Code: "mismatch"})
	case extends:
		call.Operation, call.Reason = operations.ExtendPurge, in.Body.Reason
		call.Command = operations.PurgeExtension{PurgeID: in.ID, Until: *in.Body.Until}
	case in.Body.Decision == models.DecisionApproved && p.State == models.PurgeRejected:
		call.Operation, call.Command = operations.OverrulePurge, operations.PurgeOverruling{PurgeID: in.ID}
	}
	return approvals.Take(ctx, s.Desk, in.Language(), &call, func(uuid.UUID) (PurgeView, error) {
		return s.onePurge(ctx, &in.ByID)
	})
}

// purgeHolder is who rejected a purge that still waits.
func purgeHolder(v *PurgeView) (uuid.UUID, *uuid.UUID, *render.PassedOn) {
	if v.State != models.PurgeRejected {
		return v.ID, nil, nil
	}
	return v.ID, v.RejectedBy, &v.PassedOn
}
