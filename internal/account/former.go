package account

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// formers are the operations that an employment has had so far, with their steps, and the accounts in question.
type formers struct {
	ops      []models.AccountOperation
	steps    []models.AccountStep
	accounts []models.LinkedAccount
}

func (f formers) operation(id *uuid.UUID) (models.AccountOperation, bool) {
	i := slices.IndexFunc(f.ops, func(op models.AccountOperation) bool { return id != nil && op.ID == *id })
	if i < 0 {
		return models.AccountOperation{}, false
	}
	return f.ops[i], true
}

// current is the account's step in the operation that last took it over.
func (f formers) current(a models.LinkedAccount) (models.AccountStep, bool) {
	i := slices.IndexFunc(f.steps, func(s models.AccountStep) bool {
		return s.AccountID == a.ID && a.OperationID != nil && s.OperationID == *a.OperationID
	})
	if i < 0 {
		return models.AccountStep{}, false
	}
	return f.steps[i], true
}

// direction is what is being done with the account now; empty if nothing is.
func (f formers) direction(a models.LinkedAccount) models.OperationKind {
	step, ok := f.current(a)
	if !ok || final(step.State) {
		return ""
	}
	return step.Action
}

func (f formers) ownedByDeparture(a models.LinkedAccount) bool {
	op, ok := f.operation(a.OperationID)
	return ok && op.Origin == models.OriginDeparture
}

// alreadyUnlinking finds an unfinished unlinking of one of the accounts.
func (f formers) alreadyUnlinking() error {
	for _, a := range f.accounts {
		if f.direction(a) == models.OperationUnlink {
			return &AlreadyRunningError{OperationID: *a.OperationID}
		}
		if op, ok := f.operation(a.OperationID); ok && op.State == models.OperationCompensating {
			return &AlreadyRunningError{OperationID: op.ID}
		}
	}
	return nil
}

// release ends the former operations' parts in the accounts that a new order took over. accounts
// are as they were before.
func (f formers) release(tx *database.Tx, accounts []models.LinkedAccount, superseded Superseded) error {
	var touched []uuid.UUID
	for _, a := range accounts {
		step, ok := f.current(a)
		if !ok || final(step.State) {
			continue
		}
		if err := supersede(tx, step); err != nil {
			return err
		}
		if !slices.Contains(touched, step.OperationID) {
			touched = append(touched, step.OperationID)
		}
	}
	for _, op := range f.ops {
		if !slices.Contains(touched, op.ID) {
			continue
		}
		now, changed, err := advance(tx, op)
		if err != nil {
			return err
		}
		if err := tx.Touch(models.DrivenOperation, op.ID); err != nil {
			return err
		}
		if changed && now.DepartureID != nil && superseded != nil {
			if err := superseded(tx, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// empty says of an unlinking that it waits for a system to be connected: it has nothing to do yet.
func (f formers) empty(op models.AccountOperation) bool {
	step := slices.ContainsFunc(f.steps, func(s models.AccountStep) bool { return s.OperationID == op.ID })
	return op.Kind == models.OperationUnlink && !ended(op.State) && !step
}

// endEmpty ends orders that waited for a system to be connected: there is nothing more to ask.
func (f formers) endEmpty(tx *database.Tx) error {
	for _, op := range f.ops {
		if !f.empty(op) {
			continue
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		former := op.State
		op.State = models.OperationSuperseded
		if err := setOperationState(tx, op, &now, former); err != nil {
			return err
		}
		if err := tx.Touch(models.DrivenOperation, op.ID); err != nil {
			return err
		}
	}
	return nil
}

func supersede(tx *database.Tx, step models.AccountStep) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	err = change[models.AccountStep](tx, "a step", step.ID, map[string]any{
		"state": models.StepSuperseded, "ended_at": now, "check_at": nil,
	})
	if err != nil {
		return err
	}
	return closeCase(tx, step.ID, models.ResolutionSuperseded, now)
}

func startedNow(tx *database.Tx) (*time.Time, error) {
	now, err := tx.Now()
	return &now, err
}
