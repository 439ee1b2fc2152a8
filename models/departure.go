package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/closed"
)

// DepartureKind is why somebody leaves.
type DepartureKind string

// The kinds.
const (
	KindResignation     DepartureKind = "resignation"
	KindMutualAgreement DepartureKind = "mutual_agreement"
	KindDismissal       DepartureKind = "dismissal"
	KindContractEnd     DepartureKind = "contract_end"
	KindRetirement      DepartureKind = "retirement"
	KindDeath           DepartureKind = "death"
	KindGroupTransfer   DepartureKind = "group_transfer"
	KindAssignmentEnd   DepartureKind = "assignment_end"
)

// DepartureKinds lists them all.
var DepartureKinds = closed.Of("kind",
	KindResignation, KindMutualAgreement, KindDismissal, KindContractEnd, KindRetirement, KindDeath, KindGroupTransfer, KindAssignmentEnd)

// Initiator is who ends the employment.
type Initiator string

// The initiators.
const (
	InitiatorEmployee Initiator = "employee"
	InitiatorEmployer Initiator = "employer"
	InitiatorBoth     Initiator = "both"
	InitiatorLaw      Initiator = "law"
)

// Initiators lists them all.
var Initiators = closed.Of("initiator", InitiatorEmployee, InitiatorEmployer, InitiatorBoth, InitiatorLaw)

// Stage is the employment track of a departure.
type Stage string

// The stages.
const (
	StagePendingDeparture Stage = "pending_departure"
	StageDeparted         Stage = "departed"
	StagePurging          Stage = "purging"
	StagePurged           Stage = "purged"
	StageWithdrawn        Stage = "withdrawn"
	StageAnnulled         Stage = "annulled"
)

// Stages say what may follow each.
var Stages = closed.States("departures.stage", "stage", [][]Stage{
	{StagePendingDeparture, StageDeparted, StageWithdrawn, StageAnnulled},
	{StageDeparted, StagePurging, StageAnnulled},
	{StagePurging, StagePurged},
	{StagePurged}, {StageWithdrawn}, {StageAnnulled},
})

// AccountsState is the accounts track of a departure.
type AccountsState string

// The states of the accounts track.
const (
	AccountsLinked         AccountsState = "linked"
	AccountsUnlinking      AccountsState = "unlinking"
	AccountsSettled        AccountsState = "settled"
	AccountsNeedsAttention AccountsState = "needs_attention"
	AccountsRelinking      AccountsState = "relinking"
	AccountsRelinked       AccountsState = "relinked"
)

// AccountsStates say what may follow each.
var AccountsStates = closed.States("departures.accounts_state", "accounts_state", [][]AccountsState{
	{AccountsLinked, AccountsUnlinking, AccountsSettled, AccountsNeedsAttention, AccountsRelinked},
	{AccountsUnlinking, AccountsSettled, AccountsNeedsAttention, AccountsRelinking, AccountsRelinked},
	{AccountsSettled, AccountsUnlinking, AccountsNeedsAttention, AccountsRelinking, AccountsRelinked},
	{AccountsNeedsAttention, AccountsUnlinking, AccountsSettled, AccountsRelinking, AccountsRelinked},
	{AccountsRelinking, AccountsNeedsAttention, AccountsRelinked},
	{AccountsRelinked},
})

// Departure is one person's leaving.
type Departure struct {
	ID                     uuid.UUID
	EmployeeID             uuid.UUID
	EmploymentID           uuid.UUID
	Kind                   DepartureKind
	PlainLegalGround       string `gorm:"column:legal_ground"` // of version 0.2, until the upgrade has sealed it
	LegalGroundSealed      Sealed
	Initiator              Initiator
	PlainReasonCode        string `gorm:"column:reason_code"`
	ReasonCodeSealed       Sealed
	Stage                  Stage
	AccountsState          AccountsState
	NoticeReceivedOn       clock.Date
	LastWorkingDay         clock.Date
	EmploymentEndDate      clock.Date
	AccessCutoffAt         time.Time
	EmploymentEndedAt      time.Time
	TimeZone               string
	Immediate              bool
	NoteSealed             Sealed
	WithdrawalReasonSealed Sealed
	AnnulmentReasonSealed  Sealed
	CompanyConsent         bool
	DepartedAt             *time.Time
	WithdrawnAt            *time.Time
	AnnulmentAskedAt       *time.Time
	AnnulmentAskedBy       *uuid.UUID
	AnnulledAt             *time.Time
	AnnulledBy             *uuid.UUID
	AccountsSettledAt      *time.Time
	PurgedAt               *time.Time
	CreatedBy              *uuid.UUID
	CreatedAt              time.Time `gorm:"->"`
	// CountsFrom is the earliest instant that deadlines count from: when the dates were entered, or the
	// end of the employment where two people agreed to that (Advanced).
	CountsFrom time.Time
	Advanced   bool
	AdvancedBy *uuid.UUID // the approval by which they agreed last
	// BatchID is the file by which somebody came in who had left before; nil: everybody else.
	BatchID *uuid.UUID
	// BegunBatchID is the file by which it was begun, with others; nil: alone.
	BegunBatchID *uuid.UUID
	Driven
}

// EventAt is the instant that every deadline counts from.
func (d Departure) EventAt() time.Time {
	if d.CountsFrom.After(d.EmploymentEndedAt) {
		return d.CountsFrom
	}
	return d.EmploymentEndedAt
}

// DepartureEvent is one line of the timeline: codes and identifiers only.
type DepartureEvent struct {
	ID            int64
	DepartureID   uuid.UUID
	At            time.Time `gorm:"->"`
	What          string
	ActorRole     string
	ActorID       *uuid.UUID
	System        string
	Category      string
	Reference     *uuid.UUID
	LedgerEntryID *uuid.UUID // the ledger's entry for this; nil from before the ledger
}
