package subject

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"lethe/internal/database"
	"lethe/models"
)

const (
	sweepEvery = time.Minute
	sweepBatch = 100
)

var overdue = promauto.NewCounter(prometheus.CounterOpts{
	Name: "lethe_subject_requests_overdue_total", Help: "Requests of people about their own data that were not answered in time.",
})

// Sweep shows once, in the log, that an answer is overdue. It says of how many requests.
func Sweep(ctx context.Context, db *database.DB) (n int, err error) {
	const due = "state = 'open' AND answer_due_at <= lethe_now() AND escalated_at IS NULL"
	var ids []uuid.UUID
	if err := db.Read(ctx).Model(&models.SubjectRequest{}).Where(due).Order(database.ByID).Limit(sweepBatch).Pluck("id", &ids).Error; err != nil {
		return 0, database.Wrap("looking for requests that are overdue", err)
	}
	for _, id := range ids {
		shown := false
		again := database.Run(ctx, db, func(tx *database.Tx) error {
			shown = false
			r, err := lock(tx, id)
			if err != nil {
				return err
			}
			now, err := tx.Now()
			if err != nil || r.State != models.SubjectOpen || r.EscalatedAt != nil || r.AnswerDueAt.After(now) {
				return err
			}
			shown = true
			return change(tx, &r, actionOverdue, map[string]string{"answer_due_at": r.AnswerDueAt.UTC().Format(time.RFC3339)}, map[string]any{"escalated_at": now})
		})
		if err = errors.Join(err, again); again == nil && shown {
			n++
			overdue.Inc()
		}
	}
	return n, err
}

// Keep sweeps until ctx ends. Every process may.
func Keep(ctx context.Context, db *database.DB, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if _, err := Sweep(ctx, db); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "requests that are overdue are left for now", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
