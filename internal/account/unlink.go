package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lethe/internal/connector"
	"lethe/models"
)

// unlink takes the access away: find, snapshot, disable, revoke sessions, leave groups, read back, look
// for residue. What was confirmed in this round is not repeated, except for what only looks.
func (r *run) unlink(ctx context.Context) (verdict, error) {
	f, v, err := r.locate(ctx)
	if err != nil || v.outcome != "" {
		return v, err
	}
	if f.gone {
		return done(models.AccountNotFound)
	}
	if r.past.byHand(r.step.ID) {
		return r.confirmOff(ctx, f, nil)
	}
	if r.careful() {
		if f.state.Active {
			r.note(subReadBack, outActive, "")
			return stuck(ReasonFoundInUse)
		}
		return r.confirmOff(ctx, f, nil)
	}
	if err := r.snapshot(ctx, f); err != nil {
		return r.unlessGone(ctx, f, err)
	}
	if r.op.Mode == models.ModeDetach {
		return r.detach(ctx, f)
	}
	fresh, failed, err := r.takeAway(ctx, f)
	if err != nil {
		return verdict{}, err
	}
	if fresh != nil {
		return verdict{outcome: Accepted, after: fresh.CheckAfter, fresh: true, reason: ReasonNotCarriedOut}, nil
	}
	return r.confirmOff(ctx, f, failed)
}

// takeAway makes the mutating calls of this round that are not confirmed yet, the one that ends the
// access first, and each whatever became of the others. fresh is what the target accepted just now and
// will carry out later. What came of a call is written with the next intention or with the end of the
// run; a run that dies before repeats the call, which is harmless.
func (r *run) takeAway(ctx context.Context, f found) (fresh *connector.Result, failed failures, err error) {
	calls := []struct {
		substep string
		call    func(context.Context, string) (connector.Result, error)
	}{{subDisable, r.remote.Disable}, {subRevoke, r.remote.RevokeSessions}, {subLeave, r.remote.LeaveGroups}}
	for _, c := range calls {
		if r.past.round(r.step.ID, outActive).has(c.substep, outConfirmed, outAccepted, outNotFound) {
			continue
		}
		if c.substep == subLeave {
			if err := r.completeSnapshot(ctx, f); err != nil {
				return nil, nil, err
			}
		}
		result, err := r.effect(ctx, c.substep, func(ctx context.Context) (connector.Result, error) { return c.call(ctx, f.id) })
		var remote *remoteError
		switch {
		case errors.As(err, &remote):
			failed = append(failed, failure{c.substep, remote})
			continue
		case err != nil:
			return nil, nil, err
		}
		if result.Outcome == connector.Accepted && (fresh == nil || result.CheckAfter > fresh.CheckAfter) {
			fresh = &result
		}
	}
	return fresh, failed, nil
}

// failure is a call of takeAway that failed.
type failure struct {
	substep string
	remote  *remoteError
}

type failures []failure

func (f failures) of(substep string) bool {
	return slices.ContainsFunc(f, func(one failure) bool { return one.substep == substep })
}

// first is the failure that decides: the first one that may pass, else the first.
func (f failures) first() error {
	for _, one := range f {
		if one.remote.temporary {
			return one.remote
		}
	}
	return f[0].remote
}

// passing says whether another try may do better.
func (f failures) passing() bool {
	return slices.ContainsFunc(f, func(one failure) bool { return one.remote.temporary })
}

// detach severs the link and leaves the account as it is: sessions and rights are not ours to judge.
func (r *run) detach(ctx context.Context, f found) (verdict, error) {
	if !r.past.round(r.step.ID, outActive).has(subDetach, outConfirmed, outAccepted, outNotFound) {
		result, err := r.effect(ctx, subDetach, func(ctx context.Context) (connector.Result, error) { return r.remote.Detach(ctx, f.id) })
		if err != nil {
			return verdict{}, err
		}
		if result.Outcome == connector.Accepted {
			return verdict{outcome: Accepted, after: result.CheckAfter, fresh: true, reason: ReasonNotCarriedOut}, nil
		}
	}
	_, err := r.readBack(ctx, f.id)
	if isNotFound(err) {
		r.note(subReadBack, outNotFound, "")
		return done(models.AccountNotFound)
	}
	if err != nil {
		return verdict{}, err
	}
	r.note(subReadBack, outConfirmed, string(models.ModeDetach))
	return done(models.AccountDetached)
}

// confirmOff settles the account on what the target shows, not on what it said. failed are the calls of
// this run that failed: with one of them the account is not settled, whatever it shows.
func (r *run) confirmOff(ctx context.Context, f found, failed failures) (verdict, error) {
	round := r.past.round(r.step.ID, outActive)
	byHand := r.past.byHand(r.step.ID)
	state, err := r.readBack(ctx, f.id)
	switch {
	case isNotFound(err):
		r.note(subReadBack, outNotFound, "")
		return done(models.AccountNotFound)
	case err != nil && failed.passing():
		return verdict{}, failed.first() // another try may do better, whatever can be read
	case err != nil:
		return verdict{}, err
	case byHand && r.op.Mode == models.ModeDetach:
		r.note(subReadBack, outConfirmed, string(models.ModeDetach))
		return done(models.AccountDetached)
	case state.Active && failed.of(subDisable):
		r.note(subReadBack, outStillActive, "") // it may still come: the round is not disproved
		return verdict{}, failed.first()
	case state.Active && round.has(subDisable, outAccepted) && !round.has(subReadBack, outConfirmed):
		r.note(subReadBack, outStillActive, "")
		return verdict{outcome: Accepted, reason: ReasonNotCarriedOut}, nil
	case state.Active:
		r.note(subReadBack, outActive, "")
		if byHand {
			return stuck(ReasonStillActive)
		}
		return retry(ReasonStillActive)
	}
	r.note(subReadBack, outConfirmed, "")
	return r.confirmNothingLeft(ctx, f, failed)
}

// confirmNothingLeft looks for residue of an account that is off.
func (r *run) confirmNothingLeft(ctx context.Context, f found, failed failures) (verdict, error) {
	round := r.past.round(r.step.ID, outActive)
	byHand := r.past.byHand(r.step.ID)
	waiting := round.has(subDisable, outAccepted) || round.has(subRevoke, outAccepted) || round.has(subLeave, outAccepted)
	left, err := ask(r, subResidue, func() ([]connector.Residue, error) { return r.remote.Residue(ctx, f.id) })
	if err != nil && failed.passing() {
		return verdict{}, failed.first()
	}
	if err != nil {
		return r.unlessGone(ctx, f, err)
	}
	if len(left) > 0 {
		r.note(subResidue, outResidue, residueText(left))
	} else {
		r.note(subResidue, outNone, "")
	}
	switch {
	case failed.passing():
		return verdict{}, failed.first()
	case len(left) > 0 && waiting && !byHand:
		return verdict{outcome: Accepted, reason: ReasonResidue}, nil
	case len(left) > 0:
		return stuck(ReasonResidue)
	case len(failed) > 0:
		return verdict{}, failed.first()
	case r.past.pendingRestore() && r.step.Tries < min(restoreChecks, r.s.timings.Tries-1):
		// A relink was superseded whose restore the target had accepted: it may still come.
		return verdict{outcome: Accepted, reason: ReasonStillActive}, nil
	}
	return done(models.AccountDisabled)
}

// restoreChecks is how often an account stays watched for a restore that was accepted before.
const restoreChecks = 3

// unlessGone turns "no such account" in the middle of the work into what it means.
func (r *run) unlessGone(ctx context.Context, f found, err error) (verdict, error) {
	if !isNotFound(err) {
		return verdict{}, err
	}
	if _, again := r.readBack(ctx, f.id); isNotFound(again) {
		r.note(subReadBack, outNotFound, "")
		return done(models.AccountNotFound)
	}
	return retry(string(connector.CodeNotFound))
}

// residueText is kinds and numbers, never names.
func residueText(left []connector.Residue) string {
	parts := make([]string, len(left))
	for i, l := range left {
		parts[i] = fmt.Sprintf("%s:%d", l.Kind, l.Count)
	}
	return strings.Join(parts, ",")
}
