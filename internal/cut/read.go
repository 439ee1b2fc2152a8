package cut

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"lethe/internal/database"
	"lethe/internal/reasons"
	"lethe/models"
)

var (
	made = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "lethe_access_cuts_total", Help: "Emergency cuts, by whether the person held a protected role.",
	}, []string{"holder"})
	escalations = promauto.NewCounter(prometheus.CounterOpts{
		Name: "lethe_access_cut_escalations_total", Help: "How often it was shown that nobody confirms an emergency cut.",
	})
)

// Count counts a cut whose transaction has committed.
func Count(c models.AccessCut) { made.WithLabelValues(strconv.FormatBool(len(c.HolderOf) > 0)).Inc() }

// Get is one cut.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (models.AccessCut, error) {
	c, err := database.First[models.AccessCut](db.Read(ctx).Where("id = ?", id))
	return c, database.Found("reading an emergency cut", err, ErrNotFound)
}

// Filter says which cuts are listed.
type Filter struct {
	EmployeeID *uuid.UUID
	State      models.CutState
	// Standing: those that keep something closed.
	Standing bool
	// NotOf is whose are not shown: the reader's own.
	NotOf  uuid.UUID
	Before uuid.UUID // zero: from the newest
	Limit  int
}

// List is a page of cuts, newest first, and one more if there are more.
func List(ctx context.Context, db *database.DB, f Filter) (rows []models.AccessCut, err error) {
	q := db.Read(ctx).Where("employee_id <> ?", f.NotOf)
	if f.EmployeeID != nil {
		q = q.Where("employee_id = ?", *f.EmployeeID)
	}
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.Standing {
		q = q.Where("state <> ?", models.CutLifted)
	}
	if f.Before != uuid.Nil {
		q = q.Where("id < ?", f.Before)
	}
	err = q.Order(database.Newest).Limit(f.Limit + 1).Find(&rows).Error
	return rows, database.Wrap("listing emergency cuts", err)
}

// Reason is why somebody's access was cut; empty once it is not kept any more.
func Reason(ctx context.Context, db *database.DB, c models.AccessCut) (string, error) {
	texts, err := reasons.Open(ctx, db, reasons.Text{Cell: reasonCell(c.ID), Sealed: c.ReasonSealed})
	if err != nil {
		return "", err
	}
	return texts[0], nil
}

// RecordRead records that somebody else than who ordered a cut reads why, before it is shown (I18).
func RecordRead(tx *database.Tx, c models.AccessCut, by models.Actor) error {
	_, err := record(tx, c, actionRead, by, nil)
	return err
}

// due are the cuts that nobody confirmed in time, and that was not shown yet, or not again.
const due = "state = 'unconfirmed' AND (escalations = 0 AND confirm_due_at <= lethe_now() OR escalations = 1 AND ordered_at <= lethe_now() - make_interval(secs => ?))"

const sweepBatch = 50

// Sweep escalates cuts that nobody confirms, once after four hours and again after three days; they stay as they are.
// It says how many.
func Sweep(ctx context.Context, db *database.DB) (n int, err error) {
	var all []uuid.UUID
	if err := db.Read(ctx).Model(&models.AccessCut{}).Where(due, AgainAfter.Seconds()).Order(database.ByID).Limit(sweepBatch).Pluck("id", &all).Error; err != nil {
		return 0, database.Wrap("looking for cuts that nobody confirms", err)
	}
	var failed []error
	for _, id := range all {
		escalated := false
		err := database.Run(ctx, db, func(tx *database.Tx) (err error) {
			escalated, err = escalate(tx, id)
			return err
		})
		if failed = append(failed, err); err == nil && escalated {
			escalations.Inc()
			slog.WarnContext(ctx, "nobody confirms an emergency cut", "access_cut_id", id.String())
			n++
		}
	}
	return n, errors.Join(failed...)
}

func escalate(tx *database.Tx, id uuid.UUID) (bool, error) {
	if _, err := lock(tx, id); err != nil {
		return false, err
	}
	c, err := database.First[models.AccessCut](tx.DB().Where("id = ?", id).Where(due, AgainAfter.Seconds()))
	if errors.Is(err, database.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now, err := tx.Now()
	if err != nil {
		return false, err
	}
	// Whoever looks only after three days is shown it once.
	times := 1
	if !c.OrderedAt.Add(AgainAfter).After(now) {
		times = 2
	}
	return true, change(tx, &c, actionEscalated, models.System, map[string]string{"escalations": strconv.Itoa(times)},
		map[string]any{"escalations": times, "escalated_at": now})
}

const sweepEvery = time.Minute

// Keep sweeps until ctx ends. Every process may: a cut is escalated once each time.
func Keep(ctx context.Context, db *database.DB, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if _, err := Sweep(ctx, db); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "emergency cuts are left for now", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
