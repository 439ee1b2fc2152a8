package api

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

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

type listCasesInput struct {
	Paging
	Speaking
	State       string     `query:"state" enum:"open,waiver_requested,closed"`
	DepartureID uuid.UUID  `query:"departure_id"`
	OperationID uuid.UUID  `query:"operation_id"`
	EmployeeID  uuid.UUID  `query:"employee_id" doc:"Whose account it is"`
	System      string     `query:"system" maxLength:"64"`
	Reason      caseReason `query:"reason"`
}

func (s *server) listCases(ctx context.Context, in *listCasesInput) (*answer[Page[CaseView]], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	f := account.CaseFilter{State: in.State, Limit: in.Limit, NotOf: actorOf(ctx).EmployeeID, DepartureID: given(in.DepartureID), OperationID: given(in.OperationID)}
	f.EmployeeID, f.System, f.Reason, f.After = given(in.EmployeeID), in.System, string(in.Reason), after
	cases, more, err := account.Cases(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	if _, connected := s.Systems.Get(in.System); in.System != "" && !connected && len(cases) == 0 {
		return nil, problem(codeUnknownSystem, FieldError{Location: "query.system", Code: codeUnknownSystem})
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
		Note   string `json:"note,omitempty" maxLength:"500" doc:"What was done, for whoever looks at the case later; where two people are needed, the reason that the second person reads, unless there is another. No names, numbers or illnesses"`
		ApprovalFields
	}
}

func (s *server) resolveCase(ctx context.Context, in *resolutionInput) (*outcome[CaseView], error) {
	if in.Body.ApprovalReason == "" {
		in.Body.ApprovalReason = in.Body.Note
	}
	st := step{operation: operations.Waive, command: operations.Waiver{CaseID: in.ID}, reason: in.Body.ApprovalReason}
	if in.Body.Action != models.ResolutionWaive {
		st.assess = func(tx *database.Tx) ([]models.Cause, error) {
			if in.Body.Action != models.ResolutionAbort {
				return nil, nil
			}
			c, _, owner, err := account.LockCase(tx, in.ID)
			if err != nil {
				return nil, err
			}
			// It gives the account back.
			st.operation, st.command = operations.Relink, operations.Relinking{UnlinkingID: c.OperationID, Systems: []string{c.System}}
			return departure.AssessAccess(tx, actorOf(ctx), owner)
		}
		st.alone = func(tx *database.Tx) (creation, error) {
			decided, err := account.ResolveCase(tx, in.ID, actorOf(ctx), in.Body.Action, in.Body.Note)
			if err == nil && decided.DepartureID != nil {
				err = departure.AccountsChanged(tx, *decided.DepartureID)
			}
			return done(models.Ref{Kind: models.RefCase, ID: in.ID}), err
		}
	}
	return take(ctx, s, in.language(), &st, func(uuid.UUID) (CaseView, error) {
		s.endOvertaken(ctx) // the request for a waiver
		shown, err := s.getCase(ctx, &in.ByID)
		if err != nil {
			return CaseView{}, err
		}
		return shown.Body, nil
	})
}

// confirmCase is the decision about the open request, at the address that it always had.
func (s *server) confirmCase(ctx context.Context, in *ByID) (*answer[CaseView], error) {
	if err := s.confirm(ctx, operations.Waive, "support_case", in.ID, codeNoWaiverAsked); err != nil {
		return nil, err
	}
	return s.getCase(ctx, in)
}
