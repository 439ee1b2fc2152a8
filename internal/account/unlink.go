package account

import (
	"context"
	"fmt"
	"strings"

	"lethe/internal/connector"
	"lethe/models"
)

// unlink takes the access away: find, snapshot, disable, revoke sessions, read back, look for residue.
// What was confirmed in this round is not repeated, except for what only looks.
func (r *run) unlink(ctx context.Context) (verdict, error) {
	f, v, err := r.locate(ctx)
	if err != nil || v.outcome != "" {
		return v, err
	}
	if f.gone {
		return done(models.AccountNotFound)
	}
	if r.past.byHand(r.step.ID) {
		return r.confirmOff(ctx, f)
	}
	if r.careful() {
		if f.state.Active {
			r.note(subReadBack, outActive, "")
			return stuck(ReasonFoundInUse)
		}
		return r.confirmOff(ctx, f)
	}
	if err := r.picture(ctx, f); err != nil {
		return r.unlessGone(ctx, f, err)
	}
	if r.op.Mode == models.ModeDetach {
		return r.detach(ctx, f)
	}
	fresh, err := r.takeAway(ctx, f)
	if err != nil {
		return verdict{}, err
	}
	if fresh != nil {
		return verdict{outcome: Accepted, after: fresh.CheckAfter, fresh: true, reason: ReasonNotCarriedOut}, nil
	}
	return r.confirmOff(ctx, f)
}

// takeAway makes the mutating calls of this round that are not confirmed yet. fresh is what the
// target accepted just now and will carry out later. What came of a call is written with the next
// intention or with the end of the run; a run that dies before repeats the call, which is harmless.
func (r *run) takeAway(ctx context.Context, f found) (fresh *connector.Result, err error) {
	calls := []struct {
		substep string
		call    func(context.Context, string) (connector.Result, error)
	}{{subDisable, r.remote.Disable}, {subRevoke, r.remote.RevokeSessions}}
	for _, c := range calls {
		if r.past.round(r.step.ID, outActive).has(c.substep, outConfirmed, outAccepted, outNotFound) {
			continue
		}
		result, err := r.effect(ctx, c.substep, func(ctx context.Context) (connector.Result, error) { return c.call(ctx, f.id) })
		if err != nil {
			return nil, err
		}
		if result.Outcome == connector.Accepted && (fresh == nil || result.CheckAfter > fresh.CheckAfter) {
			fresh = &result
		}
	}
	return fresh, nil
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
	r.note(subReadBack, outConfirmed, models.ModeDetach)
	return done(models.AccountDetached)
}

// confirmOff settles the account on what the target shows, not on what it said.
func (r *run) confirmOff(ctx context.Context, f found) (verdict, error) {
	round := r.past.round(r.step.ID, outActive)
	waiting := round.has(subDisable, outAccepted) || round.has(subRevoke, outAccepted)
	byHand := r.past.byHand(r.step.ID)
	state, err := r.readBack(ctx, f.id)
	switch {
	case isNotFound(err):
		r.note(subReadBack, outNotFound, "")
		return done(models.AccountNotFound)
	case err != nil:
		return verdict{}, err
	case byHand && r.op.Mode == models.ModeDetach:
		r.note(subReadBack, outConfirmed, models.ModeDetach)
		return done(models.AccountDetached)
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
	left, err := ask(r, subResidue, func() ([]connector.Residue, error) { return r.remote.Residue(ctx, f.id) })
	if err != nil {
		return r.unlessGone(ctx, f, err)
	}
	if len(left) > 0 {
		r.note(subResidue, outResidue, residueText(left))
		if waiting && !byHand {
			return verdict{outcome: Accepted, reason: ReasonResidue}, nil
		}
		return stuck(ReasonResidue)
	}
	r.note(subResidue, outNone, "")
	if r.past.pendingRestore() && r.step.Tries < min(restoreChecks, r.s.timings.Tries-1) {
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
