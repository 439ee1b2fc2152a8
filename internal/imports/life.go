package imports

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

// Map says which columns are which fields, and has the file checked anew. What is not said stays as it is.
func Map(tx *database.Tx, v Vault, id uuid.UUID, given []Column) error {
	batch, err := lock(tx, id)
	if err == nil {
		err = onlyUploader(tx, batch)
	}
	if err != nil {
		return err
	}
	switch batch.State {
	case models.BatchMapping, models.BatchChecked:
	default:
		return ErrState
	}
	rules, err := archive.RulesNow(tx)
	if err != nil {
		return err
	}
	mapping, err := mappingOf(batch.Kind, batch.Mapping, given, rules.Definitions)
	if err != nil {
		return err
	}
	headers, err := headersOf(tx.Context(), v, batch)
	if err != nil {
		return err
	}
	if err := remember(tx, batch.Kind, headers, mapping); err != nil {
		return err
	}
	if _, err := record(tx, actionMapped, batch, nil); err != nil {
		return err
	}
	if err := tx.DB().Exec("UPDATE batch_parts SET checked = false, problems = '[]', leaving = NULL, planned = NULL WHERE batch_id = ? AND NOT removed", id).Error; err != nil {
		return database.Wrap("beginning a dry run", err)
	}
	err = database.UpdateOne(tx.DB().Exec(`UPDATE batches SET state = ?, mapping = ?, to_create = 0, to_change = 0, same = 0,
		checked = removed.rows, faulty = removed.rows FROM (SELECT coalesce(sum(rows), 0) AS rows FROM batch_parts WHERE batch_id = ? AND removed) removed
		WHERE id = ?`, models.BatchChecking, models.Names(mapping), id, id))
	if err != nil {
		return database.Wrap("changing a mapping", err)
	}
	return tx.Touch(models.DrivenBatch, id)
}

func headersOf(ctx context.Context, v Vault, batch models.Batch) (headers []string, err error) {
	if batch.HeadersSealed.IsNull() {
		return nil, ErrContentEnded
	}
	return headers, openJSON(ctx, v, headersCell(batch.ID), batch.HeadersSealed, &headers)
}

// Runnable locks a batch of a kind and says whether it may be run now.
func Runnable(tx *database.Tx, kind models.BatchKind, id uuid.UUID) (models.Batch, error) {
	batch, err := lock(tx, id)
	switch {
	case err != nil:
		return batch, err
	case batch.Kind != kind:
		return batch, database.ErrNotFound
	case batch.State != models.BatchChecked && batch.State != models.BatchAwaitingApproval:
		return batch, ErrState
	case batch.ToCreate+batch.ToChange == 0:
		return batch, ErrNothingToDo
	}
	return batch, nil
}

// Assess is why one person may not run an import alone: whoever enters people does not do it alone either.
func Assess(tx *database.Tx, id uuid.UUID) ([]models.Cause, error) {
	batch, err := Runnable(tx, models.BatchImport, id)
	if err == nil {
		err = onlyUploader(tx, batch)
	}
	if err != nil || batch.ToCreate == 0 {
		return nil, err
	}
	return []models.Cause{models.CauseNewPeople}, nil
}

// onlyUploader lets nobody else say what a file means, or have it run: what is written is written in the name of who sent
// it, whose own file it leaves alone.
func onlyUploader(tx *database.Tx, batch models.Batch) error {
	if models.CallerOf(tx.Context()).Actor.EmployeeID != batch.ActorID {
		return ErrNotUploader
	}
	return nil
}

// Ask notes that a second person was asked to agree to the run.
func Ask(tx *database.Tx, kind models.BatchKind, id uuid.UUID) error {
	batch, err := Runnable(tx, kind, id)
	if err != nil || batch.State == models.BatchAwaitingApproval {
		return err
	}
	return setState(tx, id, models.BatchAwaitingApproval)
}

// Unask takes that back.
func Unask(tx *database.Tx, id uuid.UUID) error {
	batch, err := lock(tx, id)
	if err != nil || batch.State != models.BatchAwaitingApproval {
		return err
	}
	return setState(tx, id, models.BatchChecked)
}

func setState(tx *database.Tx, id uuid.UUID, state models.BatchState) error {
	if err := database.UpdateOne(tx.DB().Exec("UPDATE batches SET state = ? WHERE id = ?", state, id)); err != nil {
		return database.Wrap("changing an import", err)
	}
	return tx.Touch(models.DrivenBatch, id)
}

// Agreement is by whose word a run begins; the zero value is the uploader's alone.
type Agreement struct{ Approval, Approver uuid.UUID }

// Run begins the run.
func Run(tx *database.Tx, kind models.BatchKind, id uuid.UUID, by Agreement) error {
	batch, err := Runnable(tx, kind, id)
	if err != nil {
		return err
	}
	entry, err := record(tx, actionRun, batch, map[string]string{
		"rows": strconv.Itoa(batch.Rows), "to_create": strconv.Itoa(batch.ToCreate), "to_change": strconv.Itoa(batch.ToChange),
		"same": strconv.Itoa(batch.Same), "faulty": strconv.Itoa(batch.Faulty),
	})
	if err != nil {
		return err
	}
	err = database.UpdateOne(tx.DB().Exec(`UPDATE batches SET state = ?, ledger_entry_id = ?, approval_id = ?, approver_id = ? WHERE id = ?`,
		models.BatchRunning, entry, nullable(by.Approval), nullable(by.Approver), id))
	if err != nil {
		return database.Wrap("beginning a run", err)
	}
	return tx.Touch(models.DrivenBatch, id)
}

func nullable(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// Cancel ends an import that is not done. What the run has written stays.
func Cancel(tx *database.Tx, id uuid.UUID) error {
	batch, err := lock(tx, id)
	if err != nil {
		return err
	}
	if batch.State.Ended() {
		return ErrState
	}
	return end(tx, batch, models.BatchCancelled, models.BatchEndPerson)
}

func done(tx *database.Tx, batch models.Batch) error { return end(tx, batch, models.BatchDone, "") }

var endActions = map[models.BatchState]string{
	models.BatchDone: actionDone, models.BatchCancelled: actionCancelled, models.BatchExpired: actionExpired,
}

func end(tx *database.Tx, batch models.Batch, state models.BatchState, why models.BatchEnd) error {
	details := map[string]string{
		"rows": strconv.Itoa(batch.Rows), "ran": strconv.Itoa(batch.Ran), "created": strconv.Itoa(batch.Created), "changed": strconv.Itoa(batch.Changed),
		"departed": strconv.Itoa(batch.Departed), "unchanged": strconv.Itoa(batch.Unchanged), "refused": strconv.Itoa(batch.Refused),
	}
	if why != "" {
		details["why"] = string(why)
	}
	entry, err := record(tx, endActions[state], batch, details)
	if err != nil {
		return err
	}
	err = database.UpdateOne(tx.DB().Exec("UPDATE batches SET state = ?, ended_by = ?, ended_at = lethe_now(), ledger_entry_id = ? WHERE id = ?",
		state, why, entry, batch.ID))
	if err != nil {
		return database.Wrap("ending an import", err)
	}
	return tx.Touch(models.DrivenBatch, batch.ID)
}

// Facts is what the workflow of an import needs to know.
type Facts struct {
	State models.BatchState
	// Done: ended, and the file is gone.
	Done bool
	// Run: there are parts to walk.
	Run    bool
	WakeIn time.Duration
	// Over: the file's time is over, and it has to go ([Worker.Clear]).
	Over bool
}

// lookAgain is when an import is looked at again though nobody said anything: whether its uploader is still there, and
// after a worker died.
const lookAgain = 5 * time.Minute

// Look says how an import stands, ends it if its uploader is gone or its time is over, and records that everything up to
// now was seen.
func Look(tx *database.Tx, id uuid.UUID) (f Facts, err error) {
	batch, err := lock(tx, id)
	if err != nil {
		return f, err
	}
	now, err := tx.Now()
	if err != nil {
		return f, err
	}
	f.Over = !now.Before(batch.ContentUntil)
	if !batch.State.Ended() {
		gone, err := endIfGone(tx, batch)
		if err == nil && !gone && f.Over {
			err = end(tx, batch, models.BatchExpired, "")
		}
		if err != nil {
			return f, err
		}
		if batch, err = lock(tx, id); err != nil {
			return f, err
		}
	}
	f.State = batch.State
	// What nobody runs any more, and what went in without a fault, is of no use to anybody.
	if batch.Kind == models.BatchImport { // of departures, what became of each row stands beside it
		f.Over = f.Over || batch.State == models.BatchCancelled || batch.State == models.BatchDone && batch.Refused == 0
	}
	f.Run = batch.State == models.BatchChecking || batch.State == models.BatchRunning
	if batch.ContentEndedAt != nil && batch.State.Ended() {
		f.Done, f.Over = true, false
		return f, tx.Seen(models.DrivenBatch, id, nil)
	}
	wake := batch.ContentUntil
	if again := now.Add(lookAgain); !batch.State.Ended() && again.Before(wake) {
		wake = again
	}
	f.WakeIn = max(wake.Sub(now), time.Second)
	return f, tx.Seen(models.DrivenBatch, id, &wake)
}

// Clear removes what is left of a file whose time is over: keys first, then what they sealed. It may be repeated.
func (w *Worker) Clear(ctx context.Context, id uuid.UUID) error {
	var sealed []models.Sealed
	var parts []models.BatchPart
	err := w.DB.Read(ctx).Where("batch_id = ? AND rows_sealed IS NOT NULL", id).Find(&parts).Error
	if err != nil {
		return database.Wrap("reading what is left of a file", err)
	}
	batch, err := database.First[models.Batch](w.DB.Read(ctx).Where("id = ?", id))
	if err != nil {
		return database.Wrap("reading an import", err)
	}
	for _, p := range parts {
		sealed = append(sealed, p.RowsSealed)
	}
	for _, s := range append(sealed, batch.HeadersSealed) {
		if err := w.Vault.ShredLoose(ctx, s); err != nil {
			return err
		}
	}
	return database.Run(ctx, w.DB, func(tx *database.Tx) error {
		if err := tx.DB().Exec("UPDATE batch_parts SET rows_sealed = NULL, people = '{}', planned = NULL WHERE batch_id = ?", id).Error; err != nil {
			return database.Wrap("removing a file", err)
		}
		err := database.UpdateOne(tx.DB().Exec("UPDATE batches SET headers_sealed = NULL, content_ended_at = coalesce(content_ended_at, lethe_now()) WHERE id = ?", id))
		if err != nil {
			return database.Wrap("removing a file", err)
		}
		return tx.Touch(models.DrivenBatch, id)
	})
}

// Forget removes what files hold of a person whose data is being destroyed: the parts with a row about them, whose other
// rows have to be sent again, and what is remembered of their rows. Rows that are not checked yet are judged when they
// are: nobody comes back by them.
func Forget(tx *database.Tx, employeeID uuid.UUID) error {
	var batches []uuid.UUID
	err := tx.DB().Raw(`UPDATE batch_parts SET rows_sealed = NULL, people = '{}', problems = '[]', leaving = NULL, planned = NULL, removed = true
		WHERE people @> ARRAY[?]::uuid[] AND rows_sealed IS NOT NULL RETURNING batch_id`, employeeID).Scan(&batches).Error
	if err != nil {
		return database.Wrap("removing parts of files", err)
	}
	// The processes' login deletes no row; this digest is of nothing.
	err = tx.DB().Exec("UPDATE imported_rows SET digest = decode(repeat('00', 32), 'hex') WHERE employment_id IN (SELECT id FROM employments WHERE employee_id = ?)", employeeID).Error
	return database.Wrap("removing what was imported", err)
}
