package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"lethe/internal/database"
	"lethe/models"
)

// finish writes what the run came to, and moves the operation if that was its last step.
func (s *Service) finish(ctx context.Context, r *run, v verdict) (Result, error) {
	var result Result
	err := database.Run(ctx, s.db, func(tx *database.Tx) error {
		result = Result{}
		if err := lockOwner(tx, r.op); err != nil {
			return err
		}
		op, err := database.Lock[models.AccountOperation](tx, "an account operation", r.op.ID)
		if err != nil {
			return err
		}
		if err := r.hold(tx); err != nil {
			return err
		}
		v, tries := r.budget(v)
		if err := r.write(tx, stepActions[v.outcome], v.details()); err != nil {
			return err
		}
		if result, err = r.settle(tx, op, v, tries); err != nil {
			return err
		}
		extended, err := r.extend(tx, op)
		if err != nil {
			return err
		}
		if err := r.moveOperation(tx, op, &result); err != nil {
			return err
		}
		result.Reread = result.Reread || extended
		return nil
	})
	if err != nil {
		return Result{}, fmt.Errorf("finishing a step: %w", err)
	}
	return result, nil
}

// settle writes the states of the step and of its account.
func (r *run) settle(tx *database.Tx, op models.AccountOperation, v verdict, tries int) (Result, error) {
	now, err := tx.Now()
	if err != nil {
		return Result{}, err
	}
	step := map[string]any{}
	account := map[string]any{"attempt_open_until": r.stillOpen(now)}
	result := Result{Outcome: v.outcome}
	step["tries"] = tries
	switch v.outcome {
	case Done:
		step["state"], step["ended_at"] = models.StepDone, now
		account["state"] = v.state
		if r.finding != "" {
			account["finding"], account["registered"] = r.finding, false
			if r.account.ExternalID == nil {
				account["external_id"] = nil // a link that another one answers may have a mistyped id
			}
		}
		if v.state.Settled() {
			account["confirmed_at"] = now
			purged, err := snapshotsPurged(tx, op.EmploymentID)
			if err != nil {
				return result, err
			}
			if purged {
				account["external_id"] = nil
			}
		}
	case Stuck:
		step["state"], step["stuck_reason"], result.StuckReason = models.StepStuck, v.reason, v.reason
		account["state"] = models.AccountStuck
		if err := r.openCase(tx, op, v.reason); err != nil {
			return result, err
		}
	case Accepted:
		result.CheckIn = r.s.timings.checkIn(v, tries)
		step["state"], step["check_at"] = models.StepAccepted, now.Add(result.CheckIn)
		if r.step.Action == models.OperationUnlink {
			account["state"] = models.AccountAccepted
		}
	case Retry:
		result.CheckIn = r.s.timings.retryIn(v, tries)
		step["state"], step["check_at"] = models.StepPending, now.Add(result.CheckIn)
	}
	if err := change[models.AccountStep](tx, "a step", r.step.ID, step); err != nil {
		return result, err
	}
	return result, change[models.LinkedAccount](tx, "an account", r.account.ID, account)
}

// budget counts the try and turns what has used its budget up into a matter for people.
func (r *run) budget(v verdict) (verdict, int) {
	tries := r.step.Tries
	switch {
	case v.outcome == Accepted && v.fresh:
		return v, 0
	case v.outcome == Accepted || v.outcome == Retry:
		if tries++; tries >= r.s.timings.Tries {
			v.outcome = Stuck
		}
	}
	return v, tries
}

func (t Timings) retryIn(v verdict, tries int) time.Duration {
	return max(later(t.RetryInitial, t.RetryMax, tries), min(v.after, t.ScheduleToClose))
}

// checkIn is when to look again at what was accepted: targets take their time, so the pause grows
// to ten times that between failed tries.
func (t Timings) checkIn(v verdict, tries int) time.Duration {
	return max(later(t.AcceptedCheck, max(t.AcceptedCheck, 10*t.RetryMax), tries+1), min(v.after, t.ScheduleToClose))
}

// stillOpen is until when an earlier run may still act after this one has returned.
func (r *run) stillOpen(now time.Time) *time.Time {
	if r.unsure && r.openUntil.After(now) {
		return &r.openUntil
	}
	if r.former != nil && r.former.After(now) {
		return r.former
	}
	return nil
}

func (r *run) openCase(tx *database.Tx, op models.AccountOperation, reason string) error {
	id := models.NewID()
	c := models.SupportCase{
		ID: id, OperationID: op.ID, StepID: r.step.ID, AccountID: r.account.ID, DepartureID: op.DepartureID,
		System: r.step.System, Reason: reason, State: models.CaseOpen,
	}
	entry, err := recordCase(tx, actionCaseOpened, c, r.employee, models.System, nil)
	if err != nil {
		return err
	}
	c.LedgerEntryID = &entry
	return create(tx, "a support case", c)
}

func (r *run) moveOperation(tx *database.Tx, op models.AccountOperation, result *Result) error {
	op, changed, err := advance(tx, op)
	if err != nil {
		return err
	}
	result.OperationStateChanged, result.OperationEnded = changed, ended(op.State)
	result.Reread = !result.OperationEnded && (changed || r.step.Action == models.OperationRelink)
	if changed && r.hooks.OperationChanged != nil {
		if err := r.hooks.OperationChanged(tx, op); err != nil {
			return err
		}
	}
	if !result.OperationEnded {
		return nil
	}
	flying, err := r.othersInFlight(tx)
	if err != nil {
		return err
	}
	if flying {
		result.OperationEnded = false // the facts say when the last run can no longer act
		result.Reread = true
		return nil
	}
	// Nothing is left that a nudge could change, and the workflow need not read the facts again.
	return tx.Seen(models.DrivenOperation, op.ID, nil)
}

func (r *run) othersInFlight(tx *database.Tx) (bool, error) {
	accounts, err := database.Find[models.LinkedAccount](tx.DB(), "accounts", "operation_id = ? AND attempt_open_until IS NOT NULL", r.op.ID)
	if err != nil {
		return false, err
	}
	now, err := tx.Now()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(accounts, func(a models.LinkedAccount) bool { return a.AttemptOpenUntil.After(now) }), nil
}

// leave ends a run that lost the fence. It changes no state; it leaves word of the effects it had
// and that it can no longer act, for which the account's new owner may be waiting.
func (s *Service) leave(ctx context.Context, r *run) (Result, error) {
	r.noted = slices.DeleteFunc(r.noted, func(e models.AccountEvidence) bool {
		return e.Substep == subReadBack || e.Substep == subResidue || e.Substep == subFind
	})
	err := database.Run(ctx, s.db, func(tx *database.Tx) error {
		now, err := database.First[models.LinkedAccount](tx.DB().Where("id = ?", r.account.ID))
		if err != nil {
			return fmt.Errorf("reading an account: %w", err)
		}
		if now.OperationID != nil && now.AttemptOpenUntil != nil && now.AttemptOpenUntil.Equal(r.openUntil) {
			if err := tx.Touch(models.DrivenOperation, *now.OperationID); err != nil {
				return err
			}
		}
		if err := r.write(tx, actionStepLeft, nil); err != nil {
			return err
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		closed := tx.DB().Model(&models.LinkedAccount{}).
			Where("id = ? AND attempt_open_until = ?", r.account.ID, r.openUntil).
			Update("attempt_open_until", r.stillOpen(at))
		return database.Hide(closed.Error)
	})
	if err != nil {
		return Result{}, fmt.Errorf("leaving a step: %w", err)
	}
	return Result{Outcome: Stale, Reread: true}, nil
}
