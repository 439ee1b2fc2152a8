package approval

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/keyed"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// Order is a request to be made.
type Order struct {
	Operation string
	// Command is of the operation's type.
	Command any
	// Reason is for the approver and the ledger: it names nobody.
	Reason string
	// Causes are why it takes two people.
	Causes []models.Cause
	// FileHash is the SHA-256 of a file that was uploaded with the command, if any.
	FileHash []byte
}

// Request asks for a second person's agreement on behalf of whoever is behind the context. The same
// person asking for the same while the request is open gets the open one, or with another reason
// *OtherReasonError; another person, *OpenError.
func (r *Registry) Request(tx *database.Tx, o Order) (models.Approval, error) {
	caller := models.CallerOf(tx.Context())
	if caller.Actor.EmployeeID == uuid.Nil {
		return models.Approval{}, ErrNoRequester
	}
	if err := identity.PresentCaller(tx); err != nil {
		return models.Approval{}, err
	}
	if err := mayAsk(tx, caller); err != nil {
		return models.Approval{}, err
	}
	op, known := r.Operation(o.Operation)
	if !known {
		return models.Approval{}, ErrUnknownOperation
	}
	if err := textform.Optional(&o.Reason, MaxText); err != nil {
		return models.Approval{}, err
	}
	command, err := op.complete(tx, caller.Actor, o.Command)
	if err != nil {
		return models.Approval{}, err
	}
	text, err := canonical(command)
	if err != nil {
		return models.Approval{}, err
	}
	alike, err := canonical(op.alike(command))
	if err != nil {
		return models.Approval{}, err
	}
	prints, err := fingerprints(tx, op.Name, alike)
	if err != nil {
		return models.Approval{}, err
	}
	open, err := r.findOpen(tx, op, prints)
	if err == nil {
		if open.RequesterID != caller.Actor.EmployeeID {
			return open, &OpenError{open.ID}
		}
		return open, saidOtherwise(tx, open, o.Reason)
	}
	if !errors.Is(err, database.ErrNotFound) {
		return open, err
	}
	if err := op.asked(tx, caller.Actor, command); err != nil {
		return models.Approval{}, err
	}
	review, err := op.judge(tx, command)
	if err != nil {
		return models.Approval{}, err
	}
	if slices.Contains(review.Subjects, caller.Actor.EmployeeID) {
		return models.Approval{}, ErrSubject
	}
	return r.row(tx, caller, o, text, prints[0], review)
}

// saidOtherwise refuses a reason that is not the open request's, which keeps its own.
func saidOtherwise(tx *database.Tx, open models.Approval, reason string) error {
	if reason == "" {
		return nil
	}
	kept, err := reasons.Open(tx.Context(), tx, reasons.Text{Cell: written(columnReason, open.ID), Sealed: open.ReasonSealed})
	if err == nil && kept[0]+open.PlainReason != reason {
		err = &OtherReasonError{open.ID}
	}
	return err
}

// mayAsk refuses a token that was issued on the host: whoever administers it could ask in anybody's
// name, and approve as themselves.
func mayAsk(tx *database.Tx, caller models.Caller) error {
	if caller.TokenID == uuid.Nil {
		return nil
	}
	onHost, err := identity.IssuedOnHost(tx, caller.TokenID)
	if err != nil {
		return err
	}
	if onHost {
		return ErrHostToken
	}
	return nil
}

// findOpen locks the open request with one of the fingerprints; one whose time is over it ends. The
// locks on the fingerprints themselves keep two requests that are made at once from both finding none.
func (r *Registry) findOpen(tx *database.Tx, op Operation, prints [][]byte) (models.Approval, error) {
	if err := keyed.Lock(tx, prints); err != nil {
		return models.Approval{}, err
	}
	row, err := database.First[models.Approval](tx.DB().Clauses(database.ForUpdate).
		Where("fingerprint IN ? AND state = ?", prints, models.ApprovalPending))
	if err != nil {
		return row, fmt.Errorf("looking for an open request: %w", err)
	}
	now, err := tx.Now()
	if err != nil || row.ExpiresAt.After(now) {
		return row, err
	}
	if _, err := r.end(tx, op, row, ending{state: models.ApprovalExpired, action: ActionExpired}); err != nil {
		return row, err
	}
	return row, database.ErrNotFound
}

func (r *Registry) row(tx *database.Tx, caller models.Caller, o Order, command, print []byte, review Review) (models.Approval, error) {
	salt := newSalt()
	b := binding{
		operation: o.Operation, command: command, salt: salt, shown: review.Changes,
		targets: review.Targets, fileHash: blind(salt, o.FileHash), rules: review.Rules,
	}
	id := models.NewID()
	row := models.Approval{
		ID: id, Operation: o.Operation, Fingerprint: print, CommandHash: b.commandHash(),
		FileHash: b.fileHash, SubjectIDs: review.Subjects, RequesterID: caller.Actor.EmployeeID,
		RequesterUserID: given(caller.UserID), RequesterRole: caller.Actor.Role, RequesterAuthenticated: caller.Authenticated,
		State: models.ApprovalPending,
	}
	var err error
	if row.ReasonSealed, err = reasons.Seal(tx, written(columnReason, id), o.Reason); err != nil {
		return row, err
	}
	targets, err := canonical(named(review.Targets))
	if err != nil {
		return row, err
	}
	rules, err := canonical(append([]string{}, review.Rules...))
	if err != nil {
		return row, err
	}
	row.Targets, row.RuleVersions = string(targets), string(rules)
	if b.state, err = stateOf(b.salt, review.Changes); err != nil {
		return row, err
	}
	if row.Hash, err = b.hash(); err != nil {
		return row, err
	}
	row.StateDigest = b.state
	content, err := plain(stored{Salt: b.salt, Command: command, Changes: review.Changes, Causes: o.Causes})
	if err != nil {
		return row, err
	}
	if row.CommandSealed, err = r.sealer.SealLoose(tx.Context(), place(id), content); err != nil {
		return row, fmt.Errorf("sealing a command: %w", err)
	}
	return row, r.insert(tx, &row, o.Reason)
}

func (r *Registry) insert(tx *database.Tx, row *models.Approval, reason string) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	row.RequestedAt, row.ExpiresAt = now, now.Add(r.expiry)
	if row.LedgerEntryID, err = record(tx, *row, ActionRequested, reason); err != nil {
		return err
	}
	return database.Wrap("storing a request", tx.DB().Create(row).Error)
}

// named is what is kept of the targets in clear. Their versions are digests of what people judge a row
// by, which could be guessed from them: only the request's hash covers them, with its salt.
func named(targets []Target) []Target {
	names := make([]Target, len(targets))
	for i, t := range targets {
		names[i] = Target{Kind: t.Kind, ID: t.ID}
	}
	return names
}

func given(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
