package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

// kept is what a snapshot holds: whether the account was usable, and the target's own state,
// which only its connector understands.
type kept struct {
	Active bool   `json:"active"`
	State  []byte `json:"state"`
	// Lacks is what could not be read: as connector.Snapshot has it, and lacksActive. Without State it
	// is everything.
	Lacks []string `json:"lacks,omitempty"`
}

// lacksActive says that nobody knows whether the account was usable.
const lacksActive = "active"

func placeOf(id, employment uuid.UUID) vault.Cell {
	return vault.Cell{
		Table: "account_snapshots", Row: id, Employment: employment,
		Category: models.CategoryAccountSnapshot, Field: "snapshot",
	}
}

// snapshot takes the snapshot that a relink restores, unless there is one from before the first
// mutating call or the employment's snapshots are being purged. What cannot be read is left out and
// said, and delays nothing: the access ends without a snapshot rather than later.
func (r *run) snapshot(ctx context.Context, f found) error {
	if r.past.mutated() {
		return nil // too late for a snapshot; there is one from before, or it was purged
	}
	if r.past.has(subSnapshot, outConfirmed, outPartial, outSkipped) {
		if op, ok := r.past.snapshotBefore(); !ok || op == r.op.ID {
			return nil
		}
	}
	p := kept{Active: f.state.Active}
	if f.unclear {
		p.Lacks = []string{lacksActive}
	}
	return r.takeSnapshot(ctx, f, p)
}

// completeSnapshot adds what the snapshot lacks, before the groups are left. An account that is off by
// then shows it as well.
func (r *run) completeSnapshot(ctx context.Context, f found) error {
	if r.past.has(subLeave) || !r.past.partial() {
		return nil
	}
	p, err := r.recall(ctx)
	switch {
	case errors.As(err, new(*remoteError)), err == nil && p == nil:
		return nil // damaged or purged: a relink will say so
	case err != nil:
		return err
	case !slices.Contains(p.Lacks, connector.ResidueGroups):
		return nil
	}
	return r.takeSnapshot(ctx, f, *p)
}

// takeSnapshot asks the target for its state and stores it. Only a fault of our own, and that the account
// is gone, is an error.
func (r *run) takeSnapshot(ctx context.Context, f found, p kept) error {
	limited, cancel := context.WithTimeout(ctx, r.s.timings.HTTPTimeout)
	defer cancel()
	s, err := ask(r, subSnapshot, func() (connector.Snapshot, error) { return r.remote.Snapshot(limited, f.id, p.Active) })
	var remote *remoteError
	switch {
	case isNotFound(err):
		return err
	case errors.As(err, &remote):
		s.Lacks = []string{connector.ResidueGroups}
	case err != nil:
		return err
	default:
		p.State = s.State
	}
	p.Lacks = append(slices.DeleteFunc(p.Lacks, func(l string) bool { return l != lacksActive }), s.Lacks...)
	plain, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing a snapshot: %w", err)
	}
	defer clear(plain)
	outcome := outConfirmed
	if len(p.Lacks) > 0 {
		outcome = outPartial
	}
	err = database.Run(ctx, r.s.db, func(tx *database.Tx) error { return r.storeSnapshot(tx, plain) })
	if errors.Is(err, vault.ErrPurged) {
		outcome, err = outSkipped, nil
	}
	if err != nil {
		return fmt.Errorf("storing a snapshot: %w", err)
	}
	r.note(subSnapshot, outcome, strings.Join(p.Lacks, ","))
	return nil
}

// storeSnapshot seals the snapshot of this operation. One that an earlier run took stays, unless
// something is added to it: nothing has been changed since.
func (r *run) storeSnapshot(tx *database.Tx, plain []byte) error {
	if err := r.hold(tx); err != nil {
		return err
	}
	operation := r.op.ID
	before, partial := r.past.snapshotBefore()
	if partial = partial && r.past.partial(); partial {
		operation = before
	}
	rows, err := database.Find[models.AccountSnapshot](tx.DB(), "snapshots", "operation_id = ? AND account_id = ?", operation, r.account.ID)
	if err != nil || (len(rows) > 0 && !partial) {
		return err
	}
	if len(rows) > 0 {
		sealed, _, err := r.s.snapshots.Seal(tx, placeOf(rows[0].ID, r.op.EmploymentID), plain)
		if err != nil {
			return err
		}
		return change[models.AccountSnapshot](tx, "a snapshot", rows[0].ID, map[string]any{"snapshot_sealed": sealed})
	}
	id := models.NewID()
	sealed, category, err := r.s.snapshots.Seal(tx, placeOf(id, r.op.EmploymentID), plain)
	if err != nil {
		return err
	}
	return create(tx, "a snapshot", models.AccountSnapshot{
		ID: id, EmploymentID: r.op.EmploymentID, CategoryID: category, AccountID: r.account.ID,
		OperationID: r.op.ID, SnapshotSealed: sealed,
	})
}

// recall opens the snapshot from before the first mutating call; nil if there is none any more.
func (r *run) recall(ctx context.Context) (*kept, error) {
	operation, ok := r.past.snapshotBefore()
	if !ok {
		return nil, nil
	}
	var p *kept
	err := database.Run(ctx, r.s.db, func(tx *database.Tx) error {
		row, err := database.First[models.AccountSnapshot](tx.DB().Where("operation_id = ? AND account_id = ?", operation, r.account.ID))
		if err != nil || row.SnapshotSealed.IsNull() {
			return err
		}
		plain, err := r.s.snapshots.Open(tx, placeOf(row.ID, row.EmploymentID), row.SnapshotSealed)
		if err != nil {
			return err
		}
		defer clear(plain)
		p = &kept{}
		if json.Unmarshal(plain, p) != nil {
			return vault.ErrDamaged
		}
		return nil
	})
	switch {
	case errors.Is(err, vault.ErrPurged), errors.Is(err, database.ErrNotFound):
		return nil, nil
	case errors.Is(err, vault.ErrDamaged):
		return nil, &remoteError{code: string(connector.CodeBadSnapshot)}
	case err != nil:
		return nil, fmt.Errorf("opening a snapshot: %w", err)
	}
	return p, nil
}
