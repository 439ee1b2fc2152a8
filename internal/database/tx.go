package database

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/models"
)

// Tx is one READ COMMITTED transaction. Functions that write take it first; only the outermost
// command calls Run, so that one transaction spans everything a command changes.
//
// Locks are taken in one order everywhere: idempotency key; LockHolds; employment; departure;
// account; category, by id; what is appended last.
type Tx struct {
	ctx     context.Context
	gorm    *gorm.DB
	db      *DB
	touched []models.DrivenRef
}

// Context is the transaction's context.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Attached is what was attached to the database under key, nil if nothing was.
func (tx *Tx) Attached(key any) any { return tx.db.Attached(key) }

// DB is the handle for GORM and plain SQL within the transaction.
func (tx *Tx) DB() *gorm.DB { return tx.gorm }

// Now is lethe_now() at this moment (not at the start of the transaction).
func (tx *Tx) Now() (time.Time, error) { return now(tx.gorm) }

// Try runs fn, and takes back what it wrote if it fails: the transaction goes on. A deadlock or a serialization failure is
// for the whole transaction, which [Run] runs again.
func (tx *Tx) Try(fn func() error) error {
	if err := tx.exec("SAVEPOINT attempt"); err != nil {
		return err
	}
	touched := slices.Clone(tx.touched)
	err := fn()
	if err == nil {
		return tx.exec("RELEASE SAVEPOINT attempt")
	}
	tx.touched = touched
	if back := tx.exec("ROLLBACK TO SAVEPOINT attempt"); back != nil {
		return errors.Join(err, back)
	}
	return err
}

const maxTries = 4

// Run calls fn in a transaction and commits. A deadlock or serialization failure runs fn again, up
// to four times in all, so fn must have no effect but through tx. After the commit the rows that
// fn touched are nudged.
func Run(ctx context.Context, db *DB, fn func(tx *Tx) error) error {
	for try := 1; ; try++ {
		touched, err := runOnce(ctx, db, fn)
		if err == nil {
			if db.nudge != nil && len(touched) > 0 {
				db.nudge(ctx, touched)
			}
			return nil
		}
		if code := Code(err); try == maxTries || (code != codeDeadlock && code != codeSerialization) {
			return err
		}
		if !pause(ctx, try) {
			return err
		}
	}
}

// pause lets the other side of a deadlock go on first: a victim that comes back at once takes the
// same lock again before the other one has woken up, and both are where they were. It says false if
// ctx ended meanwhile.
func pause(ctx context.Context, try int) bool {
	wait := time.Duration(try) * (25*time.Millisecond + rand.N(75*time.Millisecond))
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

func runOnce(ctx context.Context, db *DB, fn func(tx *Tx) error) ([]models.DrivenRef, error) {
	tx := &Tx{ctx: ctx, db: db}
	var fnErr error
	err := db.gorm.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		tx.gorm = g
		fnErr = fn(tx)
		return fnErr
	})
	if fnErr != nil {
		return nil, fnErr
	}
	if err != nil {
		return nil, fmt.Errorf("committing: %w", hide(err))
	}
	return tx.touched, nil
}

// Touch raises the revision of a driven row and nudges its workflow after the commit.
func (tx *Tx) Touch(kind models.DrivenKind, id uuid.UUID) error {
	r := tx.gorm.Exec("UPDATE "+kind.Table()+" SET revision = revision + 1, nudged_at = lethe_now() WHERE id = ?", id)
	if r.Error != nil {
		return fmt.Errorf("touching a %s: %w", kind, hide(r.Error))
	}
	if r.RowsAffected != 1 {
		return fmt.Errorf("touching a %s: %w", kind, ErrNotFound)
	}
	tx.Nudge(kind, id)
	return nil
}

// Nudge nudges a row after the commit whose revision is new already (it was just inserted).
func (tx *Tx) Nudge(kind models.DrivenKind, id uuid.UUID) {
	ref := models.DrivenRef{Kind: kind, ID: id}
	if !slices.Contains(tx.touched, ref) {
		tx.touched = append(tx.touched, ref)
	}
}

// Seen records that a facts activity has read everything up to this transaction's view of the row
// and when the row wants to be looked at next (nil: not before something changes).
// The row must be locked by the caller.
func (tx *Tx) Seen(kind models.DrivenKind, id uuid.UUID, wakeAt *time.Time) error {
	r := tx.gorm.Exec("UPDATE "+kind.Table()+" SET seen_revision = revision, wake_at = ? WHERE id = ?", wakeAt, id)
	if r.Error != nil {
		return fmt.Errorf("recording what was seen of a %s: %w", kind, hide(r.Error))
	}
	if r.RowsAffected != 1 {
		return fmt.Errorf("recording what was seen of a %s: %w", kind, ErrNotFound)
	}
	tx.touched = slices.DeleteFunc(tx.touched, func(ref models.DrivenRef) bool { return ref == models.DrivenRef{Kind: kind, ID: id} })
	return nil
}

// holdsLock is the key of the advisory lock on which holds and purge intents meet.
const holdsLock = 0x4c45544845 // "LETHE"

// LockHoldsShared is taken by a purge's intent.
func (tx *Tx) LockHoldsShared() error {
	return tx.exec("SELECT pg_advisory_xact_lock_shared(?)", int64(holdsLock))
}

// LockHolds is taken exclusively by whoever places or releases a hold.
func (tx *Tx) LockHolds() error {
	return tx.exec("SELECT pg_advisory_xact_lock(?)", int64(holdsLock))
}

// PlannedAnew has the database plan what fn asks for the values that it asks with. A plan that was made while a table was
// small is kept, and reads all of it, until somebody counts the rows: an import may have filled it meanwhile.
func (tx *Tx) PlannedAnew(fn func() error) error {
	if err := tx.exec("SET LOCAL plan_cache_mode = force_custom_plan"); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	return tx.exec("SET LOCAL plan_cache_mode = auto")
}

func (tx *Tx) exec(sql string, args ...any) error { return hide(tx.gorm.Exec(sql, args...).Error) }
