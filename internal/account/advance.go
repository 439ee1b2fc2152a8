package account

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// final says whether a step will not be carried out any more.
func final(s models.StepState) bool {
	switch s {
	case models.StepDone, models.StepWaived, models.StepAborted, models.StepSuperseded:
		return true
	}
	return false
}

// runnable says whether a step is to be carried out by RunStep.
func runnable(s models.StepState) bool {
	return s == models.StepPending || s == models.StepRunning || s == models.StepAccepted
}

// ended says whether an operation is over for good.
func ended(s models.OperationState) bool {
	switch s {
	case models.OperationSettled, models.OperationCompensated, models.OperationAborted, models.OperationSuperseded:
		return true
	}
	return false
}

// nextState is where an operation stands, given its steps.
//
// A stand-alone unlinking of which people gave up at least one account ends aborted, an operation
// of which another one took over at least one account superseded, whatever the rest came to.
func nextState(op models.AccountOperation, steps []models.AccountStep) models.OperationState {
	some := func(states ...models.StepState) bool {
		return slices.ContainsFunc(steps, func(s models.AccountStep) bool { return slices.Contains(states, s.State) })
	}
	givenUp := some(models.StepAborted) || (op.Kind == models.OperationUnlink &&
		slices.ContainsFunc(steps, func(s models.AccountStep) bool { return s.Action == models.OperationRelink }))
	compensating := op.State == models.OperationCompensating
	switch {
	case ended(op.State):
		return op.State
	case len(steps) == 0: // nothing was registered and nothing is connected: nobody knows what is there
		return models.OperationNeedsAttention
	case some(models.StepPending, models.StepRunning, models.StepAccepted):
		if compensating {
			return op.State
		}
		return models.OperationRunning
	case some(models.StepStuck):
		if compensating {
			return op.State
		}
		return models.OperationNeedsAttention
	case some(models.StepSuperseded):
		return models.OperationSuperseded
	case compensating:
		return models.OperationCompensated
	case givenUp:
		return models.OperationAborted
	}
	return models.OperationSettled
}

// advance brings a locked operation to where its steps are. An all-or-nothing operation with a stuck
// step turns round.
func advance(tx *database.Tx, op models.AccountOperation) (models.AccountOperation, bool, error) {
	steps, err := database.Find[models.AccountStep](tx.DB(), "steps", "operation_id = ?", op.ID)
	if err != nil {
		return op, false, err
	}
	before := op.State
	if op.AllOrNothing && (op.State == models.OperationRunning || op.State == models.OperationNeedsAttention) &&
		slices.ContainsFunc(steps, func(s models.AccountStep) bool { return s.State == models.StepStuck }) {
		if steps, err = turnRound(tx, op, steps); err != nil {
			return op, false, err
		}
		op.State = models.OperationCompensating
	}
	if before != op.State { // the trigger knows each move by itself
		if err := setOperationState(tx, op, nil, before); err != nil {
			return op, false, err
		}
	}
	next := nextState(op, steps)
	if next == op.State {
		return op, before != next, nil
	}
	former := op.State
	op.State = next
	if ended(next) {
		now, err := tx.Now()
		if err != nil {
			return op, false, err
		}
		op.EndedAt = &now
	}
	return op, true, setOperationState(tx, op, op.EndedAt, former)
}

func setOperationState(tx *database.Tx, op models.AccountOperation, endedAt *time.Time, from models.OperationState) error {
	err := change[models.AccountOperation](tx, "an account operation", op.ID, map[string]any{"state": op.State, "ended_at": endedAt})
	if err != nil {
		return err
	}
	return recordMove(tx, op, from)
}

// turnRound makes every step of an all-or-nothing unlinking give its account back.
func turnRound(tx *database.Tx, op models.AccountOperation, steps []models.AccountStep) ([]models.AccountStep, error) {
	accounts, err := database.LockAll[models.LinkedAccount](tx, "accounts", "operation_id = ?", op.ID)
	if err != nil {
		return nil, err
	}
	for i, s := range steps {
		at := slices.IndexFunc(accounts, func(a models.LinkedAccount) bool { return a.ID == s.AccountID })
		if at < 0 || s.Action == models.OperationRelink || s.State == models.StepSuperseded || s.State == models.StepAborted {
			continue
		}
		if accounts[at].LookUp() && accounts[at].State.Settled() {
			continue // looked for and left alone
		}
		if accounts[at].State == models.AccountNotFound {
			h, err := readHistory(tx, s.AccountID)
			if err != nil {
				return nil, err
			}
			if !h.mutated() {
				continue // it was never there: nothing to give back
			}
		}
		if steps[i], err = giveBack(tx, s, accounts[at]); err != nil {
			return nil, err
		}
	}
	return steps, tx.Touch(models.DrivenOperation, op.ID)
}

// giveBack turns one step of an unlinking round. An account that was certainly not touched is linked
// at once and the step aborted; any other is restored by the step.
func giveBack(tx *database.Tx, step models.AccountStep, a models.LinkedAccount) (models.AccountStep, error) {
	now, err := tx.Now()
	if err != nil {
		return step, err
	}
	if err := closeCase(tx, step.ID, models.ResolutionSuperseded, now); err != nil {
		return step, err
	}
	untouched, err := backAtOnce(tx, a)
	if err != nil {
		return step, err
	}
	if untouched {
		step.State = models.StepAborted
		err = change[models.AccountStep](tx, "a step", step.ID, map[string]any{
			"state": step.State, "ended_at": now, "check_at": nil,
		})
		if err != nil {
			return step, err
		}
		return step, change[models.LinkedAccount](tx, "an account", a.ID, map[string]any{
			"state": models.AccountLinked, "attempt": a.Attempt + 1,
		})
	}
	step.State, step.Action = models.StepPending, models.OperationRelink
	err = change[models.AccountStep](tx, "a step", step.ID, map[string]any{
		"state": step.State, "action": step.Action, "tries": 0, "check_at": nil,
		"stuck_reason": "", "started_at": nil, "ended_at": nil,
	})
	if err != nil {
		return step, err
	}
	return step, change[models.LinkedAccount](tx, "an account", a.ID, map[string]any{
		"state": models.AccountRelinking, "attempt": a.Attempt + 1, "confirmed_at": nil,
	})
}

func closeCase(tx *database.Tx, stepID uuid.UUID, resolution models.Resolution, now time.Time) error {
	r := tx.DB().Model(&models.SupportCase{}).Where("step_id = ? AND state <> ?", stepID, models.CaseClosed).
		Updates(map[string]any{"state": models.CaseClosed, "resolution": resolution, "closed_at": now})
	return database.Hide(r.Error)
}
