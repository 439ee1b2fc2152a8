// Package conformance is the suite that every connector has to pass, written once
// against the port. An implementation's test gives it a Harness around the real
// thing: a real server over a real network, that can be made to misbehave.
package conformance

import (
	"time"

	"lethe/internal/connector"
)

// T is what harness functions fail by; both *testing.T and *rapid.T are one.
type T interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Account is an account to plant, and an account as it really is in the remote
// system, whatever that system says about it.
type Account struct {
	EmployeeNo string
	UserName   string // made up by the harness if empty
	Email      string
	Inactive   bool
	Groups     []string // sorted when read
	Sessions   int
	Tokens     int
	// LastSignIn is for planting alone: when it was signed in to last, where the system keeps that.
	LastSignIn *time.Time
}

// Effect is something that really happened to an account.
type Effect struct {
	Kind    Op
	Key     string // the idempotency key that came along
	Changed bool   // false: the account already was so
}

// Op names a remote call, by its meaning and not by its protocol.
type Op string

// Remote calls that faults and effects name.
const (
	AnyRead    Op = "any_read"
	AnyEffect  Op = "any_effect"
	Lookup     Op = "lookup"
	Read       Op = "read"
	Disable    Op = "disable"
	Enable     Op = "enable"
	Revoke     Op = "revoke"
	Groups     Op = "groups" // who is in which
	LeaveGroup Op = "leave_group"
	JoinGroup  Op = "join_group"
	Check      Op = "check" // what Health asks for
)

// FaultKind is a way to misbehave.
type FaultKind string

// Ways to misbehave.
const (
	Slow         FaultKind = "slow"          // answers long after the client's timeout
	Status       FaultKind = "status"        // answers an error status
	CutBefore    FaultKind = "cut_before"    // cuts the connection, no effect
	CutAfter     FaultKind = "cut_after"     // cuts the connection after the effect
	Lie          FaultKind = "lie"           // success without the effect
	AcceptLater  FaultKind = "accept_later"  // accepts; Harness.Settle makes it happen
	LeaveResidue FaultKind = "leave_residue" // success, but something stays
	Forget       FaultKind = "forget"        // does not know the account
	CutList      FaultKind = "cut_list"      // a list that lacks entries
	Foreign      FaultKind = "foreign"       // a not-found that is not the system's own, but a proxy's in front
	IgnoreSearch FaultKind = "ignore_search" // a search finds everybody
	EmptySearch  FaultKind = "empty_search"  // a search finds nobody
	ExactSearch  FaultKind = "exact_search"  // a search finds numbers only in the case that they are kept in
	HideGroups   FaultKind = "hide_groups"   // accounts do not list their groups
	// IgnoreForm: the usual form of a call is answered with success and has no effect,
	// another one that means the same has it.
	IgnoreForm FaultKind = "ignore_form"
	// RefuseGroup: the group with that name refuses every change.
	RefuseGroup FaultKind = "refuse_group"
	// RefuseForm: a group does not understand that it is to let go of one member.
	RefuseForm FaultKind = "refuse_form"
)

// Fault is one order to misbehave, for the next Count matching calls (0: for all).
type Fault struct {
	Kind       FaultKind
	On         Op
	Count      int
	Account    string         // for Forget: the id of the account, which must be given
	Group      string         // for RefuseGroup
	Meaning    connector.Code // for Status: what the answer means, see Harness.Fault
	RetryAfter time.Duration  // for Status, in whole seconds
}

// Harness is one fresh remote system and a connector to it.
type Harness struct {
	Connector connector.Connector
	// Impatient is a second connector to the same system whose timeout is a
	// fraction of a second, for the tests that wait for it. Connector's own timeout
	// should be so long that a busy machine does not reach it.
	Impatient connector.Connector
	// Plant puts an account in and returns its external id.
	Plant func(t T, a Account) string
	// Actual returns the account as it really is; ok is false if it is gone.
	Actual func(t T, externalID string) (a Account, ok bool)
	// Effects returns what really happened to the account since it was planted,
	// oldest first.
	Effects func(t T, externalID string) []Effect
	// Fault makes the system misbehave, instead of how it did before. With kind
	// Status it answers what in its protocol means f.Meaning: unauthorized,
	// rate_limited, unavailable or conflict.
	Fault func(t T, f Fault)
	// Clear ends all misbehaviour.
	Clear func(t T)
	// Settle lets everything happen that was accepted for later.
	Settle func(t T)
	// Reenable makes the account active by hand, past the connector.
	Reenable func(t T, externalID string)
	// Requests returns how many calls of the kind arrived, whatever became of them.
	Requests func(t T, op Op) int
	// Deletions returns how often somebody asked to delete an account.
	Deletions func(t T) int
	// PageSize is how many entries the remote system puts on one page at most. The
	// suite plants more.
	PageSize int
}
