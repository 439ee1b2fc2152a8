package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/models"
)

// Outcome is what came of one run of a step.
type Outcome string

// The outcomes.
const (
	Done     Outcome = "done"     // the step reached its end
	Accepted Outcome = "accepted" // the target will carry it out later; look again after CheckIn
	Retry    Outcome = "retry"    // a passing fault; try again after CheckIn
	Stuck    Outcome = "stuck"    // people must solve it; a support case is open
	Stale    Outcome = "stale"    // not this operation's to carry out any more
)

// Result is a run's outcome.
type Result struct {
	Outcome Outcome
	CheckIn time.Duration
	// OperationEnded: that was the last step, the operation is over and has been seen.
	OperationEnded bool
	// Reread: other steps became runnable.
	Reread bool
	// OperationStateChanged: the operation moved.
	OperationStateChanged bool
	// StuckReason, with Stuck, is one of Reasons.
	StuckReason string
}

// Hooks run inside the transaction that ends a run.
type Hooks struct {
	// OperationChanged is told when the operation's state changed. The employment, the departure if
	// there is one, the operation and the account are locked.
	OperationChanged func(tx *database.Tx, op models.AccountOperation) error
}

// Reasons why people are asked, besides the codes of package connector.
const (
	ReasonStillActive   = "still_active"    // off, said the target, but the account was read back as usable
	ReasonStillInactive = "still_inactive"  // restored, said the target, but it was read back as off
	ReasonNotCarriedOut = "not_carried_out" // accepted long ago and never done
	ReasonResidue       = "residue"
	ReasonAmbiguous     = "ambiguous" // several accounts carry the number
	ReasonWrongPerson   = "wrong_person"
	ReasonAccountGone   = "account_gone"
	ReasonNoSnapshot    = "no_snapshot"
	ReasonPartial       = "partial_snapshot" // restored as far as the snapshot goes; it lacks something
	ReasonUnknownSystem = "unknown_system"
	ReasonRehired       = "rehired"      // the person came back and uses this account
	ReasonFoundInUse    = "found_in_use" // the system was asked after the order was over
	ReasonSwitchedOn    = "switched_on"  // it was read back as off, and is on again
	ReasonOther         = "other"        // from another version
)

// Reasons are all of them, with the codes of package connector: the closed list of why a step is stuck.
var Reasons = append([]string{
	ReasonStillActive, ReasonStillInactive, ReasonNotCarriedOut, ReasonResidue, ReasonWrongPerson, ReasonAccountGone, ReasonNoSnapshot,
	ReasonPartial, ReasonUnknownSystem, ReasonRehired, ReasonFoundInUse, ReasonSwitchedOn,
}, connector.Codes...)

// ReasonOf is a reason as it is shown: one of Reasons, or ReasonOther.
func ReasonOf(code string) string {
	if slices.Contains(Reasons, code) {
		return code
	}
	return ReasonOther
}

// stuckReason is why people must solve a step; empty if they need not.
func stuckReason(s models.AccountStep) string {
	if s.State != models.StepStuck {
		return ""
	}
	return ReasonOf(s.StuckReason)
}

// RunStep carries out one step: a whole, resumable piece of work. It may be called at any time, any
// number of times, at once from several processes; whichever began last goes on, the others stop
// before their next effect. A returned error is a fault of our own infrastructure: call again.
func (s *Service) RunStep(ctx context.Context, operationID, stepID uuid.UUID, hooks Hooks) (Result, error) {
	s.mark("unlink.begin.before")
	r, early, err := s.begin(ctx, operationID, stepID)
	if err != nil || early != nil {
		return orNothing(early), err
	}
	s.mark("unlink.begin.after")
	r.hooks = hooks
	verdict, err := r.work(ctx)
	if errors.Is(err, errStale) {
		return s.leave(ctx, r)
	}
	if err != nil {
		return Result{}, err
	}
	s.mark("unlink.finish.before")
	result, err := s.finish(ctx, r, verdict)
	if errors.Is(err, errStale) {
		return s.leave(ctx, r)
	}
	s.mark("unlink.finish.after")
	return result, err
}

func orNothing(r *Result) Result {
	if r == nil {
		return Result{}
	}
	return *r
}

// run is one run of a step.
type run struct {
	s          *Service
	hooks      Hooks
	op         models.AccountOperation
	step       models.AccountStep
	account    models.LinkedAccount
	employee   uuid.UUID
	employeeNo string
	attempt    int64
	openUntil  time.Time
	// former is until when an earlier run of the same step may still act.
	former *time.Time
	remote connector.Connector
	past   history
	// sighted: the linked id was found at the target for the first time, which was not written yet.
	sighted bool
	// rehired: another, current employment of the person has this account; for a relink also a later one
	// that has ended, whose departure took it away.
	rehired bool
	// elsewhere: the person has another, current employment, which has begun. transfer: the accounts go along.
	elsewhere, transfer bool
	// looked: the system was asked by employee number, completely, and answered.
	looked bool
	// finding is what a look-up came to. further are accounts that nobody knew, and reopen those that were
	// settled and are in use: both become steps of the operation.
	finding models.Finding
	further []string
	reopen  []uuid.UUID
	// unsure: a mutating call ended without an answer; the target may still carry it out.
	unsure bool
	// noted is evidence that was not written yet.
	noted []models.AccountEvidence
}

// begin takes the account's fence. An early result means that there is nothing to carry out now.
func (s *Service) begin(ctx context.Context, operationID, stepID uuid.UUID) (*run, *Result, error) {
	var r *run
	var early *Result
	err := database.Run(ctx, s.db, func(tx *database.Tx) error {
		r, early = &run{s: s}, nil
		step, err := database.First[models.AccountStep](tx.DB().Where("id = ? AND operation_id = ?", stepID, operationID))
		if errors.Is(err, database.ErrNotFound) {
			return ErrUnknown
		}
		if err != nil {
			return fmt.Errorf("reading a step: %w", err)
		}
		if r.account, err = database.Lock[models.LinkedAccount](tx, "an account", step.AccountID); err != nil {
			return err
		}
		// Whoever changes the step or takes the account away holds the account: read again.
		if r.step, err = database.First[models.AccountStep](tx.DB().Where("id = ?", stepID)); err != nil {
			return fmt.Errorf("reading a step: %w", err)
		}
		if r.op, err = database.First[models.AccountOperation](tx.DB().Where("id = ?", operationID)); err != nil {
			return fmt.Errorf("reading an account operation: %w", err)
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		if early = r.notNow(now); early != nil {
			return nil
		}
		return r.take(tx, now)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("beginning a step: %w", err)
	}
	if early == nil {
		if system, ok := s.systems.Get(r.step.System); ok {
			r.remote = system.Connector
		}
	}
	return r, early, nil
}

// notNow says why there is nothing to carry out, or nil.
func (r *run) notNow(now time.Time) *Result {
	a := r.account
	switch {
	case a.OperationID == nil || *a.OperationID != r.op.ID:
		return &Result{Outcome: Stale}
	case r.step.State == models.StepDone || r.step.State == models.StepWaived:
		// A former run got here and its answer was lost.
		return &Result{Outcome: Done, OperationEnded: ended(r.op.State), Reread: !ended(r.op.State)}
	case r.step.State == models.StepStuck:
		return &Result{Outcome: Stuck, Reread: true, StuckReason: stuckReason(r.step)}
	case !runnable(r.step.State) || ended(r.op.State):
		return &Result{Outcome: Stale}
	}
	open := map[uuid.UUID]time.Time{}
	if a.AttemptOpenUntil != nil {
		open[a.ID] = *a.AttemptOpenUntil
	}
	if wait := waitFor(r.step, open, now); wait > 0 {
		outcome := Retry
		if r.step.State == models.StepAccepted {
			outcome = Accepted
		}
		return &Result{Outcome: outcome, CheckIn: wait}
	}
	return nil
}

func (r *run) take(tx *database.Tx, now time.Time) error {
	var person models.Employee
	err := tx.DB().Raw(`SELECT id, employee_no FROM employees WHERE id = (SELECT employee_id FROM employments WHERE id = ?)`,
		r.op.EmploymentID).Scan(&person).Error
	if err != nil {
		return database.Wrap("reading an employee number", err)
	}
	r.employee, r.employeeNo = person.ID, person.EmployeeNo
	if err := r.takeOthers(tx); err != nil {
		return err
	}
	if r.past, err = readHistory(tx, r.account.ID); err != nil {
		return err
	}
	r.attempt = r.account.Attempt + 1
	r.openUntil = now.Add(r.s.timings.StartToClose + r.s.timings.HTTPTimeout).Truncate(time.Microsecond)
	if until := r.account.AttemptOpenUntil; until != nil && until.After(now) {
		r.former = until
		if until.After(r.openUntil) {
			r.openUntil = until.Add(time.Microsecond)
		}
	}
	err = change[models.LinkedAccount](tx, "an account", r.account.ID, map[string]any{
		"attempt": r.attempt, "attempt_open_until": r.openUntil,
	})
	if err != nil {
		return err
	}
	columns := map[string]any{"state": models.StepRunning, "check_at": nil}
	if r.step.StartedAt == nil {
		columns["started_at"] = now
	}
	return change[models.AccountStep](tx, "a step", r.step.ID, columns)
}

// takeOthers reads what other employments of the person mean for this account.
func (r *run) takeOthers(tx *database.Tx) error {
	var others struct{ Rehired, Elsewhere, Transfer bool }
	err := tx.DB().Raw(`SELECT EXISTS (SELECT 1 FROM linked_accounts o JOIN employments m ON m.id = o.employment_id
			JOIN employments e ON e.id = @employment
			WHERE m.id <> e.id AND m.employee_id = @employee
			AND (m.ended_at IS NULL OR @relink AND (m.hired_on, m.id) > (e.hired_on, e.id))
			AND (o.registered OR o.external_id IS NOT NULL AND o.state IN ('linked', 'relinking', 'relinked'))
			AND o.system = @system AND (o.external_id IS NULL OR o.external_id IS NOT DISTINCT FROM coalesce(@id, o.external_id))) AS rehired,
		EXISTS (SELECT 1 FROM employments m WHERE m.id <> @employment AND m.ended_at IS NULL AND m.employee_id = @employee
			AND m.hired_on <= (lethe_now() AT TIME ZONE m.time_zone)::date) AS elsewhere,
		EXISTS (SELECT 1 FROM departures d WHERE d.id = @departure AND d.kind = @transfer) AS transfer`,
		map[string]any{
			"employment": r.op.EmploymentID, "employee": r.employee, "system": r.account.System, "id": r.account.ExternalID,
			"relink": r.step.Action == models.OperationRelink, "departure": r.op.DepartureID, "transfer": models.KindGroupTransfer,
		}).Scan(&others).Error
	if err != nil {
		return database.Wrap("looking for other employments", err)
	}
	// A question is no account that the other employment could use: what it finds is judged then.
	r.rehired = others.Rehired && !r.account.LookUp()
	r.elsewhere, r.transfer = others.Elsewhere, others.Transfer
	return nil
}

// current checks the fence: this run is still the newest of an operation that owns the account.
func (r *run) current(ctx context.Context) error {
	var ok bool
	err := r.s.db.Read(ctx).Raw(`SELECT EXISTS (SELECT 1 FROM linked_accounts
		WHERE id = ? AND attempt = ? AND operation_id = ? AND attempt_open_until - make_interval(secs => ?) > lethe_now())`,
		r.account.ID, r.attempt, r.op.ID, r.s.timings.HTTPTimeout.Seconds()).Scan(&ok).Error
	if err != nil {
		return database.Wrap("checking the fence", err)
	}
	if !ok {
		return errStale
	}
	return nil
}

// note keeps evidence until the next flush.
func (r *run) note(substep, outcome, detail string) {
	r.noted = append(r.noted, models.AccountEvidence{
		StepID: r.step.ID, Attempt: r.attempt, Substep: substep, Outcome: outcome, Detail: detail,
	})
	r.past = append(r.past, record{StepID: r.step.ID, OperationID: r.op.ID, Attempt: r.attempt, Substep: substep, Outcome: outcome})
}

// flush writes what was noted.
func (r *run) flush(ctx context.Context) error {
	if len(r.noted) == 0 {
		return nil
	}
	err := database.Run(ctx, r.s.db, func(tx *database.Tx) error { return r.write(tx, actionStepNoted, nil) })
	if err != nil {
		return fmt.Errorf("recording evidence: %w", err)
	}
	r.noted, r.sighted = nil, false
	return nil
}

// write inserts what was noted, and the ledger's entry of what the run came to; the caller forgets it
// once that is committed.
func (r *run) write(tx *database.Tx, action string, details map[string]string) error {
	if r.sighted {
		err := tx.DB().Exec("UPDATE linked_accounts SET seen_at = lethe_now() WHERE id = ? AND attempt = ? AND seen_at IS NULL",
			r.account.ID, r.attempt).Error
		if err != nil {
			return database.Wrap("recording that an account was seen", err)
		}
	}
	if len(r.noted) == 0 && action == actionStepLeft {
		return nil
	}
	return r.recordRun(tx, action, r.noted, details)
}
