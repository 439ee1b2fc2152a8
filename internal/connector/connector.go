// Package connector is the port to the outside systems that hold a person's
// accounts: mail, finance, attendance. The core speaks only to the interfaces
// of this package; one subpackage per protocol implements them, and the suite
// in package conformance is what every implementation has to pass.
//
// Four rules hold for every implementation:
//
//   - Nothing is settled because a call returned 200. A mutation says what the
//     remote system claimed; ReadBack says what is.
//   - Every call may be repeated at any time without harm: whoever calls may
//     have died between the effect and the note of it.
//   - Right before each mutating call on the wire the fence of the context is
//     asked (see WithFence), and the idempotency key of the context is sent
//     along (see WithIdempotencyKey). Whether the other side honours the key is
//     never relied upon.
//   - No mutating call can reach anybody but the person whose account it is about,
//     however the other side reads it. What could is not sent, and shows up as
//     residue.
//
// Errors are *Error values with constant codes. Texts of remote systems are
// never passed on: they quote people.
package connector

import (
	"context"
	"strings"
	"time"
)

// AccountRef names an account in an outside system: by the system's own id when
// it is known, else by the employee number. Names and e-mail addresses are never
// used to find an account.
type AccountRef struct {
	ExternalID string // the outside system's id; empty means look up by number
	EmployeeNo string
}

// Outcome is what a mutation came to, as far as the outside system says.
type Outcome string

const (
	// Accepted means the system took the order and will carry it out later;
	// Result.CheckAfter says when reading back is worth it.
	Accepted Outcome = "accepted"
	// Confirmed means the system answered that it is done. Read back all the same.
	Confirmed Outcome = "confirmed"
	// ResidueFound is for callers: disabled, but rights are left over. No
	// mutation returns it; it is concluded from Residue.
	ResidueFound Outcome = "residue_found"
	// NotFound means the system does not know the account.
	NotFound Outcome = "not_found"
	// AlreadyDone means there was nothing left to do; nothing was sent.
	AlreadyDone Outcome = "already_done"
	// NotOffered means the system has no such operation (ending sessions is not
	// part of SCIM, for one). What it leaves behind shows up in Residue.
	NotOffered Outcome = "not_offered"
)

// Result is the answer to a mutation.
type Result struct {
	Outcome    Outcome
	CheckAfter time.Duration // only with Accepted; never zero then
}

// State is what the outside system says about an account when it is read back.
type State struct {
	Exists bool // true whenever ReadBack returned no error
	Active bool
	// EmployeeNo is the number that the outside system keeps with the account,
	// empty if it keeps none. A caller that was given the id by hand compares it
	// with SameNumber.
	EmployeeNo string
}

// SameNumber says whether two employee numbers are the same but for the case of
// their letters, as RFC 7643 compares attributes that are not caseExact.
func SameNumber(a, b string) bool { return strings.EqualFold(a, b) }

// Snapshot is what an account looked like.
type Snapshot struct {
	State []byte // opaque: what Restore puts back
	// Lacks are the kinds of rights (ResidueGroups, …) that could not be read, sorted.
	// Restore cannot put them back, and does not touch them.
	Lacks []string
}

// Kinds of residue.
const (
	ResidueSessions    = "sessions"
	ResidueGroups      = "groups"
	ResidueTokens      = "tokens"
	ResidueDelegations = "delegations"
)

// Residue is a kind of rights left over and how many of them; never their names.
// Count is always positive.
type Residue struct {
	Kind  string
	Count int
}

// Finder looks accounts up.
type Finder interface {
	// Find returns the ids of all accounts that carry the employee number,
	// sorted. The answer is complete, paging included: a list that may have been
	// cut is an error with CodeIncompleteList, never an answer. No account is an
	// empty list and no error, and is answered only on the evidence of a search that
	// demonstrably finds; an entry that cannot be explained is CodeAmbiguous.
	Find(ctx context.Context, employeeNo string) (externalIDs []string, err error)
}

// Reader reads accounts without changing anything. All of its methods answer an
// unknown account with an error for which errors.Is(err, ErrNotFound) holds.
type Reader interface {
	// ReadBack returns the account's present state. With CodeBadAnswer the state may
	// say that the account exists, and its number: it is there, but whether it is active
	// cannot be understood.
	ReadBack(ctx context.Context, externalID string) (State, error)
	// Residue returns the rights that are left over, sorted by kind; an empty
	// list means that nothing is left as far as the system shows.
	Residue(ctx context.Context, externalID string) ([]Residue, error)
	// Snapshot returns the state that Restore puts back, as far as it can be read;
	// active is whether the account was so before the first mutation, as it was read
	// back. Keep the first snapshot that lacks nothing: a later one shows an account
	// that is half taken down.
	Snapshot(ctx context.Context, externalID string, active bool) (Snapshot, error)
}

// Unlinker takes access away. An unknown account is Outcome NotFound, not an error.
// Each method is a step of its own: none depends on another's success.
type Unlinker interface {
	// Disable deactivates the account. The account itself stays: it is never deleted.
	Disable(ctx context.Context, externalID string) (Result, error)
	// Detach severs only the link between the account and our side. Where the
	// protocol keeps no link at the remote end there is nothing to send, and it
	// succeeds with AlreadyDone.
	Detach(ctx context.Context, externalID string) (Result, error)
	// RevokeSessions ends the sessions and tokens that were issued to the account.
	RevokeSessions(ctx context.Context, externalID string) (Result, error)
	// LeaveGroups takes the account out of every group that it can be taken out of. A
	// group that refuses keeps it from no other, and is an error at the end.
	LeaveGroups(ctx context.Context, externalID string) (Result, error)
}

// Relinker gives access back.
type Relinker interface {
	// Restore puts back what the snapshot had: active and group memberships. It
	// only gives, it never takes away what the account gained since. A group that
	// no longer exists is CodeConflict, reported after everything else was put back.
	Restore(ctx context.Context, externalID string, snapshot []byte) (Result, error)
}

// HealthChecker tells whether the system answers and accepts our credentials.
type HealthChecker interface {
	Health(ctx context.Context) error
}

// Listed is one account as a listing shows it.
type Listed struct {
	ExternalID string
	EmployeeNo string // empty: it carries none
	// Active is also so of an account that does not say: it is never taken for one that is off.
	Active bool
	// LastSignInAt is when it was signed in to last; nil: the system does not tell, or it never was.
	LastSignInAt *time.Time
}

// Lister reads all accounts of a system. It is no part of Connector: not every system gives a list of everybody.
type Lister interface {
	// List hands out the accounts page by page, and returns how many there are. What it handed out counts for
	// nothing unless it returns no error: a list that does not add up (a page that is shorter than it says, a total
	// that changes, an account that comes twice) is CodeIncompleteList. An empty list is no error; whether it can
	// be true is the caller's to judge. The memory that it takes does not grow with what an account holds. An error
	// of visit ends it, and is returned.
	List(ctx context.Context, visit func([]Listed) error) (total int, err error)
}

// Seat is what an account is in a group, among those who are that.
type Seat string

// The seats.
const (
	SeatUntold Seat = ""       // the system does not say
	SeatNone   Seat = "none"   // it is not
	SeatShared Seat = "shared" // one of several
	SeatOnly   Seat = "only"   // nobody else is
)

// Membership is a group that an account is in.
type Membership struct {
	Name   string // what people there call it; for the eyes of who asked, kept nowhere
	Member Seat
	Owner  Seat
}

// Inspection is what people want to know of an account before it is taken away.
type Inspection struct {
	State
	Unclear bool // it is there, but whether it is active cannot be understood
	// Groups are those that it is a direct member of, by name. Of some only the number is known: they are too many.
	Groups     []Membership
	MoreGroups int
	// GroupsUntold: what it is in could not be read, or not all of it.
	GroupsUntold bool
	// What it has open; nil: the system does not tell.
	Sessions, Tokens, Delegations *int
}

// Inspector reads all of it at once, and changes nothing. It is no part of Connector: of a system without it there is what a
// Reader tells. An unknown account is ErrNotFound.
type Inspector interface {
	Inspect(ctx context.Context, externalID string) (Inspection, error)
}

// Connector is one outside system.
type Connector interface {
	Finder
	Reader
	Unlinker
	Relinker
	HealthChecker
}
