package disclosure

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/screening"
	"lethe/models"
)

const (
	// sweepEvery is how often it is looked for what is over.
	sweepEvery = time.Minute
	sweepBatch = 100
	// readRulesAfter leaves the start of a process to what everybody waits for.
	readRulesAfter = 3 * time.Second
)

// Sweep lets looks lapse that nobody opened in time, and shows once, in the log, that a review is overdue. It says how
// many looks it changed.
func Sweep(ctx context.Context, db *database.DB) (int, error) {
	lapsed, err := sweep(ctx, db, "state = 'granted' AND open_until <= lethe_now()", func(tx *database.Tx, d *models.Disclosure) error {
		return change(tx, d, actionLapsed, nil, map[string]any{"state": models.LookLapsed})
	})
	overdue, overdueErr := sweep(ctx, db, "review_due_at <= lethe_now() AND reviewed_at IS NULL AND escalated_at IS NULL", func(tx *database.Tx, d *models.Disclosure) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		return change(tx, d, actionOverdue, map[string]string{"review_due_at": d.ReviewDueAt.UTC().Format(time.RFC3339)}, map[string]any{"escalated_at": now})
	})
	overtaken, overtakenErr := EndOvertaken(ctx, db)
	return lapsed + overdue + overtaken, errors.Join(err, overdueErr, overtakenErr)
}

// sweep changes the looks for which a condition holds.
func sweep(ctx context.Context, db *database.DB, due string, do func(*database.Tx, *models.Disclosure) error) (int, error) {
	var ids []uuid.UUID
	if err := db.Read(ctx).Model(&models.Disclosure{}).Where(due).Order(database.ByID).Limit(sweepBatch).Pluck("id", &ids).Error; err != nil {
		return 0, database.Wrap("looking for looks that are over", err)
	}
	return changeEach(ctx, db, ids, due, func(tx *database.Tx, d *models.Disclosure) (bool, error) {
		err := do(tx, d)
		return err == nil, err
	})
}

// changeEach changes looks, each under its lock, where the condition is looked at again, and says how many it changed.
func changeEach(ctx context.Context, db *database.DB, ids []uuid.UUID, due string, do func(*database.Tx, *models.Disclosure) (bool, error)) (n int, err error) {
	var failed []error
	for _, id := range ids {
		changed := false
		err := database.Run(ctx, db, func(tx *database.Tx) error {
			if _, err := Lock(tx, id); err != nil {
				return err
			}
			row, err := database.First[models.Disclosure](tx.DB().Where("id = ?", id).Where(due))
			if errors.Is(err, database.ErrNotFound) {
				return nil
			}
			if err == nil {
				changed, err = do(tx, &row)
			}
			return err
		})
		if failed = append(failed, err); err == nil && changed {
			n++
		}
	}
	return n, errors.Join(failed...)
}

// Keep sweeps until ctx ends. Every process may: a look changes once.
func Keep(ctx context.Context, db *database.DB, log *slog.Logger) {
	// The rules of texts take a moment to read, which the first look of an emergency should not wait for.
	read := time.AfterFunc(readRulesAfter, func() { screening.Builtin() })
	defer read.Stop()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if _, err := Sweep(ctx, db); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "looks that are over are left for now", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
