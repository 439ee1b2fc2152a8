package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

// found is where the account is and how it looks.
type found struct {
	id    string
	state connector.State
	// gone: not there, on evidence that was noted.
	gone bool
}

// locate finds the account. An id that was seen at the target before and is unknown now is gone; one
// that was never seen, or none, is looked up by employee number, completely; so is, for a relink, one
// that is gone: people may have made the account anew.
func (r *run) locate(ctx context.Context) (found, verdict, error) {
	if r.account.LookUp() {
		return r.seek(ctx)
	}
	if id := r.account.ExternalID; id != nil {
		state, err := r.readBack(ctx, *id)
		switch {
		case err == nil:
			return r.checked(found{id: *id, state: state})
		case !isNotFound(err):
			return found{}, verdict{}, err
		case r.account.SeenAt != nil && r.step.Action == models.OperationUnlink:
			r.note(subReadBack, outNotFound, "")
			return found{gone: true}, verdict{}, nil
		}
	}
	return r.lookUp(ctx)
}

func (r *run) lookUp(ctx context.Context) (found, verdict, error) {
	ids, err := ask(r, subFind, func() ([]string, error) { return r.remote.Find(ctx, r.employeeNo) })
	if err != nil {
		return found{}, verdict{}, err
	}
	r.looked = true
	switch len(ids) {
	case 0:
		r.note(subFind, outNotFound, "")
		return found{gone: true}, verdict{}, nil
	case 1:
	default:
		r.note(subFind, outFailed, ReasonAmbiguous)
		v, err := stuck(ReasonAmbiguous)
		return found{}, v, err
	}
	adopted, err := r.adopt(ctx, ids[0])
	if err != nil {
		return found{}, verdict{}, err
	}
	if !adopted {
		r.note(subFind, outFailed, ReasonAmbiguous)
		v, err := stuck(ReasonAmbiguous)
		return found{}, v, err
	}
	r.note(subFind, outConfirmed, "")
	state, err := r.readBack(ctx, ids[0])
	if isNotFound(err) {
		r.note(subReadBack, outNotFound, "")
		return found{gone: true}, verdict{}, nil
	}
	if err != nil {
		return found{}, verdict{}, err
	}
	return r.checked(found{id: ids[0], state: state})
}

func (r *run) readBack(ctx context.Context, id string) (connector.State, error) {
	return ask(r, subReadBack, func() (connector.State, error) { return r.remote.ReadBack(ctx, id) })
}

// checked refuses the account of another person and remembers that this one was seen, which is
// written with the next evidence.
func (r *run) checked(f found) (found, verdict, error) {
	if no := f.state.EmployeeNo; no != "" && no != r.employeeNo {
		r.note(subFind, outFailed, ReasonWrongPerson)
		v, err := stuck(ReasonWrongPerson)
		return found{}, v, err
	}
	r.sighted = r.account.SeenAt == nil
	return f, verdict{}, nil
}

// adopt records the external id as seen. False: another link of this employment has it.
func (r *run) adopt(ctx context.Context, id string) (bool, error) {
	err := database.Run(ctx, r.s.db, func(tx *database.Tx) error {
		if err := r.hold(tx); err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		columns := map[string]any{"external_id": id, "seen_at": now}
		if !r.account.Registered {
			r.account.Finding, columns["finding"] = models.FindingFound, models.FindingFound
		}
		r.account.ExternalID, r.account.SeenAt = &id, &now
		return change[models.LinkedAccount](tx, "an account", r.account.ID, columns)
	})
	if database.Violates(err, "linked_accounts_one") {
		return false, nil
	}
	return err == nil, err
}

// pictured is what a snapshot holds: whether the account was usable, and the target's own state,
// which only its connector understands.
type pictured struct {
	Active bool   `json:"active"`
	State  []byte `json:"state"`
}

func placeOf(id, employment uuid.UUID) vault.Place {
	return vault.Place{
		Table: "account_snapshots", Row: id, Employment: employment,
		Category: models.CategoryAccountSnapshot, Field: "snapshot",
	}
}

// picture takes the snapshot that a relink restores, unless there is one from before the first
// mutating call or the employment's snapshots are being purged.
func (r *run) picture(ctx context.Context, f found) error {
	if r.past.mutated() {
		return nil // too late for a picture; there is one from before, or it was purged
	}
	if r.past.has(subSnapshot, outConfirmed, outSkipped) {
		if op, ok := r.past.snapshotBefore(); !ok || op == r.op.ID {
			return nil
		}
	}
	state, err := ask(r, subSnapshot, func() ([]byte, error) { return r.remote.Snapshot(ctx, f.id) })
	if err != nil {
		return err
	}
	plain, err := json.Marshal(pictured{Active: f.state.Active, State: state})
	if err != nil {
		return fmt.Errorf("writing a snapshot: %w", err)
	}
	outcome := outConfirmed
	err = database.Run(ctx, r.s.db, func(tx *database.Tx) error { return r.storePicture(tx, plain) })
	if errors.Is(err, vault.ErrPurged) {
		outcome, err = outSkipped, nil
	}
	if err != nil {
		return fmt.Errorf("storing a snapshot: %w", err)
	}
	r.note(subSnapshot, outcome, "")
	return nil
}

func (r *run) storePicture(tx *database.Tx, plain []byte) error {
	if err := r.hold(tx); err != nil {
		return err
	}
	exists, err := find[models.AccountSnapshot](tx, "snapshots", "operation_id = ? AND account_id = ?", r.op.ID, r.account.ID)
	if err != nil || len(exists) > 0 {
		return err // an earlier run took it; nothing has been changed since
	}
	id, err := newID()
	if err != nil {
		return err
	}
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
func (r *run) recall(ctx context.Context) (*pictured, error) {
	operation, ok := r.past.snapshotBefore()
	if !ok {
		return nil, nil
	}
	var p *pictured
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
		p = &pictured{}
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
