package approval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/textform"
	"lethe/internal/vault"
	"lethe/models"
)

// Decide is a second person's decision, approved or rejected, of whoever is behind bearer and ctx.
// Agreeing runs the stored command in the same transaction: both are committed, or nothing is.
//
// What comes back says what became of the request, which may be another end than was asked for,
// without any effect: expired, or void because its target is not as it was judged. A refusal of the
// command by its own rules leaves the request open and is returned. The same person repeating the
// same decision gets what it came to.
func (r *Registry) Decide(ctx context.Context, db *database.DB, bearer identity.Bearer, id uuid.UUID, decision models.ApprovalState, comment string) (models.Approval, error) {
	if decision != models.ApprovalApproved && decision != models.ApprovalRejected {
		return models.Approval{}, ErrUnknownDecision
	}
	if err := textform.Optional(&comment, MaxText); err != nil {
		return models.Approval{}, err
	}
	caller := models.CallerOf(ctx)
	caller.ApprovalID, caller.Requester = id, &models.Requester{}
	ctx = models.WithCaller(ctx, caller)
	var row models.Approval
	once := func() error {
		return database.Run(ctx, db, func(tx *database.Tx) (err error) {
			row, err = r.decide(tx, bearer, id, decision, comment)
			return err
		})
	}
	err := once()
	if database.Code(err) == database.CodeUntimely {
		err = once() // it expired while it was being carried out, and is seen as expired now
	}
	if err == nil {
		r.forget(ctx, row)
	}
	return row, err
}

func (r *Registry) decide(tx *database.Tx, bearer identity.Bearer, id uuid.UUID, decision models.ApprovalState, comment string) (models.Approval, error) {
	row, err := lock(tx, id)
	if err != nil {
		return row, err
	}
	op, known := r.Operation(row.Operation)
	if !known {
		return row, ErrUnknownOperation
	}
	if bearer, err = present(tx, row, bearer); err != nil {
		return row, err
	}
	if err := mayDecide(tx, op, row, bearer); err != nil {
		return row, err
	}
	if row.State != models.ApprovalPending {
		if row.State == decision && *row.DecidedBy == bearer.Actor.EmployeeID {
			return row, nil
		}
		return row, &EndedError{row.ID, row.State}
	}
	now, err := tx.Now()
	if err != nil {
		return row, err
	}
	if !row.ExpiresAt.After(now) {
		return r.end(tx, op, row, ending{state: models.ApprovalExpired, action: ActionExpired})
	}
	stands, err := identity.Stands(tx, row.RequesterUserID, requester(row), row.RequestedAt)
	if err != nil {
		return row, err
	}
	if !stands {
		return r.end(tx, op, row, ending{state: models.ApprovalVoid, action: ActionVoided, why: models.VoidRequesterEnded})
	}
	e := ending{by: bearer, comment: comment}
	if decision == models.ApprovalApproved {
		return r.approve(tx, op, row, e)
	}
	s, err := r.open(tx.Context(), row)
	if err != nil && !errors.Is(err, errUnreadable) {
		return row, err
	}
	e.state, e.action, e.told = models.ApprovalRejected, ActionRejected, s.told()
	return r.end(tx, op, row, e)
}

// approve runs the stored command if everything is as it was judged.
func (r *Registry) approve(tx *database.Tx, op Operation, row models.Approval, e ending) (models.Approval, error) {
	command, told, why, err := r.unchanged(tx, op, row)
	if err != nil {
		return row, err
	}
	if why != "" {
		return r.end(tx, op, row, ending{state: models.ApprovalVoid, action: ActionVoided, why: why})
	}
	r.mark("approval.judged")
	if e.entry, err = record(tx, row, ActionApproved, e.comment); err != nil {
		return row, err
	}
	by := By{
		Requester: requester(row), Authenticated: row.RequesterAuthenticated, Approver: e.by.Actor, Approval: row.ID,
	}
	// From here on the ledger tells what the requester wanted from what the approver does.
	asked := models.CallerOf(tx.Context()).Requester
	*asked = models.Requester{Actor: by.Requester, Authenticated: by.Authenticated}
	if row.RequesterUserID != nil {
		asked.UserID = *row.RequesterUserID
	}
	result, err := op.run(tx, by, command)
	*asked = models.Requester{}
	if err != nil {
		return row, err
	}
	e.result = result.String()
	r.mark("approval.carried_out")
	e.state, e.told = models.ApprovalApproved, told
	row, err = r.end(tx, op, row, e)
	r.mark("approval.before_commit")
	return row, err
}

// present is who decides as they are now, with the users of both locked: whoever disables one of them, or
// takes a role away, comes before this decision or after it.
func present(tx *database.Tx, row models.Approval, bearer identity.Bearer) (identity.Bearer, error) {
	if bearer.SessionID == uuid.Nil {
		return bearer, ErrSessionRequired
	}
	var others []uuid.UUID
	if row.RequesterUserID != nil {
		others = append(others, *row.RequesterUserID)
	}
	return identity.Present(tx, bearer, others...)
}

// mayDecide holds the rules of I21 and I22 that hang on who decides.
func mayDecide(tx *database.Tx, op Operation, row models.Approval, bearer identity.Bearer) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	switch {
	case !slices.Contains(op.Approvers, bearer.Actor.Role):
		return &RoleError{op.Approvers}
	case bearer.Actor.EmployeeID == row.RequesterID:
		return ErrSamePerson
	case slices.Contains(row.SubjectIDs, bearer.Actor.EmployeeID):
		return ErrSubject
	case bearer.BreakGlass:
		return ErrBreakGlass
	case !identity.Fresh(bearer, now):
		return ErrStepUpRequired
	}
	if err := identity.RequireConfirmed(tx, bearer); err != nil {
		return err
	}
	return strangers(tx, row, bearer)
}

// strangers refuses a decision between two users of whom one may be the other's person: who made, reset or
// enrolled a user may be the one who uses it (I21).
func strangers(tx *database.Tx, row models.Approval, bearer identity.Bearer) error {
	made, err := identity.CreatedOrReset(tx, row.RequesterID, bearer.UserID)
	if err != nil {
		return err
	}
	if made {
		return ErrMadeByRequester
	}
	held, err := identity.HeldHalf(tx, row.RequesterID, bearer.UserID)
	if err != nil {
		return err
	}
	if held {
		return ErrOwnerUnconfirmed
	}
	if row.RequesterUserID == nil {
		return nil
	}
	if held, err = identity.HeldHalf(tx, bearer.Actor.EmployeeID, *row.RequesterUserID); err != nil {
		return err
	}
	if held {
		return ErrOwnerUnconfirmed
	}
	lent, err := identity.MayHaveActedAs(tx, bearer.Actor.EmployeeID, *row.RequesterUserID, row.RequestedAt)
	if err != nil {
		return err
	}
	if lent {
		return ErrMadeByDecider
	}
	return nil
}

// unchanged opens the command and what was told of it, and judges it again; why is empty if everything is as it was.
func (r *Registry) unchanged(tx *database.Tx, op Operation, row models.Approval) (command any, told Told, why models.VoidReason, err error) {
	s, err := r.open(tx.Context(), row)
	switch {
	case errors.Is(err, errUnreadable):
		return nil, told, models.VoidUnreadable, nil
	case err != nil:
		return nil, told, "", err
	}
	told = s.told()
	b := binding{operation: row.Operation, command: s.Command, salt: s.Salt, shown: s.Changes, fileHash: row.FileHash}
	if !same(b.commandHash(), row.CommandHash) {
		return nil, told, models.VoidUnreadable, nil
	}
	if command, err = op.decode(s.Command); err != nil {
		return nil, told, models.VoidUnreadable, nil //nolint:nilerr // asked for with another version of the program
	}
	review, err := op.judge(tx, command)
	switch {
	case errors.Is(err, ErrGone):
		return command, told, models.VoidGone, nil
	case err != nil:
		return command, told, "", err
	}
	if b.state, err = stateOf(s.Salt, review.Changes); err != nil {
		return command, told, "", err
	}
	b.targets, b.rules = review.Targets, review.Rules
	now, err := b.hash()
	if err != nil {
		return command, told, "", err
	}
	if !same(now, row.Hash) || !sameIDs(review.Subjects, row.SubjectIDs) {
		return command, told, models.VoidChanged, nil
	}
	return command, told, "", nil
}

func sameIDs(a, b []uuid.UUID) bool { return slices.Equal(a, b) }

// errUnreadable says that a stored command cannot be opened, now or later: its key is gone, or it is not
// what was sealed.
var errUnreadable = errors.New("the stored command cannot be read any more")

func (r *Registry) open(ctx context.Context, row models.Approval) (stored, error) {
	content, err := r.sealer.OpenLoose(ctx, place(row.ID), row.CommandSealed)
	return readStored(content, err)
}

func readStored(content []byte, err error) (s stored, _ error) {
	switch {
	case errors.Is(err, vault.ErrPurged), errors.Is(err, vault.ErrDamaged):
		return s, errUnreadable
	case err != nil:
		return s, fmt.Errorf("opening a stored command: %w", err)
	}
	if err := json.Unmarshal(content, &s); err != nil {
		return s, errUnreadable
	}
	// Requests from before &, < and > were stored as they are have them escaped.
	command, err := canonical(s.Command)
	if err != nil {
		return s, errUnreadable
	}
	s.Command = command
	return s, nil
}

func lock(tx *database.Tx, id uuid.UUID) (models.Approval, error) {
	row, err := database.First[models.Approval](tx.DB().Clauses(database.ForUpdate).Where("id = ?", id))
	return row, database.Wrap("locking a request", err)
}
