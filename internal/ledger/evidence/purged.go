package evidence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// hasPurged holds for packs that show the name of somebody who is purged since. Of a pack whose people
// are not known it holds as soon as anybody was purged after it was made.
const hasPurged = `state = 'done' AND (EXISTS (SELECT FROM employees p WHERE p.id = ANY (people) AND p.status = 'purged')
	OR people IS NULL AND EXISTS (SELECT FROM departures d WHERE d.stage = 'purged' AND d.purged_at >= finished_at))`

func showsPurged(tx *database.Tx, id uuid.UUID) (shows bool, err error) {
	err = tx.DB().Raw("SELECT EXISTS (SELECT FROM query_log_exports WHERE id = ? AND "+hasPurged+")", id).Scan(&shows).Error
	return shows, database.Wrap("looking whom a pack shows", err)
}

// Ended is nil as long as a pack may be read: it ends while somebody downloads it, too.
func Ended(ctx context.Context, db *database.DB, id uuid.UUID) error {
	return database.Run(ctx, db, func(tx *database.Tx) error {
		purged, err := showsPurged(tx, id)
		if err != nil {
			return err
		}
		e, err := database.First[Export](tx.DB().Select("state").Where("id = ?", id))
		if err != nil {
			return fmt.Errorf("reading an export: %w", err)
		}
		switch {
		case purged, e.State == Purged:
			return ErrPurged
		case e.State != Done:
			return ErrExpired
		}
		return nil
	})
}

// EndPurged ends the packs that show somebody who is purged since: their rows say so, their files go.
// Packs are signed, so that nothing is cut out of them. Nobody has read one meanwhile: [Download] looks
// for itself. What was interrupted between row and file is done by the next call.
func (m *Maker) EndPurged(ctx context.Context) error {
	var ids []uuid.UUID
	if err := m.o.DB.Read(ctx).Model(&Export{}).Where(hasPurged).Pluck("id", &ids).Error; err != nil {
		return database.Wrap("looking for packs that show purged people", err)
	}
	for _, id := range ids {
		if err := m.endPurged(ctx, id); err != nil {
			return err
		}
	}
	var left []Export
	if err := m.o.DB.Read(ctx).Select("id", "file").Where("state = ? AND file <> ''", Purged).Find(&left).Error; err != nil {
		return database.Wrap("looking for files of ended packs", err)
	}
	for _, e := range left {
		if err := os.Remove(filepath.Join(m.o.Dir, filepath.Base(e.File))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing a pack: %w", err)
		}
		err := m.o.DB.Read(ctx).Model(&Export{}).Where("id = ? AND state = ?", e.ID, Purged).Update("file", "").Error
		if err != nil {
			return database.Wrap("noting that a pack is removed", err)
		}
	}
	return nil
}

// endPurged ends one pack, unless another process was faster.
func (m *Maker) endPurged(ctx context.Context, id uuid.UUID) error {
	return database.Run(ctx, m.o.DB, func(tx *database.Tx) error {
		r := tx.DB().Model(&Export{}).Where("id = ? AND "+hasPurged, id).Updates(map[string]any{"state": Purged, "people": nil})
		if err := database.UpdateOne(r); errors.Is(err, database.ErrChanged) {
			return nil
		} else if err != nil {
			return fmt.Errorf("ending a pack: %w", err)
		}
		_, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindExport, Action: ActionPurged, Object: Object(id)})
		return err
	})
}
