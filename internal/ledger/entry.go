// Package ledger is the append-only, tamper-evident log of who did what, and why. Its entries are
// written in the transaction of what they record; a sequencer orders them into a Merkle tree
// (RFC 6962), and signs its head. docs/ledger-format.md says what a verifier needs to know.
package ledger

import (
	"github.com/google/uuid"

	"lethe/internal/closed"
	"lethe/models"
)

// Kind groups entries, so that they can be filtered. It stands in clear in the leaf.
type Kind string

// The kinds.
const (
	KindDeparture     Kind = "departure"     // a departure, its dates, its stages
	KindAccount       Kind = "account"       // linking, unlinking and relinking of accounts, cases
	KindRetention     Kind = "retention"     // deadlines, holds
	KindPurge         Kind = "purge"         // purges and certificates
	KindArchive       Kind = "archive"       // persons and their files
	KindIdentity      Kind = "identity"      // users, roles, credentials, tokens, logins linked
	KindSession       Kind = "session"       // logins and their failures, step-ups, logouts
	KindApproval      Kind = "approval"      // requests for four eyes and what became of them
	KindConfiguration Kind = "configuration" // settings, rules, connectors
	KindQuery         Kind = "query"         // searches of the query log, and views of evidence
	KindExport        Kind = "export"        // evidence packs
	KindDisclosure    Kind = "disclosure"    // looks at sensitive fields
	KindConsent       Kind = "consent"       // what people agree to
	KindLedger        Kind = "ledger"        // the ledger's own: epochs, keys, dropped content
)

// Kinds lists them all.
var Kinds = closed.Of("ledger.kind", KindDeparture, KindAccount, KindRetention, KindPurge, KindArchive, KindIdentity, KindSession,
	KindApproval, KindConfiguration, KindQuery, KindExport, KindDisclosure, KindConsent, KindLedger)

// Result is what became of what an entry records.
type Result string

// The results.
const (
	Done    Result = "done"
	Refused Result = "refused"
	Failed  Result = "failed"
)

// Results lists them all.
var Results = closed.Of("ledger.result", Done, Refused, Failed)

// Entry is what happened. Who did it, how they were authenticated and in which request is taken
// from the context (models.CallerOf) unless Actor is given; the time is the database's.
type Entry struct {
	Kind   Kind
	Action string // a constant, "departure.started"
	// Actor is nil for whoever is behind the context.
	Actor *models.Actor
	// Authenticated and UserID, if given, are those of an actor who is not behind the context yet:
	// at a login.
	Authenticated models.Authentication
	UserID        uuid.UUID
	// Subject is the employee whom it is about.
	Subject *uuid.UUID
	// Object is the row that it is about, "departure/<id>".
	Object      string
	RequestedBy string // who asked the actor for it
	Purpose     string // a code
	Reason      string // free text, without names, numbers or illnesses
	Result      Result // Done if left out
	Rule        string // the rule that decided
	// Details are identifiers, codes, dates and numbers, never free text or sensitive values.
	Details map[string]string
}
