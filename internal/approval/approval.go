// Package approval is the one mechanism for every step that needs two people (I21).
//
// A request is bound to one decoded command with its defaults, to the rows that it is about and the
// state that they were in, and to the rules in force. Another person decides; agreeing, using the
// request up and the effect are one transaction, in which the server runs the command that it
// stored: nobody sends it again. Whatever differs from what was judged makes the request void.
//
// Which steps there are is a table of its own, in package operations.
//
// Locks: the request's row comes right after the idempotency key, before everything that the
// command locks.
package approval

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/models"
)

// Refusals. An unknown request is database.ErrNotFound.
var (
	ErrSessionRequired  = errors.New("deciding needs a session: a token is nobody's presence")
	ErrStepUpRequired   = errors.New("deciding needs a re-authentication that is not older than five minutes")
	ErrNoRequester      = errors.New("a request is made by a person")
	ErrUnknownOperation = errors.New("no such operation needs a second person")
	ErrTwoRequired      = errors.New("this step needs two people")
	ErrUnknownDecision  = errors.New("a request is approved or rejected")
	ErrSamePerson       = errors.New("nobody decides about the own request")
	ErrSubject          = errors.New("nobody decides about the own matter")
	ErrMadeByRequester  = errors.New("the requester created or reset the user that would decide")
	ErrMadeByDecider    = errors.New("who would decide linked a login with the requester's user that its owner never confirmed")
	ErrOwnerUnconfirmed = errors.New("one of both was given a half of the code that the other's user was enrolled with, and its owner is not confirmed")
	ErrRoleMayNot       = errors.New("the role does not decide about this operation")
	// ErrHostToken refuses to ask with a token that its owner did not issue.
	ErrHostToken    = errors.New("a token issued on the host asks for nothing that needs two people")
	ErrBreakGlass   = errors.New("a break-glass session decides about nothing")
	ErrNotRequester = errors.New("only the requester withdraws a request")
	// ErrGone is what an operation's Judge returns for a target that does not exist any more.
	ErrGone = errors.New("what the request is about does not exist")
)

// RoleError refuses a role that does not decide about the operation, and says which do. It is ErrRoleMayNot.
type RoleError struct{ Deciders []models.Role }

func (e *RoleError) Error() string { return fmt.Sprintf("%v: %v do", ErrRoleMayNot, e.Deciders) }

// Unwrap is what it is one of.
func (e *RoleError) Unwrap() error { return ErrRoleMayNot }

// OpenError says that somebody else asked for the very same already.
type OpenError struct{ ID uuid.UUID }

func (e *OpenError) Error() string { return fmt.Sprintf("approval %s asks for the same", e.ID) }

// OtherReasonError says that the same person asked for the very same already, for another reason.
type OtherReasonError struct{ ID uuid.UUID }

func (e *OtherReasonError) Error() string {
	return fmt.Sprintf("approval %s asks for the same for another reason", e.ID)
}

// EndedError says that there is nothing to decide any more.
type EndedError struct {
	ID    uuid.UUID
	State models.ApprovalState
}

func (e *EndedError) Error() string { return fmt.Sprintf("approval %s is %s", e.ID, e.State) }

// place names the sealed command of a request, as package vault wants it.
func place(id uuid.UUID) string { return "approvals.command_sealed/" + id.String() }

// DefaultExpiry is how long a request stays open unless configured otherwise.
const DefaultExpiry = 72 * time.Hour

// MaxText is the longest reason or comment, in characters.
const MaxText = 500
