package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

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

func unlinkingAddress(id uuid.UUID) string { return base + "/account-unlinkings/" + id.String() }
func relinkingAddress(id uuid.UUID) string { return base + "/account-relinkings/" + id.String() }

// NewUnlinking is the body of a stand-alone unlinking.
type NewUnlinking struct {
	Asking
	EmployeeID   uuid.UUID  `json:"employee_id"`
	EmploymentID *uuid.UUID `json:"employment_id,omitempty" doc:"Whose accounts of several employments; a person's accounts name them. Left out: the current one or, for a leaver, the last"`
	Systems      []string   `json:"systems,omitempty" minItems:"1" maxItems:"50" doc:"Left out: all"`
	Mode         string     `json:"mode,omitempty" enum:"disable,detach" default:"disable" doc:"disable takes the access away, detach only severs the link and needs two people"`
	AllOrNothing bool       `json:"all_or_nothing,omitempty" doc:"One stuck account gives all of them back; refused once a departure has ended the access"`
}

// NewRelinking is the body of a stand-alone relinking.
type NewRelinking struct {
	Asking
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

func (s *server) createUnlinking(ctx context.Context, in *newUnlinkingInput) (*createdAnswer[OperationView], error) {
	if err := s.knownSystems(in.Body.Systems); err != nil {
		return nil, err
	}
	if in.Body.Mode == models.ModeDetach {
		return s.askUnlinking(ctx, in, operations.Detach)
	}
	made, err := s.create(ctx, in.Key, unlinkingRoute, in.Body, func(tx *database.Tx) (creation, error) {
		employment, err := archive.EmploymentOf(tx, in.Body.EmployeeID, in.Body.EmploymentID)
		if err != nil {
			return creation{}, in.Body.unknown(err)
		}
		if err := departure.OneMayChangeAccess(tx, actorOf(ctx), in.Body.EmployeeID); err != nil {
			return creation{}, err
		}
		op, ordered, err := account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: employment.ID, Mode: in.Body.Mode, Origin: models.OriginStandalone, AllOrNothing: in.Body.AllOrNothing,
			Systems: in.Body.Systems, Connected: s.Systems, By: actorOf(ctx), Superseded: departure.OperationChanged,
		})
		if err == nil && !ordered {
			err = account.ErrNothingToUnlink
		}
		return accepted(op.ID, unlinkingAddress(op.ID)), err
	})
	if errors.Is(err, departure.ErrApprovalRequired) {
		return s.askUnlinking(ctx, in, operations.Unlink)
	}
	return s.operationCreated(ctx, in.language(), made, err)
}

const unlinkingRoute = "POST /account-unlinkings"

// askUnlinking asks a second person: what is detached keeps its access through a later departure, and a head
// or an administrator is not locked out by one.
func (s *server) askUnlinking(ctx context.Context, in *newUnlinkingInput, operation string) (*createdAnswer[OperationView], error) {
	b := in.Body
	made, err := s.dangerous(ctx, dangerousCall{
		operation: operation,
		command: operations.Detachment{EmployeeID: b.EmployeeID, EmploymentID: b.EmploymentID,
			Systems: b.Systems, AllOrNothing: b.AllOrNothing},
		reason: b.ApprovalReason, key: in.Key, route: unlinkingRoute, body: b, language: in.language(),
	})
	return s.operationCreated(ctx, in.language(), made, b.unknown(err))
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

func (s *server) createRelinking(ctx context.Context, in *newRelinkingInput) (*createdAnswer[OperationView], error) {
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
	made, err := s.create(ctx, in.Key, relinkingRoute, in.Body, func(tx *database.Tx) (creation, error) {
		employment, err := archive.LockEmployment(tx, unlinking.EmploymentID)
		if err != nil {
			return creation{}, err
		}
		if err := departure.OneMayChangeAccess(tx, actorOf(ctx), employment.EmployeeID); err != nil {
			return creation{}, err
		}
		location, err := operations.RelinkStandalone(tx, actorOf(ctx), command)
		if err != nil {
			return creation{}, err
		}
		if location == unlinkingAddress(undoes) {
			return creation{ID: undoes, Status: http.StatusOK, Location: location}, nil
		}
		id, err := uuid.Parse(location[strings.LastIndexByte(location, '/')+1:])
		return accepted(id, location), err
	})
	if errors.Is(err, departure.ErrApprovalRequired) {
		made, err = s.dangerous(ctx, dangerousCall{
			operation: operations.Relink, command: command, reason: in.Body.ApprovalReason,
			key: in.Key, route: relinkingRoute, body: in.Body, language: in.language(),
		})
	}
	return s.operationCreated(ctx, in.language(), made, err)
}

const relinkingRoute = "POST /account-relinkings"

func (s *server) operationCreated(ctx context.Context, language i18n.Language, made creation, err error) (*createdAnswer[OperationView], error) {
	if err != nil {
		return nil, err
	}
	view, err := s.operationView(ctx, language, made.ID, "")
	if err != nil {
		return nil, err
	}
	return &createdAnswer[OperationView]{made.Status, made.Location, view}, nil
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
