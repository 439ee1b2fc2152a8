// Package reconcile compares what the connected systems have with the facts: whole listings with links, people and
// departures. What it finds it writes down and, where somebody whose access was taken away can get in, makes a matter for
// people. It switches nothing off.
//
// A listing that is incomplete, empty where it was not, or much smaller than before is an alarm: nothing is concluded from
// it, and nothing is called gone (I30). Nothing is called gone, or on, before it was read back by itself.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// RunningError says that a run is under way.
type RunningError struct{ ID uuid.UUID }

// None says that it is not known which: another began in the same moment.
func (e *RunningError) None() bool { return e.ID == uuid.Nil }

func (e *RunningError) Error() string { return "a reconciliation is under way" }

// Errors of commands. A run that does not exist is database.ErrNotFound.
var (
	ErrEnded   = errors.New("the reconciliation has ended")
	ErrNothing = errors.New("no system is connected that could be compared")
	errStopped = errors.New("the reconciliation was stopped")
)

// What the ledger says.
const (
	actionStarted  = "reconciliation.started"
	actionStopped  = "reconciliation.stopped"
	actionEnded    = "reconciliation.ended"
	actionCompared = "reconciliation.compared"
	actionAlarm    = "reconciliation.alarm"
	actionFound    = "drift.found"
)

// Alarms beside the codes of package connector.
const (
	AlarmEmpty  = "empty"  // nobody is listed where somebody was
	AlarmShrunk = "shrunk" // the listing is much smaller than the last whole one
)

// Alarms lists them all.
var Alarms = append([]string{AlarmEmpty, AlarmShrunk}, connector.Codes...)

func object(id uuid.UUID) string { return models.Ref{Kind: models.RefReconcile, ID: id}.String() }

// Order is what a run is asked to do.
type Order struct {
	// Systems are those to compare; nil: all.
	Systems []string
	// AcceptSmaller: listings that became much smaller are right.
	AcceptSmaller bool
}

// Begin begins a run, for whoever is behind the context or, with nobody there, for the schedule. While one is under way
// it is a *RunningError.
func Begin(tx *database.Tx, connected *connector.Registry, o Order) (models.Reconciliation, error) {
	running, err := database.First[models.Reconciliation](tx.DB().Where("state = ?", models.ReconciliationRunning))
	if err == nil {
		return running, &RunningError{running.ID}
	}
	if !errors.Is(err, database.ErrNotFound) {
		return running, database.Wrap("looking for a run", err)
	}
	names := o.Systems
	if names == nil {
		names = connected.Names()
	}
	if len(names) == 0 {
		return running, ErrNothing
	}
	if err := clearListings(tx); err != nil {
		return running, err
	}
	if o.Systems == nil {
		if err := endUnconnected(tx, names); err != nil {
			return running, err
		}
	}
	row := models.Reconciliation{ID: models.NewID(), State: models.ReconciliationRunning, AcceptSmaller: o.AcceptSmaller, Driven: models.Driven{Revision: 1}}
	actor := models.CallerOf(tx.Context()).Actor
	row.StartedBy = actor.ID()
	details := map[string]string{"systems": joined(names)}
	if o.AcceptSmaller {
		details["accept_smaller"] = strconv.FormatBool(true)
	}
	row.LedgerEntryID, err = ledger.Append(tx, ledger.Entry{Kind: ledger.KindAccount, Action: actionStarted, Object: object(row.ID), Details: details}.As(tx.Context(), actor))
	if err != nil {
		return row, err
	}
	if err := tx.DB().Create(&row).Error; err != nil {
		if database.Violates(database.Hide(err), "reconciliations_one_runs") {
			return row, &RunningError{} // another began in this moment
		}
		return row, database.Wrap("beginning a run", err)
	}
	for _, name := range names {
		if err := addSystem(tx, row, connected, name); err != nil {
			return row, err
		}
	}
	tx.Nudge(models.DrivenReconciliation, row.ID)
	return row, nil
}

// endUnconnected ends drift of systems that are not connected any more: nobody can ask them whether it is so still, and the
// ids of their accounts do not stay. A run of all systems does it.
func endUnconnected(tx *database.Tx, connected []string) error {
	err := tx.DB().Exec("UPDATE account_drift SET ended_at = lethe_now(), external_id = NULL WHERE ended_at IS NULL AND system <> ALL (?)", models.Names(connected)).Error
	return database.Wrap("ending drift of systems that are gone", err)
}

func addSystem(tx *database.Tx, run models.Reconciliation, connected *connector.Registry, name string) error {
	system, _ := connected.Get(name)
	row := models.ReconciliationSystem{ReconciliationID: run.ID, System: name, Kind: system.Kind}
	if _, lists := system.Connector.(connector.Lister); !lists {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		row.Outcome, row.EndedAt, row.LedgerEntryID = models.ComparisonNoList, &now, &run.LedgerEntryID
	}
	return database.Wrap("adding a system to a run", tx.DB().Create(&row).Error)
}

// clearListings removes what a run left that was given up.
func clearListings(tx *database.Tx) error {
	return database.Wrap("removing listings", tx.DB().Exec("DELETE FROM reconciliation_listing").Error)
}

// Stop ends a run. What was compared so far stays; what is being compared is given up.
func Stop(tx *database.Tx, id uuid.UUID) (models.Reconciliation, error) {
	row, err := database.Lock[models.Reconciliation](tx, "a run", id)
	if err != nil {
		return row, err
	}
	if row.State != models.ReconciliationRunning {
		return row, ErrEnded
	}
	actor := models.CallerOf(tx.Context()).Actor
	entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindAccount, Action: actionStopped, Object: object(id)}.As(tx.Context(), actor))
	if err != nil {
		return row, err
	}
	now, err := tx.Now()
	if err != nil {
		return row, err
	}
	row.State, row.EndedAt, row.StoppedBy = models.ReconciliationStopped, &now, actor.ID()
	err = tx.DB().Model(&models.ReconciliationSystem{}).Where("reconciliation_id = ? AND outcome = ''", id).
		Updates(map[string]any{"outcome": models.ComparisonStopped, "ended_at": now, "ledger_entry_id": entry}).Error
	if err != nil {
		return row, database.Wrap("stopping a comparison", err)
	}
	if err := clearListings(tx); err != nil {
		return row, err
	}
	err = database.UpdateOne(tx.DB().Model(&models.Reconciliation{}).Where("id = ?", id).
		Updates(map[string]any{"state": row.State, "ended_at": now, "stopped_by": row.StoppedBy}))
	if err != nil {
		return row, database.Wrap("stopping a run", err)
	}
	return row, tx.Touch(models.DrivenReconciliation, id)
}

// RunFacts are what a run's workflow needs to know.
type RunFacts struct {
	State   models.ReconciliationState
	Done    bool
	Systems []string // to be compared
	WakeIn  time.Duration
}

// lookAgain is when a run that goes on is looked at again, whatever happens.
const lookAgain = 10 * time.Minute

// Look says what there is to do, and ends a run in which nothing is left.
func Look(tx *database.Tx, id uuid.UUID) (f RunFacts, err error) {
	row, err := database.Lock[models.Reconciliation](tx, "a run", id)
	if err != nil {
		return f, err
	}
	var systems []models.ReconciliationSystem
	if err := tx.DB().Where("reconciliation_id = ?", id).Order("system").Find(&systems).Error; err != nil {
		return f, database.Wrap("reading the systems of a run", err)
	}
	for _, s := range systems {
		if s.Outcome == "" {
			f.Systems = append(f.Systems, s.System)
		}
	}
	if row.State == models.ReconciliationRunning && len(f.Systems) == 0 {
		if row, err = end(tx, row, systems); err != nil {
			return f, err
		}
	}
	f.State, f.Done = row.State, row.State != models.ReconciliationRunning
	if f.Done {
		f.Systems = nil
		return f, tx.Seen(models.DrivenReconciliation, id, nil)
	}
	now, err := tx.Now()
	if err != nil {
		return f, err
	}
	wake := now.Add(lookAgain)
	f.WakeIn = lookAgain
	return f, tx.Seen(models.DrivenReconciliation, id, &wake)
}

func end(tx *database.Tx, row models.Reconciliation, systems []models.ReconciliationSystem) (models.Reconciliation, error) {
	var found, alarms int
	for _, s := range systems {
		found += s.Found
		if s.Outcome == models.ComparisonAlarm {
			alarms++
		}
	}
	_, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: actionEnded, Object: object(row.ID),
		Details: map[string]string{"drift_found": strconv.Itoa(found), "alarms": strconv.Itoa(alarms)},
	}.As(tx.Context(), models.System))
	if err != nil {
		return row, err
	}
	now, err := tx.Now()
	if err != nil {
		return row, err
	}
	row.State, row.EndedAt = models.ReconciliationDone, &now
	err = database.UpdateOne(tx.DB().Model(&models.Reconciliation{}).Where("id = ?", row.ID).
		Updates(map[string]any{"state": row.State, "ended_at": now}))
	return row, database.Wrap("ending a run", err)
}

// held locks a run for as long as something of it is written; one that has ended is errStopped.
func held(ctx context.Context, db *database.DB, id uuid.UUID, do func(tx *database.Tx) error) error {
	return database.Run(ctx, db, func(tx *database.Tx) error {
		var state models.ReconciliationState
		err := tx.DB().Raw("SELECT state FROM reconciliations WHERE id = ? FOR SHARE", id).Scan(&state).Error
		if err != nil {
			return database.Wrap("holding a run", err)
		}
		if state == "" {
			return fmt.Errorf("a run: %w", database.ErrNotFound)
		}
		if state != models.ReconciliationRunning {
			return errStopped
		}
		return do(tx)
	})
}
