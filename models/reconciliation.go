package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// ReconciliationState is where a run stands.
type ReconciliationState string

// The states of a run.
const (
	ReconciliationRunning ReconciliationState = "running"
	ReconciliationDone    ReconciliationState = "done"
	ReconciliationStopped ReconciliationState = "stopped"
)

// ReconciliationStates say what may follow each.
var ReconciliationStates = closed.States("reconciliations.state", "reconciliation_state", [][]ReconciliationState{
	{ReconciliationRunning, ReconciliationDone, ReconciliationStopped}, {ReconciliationDone}, {ReconciliationStopped},
})

// Reconciliation is one run that compares connected systems with the facts.
type Reconciliation struct {
	ID            uuid.UUID
	State         ReconciliationState
	StartedAt     time.Time  `gorm:"->"`
	StartedBy     *uuid.UUID // nil: the schedule
	AcceptSmaller bool
	EndedAt       *time.Time
	StoppedBy     *uuid.UUID
	LedgerEntryID uuid.UUID
	Driven
}

// ComparisonOutcome is what came of one system in a run.
type ComparisonOutcome string

// The outcomes.
const (
	ComparisonCompared ComparisonOutcome = "compared"
	// ComparisonAlarm: the listing cannot be believed, or was not to be had. Nothing was concluded from it.
	ComparisonAlarm ComparisonOutcome = "alarm"
	// ComparisonNoList: the system gives no list of everybody.
	ComparisonNoList  ComparisonOutcome = "no_list"
	ComparisonStopped ComparisonOutcome = "stopped"
)

// ComparisonOutcomes lists them all.
var ComparisonOutcomes = closed.Of("comparison_outcome", ComparisonCompared, ComparisonAlarm, ComparisonNoList, ComparisonStopped)

// ReconciliationSystem is one system in a run.
type ReconciliationSystem struct {
	ReconciliationID uuid.UUID
	System, Kind     string
	Outcome          ComparisonOutcome // empty: not yet
	Alarm            string            // one of reconcile.Alarms
	AlarmSince       *time.Time
	Expected         int
	Listed           *int
	// Found are new, Still were there before, Ended are seen no more.
	Found, Still, Ended int
	StartedAt, EndedAt  *time.Time
	LedgerEntryID       *uuid.UUID
}

// DriftKind is what a system has otherwise than the facts say.
type DriftKind string

// The kinds.
const (
	// DriftActive: it can be used though the access has ended.
	DriftActive DriftKind = "active_after_cutoff"
	// DriftSwitchedOn: we switched it off and read that back; now it is on.
	DriftSwitchedOn DriftKind = "switched_on"
	// DriftOrphan: neither its id nor the number that it carries is known.
	DriftOrphan DriftKind = "orphan"
	// DriftGone: somebody employed is linked to it, and it is not there any more.
	DriftGone      DriftKind = "gone"
	DriftTwoPeople DriftKind = "two_people"
	// DriftOtherOwner: it carries another number than that of whom it is linked to.
	DriftOtherOwner DriftKind = "other_owner"
	// DriftNoSignIn: somebody employed has not signed in for long. Was a departure forgotten?
	DriftNoSignIn DriftKind = "no_sign_in"
)

// DriftKinds lists them all, the gravest first.
var DriftKinds = closed.Of("drift_kind", DriftSwitchedOn, DriftActive, DriftTwoPeople, DriftOtherOwner, DriftGone, DriftOrphan, DriftNoSignIn)

// AccountDrift is something that a system has otherwise than the facts say.
type AccountDrift struct {
	ID                      uuid.UUID
	System, SystemKind      string
	Kind                    DriftKind
	ExternalID              *string // nil: it has ended
	EmployeeID, AccountID   *uuid.UUID
	Active                  bool
	LastSignInAt            *time.Time
	SupportCaseID           *uuid.UUID
	FirstSeenAt, LastSeenAt time.Time
	FirstRunID, LastRunID   uuid.UUID
	EndedAt                 *time.Time
	LedgerEntryID           uuid.UUID
}

// TableName keeps the uncountable noun.
func (AccountDrift) TableName() string { return "account_drift" }
