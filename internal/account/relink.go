package account

import (
	"context"
	"slices"

	"lethe/internal/connector"
	"lethe/models"
)

// relink gives the access back as the snapshot has it, and reads that back.
func (r *run) relink(ctx context.Context) (verdict, error) {
	if r.account.LookUp() {
		r.note(subReadBack, outRestored, "") // nothing was found before it was called off
		return done(models.AccountRelinked)
	}
	if r.rehired && !r.past.byHand(r.step.ID) {
		return stuck(ReasonRehired) // a later employment has it, or its departure took it away
	}
	f, v, err := r.locate(ctx)
	if err != nil || v.outcome != "" {
		return v, err
	}
	if !r.past.mutated() {
		// Nothing was taken away, so there is nothing to give back, be it there or not.
		r.note(subReadBack, outRestored, "")
		return done(models.AccountRelinked)
	}
	if f.gone {
		return stuck(ReasonAccountGone)
	}
	before, err := r.recall(ctx)
	if err != nil {
		return verdict{}, err
	}
	if r.past.byHand(r.step.ID) {
		return r.confirmOn(f, before)
	}
	if before, err = r.snapshotAfterAll(ctx, f, before); isNotFound(err) {
		return stuck(ReasonAccountGone)
	} else if err != nil {
		return verdict{}, err
	}
	switch {
	case before == nil, before.State == nil && r.takenApart():
		return stuck(ReasonNoSnapshot)
	case before.State == nil:
		return retry(ReasonNoSnapshot)
	}
	if v, wait := r.awaitLanding(f); wait {
		return v, nil
	}
	if !r.past.round(r.step.ID, outInactive).has(subRestore, outConfirmed, outAccepted) {
		result, err := r.effect(ctx, subRestore, func(ctx context.Context) (connector.Result, error) {
			return r.remote.Restore(ctx, f.id, before.State)
		})
		if err != nil {
			return verdict{}, err
		}
		if err := r.flush(ctx); err != nil {
			return verdict{}, err
		}
		switch result.Outcome {
		case connector.NotFound:
			return stuck(ReasonAccountGone)
		case connector.Accepted:
			return verdict{outcome: Accepted, after: result.CheckAfter, fresh: true, reason: ReasonNotCarriedOut}, nil
		}
	}
	if f.state, err = r.readBack(ctx, f.id); isNotFound(err) {
		return stuck(ReasonAccountGone)
	} else if err != nil {
		return verdict{}, err
	}
	return r.confirmOn(f, before)
}

// snapshotAfterAll takes a snapshot that could not be taken before the cut, if of what it holds nothing was
// taken away since.
func (r *run) snapshotAfterAll(ctx context.Context, f found, before *kept) (*kept, error) {
	if before == nil || before.State != nil || r.takenApart() {
		return before, nil
	}
	if err := r.takeSnapshot(ctx, f, *before); err != nil {
		return nil, err
	}
	return r.recall(ctx)
}

// takenApart says whether more may have been taken away than that the account can be used: by a call, or by
// people, who said that they did what was left to do.
func (r *run) takenApart() bool {
	return r.past.has(subLeave) || r.past.has(subDetach) || r.past.has(subByHand, outResolved)
}

// awaitLanding waits for a disable that the target accepted and has not carried out: coming after
// the restore it would undo it. Once the budget of checks is over the restore goes ahead, and is
// looked at once more later.
func (r *run) awaitLanding(f found) (verdict, bool) {
	if !r.past.pendingDisable() || r.past.round(r.step.ID, outInactive).has(subRestore, outConfirmed, outAccepted) {
		return verdict{}, false
	}
	if !f.state.Active {
		r.note(subReadBack, outStillInactive, "") // it has landed
		return verdict{}, false
	}
	if r.step.Tries+1 >= r.s.timings.Tries {
		return verdict{}, false
	}
	r.note(subReadBack, outStillActive, "")
	return verdict{outcome: Accepted, reason: ReasonNotCarriedOut}, true
}

// confirmOn ends the relink if the account is as it was: active, unless it was not before.
func (r *run) confirmOn(f found, before *kept) (verdict, error) {
	round := r.past.round(r.step.ID, outInactive)
	byHand := r.past.byHand(r.step.ID)
	wanted := before == nil || before.Active
	switch {
	case wanted && !f.state.Active && byHand:
		r.note(subReadBack, outInactive, "")
		return stuck(ReasonStillInactive)
	case wanted && !f.state.Active && round.has(subRestore, outAccepted):
		r.note(subReadBack, outStillInactive, "")
		return verdict{outcome: Accepted, reason: ReasonNotCarriedOut}, nil
	case wanted && !f.state.Active:
		r.note(subReadBack, outInactive, "")
		return retry(ReasonStillInactive)
	case !byHand && r.past.pendingDisable() && !round.has(subReadBack, outActive):
		r.note(subReadBack, outActive, "")
		return verdict{outcome: Accepted, reason: ReasonStillInactive, fresh: true}, nil
	case before != nil && !byHand && r.lost(before.Lacks):
		return stuck(ReasonPartial)
	}
	r.note(subReadBack, outRestored, "")
	return done(models.AccountRelinked)
}

// lost says whether something was taken away that the snapshot does not have.
func (r *run) lost(lacks []string) bool {
	return slices.Contains(lacks, lacksActive) ||
		(len(lacks) > 0 && r.past.has(subLeave, outConfirmed, outAccepted, outFailed))
}
