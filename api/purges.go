package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/approval"
	"lethe/internal/clock"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/models"
)

// PurgeView is the destruction of what was due together.
type PurgeView struct {
	ID             uuid.UUID         `json:"id"`
	DepartureID    uuid.UUID         `json:"departure_id"`
	EmployeeID     uuid.UUID         `json:"employee_id"`
	Categories     []models.Category `json:"categories"`
	State          models.PurgeState `json:"state" enum:"claimed,in_review,rejected,purging,purged,cancelled"`
	StateText      string            `json:"state_text"`
	Person         PersonView        `json:"person" doc:"Whose data it destroys"`
	ReviewRequired bool              `json:"review_required" doc:"Without a decision it is not carried out"`
	ReviewUntil    *time.Time        `json:"review_until,omitempty" doc:"Undecided, it is carried out then"`
	Decision       string            `json:"decision,omitempty" enum:"approved,rejected,extended"`
	DecisionText   string            `json:"decision_text,omitempty"`
	DecidedBy      *uuid.UUID        `json:"decided_by,omitempty"`
	Decider        *PersonView       `json:"decider,omitempty" doc:"decided_by, by name"`
	DecidedAt      *time.Time        `json:"decided_at,omitempty"`
	PassedTo       *models.Role      `json:"passed_to,omitempty" doc:"Who rejected it is gone: the role that looks after it"`
	ExtendedUntil  *clock.Date       `json:"extended_until,omitempty" doc:"Of an extension: the last day that what it claimed is kept"`
	Because        string            `json:"extended_because,omitempty" doc:"Of an extension: why, as its requester said, for those who see that request"`
	ConfirmedBy    *uuid.UUID        `json:"confirmed_by,omitempty" doc:"The second one of two people who decided about a rejected purge"`
	Confirmer      *PersonView       `json:"confirmer,omitempty" doc:"confirmed_by, by name"`
	RejectedBy     *uuid.UUID        `json:"rejected_by,omitempty"`
	RejectedAt     *time.Time        `json:"rejected_at,omitempty"`
	Rejections     []RejectionView   `json:"rejections" doc:"Who rejected what it claims, in this purge or in a former one: none of them approves it"`
	Escalated      bool              `json:"escalated" doc:"It waits for a decision for 14 days or longer"`
	EscalatedAt    *time.Time        `json:"escalated_at,omitempty" doc:"When that was shown last; again every 14 days"`
	Escalations    int               `json:"escalations,omitempty" doc:"How often"`
	CreatedAt      time.Time         `json:"created_at"`
	EndedAt        *time.Time        `json:"ended_at,omitempty"`
	Workflow       *WorkflowView     `json:"workflow,omitempty" doc:"For it_ops"`
}

// RejectionView is that somebody rejected the destruction of categories.
type RejectionView struct {
	By         *uuid.UUID        `json:"by,omitempty" doc:"Left out if an older version did not say"`
	Person     *PersonView       `json:"person,omitempty"`
	At         time.Time         `json:"at"`
	PurgeID    uuid.UUID         `json:"purge_id" doc:"The purge that claimed them then"`
	Categories []models.Category `json:"categories"`
}

// rejectionViews groups rejections by the decision that they come from.
func rejectionViews(rows []retention.Rejection, people named) []RejectionView {
	views := []RejectionView{}
	for _, r := range rows {
		i := slices.IndexFunc(views, func(v RejectionView) bool { return v.PurgeID == r.PurgeID })
		if i < 0 {
			v := RejectionView{By: r.RejectedBy, Person: people.of(r.RejectedBy), At: r.RejectedAt.UTC(), PurgeID: r.PurgeID}
			i, views = len(views), append(views, v)
		}
		views[i].Categories = append(views[i].Categories, r.Category)
	}
	slices.SortStableFunc(views, func(a, b RejectionView) int { return a.At.Compare(b.At) })
	return views
}

// CertificateView is the proof of one purge.
type CertificateView struct {
	ID                 uuid.UUID       `json:"id"`
	PurgeID            uuid.UUID       `json:"purge_id"`
	Serial             int64           `json:"serial"`
	Statement          json.RawMessage `json:"statement" doc:"What was destroyed, when, and how that was checked"`
	StatementSHA256    []byte          `json:"statement_sha256" doc:"Base64"`
	UnrecoverableAfter clock.Date      `json:"unrecoverable_after" doc:"From this day on, old backups hold nothing that could open it"`
	IssuedAt           time.Time       `json:"issued_at"`
}

func (s *server) registerPurges() {
	r := s.resource("Purges", identity.ScopeDepartures)
	handle(r, route{at: "GET /retention/deadlines", summary: "List what will be destroyed, soonest first", to: roles{hr, reviewer, auditor}}, s.listDeadlines)
	handle(r, route{at: "GET /purges", summary: "List purges, oldest first", to: roles{hr, reviewer, auditor, it}}, s.listPurges)
	handle(r, route{at: "GET /purges/{id}", summary: "Read a purge", to: roles{hr, reviewer, auditor, it}}, s.getPurge)
	handle(r, route{at: "POST /purges/{id}/decision", summary: "Decide about a purge in review", to: roles{reviewer}, noSealedCodes: true, orRequest: true}, s.decidePurge)
}

// purgeViews renders purges with the people whom they are about and who rejected them.
func (s *server) purgeViews(ctx context.Context, purges []retention.PurgeView, language i18n.Language) ([]PurgeView, error) {
	var ids, extended []uuid.UUID
	for _, p := range purges {
		ids = append(ids, givenOf(&p.EmployeeID, p.DecidedBy, p.ConfirmedBy)...)
		for _, r := range p.Rejections {
			ids = append(ids, givenOf(r.RejectedBy)...)
		}
		if p.Decision == models.DecisionExtended {
			extended = append(extended, p.ID)
		}
	}
	people, err := s.people(ctx, ids)
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
			views[i].StateText = fmt.Sprintf(i18n.Text(language, "purge_text.extended"), p.ExtendedUntil, views[i].Because)
		case p.ExtendedUntil != nil:
			views[i].StateText = fmt.Sprintf(i18n.Text(language, "purge_text.kept"), p.ExtendedUntil)
		}
	}
	return views, nil
}

// extensions is why two people kept what purges claimed, by purge: for those who see the requests that say so.
func (s *server) extensions(ctx context.Context, purges []uuid.UUID) (map[uuid.UUID]string, error) {
	requests, err := approval.Approved(ctx, s.DB, operations.ExtendPurge, "purge", purges)
	if err != nil {
		return nil, err
	}
	visible := s.approvalsOf(actorOf(ctx))
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

func (s *server) purgeView(ctx context.Context, p retention.PurgeView, people named, language i18n.Language) PurgeView {
	v := PurgeView{
		ID: p.ID, DepartureID: p.DepartureID, EmployeeID: p.EmployeeID, Categories: append([]models.Category{}, p.Categories...),
		State: p.State, StateText: i18n.Text(language, "purge_state."+string(p.State)),
		Person: people[p.EmployeeID], ReviewRequired: p.ReviewRequired, ReviewUntil: utc(p.ReviewUntil), Decision: p.Decision,
		DecidedBy: p.DecidedBy, Decider: people.of(p.DecidedBy), DecidedAt: utc(p.DecidedAt), ConfirmedBy: p.ConfirmedBy, Confirmer: people.of(p.ConfirmedBy), RejectedBy: p.RejectedBy, RejectedAt: utc(p.RejectedAt),
		Rejections: rejectionViews(p.Rejections, people), Escalated: escalated(p), EscalatedAt: utc(p.EscalatedAt), Escalations: p.Escalations, CreatedAt: p.CreatedAt.UTC(), EndedAt: utc(p.EndedAt),
	}
	if p.Decision != "" {
		v.DecisionText = i18n.Text(language, "purge_decision."+p.Decision)
	}
	if p.State == models.PurgeRejected {
		var by []string
		for _, r := range v.Rejections {
			if r.Person != nil && !slices.Contains(by, r.Person.text()) {
				by = append(by, r.Person.text())
			}
		}
		v.StateText = rejectedText(language, by)
	}
	if actorOf(ctx).Role == models.RoleITOps {
		v.Workflow = s.workflow("purge/" + p.ID.String())
	}
	return v
}

// escalated says whether a purge still waits for a decision that was found missing.
func escalated(p retention.PurgeView) bool {
	return p.EscalatedAt != nil && (p.State == models.PurgeInReview || p.State == models.PurgeRejected)
}

type listPurgesInput struct {
	Paging
	Speaking
	State      string    `query:"state" enum:"claimed,in_review,rejected,purging,purged,cancelled"`
	EmployeeID uuid.UUID `query:"employee_id" doc:"Only those of this person's data, of each employment"`
	Escalated  bool      `query:"escalated" doc:"Only those that wait for a decision for 14 days or longer"`
}

func (s *server) listPurges(ctx context.Context, in *listPurgesInput) (*answer[Page[PurgeView]], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	f := retention.PurgeFilter{State: models.PurgeState(in.State), EmployeeID: given(in.EmployeeID), Escalated: in.Escalated, NotOf: actorOf(ctx).EmployeeID, Limit: in.Limit}
	f.After = after
	purges, more, err := retention.Purges(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	page := Page[PurgeView]{}
	if page.Items, err = s.purgeViews(ctx, purges, in.language()); err != nil {
		return nil, err
	}
	page.NextCursor = next(in.Paging, purges, more, func(v retention.PurgeView) uuid.UUID { return v.ID })
	return &answer[Page[PurgeView]]{page}, passedOn(ctx, s, models.RoleReviewer, page.Items, purgeHolder)
}

func (s *server) getPurge(ctx context.Context, in *ByID) (*answer[PurgeView], error) {
	p, err := retention.GetPurge(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	if p.EmployeeID == actorOf(ctx).EmployeeID { // who is to decide about it, and what was said, is not theirs to know
		return nil, problem(codeNotFound)
	}
	views, err := s.purgeViews(ctx, []retention.PurgeView{p}, in.language())
	if err != nil {
		return nil, err
	}
	if w := views[0].Workflow; w != nil {
		w.RunID = s.runOf(ctx, w.ID)
	}
	err = passedOn(ctx, s, models.RoleReviewer, views, purgeHolder)
	return &answer[PurgeView]{views[0]}, err
}

type decisionInput struct {
	ByID
	Body struct {
		Decision string      `json:"decision" enum:"approved,rejected,extended" doc:"extended ends a rejected purge: what it claims is kept to a day. A rejected one is approved, or extended, by two people"`
		Until    *clock.Date `json:"until,omitempty" doc:"Of an extension: the last day that it is kept"`
		Reason   string      `json:"reason,omitempty" maxLength:"500" doc:"Of an extension: why, for the second person and the log. No names, numbers or illnesses"`
		ApprovalFields
	}
}

func (s *server) decidePurge(ctx context.Context, in *decisionInput) (*outcome[PurgeView], error) {
	call := step{
		operation: operations.DecidePurge, command: operations.PurgeDecision{PurgeID: in.ID, Decision: in.Body.Decision},
		reason: in.Body.ApprovalReason,
	}
	p, err := retention.GetPurge(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	switch extends := in.Body.Decision == models.DecisionExtended; {
	case extends && in.Body.Until == nil:
		return nil, problem(codeValidationFailed, FieldError{Location: "body.until", Code: "required"})
	case extends && in.Body.Reason == "":
		return nil, problem(codeValidationFailed, FieldError{Location: "body.reason", Code: "required"})
	case !extends && in.Body.Until != nil:
		return nil, problem(codeValidationFailed, FieldError{Location: "body.until", Code: "mismatch"})
	case extends:
		call.operation, call.reason = operations.ExtendPurge, in.Body.Reason
		call.command = operations.PurgeExtension{PurgeID: in.ID, Until: *in.Body.Until}
	case in.Body.Decision == models.DecisionApproved && p.State == models.PurgeRejected:
		call.operation, call.command = operations.OverrulePurge, operations.PurgeOverruling{PurgeID: in.ID}
	}
	return take(ctx, s, in.language(), &call, func(uuid.UUID) (PurgeView, error) {
		shown, err := s.getPurge(ctx, &in.ByID)
		if err != nil {
			return PurgeView{}, err
		}
		return shown.Body, nil
	})
}

func categoryNames() []string {
	names := make([]string, len(models.Categories))
	for i, c := range models.Categories {
		names[i] = string(c)
	}
	return names
}

// UpcomingView is a category of somebody's data that will be destroyed.
type UpcomingView struct {
	DepartureID uuid.UUID  `json:"departure_id"`
	Person      PersonView `json:"person" doc:"Whose data it is"`
	RetentionView
}

type listDeadlinesInput struct {
	Paging
	Speaking
	Before     time.Time       `query:"before" doc:"Only what will be destroyed before it"`
	Category   models.Category `query:"category" doc:"Only this category"`
	EmployeeID uuid.UUID       `query:"employee_id" doc:"Only of this person, of each employment"`
}

func (s *server) listDeadlines(ctx context.Context, in *listDeadlinesInput) (*answer[Page[UpcomingView]], error) {
	if in.Category != "" && !slices.Contains(models.Categories, in.Category) {
		return nil, problem(codeValidationFailed, FieldError{Location: "query.category", Code: fieldNotAllowed, Allowed: categoryNames()})
	}
	f := retention.UpcomingFilter{Before: instant(in.Before), Category: in.Category, EmployeeID: given(in.EmployeeID), Limit: in.Limit}
	var err error
	if f.After, f.AfterAt, err = in.sorted(); err != nil {
		return nil, err
	}
	rows, more, err := retention.UpcomingDeadlines(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.EmployeeID
	}
	people, err := s.people(ctx, ids)
	if err != nil {
		return nil, err
	}
	page := Page[UpcomingView]{Items: make([]UpcomingView, len(rows))}
	if more {
		last := rows[len(rows)-1]
		page.NextCursor = in.sortedCursor(last.ID, last.Deadline)
	}
	actor := actorOf(ctx)
	for i, row := range rows {
		knows := func(part access.Part) bool { return access.MayKnow(actor, actor.EmployeeID == row.EmployeeID, part) }
		page.Items[i] = UpcomingView{row.DepartureID, people[row.EmployeeID], retentionView(in.language(), row.DeadlineView, people, knows)}
	}
	return &answer[Page[UpcomingView]]{page}, nil
}

func (s *server) listCertificates(ctx context.Context, in *ByID) (*answer[Page[CertificateView]], error) {
	dep, err := departure.Get(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.visible(ctx, actorOf(ctx), dep.EmployeeID); err != nil {
		return nil, err
	}
	certificates, err := retention.Certificates(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	page := Page[CertificateView]{Items: make([]CertificateView, len(certificates))}
	for i, c := range certificates {
		page.Items[i] = CertificateView{
			ID: c.ID, PurgeID: c.PurgeID, Serial: c.Serial, Statement: json.RawMessage(c.Statement),
			StatementSHA256: c.StatementSha256, UnrecoverableAfter: c.UnrecoverableAfter, IssuedAt: c.IssuedAt.UTC(),
		}
	}
	return &answer[Page[CertificateView]]{page}, nil
}
