package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

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
	ApprovalFields
	EmployeeID   uuid.UUID  `json:"employee_id"`
	EmploymentID *uuid.UUID `json:"employment_id,omitempty" doc:"Whose accounts of several employments; a person's accounts name them. Left out: the current one or, for a leaver, the last"`
	Systems      []string   `json:"systems,omitempty" minItems:"1" maxItems:"50" doc:"Left out: all"`
	Mode         string     `json:"mode,omitempty" enum:"disable,detach" default:"disable" doc:"disable takes the access away, detach only severs the link and needs two people"`
	AllOrNothing bool       `json:"all_or_nothing,omitempty" doc:"One stuck account gives all of them back; refused once a departure has ended the access"`
}

// NewRelinking is the body of a stand-alone relinking.
type NewRelinking struct {
	ApprovalFields
	UnlinkingID uuid.UUID `json:"unlinking_id" doc:"The stand-alone unlinking to undo"`
	Systems     []string  `json:"systems,omitempty" minItems:"1" maxItems:"50" doc:"Left out: all of it"`
}

func (s *server) registerUnlinkings() {
	r := s.resource("Accounts", identity.ScopeAccounts)
	handle(r, route{
		at: "POST /account-unlinkings", summary: "Unlink accounts without a departure", to: roles{hr, it},
		status: http.StatusAccepted, orRequest: true,
	}, s.createUnlinking)
	handle(r, route{at: "GET /account-unlinkings/{id}", summary: "Read an unlinking with its evidence", to: staff}, s.getUnlinking)
	handle(r, route{
		at: "POST /account-relinkings", summary: "Undo a stand-alone unlinking", to: roles{hr, it},
		status: http.StatusAccepted, orRequest: true, also: map[int]string{http.StatusOK: "Nothing was taken away yet: the unlinking is called off"},
	}, s.createRelinking)
	handle(r, route{at: "GET /account-relinkings/{id}", summary: "Read a relinking with its evidence", to: staff}, s.getRelinking)
}

// knownSystems refuses names that are not connected.
func (s *server) knownSystems(names []string) error {
	for i, name := range names {
		if _, ok := s.Systems.Get(name); !ok {
			return at(fmt.Sprintf("systems[%d]", i), codeUnknownSystem)
		}
	}
	return nil
}

type newUnlinkingInput struct {
	Idempotent
	Speaking
	Body NewUnlinking
}

func (s *server) createUnlinking(ctx context.Context, in *newUnlinkingInput) (*outcome[OperationView], error) {
	b := in.Body
	if err := s.knownSystems(b.Systems); err != nil {
		return nil, err
	}
	st := step{
		operation: operations.Detach, reason: b.ApprovalReason, key: in.Key, route: "POST /account-unlinkings", body: b,
		command: operations.Detachment{EmployeeID: b.EmployeeID, EmploymentID: b.EmploymentID, Systems: b.Systems, AllOrNothing: b.AllOrNothing},
	}
	if b.Mode != models.ModeDetach { // what is detached keeps its access through a later departure, and always takes two people
		var employment models.Employment
		st.operation = operations.Unlink
		st.assess = func(tx *database.Tx) (_ []models.Cause, err error) {
			if employment, err = archive.EmploymentOf(tx, b.EmployeeID, b.EmploymentID); err != nil {
				return nil, err
			}
			return departure.AssessAccess(tx, actorOf(ctx), b.EmployeeID)
		}
		st.alone = func(tx *database.Tx) (creation, error) {
			op, ordered, err := account.OrderUnlink(tx, account.UnlinkOrder{
				EmploymentID: employment.ID, Mode: b.Mode, Origin: models.OriginStandalone, AllOrNothing: b.AllOrNothing,
				Systems: b.Systems, Connected: s.Systems, By: actorOf(ctx), Superseded: departure.OperationChanged,
			})
			if err == nil && !ordered {
				err = account.ErrNothingToUnlink
			}
			return accepted(models.Ref{Kind: models.RefUnlinking, ID: op.ID}), err
		}
	}
	out, err := take(ctx, s, in.language(), &st, s.operationShown(ctx, in.language()))
	return out, b.unknown(err)
}

// unknown says which of the two names nobody: the person or the employment.
func (b NewUnlinking) unknown(err error) error {
	switch {
	case !errors.Is(err, database.ErrNotFound):
		return err
	case b.EmploymentID != nil:
		return at("employment_id", codeNotFound)
	}
	return at("employee_id", codeEmployeeNotFound)
}

type newRelinkingInput struct {
	Idempotent
	Speaking
	Body NewRelinking
}

func (s *server) createRelinking(ctx context.Context, in *newRelinkingInput) (*outcome[OperationView], error) {
	if err := s.knownSystems(in.Body.Systems); err != nil {
		return nil, err
	}
	undoes := in.Body.UnlinkingID
	unlinking, err := account.Operation(ctx, s.DB, undoes)
	if errors.Is(err, database.ErrNotFound) {
		return nil, at("unlinking_id", codeNotFound)
	}
	if err != nil {
		return nil, err
	}
	if unlinking.Origin != models.OriginStandalone {
		return nil, at("unlinking_id", codeDepartureOwns)
	}
	command := operations.Relinking{UnlinkingID: undoes, Systems: in.Body.Systems}
	return take(ctx, s, in.language(), &step{
		operation: operations.Relink, command: command, reason: in.Body.ApprovalReason,
		key: in.Key, route: "POST /account-relinkings", body: in.Body,
		assess: func(tx *database.Tx) ([]models.Cause, error) {
			employment, err := archive.LockEmployment(tx, unlinking.EmploymentID)
			if err != nil {
				return nil, err
			}
			return departure.AssessAccess(tx, actorOf(ctx), employment.EmployeeID)
		},
		alone: func(tx *database.Tx) (creation, error) {
			result, err := operations.RelinkStandalone(tx, actorOf(ctx), command)
			if result.Kind == models.RefUnlinking { // it had touched nothing yet
				return done(result), err
			}
			return accepted(result), err
		},
	}, s.operationShown(ctx, in.language()))
}

// operationShown is how a step on accounts shows it.
func (s *server) operationShown(ctx context.Context, language i18n.Language) func(id uuid.UUID) (OperationView, error) {
	return func(id uuid.UUID) (OperationView, error) { return s.operationView(ctx, language, id, "") }
}

func (s *server) getUnlinking(ctx context.Context, in *ByID) (*answer[OperationView], error) {
	return s.showOperation(ctx, in, models.OperationUnlink)
}

func (s *server) getRelinking(ctx context.Context, in *ByID) (*answer[OperationView], error) {
	return s.showOperation(ctx, in, models.OperationRelink)
}

func (s *server) showOperation(ctx context.Context, in *ByID, kind string) (*answer[OperationView], error) {
	view, err := s.operationView(ctx, in.language(), in.ID, kind)
	if err != nil {
		return nil, err
	}
	return &answer[OperationView]{view}, nil
}
