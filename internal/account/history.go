package account

import (
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
)

// Sub-steps, as evidence names them.
const (
	subFind      = "find"
	subSnapshot  = "snapshot"
	subDisable   = "disable"
	subDetach    = "detach"
	subRevoke    = "revoke_sessions"
	subLeave     = "leave_groups"
	subReadBack  = "read_back"
	subResidue   = "residue"
	subRestore   = "restore"
	subByHand    = "by_hand"
	outBegun     = "begun"     // about to be sent: from here on it may have had its effect
	outConfirmed = "confirmed" // for read_back: off, as wanted
	outAccepted  = "accepted"
	outNotFound  = "not_found"
	outFailed    = "failed"
	outSkipped   = "skipped"
	outKnown     = "known"    // for find: only accounts that have a row of their own carry the number
	outFurther   = "further"  // for find: others carry it, which became steps of the operation
	outPartial   = "partial"  // for snapshot: its detail says what it lacks
	outActive    = "active"   // for read_back: still, or again, usable
	outInactive  = "inactive" // for read_back while relinking: not usable
	// For read_back while an accepted order has not been carried out yet.
	outStillActive   = "still_active"
	outStillInactive = "still_inactive"
	outRestored      = "restored" // for read_back: as the snapshot has it; ends the episode
	outNone          = "none"     // for residue
	outResidue       = "residue_found"
	outRetry         = "retry"            // for by_hand: a person asked for another round
	outResolved      = "resolved_by_hand" // for by_hand: a person says it is done
	outGivenBack     = "given_back"       // for by_hand: two people took a relink as good enough; ends the episode
)

// record is one row of evidence with the operation that it belongs to.
type record struct {
	ID          int64
	StepID      uuid.UUID
	OperationID uuid.UUID
	Attempt     int64
	Substep     string
	Outcome     string
}

func (r record) is(substep string, outcomes ...string) bool {
	return r.Substep == substep && (len(outcomes) == 0 || slices.Contains(outcomes, r.Outcome))
}

// history is what happened to one account since it was last wholly ours to use (its episode),
// oldest first, over all operations. Every question of resumption is answered from it alone.
type history []record

// readHistory reads an account's episode.
func readHistory(tx *database.Tx, accountID uuid.UUID) (history, error) {
	var all history
	err := tx.DB().Raw(`SELECT e.id, e.step_id, s.operation_id, e.attempt, e.substep, e.outcome
		FROM account_evidence e JOIN account_steps s ON s.id = e.step_id
		WHERE s.account_id = ? ORDER BY e.id`, accountID).Scan(&all).Error
	if err != nil {
		return nil, database.Wrap("reading evidence", err)
	}
	return all.episode(), nil
}

func (h history) after(end func(record) bool) history {
	for i := len(h) - 1; i >= 0; i-- {
		if end(h[i]) {
			return h[i+1:]
		}
	}
	return h
}

func (h history) episode() history {
	return h.after(func(r record) bool { return r.is(subReadBack, outRestored) || r.is(subByHand, outGivenBack) })
}

func (h history) of(step uuid.UUID) history {
	return slices.DeleteFunc(slices.Clone(h), func(r record) bool { return r.StepID != step })
}

// mutated says whether a call that takes access away was made or may have been made.
func (h history) mutated() bool { return slices.ContainsFunc(h, takesAway) }

func takesAway(r record) bool {
	return r.Substep == subDisable || r.Substep == subDetach || r.Substep == subRevoke || r.Substep == subLeave
}

// snapshotBefore is the operation whose snapshot shows the account before the first mutating call.
func (h history) snapshotBefore() (uuid.UUID, bool) {
	var op uuid.UUID
	found := false
	for _, r := range h {
		if takesAway(r) {
			break
		}
		if r.is(subSnapshot, outConfirmed, outPartial) {
			op, found = r.OperationID, true
		}
	}
	return op, found
}

// partial says whether the last snapshot lacks something.
func (h history) partial() bool {
	lacks := false
	for _, r := range h {
		if r.is(subSnapshot, outConfirmed, outPartial) {
			lacks = r.Outcome == outPartial
		}
	}
	return lacks
}

// byHand says whether the last thing that people said about the step is that they solved it.
func (h history) byHand(step uuid.UUID) bool {
	said := h.of(step).after(func(r record) bool { return r.is(subByHand, outRetry) })
	return slices.ContainsFunc(said, func(r record) bool { return r.is(subByHand, outResolved) })
}

// round is what the step did since people last asked for another round, or since a read back
// showed that what was done so far had no effect.
func (h history) round(step uuid.UUID, disproved string) history {
	return h.of(step).after(func(r record) bool {
		return r.is(subByHand, outRetry) || r.is(subReadBack, disproved)
	})
}

// rounds counts them, so that a new round does not repeat the idempotency keys of an earlier one.
func (h history) rounds(step uuid.UUID, disproved string) int {
	n := 0
	for _, r := range h.of(step) {
		if r.is(subByHand, outRetry) || r.is(subReadBack, disproved) {
			n++
		}
	}
	return n
}

func (h history) has(substep string, outcomes ...string) bool {
	return slices.ContainsFunc(h, func(r record) bool { return r.is(substep, outcomes...) })
}

// pending says whether the target accepted an order of this sub-step that nobody has seen carried
// out: the last accepted one is not followed by a read back that shows what it would do.
func (h history) pending(substep string, landed ...string) bool {
	waiting := false
	for _, r := range h {
		switch {
		case r.is(substep, outAccepted):
			waiting = true
		case r.is(subReadBack, landed...):
			waiting = false
		}
	}
	return waiting
}

// pendingDisable: an accepted disable may still come and would undo a relink.
func (h history) pendingDisable() bool {
	return h.pending(subDisable, outConfirmed, outInactive, outStillInactive, outNotFound)
}

// pendingRestore: an accepted restore may still come and would undo an unlink.
func (h history) pendingRestore() bool {
	return h.pending(subRestore, outActive, outStillActive, outRestored, outNotFound)
}
