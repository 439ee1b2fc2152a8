package approval

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/reasons"
	"lethe/models"
)

// ending is how a request ends.
type ending struct {
	state models.ApprovalState
	// action is what the ledger says; empty: it was recorded before, by entry.
	action  string
	entry   *uuid.UUID
	by      identity.Bearer // who decided, if anybody did
	comment string
	why     models.VoidReason // of a void request
	result  string
	told    Told // of what was decided
}

// end is final: the command is cleared, what the request had noted at its target is taken back
// unless it was carried out.
func (r *Registry) end(tx *database.Tx, op Operation, row models.Approval, e ending) (models.Approval, error) {
	if e.state != models.ApprovalApproved {
		if err := r.drop(tx, op, row, e.state); err != nil {
			return row, err
		}
	}
	now, err := tx.Now()
	if err != nil {
		return row, err
	}
	comment, err := reasons.Seal(tx, written(columnComment, row.ID), e.comment)
	if err != nil {
		return row, err
	}
	ended := row
	ended.State, ended.EndedAt, ended.CommentSealed, ended.VoidReason, ended.Result = e.state, &now, comment, e.why, e.result
	if e.by.Actor.EmployeeID != uuid.Nil {
		ended.DecidedBy, ended.DecidedByUserID = e.by.Actor.ID(), given(e.by.UserID)
	}
	if ended.LedgerEntryID = e.entry; e.action != "" {
		if ended.LedgerEntryID, err = record(tx, ended, e.action, e.comment); err != nil {
			return row, err
		}
	}
	err = database.UpdateOne(tx.DB().Model(&models.Approval{}).
		Where("id = ? AND state = ?", row.ID, models.ApprovalPending).
		Updates(map[string]any{
			"state": e.state, "ended_at": now, "command_sealed": nil, "fingerprint": nil, columnComment: comment, "void_reason": e.why,
			"result_location": e.result, "decided_by": ended.DecidedBy, "decided_by_user_id": ended.DecidedByUserID,
			"ledger_entry_id": ended.LedgerEntryID,
		}))
	if err != nil {
		return row, fmt.Errorf("ending a request as %s: %w", e.state, err)
	}
	return ended, keepTold(tx, row.ID, e.told)
}

// drop takes back what the request had noted at its target.
func (r *Registry) drop(tx *database.Tx, op Operation, row models.Approval, ended models.ApprovalState) error {
	if op.dropped == nil {
		return nil
	}
	targets, err := Targets(row)
	if err != nil || len(targets) == 0 {
		return err
	}
	return op.dropped(tx, requester(row), targets[0].ID, ended)
}

func requester(row models.Approval) models.Actor {
	return models.Actor{EmployeeID: row.RequesterID, Role: row.RequesterRole}
}

// forget destroys the key of an ended request's command, so that no backup of the facts can open
// it. What is missed here is only a key that nothing refers to any more.
func (r *Registry) forget(ctx context.Context, row models.Approval) {
	if row.State == models.ApprovalPending || row.CommandSealed.IsNull() {
		return
	}
	if err := r.sealer.ShredLoose(ctx, row.CommandSealed); err != nil {
		slog.WarnContext(ctx, "the key of an ended approval is left", "approval", row.ID.String(), "error", err.Error())
	}
}

// Shred destroys the keys of the commands of requests that ended in a transaction of the caller's, which has committed.
func (r *Registry) Shred(ctx context.Context, rows []models.Approval) {
	for _, row := range rows {
		r.forget(ctx, row)
	}
}

// Withdraw ends a request on the word of the person who made it, from whichever account. One that
// has expired meanwhile says so; a second withdrawal changes nothing.
func (r *Registry) Withdraw(ctx context.Context, db *database.DB, id uuid.UUID) (models.Approval, error) {
	caller := models.CallerOf(ctx)
	var row models.Approval
	err := database.Run(ctx, db, func(tx *database.Tx) (err error) {
		if row, err = lock(tx, id); err != nil {
			return err
		}
		switch {
		case caller.Actor.EmployeeID != row.RequesterID:
			return ErrNotRequester
		case row.State == models.ApprovalWithdrawn:
			return nil
		case row.State != models.ApprovalPending:
			return &EndedError{row.ID, row.State}
		}
		op, known := r.Operation(row.Operation)
		if !known {
			return ErrUnknownOperation
		}
		row, err = r.end(tx, op, row, ending{state: models.ApprovalWithdrawn, action: ActionWithdrawn})
		return err
	})
	if err == nil {
		r.forget(ctx, row)
	}
	return row, err
}

// Expire ends a request whose time is over, and leaves any other alone.
func (r *Registry) Expire(ctx context.Context, db *database.DB, id uuid.UUID) (models.Approval, error) {
	var row models.Approval
	err := database.Run(ctx, db, func(tx *database.Tx) (err error) {
		if row, err = lock(tx, id); err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil || row.State != models.ApprovalPending || row.ExpiresAt.After(now) {
			return err
		}
		op, known := r.Operation(row.Operation)
		if !known {
			return ErrUnknownOperation
		}
		row, err = r.end(tx, op, row, ending{state: models.ApprovalExpired, action: ActionExpired})
		return err
	})
	if err == nil {
		r.forget(ctx, row)
	}
	return row, err
}

const (
	sweepBatch = 100
	isDue      = "state = 'pending' AND expires_at <= lethe_now()"
	// isDestroyed: data of a subject is being destroyed, and the command may hold some of it. From the
	// purge's intent on that must not be openable anywhere (I25). Subjects of a request about a purge are also those
	// who may not decide about it: it holds data of the purge's own person only.
	isDestroyed = `state = 'pending' AND EXISTS (SELECT FROM employments m JOIN employment_categories c ON c.employment_id = m.id
		WHERE m.employee_id = ANY (approvals.subject_ids) AND c.purging_at >= approvals.requested_at
			AND (targets -> 0 ->> 'kind' <> 'purge' OR m.employee_id = (SELECT q.employee_id FROM purges p
				JOIN employments q ON q.id = p.employment_id WHERE p.id = (targets -> 0 ->> 'id')::uuid)))`
	// isOvertaken: the purge that it is about destroys already, is over, or will not destroy what it claims
	// now, since a hold keeps some of that; or the support case that it is about is closed, or the look that it is about
	// waits for nobody any more.
	isOvertaken = `state = 'pending' AND (targets -> 0 ->> 'kind' = 'support_case' AND EXISTS (
			SELECT FROM support_cases c WHERE c.id::text = approvals.targets -> 0 ->> 'id' AND c.state = 'closed')
		OR targets -> 0 ->> 'kind' = 'disclosure' AND EXISTS (
			SELECT FROM disclosures d WHERE d.id::text = approvals.targets -> 0 ->> 'id' AND d.state <> 'waiting')
		OR targets -> 0 ->> 'kind' = 'purge' AND EXISTS (
		SELECT FROM purges p WHERE p.id::text = approvals.targets -> 0 ->> 'id' AND (p.state IN ('purging', 'purged', 'cancelled') OR EXISTS (
			SELECT FROM purge_claims k WHERE k.purge_id = p.id AND k.state = 'open' AND lethe_held(p.employment_id, k.category)))))`
	// isMoved: the departure that it is about, or that its account went with, took effect since, by itself. That
	// deadlines count from an earlier end can be agreed to all the same.
	isMoved = `state = 'pending' AND operation <> 'departure.earlier_dates' AND (targets -> 0 ->> 'kind' = 'departure' AND EXISTS (
			SELECT FROM departures d WHERE d.id = (approvals.targets -> 0 ->> 'id')::uuid AND d.departed_at > approvals.requested_at)
		OR targets -> 0 ->> 'kind' = 'account' AND EXISTS (SELECT FROM linked_accounts a JOIN departures w ON w.employment_id = a.employment_id
			WHERE a.id = (approvals.targets -> 0 ->> 'id')::uuid AND w.departed_at > approvals.requested_at))`
	// isOrphaned: whoever asked has been disabled or reset since, or has lost the role (I32).
	isOrphaned = "state = 'pending' AND NOT public.lethe_requester_stands(requester_user_id, requester_id, requester_role, requested_at)"
	// isLost: the key of the command was given up after a restore. Nobody can read it, or carry it out.
	isLost = `state = 'pending' AND EXISTS (SELECT FROM lost_keys k
		WHERE k.key_id = encode(substring(approvals.command_sealed::bytea FROM 5 FOR 16), 'hex')::uuid)`
)

// Sweep expires what is due now, voids what is about data that is being destroyed, about a departure that took
// effect, what nobody can open any more and what was overtaken, and says how much that was.
func (r *Registry) Sweep(ctx context.Context, db *database.DB) (int, error) {
	ended, err := r.sweep(ctx, db, isDue, r.Expire)
	voided, voidErr := r.sweep(ctx, db, isDestroyed, r.voiding(isDestroyed, models.VoidGone))
	moved, movedErr := r.sweep(ctx, db, isMoved, r.voiding(isMoved, models.VoidChanged))
	lost, lostErr := r.sweep(ctx, db, isLost, r.voiding(isLost, models.VoidUnreadable))
	left, leftErr := r.EndLeft(ctx, db)
	overtaken, overtakenErr := r.EndOvertaken(ctx, db)
	return ended + voided + moved + lost + left + overtaken, errors.Join(err, voidErr, movedErr, lostErr, leftErr, overtakenErr)
}

// EndOvertaken ends the undecided requests about purges that a hold has overtaken, or that went on without
// them, about support cases that were decided otherwise, and about looks that ended. Whoever has just placed a hold, decided
// a case or ended looks calls it, and so does each sweep.
func (r *Registry) EndOvertaken(ctx context.Context, db *database.DB) (int, error) {
	return r.sweep(ctx, db, isOvertaken, r.voiding(isOvertaken, models.VoidGone))
}

// EndChanged ends the undecided requests about a row that is not as they were judged, or is gone: nobody could
// agree to them any more. Of a departure they are those about its person too, such as to begin one at once.
// Whoever has just changed it calls it; a request that is missed ends when it is decided.
func (r *Registry) EndChanged(ctx context.Context, db *database.DB, about uuid.UUID) error {
	var due []uuid.UUID
	err := db.Read(ctx).Model(&models.Approval{}).Where("state = ? AND expires_at > lethe_now()", models.ApprovalPending).
		Where(`(EXISTS (SELECT FROM jsonb_to_recordset(targets) AS t (id uuid) WHERE t.id = @about)
			OR EXISTS (SELECT FROM departures d WHERE d.id = @about AND d.employee_id = ANY (subject_ids)))`, sql.Named("about", about)).Pluck("id", &due).Error
	if err != nil {
		return database.Wrap("looking for requests about a row", err)
	}
	var failed []error
	for _, id := range due {
		var row models.Approval
		err := database.Run(ctx, db, func(tx *database.Tx) (err error) {
			if row, err = lock(tx, id); err != nil || row.State != models.ApprovalPending {
				return err
			}
			op, known := r.Operation(row.Operation)
			if !known {
				return ErrUnknownOperation
			}
			_, _, why, err := r.unchanged(tx, op, row)
			if err == nil && why != "" {
				row, err = r.end(tx, op, row, ending{state: models.ApprovalVoid, action: ActionVoided, why: why})
			}
			return err
		})
		if err == nil {
			r.forget(ctx, row)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// EndLeft ends the undecided requests of who could not ask any more: disabled, reset, or without the role.
// Nobody could approve them; this makes it seen, and what they had noted at their targets is taken back.
// Whoever has just ended somebody's access calls it, and so does each sweep.
func (r *Registry) EndLeft(ctx context.Context, db *database.DB) (int, error) {
	return r.sweep(ctx, db, isOrphaned, r.voiding(isOrphaned, models.VoidRequesterEnded))
}

// EndWith has fn end somebody's access, and ends in the same transaction what that person had asked for and nobody has
// decided. Requests come before users in the order of locks. One that cannot be ended stands in nobody's way: the next
// sweep does it. After the commit the caller gives what is returned to [Registry.Shred].
func (r *Registry) EndWith(tx *database.Tx, person uuid.UUID, fn func() error) (ended []models.Approval, err error) {
	asked := func(which string) (rows []models.Approval, err error) {
		err = tx.DB().Clauses(database.ForUpdate).Where("requester_id = ?", person).Where(which).Order(database.ByID).Find(&rows).Error
		return rows, database.Wrap("locking the requests of somebody", err)
	}
	if _, err := asked("state = 'pending'"); err != nil {
		return nil, err
	}
	if err := fn(); err != nil {
		return nil, err
	}
	rows, err := asked(isOrphaned)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err := tx.DB().Exec("SAVEPOINT request").Error; err != nil {
			return nil, database.Wrap("ending the requests of somebody", err)
		}
		op, known := r.Operation(row.Operation)
		err := ErrUnknownOperation
		if known {
			row, err = r.end(tx, op, row, ending{state: models.ApprovalVoid, action: ActionVoided, why: models.VoidRequesterEnded})
		}
		if err == nil {
			ended = append(ended, row)
			continue
		}
		slog.WarnContext(tx.Context(), "a request of somebody who is gone is left open for now", "approval", row.ID.String(), "error", err.Error())
		if err := tx.DB().Exec("ROLLBACK TO SAVEPOINT request").Error; err != nil {
			return nil, database.Wrap("ending the requests of somebody", err)
		}
	}
	return ended, nil
}

type ender func(ctx context.Context, db *database.DB, id uuid.UUID) (models.Approval, error)

func (r *Registry) sweep(ctx context.Context, db *database.DB, which string, end ender) (int, error) {
	var due []uuid.UUID
	err := db.Read(ctx).Model(&models.Approval{}).Where(which).
		Order(clause.OrderByColumn{Column: clause.Column{Name: "expires_at"}}).Limit(sweepBatch).Pluck("id", &due).Error
	if err != nil {
		return 0, fmt.Errorf("looking for requests that are over: %w", database.Hide(err))
	}
	var failed []error
	for _, id := range due {
		if _, err := end(ctx, db, id); err != nil {
			failed = append(failed, fmt.Errorf("ending request %s: %w", id, err))
		}
	}
	return len(due) - len(failed), errors.Join(failed...)
}

// voiding ends a request as void if a condition still holds under its lock, and leaves any other alone.
func (r *Registry) voiding(which string, why models.VoidReason) ender {
	return func(ctx context.Context, db *database.DB, id uuid.UUID) (row models.Approval, err error) {
		err = database.Run(ctx, db, func(tx *database.Tx) error {
			if row, err = lock(tx, id); err != nil {
				return err
			}
			var still int64
			if err := tx.DB().Model(&models.Approval{}).Where("id = ? AND "+which, id).Count(&still).Error; err != nil {
				return fmt.Errorf("looking at a request again: %w", database.Hide(err))
			}
			op, known := r.Operation(row.Operation)
			switch {
			case still == 0:
				return nil
			case !known:
				return ErrUnknownOperation
			}
			row, err = r.end(tx, op, row, ending{state: models.ApprovalVoid, action: ActionVoided, why: why})
			return err
		})
		if err == nil {
			r.forget(ctx, row)
		}
		return row, err
	}
}

// Run sweeps until ctx ends. Every process may: a request ends once.
func (r *Registry) Run(ctx context.Context, db *database.DB, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if _, err := r.Sweep(ctx, db); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "expired approvals are left open for now", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
