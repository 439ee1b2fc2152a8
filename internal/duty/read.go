package duty

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/models"
)

// CallFilter says which calls are listed.
type CallFilter struct {
	CallerID, EmployeeID *uuid.UUID
	State                models.EmergencyState
	// Waiting: only those of which nobody has told yet what came of them.
	Waiting bool
	// NotOf leaves out those about one person, unless that person called.
	NotOf  uuid.UUID
	Before uuid.UUID // newest first
	Limit  int
}

// Calls is a page of calls, newest first, and one more if there are more.
func Calls(ctx context.Context, db *database.DB, f CallFilter) (rows []models.EmergencyCall, err error) {
	q := db.Read(ctx).Where("employee_id IS DISTINCT FROM ? OR caller_id = ?", f.NotOf, f.NotOf)
	if f.CallerID != nil {
		q = q.Where("caller_id = ?", *f.CallerID)
	}
	if f.EmployeeID != nil {
		q = q.Where("employee_id = ?", *f.EmployeeID)
	}
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.Waiting {
		q = q.Where("state <> ?", models.EmergencyClosed)
	}
	if f.Before != uuid.Nil {
		q = q.Where("id < ?", f.Before)
	}
	err = q.Order(database.Newest).Limit(f.Limit + 1).Find(&rows).Error
	return rows, database.Wrap("listing emergency calls", err)
}

// CallOf is one call.
func CallOf(ctx context.Context, db *database.DB, id uuid.UUID) (models.EmergencyCall, error) {
	c, err := database.First[models.EmergencyCall](db.Read(ctx).Where("id = ?", id))
	return c, database.Found("reading an emergency call", err, ErrCallNotFound)
}

// RecordRead records that somebody else than the caller reads what was said, before it is shown (I18).
func RecordRead(tx *database.Tx, c models.EmergencyCall) error {
	_, err := ledger.Append(tx, entryOf(c, actionRead, nil))
	return err
}

// Texts opens what was said for a call, and what was noted about it. What ended with the log is empty.
func Texts(ctx context.Context, carrier reasons.Carrier, c models.EmergencyCall) (s Statement, note string, err error) {
	opened, err := reasons.Open(ctx, carrier, reasons.Text{Cell: cell(columnStatement, c.ID), Sealed: c.StatementSealed},
		reasons.Text{Cell: cell(columnNote, c.ID), Sealed: c.NoteSealed})
	if err != nil {
		return s, "", err
	}
	if opened[0] != "" && json.Unmarshal([]byte(opened[0]), &s) != nil {
		return s, "", errors.New("reading what was said for an emergency call failed") // the cause would quote it
	}
	return s, opened[1], nil
}

const (
	sweepEvery = 30 * time.Second
	sweepBatch = 100
)

// Sweep gives back what was taken by somebody who cannot go on (I32), and has all of HR told, once, of a call that nobody
// took in time. It says how many calls it changed.
func Sweep(ctx context.Context, db *database.DB, mail bool) (int, error) {
	back, err := sweep(ctx, db, "state = 'taken' AND NOT EXISTS (SELECT FROM employees e WHERE e.id = taken_by AND "+works+" AND "+acts+")", giveBack)
	told, toldErr := sweep(ctx, db, "state = 'open' AND escalated_at IS NULL AND called_at <= lethe_now() - interval '10 minutes'", func(tx *database.Tx, c *models.EmergencyCall) error { return escalate(tx, c, mail) })
	return back + told, errors.Join(err, toldErr)
}

func giveBack(tx *database.Tx, c *models.EmergencyCall) error {
	e := entryOf(*c, actionGivenBack, nil)
	e.Actor = &models.System
	return change(tx, c, e, map[string]any{"state": models.EmergencyOpen, "taken_by": nil, "taken_at": nil})
}

func escalate(tx *database.Tx, c *models.EmergencyCall, mail bool) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	rest, err := others(tx)
	if err != nil {
		return err
	}
	e := entryOf(*c, actionEscalated, nil)
	e.Actor = &models.System
	if err := change(tx, c, e, map[string]any{"escalated_at": now}); err != nil {
		return err
	}
	escalations.Inc()
	if !mail {
		return nil
	}
	call := Call{EmergencyCall: *c}
	return call.alert(tx, ids(rest))
}

// sweep changes the calls for which a condition holds, each under its lock, where it is looked at again.
func sweep(ctx context.Context, db *database.DB, due string, do func(*database.Tx, *models.EmergencyCall) error) (n int, err error) {
	var all []uuid.UUID
	if err := db.Read(ctx).Model(&models.EmergencyCall{}).Where(due).Order(database.ByID).Limit(sweepBatch).Pluck("id", &all).Error; err != nil {
		return 0, database.Wrap("looking for emergency calls that wait", err)
	}
	var failed []error
	for _, id := range all {
		err := database.Run(ctx, db, func(tx *database.Tx) error {
			if _, err := lock(tx, id); err != nil {
				return err
			}
			c, err := database.First[models.EmergencyCall](tx.DB().Where("id = ?", id).Where(due))
			if errors.Is(err, database.ErrNotFound) {
				return nil
			}
			if err == nil {
				err = do(tx, &c)
			}
			return err
		})
		if failed = append(failed, err); err == nil {
			n++
		}
	}
	return n, errors.Join(failed...)
}

// Keep sweeps until ctx ends. Every process may: a call changes once. mail says whether there is a mail server.
func Keep(ctx context.Context, db *database.DB, mail bool, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if _, err := Sweep(ctx, db, mail); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "emergency calls are left for now", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
