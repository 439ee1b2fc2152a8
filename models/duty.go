package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// DutyShift is when somebody of HR is on duty. By which number they are called stands in their file.
type DutyShift struct {
	ID               uuid.UUID
	EmployeeID       uuid.UUID
	StartsAt, EndsAt time.Time
	TimeZone         string // in which it was planned
	PlannedBy        uuid.UUID
	PlannedAt        time.Time `gorm:"->"`
	RemovedAt        *time.Time
	RemovedBy        *uuid.UUID
	LedgerEntryID    uuid.UUID // shifts that were planned at once share it, until one is removed
}

// DutyGap is why somebody on duty cannot be called.
type DutyGap string

// The gaps.
const (
	GapLeft     DutyGap = "left"      // does not work here any more
	GapNoAccess DutyGap = "no_access" // no user in use as HR administrator
	GapNoNumber DutyGap = "no_number" // the file has no duty phone
)

// DutyGaps lists them all.
var DutyGaps = closed.Of("duty_gap", GapLeft, GapNoAccess, GapNoNumber)

// EmergencyState is how far an emergency call came.
type EmergencyState string

// The states of an emergency call.
const (
	// EmergencyOpen: nobody of HR has taken it yet.
	EmergencyOpen EmergencyState = "open"
	// EmergencyTaken: somebody of HR looks after it.
	EmergencyTaken EmergencyState = "taken"
	// EmergencyClosed: what came of it was told.
	EmergencyClosed EmergencyState = "closed"
)

// EmergencyStates say what may follow each: what was taken is open again if who took it cannot go on.
var EmergencyStates = closed.States("emergency_calls.state", "emergency_state", [][]EmergencyState{
	{EmergencyOpen, EmergencyTaken}, {EmergencyTaken, EmergencyOpen, EmergencyClosed}, {EmergencyClosed},
})

// EmergencyOutcome is what came of an emergency call.
type EmergencyOutcome string

// The outcomes.
const (
	EmergencyLooked     EmergencyOutcome = "looked"      // a look at the file was made for it
	EmergencyHandled    EmergencyOutcome = "handled"     // without one
	EmergencyFalseAlarm EmergencyOutcome = "false_alarm" // there was none
)

// EmergencyOutcomes lists them all.
var EmergencyOutcomes = closed.Of("emergency_outcome", EmergencyLooked, EmergencyHandled, EmergencyFalseAlarm)

// EmergencyCall is that somebody called HR about an emergency.
type EmergencyCall struct {
	ID         uuid.UUID
	CallerID   uuid.UUID
	CallerRole Role
	// EmployeeID is about whom; nil: somebody whom the caller described.
	EmployeeID *uuid.UUID
	// StatementSealed is what happened, and to whom; it ends with the log.
	StatementSealed Sealed
	State           EmergencyState
	CalledAt        time.Time
	// OnDuty are who was on duty and could be called; none: the caller was given others.
	OnDuty      IDs
	TakenBy     *uuid.UUID
	TakenAt     *time.Time
	EscalatedAt *time.Time
	Outcome     EmergencyOutcome
	// DisclosureID is the look that was made for it.
	DisclosureID  *uuid.UUID
	NoteSealed    Sealed
	ClosedBy      *uuid.UUID
	ClosedAt      *time.Time
	LedgerEntryID uuid.UUID
}
