package models

import (
	"time"

	"github.com/google/uuid"
)

// AccountState is where one linked account stands.
type AccountState string

// The states of a linked account.
const (
	AccountLinked    AccountState = "linked"
	AccountUnlinking AccountState = "unlinking"
	AccountAccepted  AccountState = "accepted"
	AccountDisabled  AccountState = "disabled"
	AccountDetached  AccountState = "detached"
	AccountNotFound  AccountState = "not_found"
	AccountStuck     AccountState = "stuck"
	AccountWaived    AccountState = "waived"
	AccountRelinking AccountState = "relinking"
	AccountRelinked  AccountState = "relinked"
)

// Settled says whether nothing is left to do or to watch: read back as off, found nowhere, or waived.
func (s AccountState) Settled() bool {
	switch s {
	case AccountDisabled, AccountDetached, AccountNotFound, AccountWaived:
		return true
	}
	return false
}

// Finding is what a look-up by employee number came to in a system where nobody had registered an account.
type Finding string

// The findings. All but found leave what is there as it is.
const (
	FindingNothing           Finding = "nothing"            // no account carries the number
	FindingKnown             Finding = "known"              // only accounts that are registered do
	FindingFound             Finding = "found"              // an account was found, and is treated as a registered one
	FindingDetached          Finding = "detached"           // only an account that was detached
	FindingAnotherEmployment Finding = "another_employment" // the account is that of another, current employment
	FindingTransfer          Finding = "transfer"           // the account goes along with a transfer
)

// Findings lists them all.
var Findings = []Finding{
	FindingNothing, FindingKnown, FindingFound, FindingDetached, FindingAnotherEmployment, FindingTransfer,
}

// LinkedAccount is an account in mail, finance or attendance, or the look-up for one that nobody registered.
type LinkedAccount struct {
	ID           uuid.UUID
	EmploymentID uuid.UUID
	System       string
	Kind         string
	ExternalID   *string
	// Registered: people linked it. Otherwise an order looked for it by employee number.
	Registered       bool
	Finding          Finding // of a look-up; empty until it ended
	SeenAt           *time.Time
	State            AccountState
	Attempt          int64
	AttemptOpenUntil *time.Time
	OperationID      *uuid.UUID
	ConfirmedAt      *time.Time
	CreatedAt        time.Time  `gorm:"->"`
	LedgerEntryID    *uuid.UUID // the ledger's entry for this; nil from before the ledger
}

// LookUp says whether the row is no account but the question for one: nothing was registered in the
// system, and nothing was found there so far.
func (a LinkedAccount) LookUp() bool {
	return !a.Registered && a.ExternalID == nil && a.Finding != FindingFound
}

// OperationState is where an unlink or relink operation stands.
type OperationState string

// The states of an operation.
const (
	OperationRunning        OperationState = "running"
	OperationSettled        OperationState = "settled"
	OperationNeedsAttention OperationState = "needs_attention"
	OperationCompensating   OperationState = "compensating"
	OperationCompensated    OperationState = "compensated"
	OperationAborted        OperationState = "aborted"
	OperationSuperseded     OperationState = "superseded"
)

// Kinds, modes and origins of an operation.
const (
	OperationUnlink  = "unlink"
	OperationRelink  = "relink"
	ModeDisable      = "disable"
	ModeDetach       = "detach"
	OriginDeparture  = "departure"
	OriginStandalone = "standalone"
	OriginWithdrawal = "withdrawal"
	OriginAnnulment  = "annulment"
)

// AccountOperation is one order to unlink or relink the accounts of one employment.
type AccountOperation struct {
	ID           uuid.UUID
	EmploymentID uuid.UUID
	DepartureID  *uuid.UUID
	Kind         string
	Mode         string
	Origin       string
	AllOrNothing bool
	UndoesID     *uuid.UUID
	// Asked are the systems that had to be asked by employee number, registered accounts or not; nil: a
	// relink, a detachment, or an order from before systems were asked.
	Asked         Names `gorm:"type:text[]"`
	State         OperationState
	CreatedBy     *uuid.UUID
	CreatedAt     time.Time `gorm:"->"`
	EndedAt       *time.Time
	LedgerEntryID *uuid.UUID // the ledger's entry of the order; nil from before the ledger
	Driven
}

// StepState is where one account's part in an operation stands.
type StepState string

// The states of a step.
const (
	StepPending    StepState = "pending"
	StepRunning    StepState = "running"
	StepAccepted   StepState = "accepted"
	StepDone       StepState = "done"
	StepStuck      StepState = "stuck"
	StepWaived     StepState = "waived"
	StepAborted    StepState = "aborted"
	StepSuperseded StepState = "superseded"
)

// AccountStep is one account's part in an operation.
type AccountStep struct {
	ID          uuid.UUID
	OperationID uuid.UUID
	AccountID   uuid.UUID
	System      string
	Position    int
	// Action is OperationUnlink or OperationRelink.
	Action string
	// Cautious: what is found in use is left to people.
	Cautious    bool
	State       StepState
	Tries       int
	CheckAt     *time.Time
	StuckReason string
	StartedAt   *time.Time
	EndedAt     *time.Time
}

// AccountEvidence is one sub-step that was tried, with what came of it.
type AccountEvidence struct {
	ID            int64
	StepID        uuid.UUID
	Attempt       int64
	At            time.Time `gorm:"->"`
	Substep       string
	Outcome       string
	Detail        string
	LedgerEntryID *uuid.UUID // the ledger's entry of the run that wrote it; nil from before the ledger
}

// TableName keeps the uncountable noun.
func (AccountEvidence) TableName() string { return "account_evidence" }

// AccountSnapshot is an account's sealed state from before it was unlinked.
type AccountSnapshot struct {
	ID             uuid.UUID
	EmploymentID   uuid.UUID
	CategoryID     uuid.UUID
	AccountID      uuid.UUID
	OperationID    uuid.UUID
	SnapshotSealed Sealed
	TakenAt        time.Time `gorm:"->"`
}

// States and resolutions of a support case.
const (
	CaseOpen            = "open"
	CaseWaiverRequested = "waiver_requested"
	CaseClosed          = "closed"

	ResolutionRetry      = "retry"
	ResolutionByHand     = "resolved_by_hand"
	ResolutionWaive      = "waive"
	ResolutionAbort      = "abort"
	ResolutionSuperseded = "superseded"
)

// SupportCase is a stuck step that people must solve.
type SupportCase struct {
	ID            uuid.UUID
	OperationID   uuid.UUID
	StepID        uuid.UUID
	AccountID     uuid.UUID
	DepartureID   *uuid.UUID
	System        string
	Reason        string
	State         string
	Resolution    string
	AskedBy       *uuid.UUID
	ConfirmedBy   *uuid.UUID
	OpenedAt      time.Time `gorm:"->"`
	AskedAt       *time.Time
	ClosedAt      *time.Time
	LedgerEntryID *uuid.UUID // the ledger's entry of its opening; nil from before the ledger
	// DecisionEntryID names the entry of what people last said about it; nil: nothing, or before.
	DecisionEntryID *uuid.UUID
	NoteSealed      Sealed // what whoever decided it wrote
}
