package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// DisclosureState is how far a judged look came.
type DisclosureState string

// The states of a look.
const (
	// LookRefused: nothing was shown; with fields it was asked for, without it was registered only. So ends one that waits
	// for a reviewer, too, once it is permitted no more.
	LookRefused DisclosureState = "refused"
	// LookWaiting: a reviewer decides.
	LookWaiting DisclosureState = "waiting"
	// LookGranted: a reviewer agreed; it may be opened once.
	LookGranted DisclosureState = "granted"
	// LookDeclined: a reviewer refused.
	LookDeclined DisclosureState = "declined"
	// LookLapsed: nobody decided or opened it in time, or what it was judged by changed.
	LookLapsed DisclosureState = "lapsed"
	// LookShown: the values were shown; its outcome is still to be told.
	LookShown DisclosureState = "shown"
	// LookClosed: what came of it was told.
	LookClosed DisclosureState = "closed"
	// LookCompared: a number was compared with the one in the file; no value was shown.
	LookCompared DisclosureState = "compared"
)

// DisclosureStates say what may follow each.
var DisclosureStates = closed.States("disclosures.state", "disclosure_state", [][]DisclosureState{
	{LookWaiting, LookGranted, LookDeclined, LookLapsed, LookRefused},
	{LookGranted, LookShown, LookLapsed},
	{LookShown, LookClosed},
	{LookRefused}, {LookDeclined}, {LookLapsed}, {LookClosed}, {LookCompared},
})

// DisclosureOutcome is what came of a look.
type DisclosureOutcome string

// The outcomes.
const (
	NotPassedOn     DisclosureOutcome = "not_passed_on"
	PersonContacted DisclosureOutcome = "person_contacted"
	FamilyContacted DisclosureOutcome = "family_contacted"
	PassedOn        DisclosureOutcome = "passed_on"
)

// DisclosureOutcomes lists them all.
var DisclosureOutcomes = closed.Of("disclosure_outcome", PersonContacted, FamilyContacted, PassedOn, NotPassedOn)

// LookReview is what the second person found of an emergency's look.
type LookReview string

// The findings.
const (
	LookProper   LookReview = "proper"
	LookImproper LookReview = "improper"
)

// LookReviews lists them all.
var LookReviews = closed.Of("look_review", LookProper, LookImproper)

// Disclosure is one judged look at sensitive fields, whatever became of it. Values are never part of it.
type Disclosure struct {
	ID           uuid.UUID
	EmployeeID   uuid.UUID
	EmploymentID uuid.UUID
	ActorID      uuid.UUID // who asked to look
	ActorRole    Role
	// Fields are keys of the field catalogue; none: what somebody wanted was registered, and nothing asked for.
	Fields  Codes
	Purpose string // or, without fields, the matter that somebody came with
	// SubjectRequestID is whose answer a printed copy is; nil: every other look.
	SubjectRequestID *uuid.UUID
	// Status is the person's as it was judged.
	Status EmployeeStatus
	State  DisclosureState
	Rule   string // the rule that decided
	// Flags are the rules by which somebody should look at it.
	Flags Codes
	// Matter is for what a text was refused.
	Matter string
	// StatementSealed is what was written: reason, evidence, who asked. It ends with the log.
	StatementSealed Sealed
	// Compares: nothing was to be shown, but whether a number is the one in the file. Matched is what came of it; nil:
	// nothing, it was refused.
	Compares bool
	Matched  *bool
	// RequestedBy is the colleague who asked HR; nil: an outsider, or nobody.
	RequestedBy *uuid.UUID
	AskedAt     time.Time
	// OpenUntil is until when one that a reviewer agreed to may be opened, or one that was shown be shown again.
	OpenUntil         *time.Time
	ShownAt           *time.Time
	ShownTimes        int
	ReviewDueAt       *time.Time
	ReviewedAt        *time.Time
	ReviewedBy        *uuid.UUID
	Review            LookReview
	ReviewNoteSealed  Sealed
	Outcome           DisclosureOutcome
	OutcomeNoteSealed Sealed
	Pressed           bool // HR was urged to look
	ClosedAt          *time.Time
	// EscalatedAt is when it was shown that its review is overdue.
	EscalatedAt     *time.Time
	ObjectedAt      *time.Time
	ObjectionSealed Sealed
	AnswerDueAt     *time.Time
	AnsweredAt      *time.Time
	AnsweredBy      *uuid.UUID
	AnswerSealed    Sealed
	LedgerEntryID   uuid.UUID
}
