package evidence

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// Get reads an export; there being none is database.ErrNotFound.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (Export, error) {
	e, err := database.First[Export](db.Read(ctx).Where("id = ?", id))
	return e, database.Wrap("reading an export", err)
}

// Download records that somebody takes the pack away, and says what it is. The entry is committed
// before the first byte leaves (I18).
func Download(ctx context.Context, db *database.DB, id uuid.UUID) (e Export, err error) {
	err = database.Run(ctx, db, func(tx *database.Tx) error {
		if e, err = database.First[Export](tx.DB().Where("id = ?", id)); err != nil {
			return fmt.Errorf("reading an export: %w", err)
		}
		purged, err := showsPurged(tx, id)
		if err != nil {
			return err
		}
		switch {
		case purged, e.State == Purged:
			return ErrPurged
		case e.State == Done:
		case e.State == Expired:
			return ErrExpired
		default:
			return ErrNotReady
		}
		_, err = ledger.Append(tx, ledger.Entry{
			Kind: ledger.KindExport, Action: ActionDownloaded, Object: Object(id), Details: map[string]string{"sha256": hex.EncodeToString(e.SHA256)},
		})
		return err
	})
	return e, err
}

// lease is how long a process may be silent before another one takes its work.
const lease = 30 * time.Second

// maxAttempts bounds the tries: a pack that kills whoever makes it must stop doing so.
const maxAttempts = 5

// errFenced says that another process has taken the work.
var errFenced = errors.New("another process makes the pack")

// claim takes the oldest export that nobody works on; false: there is none.
func (m *Maker) claim(ctx context.Context) (Export, bool, error) {
	var e Export
	r := m.o.DB.Read(ctx).Raw(`UPDATE query_log_exports SET state = 'running', attempt = attempt + 1, written = 0, claimed_until = lethe_now() + make_interval(secs => ?)
		WHERE id = (SELECT id FROM query_log_exports WHERE state = 'queued' OR state = 'running' AND claimed_until < lethe_now()
			ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING *`, lease.Seconds()).Scan(&e)
	if r.Error != nil {
		return Export{}, false, database.Wrap("taking an export", r.Error)
	}
	return e, r.RowsAffected == 1, nil
}

// beat says that this process still works, and how far it is.
func (m *Maker) beat(ctx context.Context, e Export, total *int64, written int64) error {
	r := m.o.DB.Read(ctx).Exec(`UPDATE query_log_exports SET claimed_until = lethe_now() + make_interval(secs => ?), total = coalesce(?, total), written = ?
		WHERE id = ? AND attempt = ? AND state = 'running'`, lease.Seconds(), total, written, e.ID, e.Attempt)
	if r.Error != nil {
		return database.Wrap("reporting on an export", r.Error)
	}
	if r.RowsAffected != 1 {
		return errFenced
	}
	return nil
}

// settle ends the work of this attempt, and records how, in one transaction. A stale attempt changes
// nothing.
func (m *Maker) settle(ctx context.Context, e Export, result ledger.Result, action string, columns map[string]any, details map[string]string) error {
	return database.Run(ctx, m.o.DB, func(tx *database.Tx) error {
		r := tx.DB().Model(&Export{}).Where("id = ? AND attempt = ? AND state = ?", e.ID, e.Attempt, Running).Updates(columns)
		if err := database.UpdateOne(r); errors.Is(err, database.ErrChanged) {
			return errFenced
		} else if err != nil {
			return fmt.Errorf("ending an export: %w", err)
		}
		_, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindExport, Action: action, Object: Object(e.ID), Result: result, Details: details})
		return err
	})
}

// expired are the files of packs whose time is over; their rows say so from here on.
func (m *Maker) expired(ctx context.Context) ([]string, error) {
	var files []string
	err := m.o.DB.Read(ctx).Raw("UPDATE query_log_exports SET state = 'expired' WHERE state = 'done' AND expires_at <= lethe_now() RETURNING file").Scan(&files).Error
	return files, database.Wrap("ending the time of packs", err)
}
