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

	"lethe/internal/account"
	"lethe/internal/archive"
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
	// ToConfirm: those that wait for the reader to confirm them: of others, ordered by others.
	ToConfirm bool
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
		q = q.Where("state IN ?", models.StandingCuts)
	}
	if f.ToConfirm {
		q = q.Where("state = ? AND ordered_by <> ?", models.CutUnconfirmed, f.NotOf)
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

// over are standing cuts of who was hired again since, or is purged, and those whose person's departure took effect since
// while another one that it is not about is not there: of a version that ended none, or of somebody who had left before.
const over = `state IN ('unconfirmed', 'confirmed') AND (EXISTS (SELECT FROM employees e WHERE e.id = employee_id AND e.status = 'purged')
	OR NOT EXISTS (SELECT FROM employments m WHERE m.employee_id = access_cuts.employee_id AND m.ended_at IS NULL AND m.created_at <= ordered_at)
		AND (EXISTS (SELECT FROM employments m WHERE m.employee_id = access_cuts.employee_id AND m.ended_at IS NULL)
			OR EXISTS (SELECT FROM departures d WHERE d.employee_id = access_cuts.employee_id AND d.departed_at > ordered_at AND d.stage <> 'annulled')))`

// endOver ends them, with the person's employments locked first.
func endOver(ctx context.Context, db *database.DB) error {
	var people []uuid.UUID
	if err := db.Read(ctx).Model(&models.AccessCut{}).Where(over).Limit(sweepBatch).Pluck("employee_id", &people).Error; err != nil {
		return database.Wrap("looking for cuts that are over", err)
	}
	var failed []error
	for _, id := range people {
		failed = append(failed, database.Run(ctx, db, func(tx *database.Tx) error {
			if _, err := archive.LockEmployments(tx, id); err != nil {
				return err
			}
			var still int64
			err := tx.DB().Model(&models.AccessCut{}).Where("employee_id = ?", id).Where(over).Count(&still).Error
			if err != nil || still == 0 {
				return database.Wrap("looking at a cut again", err)
			}
			return account.EndCuts(tx, id)
		}))
	}
	return errors.Join(failed...)
}

// Sweep escalates cuts that nobody confirms, once after four hours and again after three days; they stay as they are.
// It says how many. What is over it ends.
func Sweep(ctx context.Context, db *database.DB) (n int, err error) {
	if err := endOver(ctx, db); err != nil {
		return 0, err
	}
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
