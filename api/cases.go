package api

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// CaseView is a stuck step that people must solve.
type CaseView struct {
	ID             uuid.UUID   `json:"id"`
	OperationID    uuid.UUID   `json:"operation_id"`
	DepartureID    *uuid.UUID  `json:"departure_id,omitempty"`
	EmployeeID     uuid.UUID   `json:"employee_id"`
	Person         PersonView  `json:"person" doc:"Whose account it is"`
	AccountID      uuid.UUID   `json:"account_id"`
	System         string      `json:"system"`
	Reason         string      `json:"reason" doc:"Why it is stuck: stable, for programs"`
	ReasonText     string      `json:"reason_text"`
	State          string      `json:"state" enum:"open,waiver_requested,closed"`
	Resolution     string      `json:"resolution,omitempty" enum:"retry,resolved_by_hand,waive,abort,superseded"`
	StateText      string      `json:"state_text"`
	ResolutionText string      `json:"resolution_text,omitempty"`
	AskedBy        *uuid.UUID  `json:"asked_by,omitempty"`
	Asker          *PersonView `json:"asker,omitempty" doc:"asked_by, by name: who decided, or asked for a waiver"`
	ConfirmedBy    *uuid.UUID  `json:"confirmed_by,omitempty"`
	Confirmer      *PersonView `json:"confirmer,omitempty" doc:"confirmed_by, by name"`
	OpenedAt       time.Time   `json:"opened_at"`
	AskedAt        *time.Time  `json:"asked_at,omitempty"`
	ClosedAt       *time.Time  `json:"closed_at,omitempty"`
}

func (s *server) registerCases() {
	r := s.resource("Support cases", identity.ScopeAccounts)
	handle(r, route{at: "GET /support-cases", summary: "List what is stuck, oldest first", to: staff}, s.listCases)
	handle(r, route{at: "GET /support-cases/{id}", summary: "Read a case", to: staff}, s.getCase)
	handle(r, route{at: "POST /support-cases/{id}/resolution", summary: "Decide how a case goes on", to: roles{it}, orRequest: true}, s.resolveCase)
	handle(r, route{
		at: "POST /support-cases/{id}/confirmation", summary: "Confirm a waiver, as a second person", to: roles{reviewer},
		session: true, noSealedCodes: true,
	}, s.confirmCase)
}

// caseViews shows cases with whom they concern and who decided.
func (s *server) caseViews(ctx context.Context, rows []account.CaseView, language i18n.Language) ([]CaseView, error) {
	var ids []uuid.UUID
	for _, c := range rows {
		ids = append(ids, givenOf(&c.EmployeeID, c.AskedBy, c.ConfirmedBy)...)
	}
	people, err := s.people(ctx, ids)
	views := make([]CaseView, len(rows))
	for i, c := range rows {
		views[i] = caseView(c, people, language)
	}
	return views, err
}

func caseView(c account.CaseView, people named, language i18n.Language) CaseView {
	reason, ok := i18n.Lookup(language, "case_reason."+c.Reason)
	if !ok {
		reason = i18n.Text(language, "case_reason.other")
	}
	v := CaseView{
		ID: c.ID, OperationID: c.OperationID, DepartureID: c.DepartureID, EmployeeID: c.EmployeeID, Person: people[c.EmployeeID], AccountID: c.AccountID,
		System: c.System, Reason: c.Reason, ReasonText: reason, State: c.State, StateText: i18n.Text(language, "case_state."+c.State), Resolution: c.Resolution,
		AskedBy: c.AskedBy, Asker: people.of(c.AskedBy), ConfirmedBy: c.ConfirmedBy, Confirmer: people.of(c.ConfirmedBy), OpenedAt: c.OpenedAt.UTC(), AskedAt: utc(c.AskedAt), ClosedAt: utc(c.ClosedAt),
	}
	if c.Resolution != "" {
		v.ResolutionText = i18n.Text(language, "case_resolution."+c.Resolution)
	}
	return v
}

type listCasesInput struct {
	Paging
	Speaking
	State       string    `query:"state" enum:"open,waiver_requested,closed"`
	DepartureID uuid.UUID `query:"departure_id"`
	OperationID uuid.UUID `query:"operation_id"`
}

func (s *server) listCases(ctx context.Context, in *listCasesInput) (*answer[Page[CaseView]], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	f := account.CaseFilter{State: in.State, Limit: in.Limit, NotOf: actorOf(ctx).EmployeeID, DepartureID: given(in.DepartureID), OperationID: given(in.OperationID)}
	f.After = after
	cases, more, err := account.Cases(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	page := Page[CaseView]{}
	if page.Items, err = s.caseViews(ctx, cases, in.language()); err != nil {
		return nil, err
	}
	page.NextCursor = next(in.Paging, cases, more, func(v account.CaseView) uuid.UUID { return v.ID })
	return &answer[Page[CaseView]]{page}, nil
}

// given is nil for an id that was left out.
func given(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func (s *server) getCase(ctx context.Context, in *ByID) (*answer[CaseView], error) {
	c, err := account.Case(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	if c.EmployeeID == actorOf(ctx).EmployeeID { // who asked for a waiver of their own account is not theirs to know
		return nil, problem(codeNotFound)
	}
	views, err := s.caseViews(ctx, []account.CaseView{c}, in.language())
	if err != nil {
		return nil, err
	}
	return &answer[CaseView]{views[0]}, nil
}

type resolutionInput struct {
	ByID
	Body struct {
		Action string `json:"action" enum:"retry,resolved_by_hand,waive,abort" doc:"retry, resolved_by_hand (read back all the same), waive (confirmed by a second person) or abort (stand-alone operations only)" example:"retry"`
		Asking
	}
}

func (s *server) resolveCase(ctx context.Context, in *resolutionInput) (*answer[CaseView], error) {
	if in.Body.Action == models.ResolutionWaive {
		_, err := s.dangerous(ctx, dangerousCall{
			operation: operations.Waive, command: operations.Waiver{CaseID: in.ID},
			reason: in.Body.ApprovalReason, language: in.language(),
		})
		return nil, err
	}
	view, err := s.decideCase(ctx, &in.ByID, func(tx *database.Tx) (models.SupportCase, error) {
		if in.Body.Action == models.ResolutionAbort {
			_, _, owner, err := account.LockCase(tx, in.ID)
			if err == nil {
				err = departure.OneMayChangeAccess(tx, actorOf(ctx), owner)
			}
			if err != nil {
				return models.SupportCase{}, err
			}
		}
		return account.ResolveCase(tx, in.ID, actorOf(ctx), in.Body.Action)
	})
	if errors.Is(err, departure.ErrApprovalRequired) {
		return nil, s.askRelinking(ctx, in)
	}
	return view, err
}

// askRelinking makes of an abort, which gives the account of a head or an administrator back, a request to
// relink it.
func (s *server) askRelinking(ctx context.Context, in *resolutionInput) error {
	c, err := account.Case(ctx, s.DB, in.ID)
	if err != nil {
		return err
	}
	_, err = s.dangerous(ctx, dangerousCall{
		operation: operations.Relink, command: operations.Relinking{UnlinkingID: c.OperationID, Systems: []string{c.System}},
		reason: in.Body.ApprovalReason, language: in.language(),
	})
	return err
}

// confirmCase is the decision about the open request, at the address that it always had.
func (s *server) confirmCase(ctx context.Context, in *ByID) (*answer[CaseView], error) {
	if err := s.confirm(ctx, operations.Waive, "support_case", in.ID, codeNoWaiverAsked); err != nil {
		return nil, err
	}
	return s.getCase(ctx, in)
}

func (s *server) decideCase(ctx context.Context, in *ByID, decide func(tx *database.Tx) (models.SupportCase, error)) (*answer[CaseView], error) {
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		decided, err := decide(tx)
		if err != nil || decided.DepartureID == nil {
			return err
		}
		return departure.AccountsChanged(tx, *decided.DepartureID)
	})
	if err != nil {
		return nil, err
	}
	return s.getCase(ctx, in)
}
