package account

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// InUse is an account that can be used though its access was taken away, as a comparison of the whole system found and
// reading it back confirmed.
type InUse struct {
	EmployeeID uuid.UUID
	// AccountID is our account; nil: nobody registered it, it carries the number of somebody who has left or is cut off.
	AccountID          *uuid.UUID
	System, SystemKind string
	ExternalID         string
}

// ReportInUse makes it a matter for people: the support case of the order that took the access away is opened, or the one
// that is open is named. Nothing is switched off by it; who retries the step does that. nil: no order fits, or one that
// would give back the other accounts of the person (all or nothing).
func ReportInUse(tx *database.Tx, u InUse, changed func(*database.Tx, models.AccountOperation) error) (*uuid.UUID, error) {
	op, err := u.order(tx)
	if err != nil || op.ID == uuid.Nil {
		return nil, err
	}
	if err := lockOwner(tx, op); err != nil {
		return nil, err
	}
	if op, err = database.Lock[models.AccountOperation](tx, "an account operation", op.ID); err != nil {
		return nil, err
	}
	if op.Kind != models.OperationUnlink || op.AllOrNothing || op.State != models.OperationSettled && op.State != models.OperationNeedsAttention {
		return nil, nil
	}
	a, step, err := u.step(tx, op)
	if err != nil || step.ID == uuid.Nil {
		return nil, err
	}
	if step.State == models.StepStuck {
		c, err := database.First[models.SupportCase](tx.DB().Where("step_id = ? AND state <> ?", step.ID, models.CaseClosed))
		if errors.Is(err, database.ErrNotFound) {
			return nil, nil
		}
		return &c.ID, database.Wrap("reading a support case", err)
	}
	reason := ReasonFoundInUse
	if u.AccountID != nil {
		reason = ReasonSwitchedOn
	}
	return u.open(tx, op, a, step, reason, changed)
}

// order is the one that took the access away last.
func (u InUse) order(tx *database.Tx) (models.AccountOperation, error) {
	q := tx.DB().Where(`(departure_id IN (SELECT id FROM departures WHERE employee_id = @person AND stage NOT IN @back )
		OR cut_id IN (SELECT id FROM access_cuts WHERE employee_id = @person AND state IN @stands AND (systems IS NULL OR @system = ANY (systems))))
		AND kind = @unlink AND state <> @superseded`, map[string]any{
		"person": u.EmployeeID, "back": []models.Stage{models.StageWithdrawn, models.StageAnnulled}, "stands": models.StandingCuts, "system": u.System,
		"unlink": models.OperationUnlink, "superseded": models.OperationSuperseded,
	}).Order("id DESC")
	if u.AccountID != nil {
		q = tx.DB().Where("id = (SELECT operation_id FROM linked_accounts WHERE id = ?)", *u.AccountID)
	}
	op, err := database.First[models.AccountOperation](q)
	if errors.Is(err, database.ErrNotFound) {
		return op, nil
	}
	return op, database.Wrap("looking for an order", err)
}

// step is the account's part in the order; an account that nobody registered gets one. The zero step: it has none that is over.
func (u InUse) step(tx *database.Tx, op models.AccountOperation) (a models.LinkedAccount, step models.AccountStep, err error) {
	steps, err := database.Find[models.AccountStep](tx.DB(), "steps", "operation_id = ?", op.ID)
	if err != nil {
		return a, step, err
	}
	if u.AccountID == nil {
		if a, err = recordFound(tx, u.EmployeeID, op.EmploymentID, u.System, u.SystemKind, &u.ExternalID); err != nil {
			return a, step, err
		}
		step = models.AccountStep{Position: len(steps) + 1, Action: models.OperationUnlink, Cautious: true}
		if err = takeOver(tx, op, a, step, models.AccountUnlinking); err != nil {
			return a, step, err
		}
		if steps, err = database.Find[models.AccountStep](tx.DB(), "steps", "operation_id = ? AND account_id = ?", op.ID, a.ID); err != nil {
			return a, step, err
		}
		return a, steps[0], nil
	}
	if a, err = database.Lock[models.LinkedAccount](tx, "an account", *u.AccountID); err != nil {
		return a, step, err
	}
	i := slices.IndexFunc(steps, func(s models.AccountStep) bool { return s.AccountID == a.ID })
	over := a.State == models.AccountDisabled || a.State == models.AccountNotFound || a.State == models.AccountStuck
	if i < 0 || !over || a.OperationID == nil || *a.OperationID != op.ID || steps[i].State != models.StepDone && steps[i].State != models.StepStuck {
		return a, step, nil
	}
	return a, steps[i], nil
}

// open makes the step stuck and takes the order up again.
func (u InUse) open(tx *database.Tx, op models.AccountOperation, a models.LinkedAccount, step models.AccountStep, reason string, changed func(*database.Tx, models.AccountOperation) error) (*uuid.UUID, error) {
	err := change[models.AccountStep](tx, "a step", step.ID, map[string]any{
		"state": models.StepStuck, "stuck_reason": reason, "tries": 0, "check_at": nil, "ended_at": nil,
	})
	if err == nil {
		err = change[models.LinkedAccount](tx, "an account", a.ID, map[string]any{"state": models.AccountStuck, "confirmed_at": nil})
	}
	if err != nil {
		return nil, err
	}
	step.StuckReason = reason
	r := run{op: op, step: step, account: a, employee: u.EmployeeID}
	if err := r.openCase(tx, op, reason); err != nil {
		return nil, err
	}
	c, err := database.First[models.SupportCase](tx.DB().Where("step_id = ? AND state <> ?", step.ID, models.CaseClosed))
	if err != nil {
		return nil, fmt.Errorf("reading a support case: %w", err)
	}
	if op.State == models.OperationSettled {
		from := op.State
		op.State = models.OperationRunning
		if err := setOperationState(tx, op, nil, from); err != nil {
			return nil, err
		}
		op.EndedAt = nil
	}
	op, _, err = advance(tx, op)
	if err != nil {
		return nil, err
	}
	if err := tx.Touch(models.DrivenOperation, op.ID); err != nil {
		return nil, err
	}
	return &c.ID, changed(tx, op)
}
