package accounts

import (
	"context"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/account"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

func (s *server) registerCases() {
	r := s.Resource("Support cases", identity.ScopeAccounts)
	httpkit.Handle(r, httpkit.Route{At: "GET /support-cases", Summary: "List what is stuck, oldest first", To: httpkit.Staff}, s.listCases)
	httpkit.Handle(r, httpkit.Route{At: "GET /support-cases/{id}", Summary: "Read a case", To: httpkit.Staff}, s.getCase)
	httpkit.Handle(r, httpkit.Route{At: "POST /support-cases/{id}/resolution", Summary: "Decide how a case goes on", To: httpkit.Roles{httpkit.IT}, OrRequest: true}, s.resolveCase)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /support-cases/{id}/confirmation", Summary: "Confirm a waiver, as a second person", To: httpkit.Roles{httpkit.Reviewer},
		Session: true, NoSealedCodes: true,
	}, s.confirmCase)
}

type listCasesInput struct {
	httpkit.Paging
	httpkit.Speaking
	State       models.CaseState `query:"state" doc:"Only those in this state"`
	DepartureID uuid.UUID        `query:"departure_id" doc:"Only those of this departure"`
	OperationID uuid.UUID        `query:"operation_id" doc:"Only those of this unlinking or relinking"`
	EmployeeID  uuid.UUID        `query:"employee_id" doc:"Whose account it is"`
	System      string           `query:"system" maxLength:"64" doc:"Only those of this system, by its name"`
	Reason      caseReason       `query:"reason" doc:"Only those that are stuck for this reason"`
}

func (s *server) listCases(ctx context.Context, in *listCasesInput) (*httpkit.Answer[httpkit.Page[CaseView]], error) {
	f := account.CaseFilter{State: in.State, Limit: in.Limit, NotOf: httpkit.ActorOf(ctx).EmployeeID, DepartureID: httpkit.Given(in.DepartureID), OperationID: httpkit.Given(in.OperationID)}
	f.EmployeeID, f.System, f.Reason = httpkit.Given(in.EmployeeID), in.System, string(in.Reason)
	return httpkit.List(in.Paging, func(v CaseView) uuid.UUID { return v.ID }, func(after uuid.UUID) ([]CaseView, bool, error) {
		f.After = after
		cases, more, err := account.Cases(ctx, s.DB, f)
		if err != nil {
			return nil, false, err
		}
		if _, connected := s.Systems.Get(in.System); in.System != "" && !connected && len(cases) == 0 {
			return nil, false, s.unknownSystem(CodeUnknownSystem, "query.system")
		}
		views, err := s.caseViews(ctx, cases, in.Language())
		return views, more, err
	})
}

func (s *server) getCase(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[CaseView], error) {
	return httpkit.AnswerOf(s.oneCase(ctx, in))
}

// oneCase is a case. Of the own account nobody is told one.
func (s *server) oneCase(ctx context.Context, in *httpkit.ByID) (CaseView, error) {
	c, err := account.Case(ctx, s.DB, in.ID)
	if err != nil {
		return CaseView{}, err
	}
	if c.EmployeeID == httpkit.ActorOf(ctx).EmployeeID { // who asked for a waiver of their own account is not theirs to know
		return CaseView{}, httpkit.NewProblem(httpkit.CodeNotFound)
	}
	return httpkit.One(s.caseViews(ctx, []account.CaseView{c}, in.Language()))
}

type resolutionInput struct {
	httpkit.ByID
	Body struct {
		Action models.Resolution `json:"action" enum:"retry,resolved_by_hand,waive,abort" doc:"retry, resolved_by_hand (read back all the same), waive (confirmed by a second person) or abort (stand-alone operations only)" example:"retry"`
		Note   string            `json:"note,omitempty" maxLength:"500" doc:"What was done, for whoever looks at the case later; where two people are needed, the reason that the second person reads, unless there is another. No names, numbers or illnesses"`
		approvals.ApprovalFields
	}
}

func (s *server) resolveCase(ctx context.Context, in *resolutionInput) (*approvals.Outcome[CaseView], error) {
	if in.Body.ApprovalReason == "" {
		in.Body.ApprovalReason = in.Body.Note
	}
	st := approvals.Step{Operation: operations.Waive, Command: operations.Waiver{CaseID: in.ID, Note: in.Body.Note}, Reason: in.Body.ApprovalReason}
	if in.Body.Action != models.ResolutionWaive {
		st.Assess = func(tx *database.Tx) ([]models.Cause, error) {
			if in.Body.Action != models.ResolutionAbort {
				return nil, nil
			}
			c, _, owner, err := account.LockCase(tx, in.ID)
			if err != nil {
				return nil, err
			}
			// It gives the account back.
			st.Operation, st.Command = operations.Relink, operations.Relinking{UnlinkingID: c.OperationID, Systems: []string{c.System}}
			return departure.AssessAccess(tx, httpkit.ActorOf(ctx), owner)
		}
		st.Alone = func(tx *database.Tx) (httpkit.Creation, error) {
			decided, err := account.ResolveCase(tx, in.ID, httpkit.ActorOf(ctx), in.Body.Action, in.Body.Note)
			if err == nil && decided.DepartureID != nil {
				err = departure.AccountsChanged(tx, *decided.DepartureID)
			}
			return httpkit.Done(models.Ref{Kind: models.RefCase, ID: in.ID}), err
		}
	}
	return approvals.Take(ctx, s.Desk, in.Language(), &st, func(uuid.UUID) (CaseView, error) {
		s.EndOvertaken(ctx) // the request for a waiver
		return s.oneCase(ctx, &in.ByID)
	})
}

// confirmCase is the decision about the open request, at the address that it always had.
func (s *server) confirmCase(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[CaseView], error) {
	if err := s.Confirm(ctx, operations.Waive, "support_case", in.ID, codeNoWaiverAsked); err != nil {
		return nil, err
	}
	return s.getCase(ctx, in)
}
