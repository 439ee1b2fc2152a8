package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// NewUnlinking is the body of a stand-alone unlinking.
type NewUnlinking struct {
	approvals.ApprovalFields
	EmployeeID   uuid.UUID            `json:"employee_id"`
	EmploymentID *uuid.UUID           `json:"employment_id,omitempty" doc:"Whose accounts of several employments; a person's accounts name them. Left out: the current one or, for a leaver, the last"`
	Systems      []string             `json:"systems,omitempty" minItems:"1" maxItems:"50" doc:"Left out: all"`
	Mode         models.OperationMode `json:"mode,omitempty" default:"disable" doc:"disable takes the access away, detach only severs the link and needs two people"`
	AllOrNothing bool                 `json:"all_or_nothing,omitempty" doc:"One stuck account gives all of them back; refused once a departure has ended the access"`
}

// NewRelinking is the body of a stand-alone relinking.
type NewRelinking struct {
	approvals.ApprovalFields
	UnlinkingID uuid.UUID `json:"unlinking_id" doc:"The stand-alone unlinking to undo"`
	Systems     []string  `json:"systems,omitempty" minItems:"1" maxItems:"50" doc:"Left out: all of it"`
}

func (s *server) registerUnlinkings() {
	r := s.Resource("Accounts", identity.ScopeAccounts)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /account-unlinkings", Summary: "Unlink accounts without a departure", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		Status: http.StatusAccepted, OrRequest: true,
	}, s.createUnlinking)
	httpkit.Handle(r, httpkit.Route{At: "GET /account-unlinkings/{id}", Summary: "Read an unlinking with its evidence", To: httpkit.Staff}, s.getUnlinking)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /account-relinkings", Summary: "Undo a stand-alone unlinking", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		Status: http.StatusAccepted, OrRequest: true, Also: map[int]string{http.StatusOK: "Nothing was taken away yet: the unlinking is called off"},
	}, s.createRelinking)
	httpkit.Handle(r, httpkit.Route{At: "GET /account-relinkings/{id}", Summary: "Read a relinking with its evidence", To: httpkit.Staff}, s.getRelinking)
}

// knownSystems refuses names that are not connected.
func (s *server) knownSystems(names []string) error {
	for i, name := range names {
		if _, ok := s.Systems.Get(name); !ok {
			return s.unknownSystem(CodeUnknownSystem, fmt.Sprintf("body.systems[%d]", i))
		}
	}
	return nil
}

type newUnlinkingInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewUnlinking
}

func (s *server) createUnlinking(ctx context.Context, in *newUnlinkingInput) (*approvals.Outcome[OperationView], error) {
	b := in.Body
	if err := s.knownSystems(b.Systems); err != nil {
		return nil, err
	}
	st := approvals.Step{
		Operation: operations.Detach, Reason: b.ApprovalReason, Key: in.Key, Route: "POST /account-unlinkings", Body: b,
		Command: operations.Detachment{EmployeeID: b.EmployeeID, EmploymentID: b.EmploymentID, Systems: b.Systems, AllOrNothing: b.AllOrNothing},
	}
	if b.Mode != models.ModeDetach { // what is detached keeps its access through a later departure, and always takes two people
		var employment models.Employment
		st.Operation = operations.Unlink
		st.Assess = func(tx *database.Tx) (_ []models.Cause, err error) {
			if employment, err = archive.EmploymentOf(tx, b.EmployeeID, b.EmploymentID); err != nil {
				return nil, err
			}
			return departure.AssessAccess(tx, httpkit.ActorOf(ctx), b.EmployeeID)
		}
		st.Alone = func(tx *database.Tx) (httpkit.Creation, error) {
			op, ordered, err := account.OrderUnlink(tx, account.UnlinkOrder{
				EmploymentID: employment.ID, Mode: b.Mode, Origin: models.OriginStandalone, AllOrNothing: b.AllOrNothing,
				Systems: b.Systems, Connected: s.Systems, By: httpkit.ActorOf(ctx), Superseded: departure.OperationChanged,
			})
			if err == nil && !ordered {
				err = account.ErrNothingToUnlink
			}
			return httpkit.Accepted(models.Ref{Kind: models.RefUnlinking, ID: op.ID}), err
		}
	}
	out, err := approvals.Take(ctx, s.Desk, in.Language(), &st, s.operationShown(ctx, in.Language()))
	return out, b.unknown(err)
}

// unknown says which of the two names nobody: the person or the employment.
func (b NewUnlinking) unknown(err error) error {
	switch {
	case !errors.Is(err, database.ErrNotFound):
		return err
	case b.EmploymentID != nil:
		return httpkit.AtField("employment_id", httpkit.CodeNotFound)
	}
	return httpkit.AtField("employee_id", httpkit.CodeEmployeeNotFound)
}

type newRelinkingInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewRelinking
}

func (s *server) createRelinking(ctx context.Context, in *newRelinkingInput) (*approvals.Outcome[OperationView], error) {
	if err := s.knownSystems(in.Body.Systems); err != nil {
		return nil, err
	}
	undoes := in.Body.UnlinkingID
	unlinking, err := account.Operation(ctx, s.DB, undoes)
	if errors.Is(err, database.ErrNotFound) {
		return nil, httpkit.AtField("unlinking_id", httpkit.CodeNotFound)
	}
	if err != nil {
		return nil, err
	}
	if unlinking.Origin != models.OriginStandalone {
		return nil, httpkit.AtField("unlinking_id", codeDepartureOwns)
	}
	command := operations.Relinking{UnlinkingID: undoes, Systems: in.Body.Systems}
	return approvals.Take(ctx, s.Desk, in.Language(), &approvals.Step{
		Operation: operations.Relink, Command: command, Reason: in.Body.ApprovalReason,
		Key: in.Key, Route: "POST /account-relinkings", Body: in.Body,
		Assess: func(tx *database.Tx) ([]models.Cause, error) {
			employment, err := archive.LockEmployment(tx, unlinking.EmploymentID)
			if err != nil {
				return nil, err
			}
			return departure.AssessAccess(tx, httpkit.ActorOf(ctx), employment.EmployeeID)
		},
		Alone: func(tx *database.Tx) (httpkit.Creation, error) {
			result, err := operations.RelinkStandalone(tx, httpkit.ActorOf(ctx), command)
			if result.Kind == models.RefUnlinking { // it had touched nothing yet
				return httpkit.Done(result), err
			}
			return httpkit.Accepted(result), err
		},
	}, s.operationShown(ctx, in.Language()))
}

// operationShown is how a step on accounts shows it.
func (s *server) operationShown(ctx context.Context, language i18n.Language) func(id uuid.UUID) (OperationView, error) {
	return func(id uuid.UUID) (OperationView, error) { return s.operationView(ctx, language, id, "") }
}

func (s *server) getUnlinking(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[OperationView], error) {
	return s.showOperation(ctx, in, models.OperationUnlink)
}

func (s *server) getRelinking(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[OperationView], error) {
	return s.showOperation(ctx, in, models.OperationRelink)
}

func (s *server) showOperation(ctx context.Context, in *httpkit.ByID, kind models.OperationKind) (*httpkit.Answer[OperationView], error) {
	return httpkit.AnswerOf(s.operationView(ctx, in.Language(), in.ID, kind))
}
