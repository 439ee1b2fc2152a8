package account

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/models"
)

// verdict is what a run came to, before its retry budget is looked at.
type verdict struct {
	outcome Outcome
	state   models.AccountState // with Done
	reason  string              // with Retry, Stuck, and Accepted (used once the budget is over)
	after   time.Duration       // with Retry and Accepted: what the target asked for
	fresh   bool                // with Accepted: it was accepted just now; checks count from here
}

// details are what the ledger keeps of a verdict: codes.
func (v verdict) details() map[string]string {
	details := map[string]string{}
	if v.outcome == Done {
		details["account_state"] = string(v.state)
	}
	if v.reason != "" {
		details["reason_code"] = v.reason
	}
	return details
}

func done(state models.AccountState) (verdict, error) {
	return verdict{outcome: Done, state: state}, nil
}
func stuck(reason string) (verdict, error) { return verdict{outcome: Stuck, reason: reason}, nil }
func retry(reason string) (verdict, error) { return verdict{outcome: Retry, reason: reason}, nil }

// remoteError is a failed remote call, as opposed to a fault of our own.
type remoteError struct {
	code       string
	temporary  bool
	retryAfter time.Duration
	status     int // of HTTP; 0: there was no answer
}

// detail is what evidence keeps of a failure: its code and, if there was an answer, the HTTP status.
func (e *remoteError) detail() string {
	if e.status == 0 {
		return e.code
	}
	return e.code + ":" + strconv.Itoa(e.status)
}

func (e *remoteError) Error() string { return "remote call: " + e.code }

// work carries the step out within its time. Running out of time is a failed try, not an error:
// otherwise a target that is merely slow would never use up its budget.
func (r *run) work(ctx context.Context) (verdict, error) {
	if r.remote == nil {
		return stuck(ReasonUnknownSystem)
	}
	if r.rehired && r.step.Action == models.OperationUnlink && r.op.Mode == models.ModeDisable {
		return stuck(ReasonRehired)
	}
	limited, cancel := context.WithTimeout(ctx, r.s.timings.StartToClose*9/10)
	defer cancel()
	v, err := r.carryOut(limited)
	var remote *remoteError
	switch {
	case err == nil:
		return v, nil
	case errors.Is(err, errStale):
		return v, err
	case ctx.Err() != nil:
		return v, fmt.Errorf("carrying out a step: %w", ctx.Err())
	case errors.As(err, &remote):
		if !remote.temporary {
			return stuck(remote.code)
		}
		return verdict{outcome: Retry, reason: remote.code, after: remote.retryAfter}, nil
	case limited.Err() != nil:
		return retry(string(connector.CodeTimeout))
	}
	return v, err
}

func (r *run) carryOut(ctx context.Context) (verdict, error) {
	if r.step.Action == models.OperationRelink {
		return r.relink(ctx)
	}
	v, err := r.unlink(ctx)
	if err != nil || v.outcome != Done || r.looked || !r.asks() {
		return v, err
	}
	return r.lookFurther(ctx, v)
}

// remoteFailure classifies what a connector returned. The texts of targets stop here.
func remoteFailure(err error) error {
	var e *connector.Error
	switch {
	case errors.Is(err, errStale):
		return errStale
	case errors.As(err, &e):
		return &remoteError{code: string(e.Code), temporary: e.Temporary, retryAfter: e.RetryAfter, status: e.Status}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &remoteError{code: string(connector.CodeTimeout), temporary: true}
	case database.Code(err) != "" || errors.As(err, new(*database.Error)):
		return err // the fence could not be read
	}
	return &remoteError{code: string(connector.CodeBadAnswer), temporary: true}
}

// ask makes one reading call.
func ask[T any](r *run, substep string, call func() (T, error)) (T, error) {
	r.s.mark(string(r.step.Action) + "." + substep + ".before")
	v, err := call()
	r.s.mark(string(r.step.Action) + "." + substep + ".after")
	if err == nil {
		return v, nil
	}
	failed := remoteFailure(err)
	var remote *remoteError
	if errors.As(failed, &remote) && connector.CodeOf(err) != connector.CodeNotFound {
		r.note(substep, outFailed, remote.detail())
	}
	return v, failed
}

func isNotFound(err error) bool {
	var remote *remoteError
	return errors.As(err, &remote) && remote.code == string(connector.CodeNotFound)
}

// effect makes one mutating call. That it is about to be made is committed first: a run that dies
// in between has left word that the effect may have happened.
func (r *run) effect(ctx context.Context, substep string, call func(context.Context) (connector.Result, error)) (connector.Result, error) {
	r.note(substep, outBegun, "")
	if err := r.intend(ctx); err != nil {
		return connector.Result{}, err
	}
	key := r.op.ID.String() + "/" + r.step.System + "/" + r.step.ID.String() + "/" + substep
	if n := r.past.rounds(r.step.ID, r.disproved()); n > 0 {
		// What the first key stood for demonstrably had no effect; a target that remembers keys
		// must not answer from memory.
		key = fmt.Sprintf("%s/%d", key, n+1)
	}
	callCtx := connector.WithIdempotencyKey(connector.WithFence(ctx, r.current), key)
	r.s.mark(string(r.step.Action) + "." + substep + ".before")
	result, err := call(callCtx)
	r.s.mark(string(r.step.Action) + "." + substep + ".after")
	if err != nil {
		failed := remoteFailure(err)
		var remote *remoteError
		if errors.As(failed, &remote) {
			r.note(substep, outFailed, remote.detail())
			r.unsure = r.unsure || remote.code == string(connector.CodeTimeout) || remote.code == string(connector.CodeConnectionCut)
		}
		return result, failed
	}
	switch result.Outcome {
	case connector.Confirmed:
		r.note(substep, outConfirmed, "")
	case connector.AlreadyDone:
		r.note(substep, outConfirmed, string(connector.AlreadyDone))
	case connector.NotOffered:
		r.note(substep, outConfirmed, string(connector.NotOffered))
	case connector.Accepted:
		r.note(substep, outAccepted, "")
	case connector.NotFound:
		r.note(substep, outNotFound, "")
	default:
		return result, &remoteError{code: string(connector.CodeBadAnswer)}
	}
	return result, nil
}

// intend writes what was noted if the fence still holds, and not otherwise.
func (r *run) intend(ctx context.Context) error {
	err := database.Run(ctx, r.s.db, func(tx *database.Tx) error {
		if err := r.hold(tx); err != nil {
			return err
		}
		return r.write(tx, actionStepIntended, nil)
	})
	if err != nil {
		// It will not be made: nobody shall read that it may have been.
		r.noted = r.noted[:len(r.noted)-1]
		return err
	}
	r.noted, r.sighted = nil, false
	return nil
}

// hold locks the account if this run is still its newest.
func (r *run) hold(tx *database.Tx) error {
	a, err := database.Lock[models.LinkedAccount](tx, "an account", r.account.ID)
	if err != nil {
		return err
	}
	if a.Attempt != r.attempt || a.OperationID == nil || *a.OperationID != r.op.ID {
		return errStale
	}
	return nil
}

// disproved is the read back that shows that what this step did had no effect.
func (r *run) disproved() string {
	if r.step.Action == models.OperationRelink {
		return outInactive
	}
	return outActive
}
