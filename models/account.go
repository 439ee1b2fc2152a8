package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
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

// AccountStates say what may follow each.
var AccountStates = closed.States("linked_accounts.state", "account_state", [][]AccountState{
	{AccountLinked, AccountUnlinking},
	{AccountUnlinking, AccountAccepted, AccountDisabled, AccountDetached, AccountNotFound, AccountStuck, AccountLinked, AccountRelinking},
	{AccountAccepted, AccountDisabled, AccountDetached, AccountNotFound, AccountStuck, AccountUnlinking, AccountRelinking},
	{AccountDisabled, AccountStuck, AccountUnlinking, AccountRelinking},
	{AccountDetached, AccountStuck, AccountUnlinking, AccountRelinking},
	{AccountNotFound, AccountStuck, AccountUnlinking, AccountRelinking},
	{AccountStuck, AccountDisabled, AccountDetached, AccountNotFound, AccountWaived, AccountLinked, AccountUnlinking, AccountRelinking, AccountRelinked},
	{AccountWaived, AccountStuck, AccountUnlinking, AccountRelinking},
	{AccountRelinking, AccountRelinked, AccountNotFound, AccountStuck, AccountUnlinking},
	{AccountRelinked, AccountUnlinking},
})

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
var Findings = closed.Of("account_finding",
	FindingNothing, FindingKnown, FindingFound, FindingDetached, FindingAnotherEmployment, FindingTransfer)

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

// OperationStates say what may follow each.
var OperationStates = closed.States("account_operations.state", "operation_state", [][]OperationState{
	{OperationRunning, OperationSettled, OperationNeedsAttention, OperationCompensating, OperationAborted, OperationSuperseded},
	{OperationSettled, OperationRunning, OperationSuperseded},
	{OperationNeedsAttention, OperationRunning, OperationSettled, OperationCompensating, OperationAborted, OperationSuperseded},
	{OperationCompensating, OperationCompensated, OperationSuperseded},
	{OperationCompensated}, {OperationAborted}, {OperationSuperseded},
})

// OperationKind is what an operation, or a step of one, does.
type OperationKind string

// OperationMode is how an account is unlinked.
type OperationMode string

// OperationOrigin is what an operation comes from.
type OperationOrigin string

// Kinds, modes and origins of an operation.
const (
	OperationUnlink  OperationKind   = "unlink"
	OperationRelink  OperationKind   = "relink"
	ModeDisable      OperationMode   = "disable"
	ModeDetach       OperationMode   = "detach"
	OriginDeparture  OperationOrigin = "departure"
	OriginStandalone OperationOrigin = "standalone"
	OriginWithdrawal OperationOrigin = "withdrawal"
	OriginAnnulment  OperationOrigin = "annulment"
)

// OperationKinds, OperationModes and OperationOrigins list them all.
var (
	OperationKinds   = closed.Of("operation_kind", OperationUnlink, OperationRelink)
	OperationModes   = closed.Of("operation_mode", ModeDisable, ModeDetach)
	OperationOrigins = closed.Of("operation_origin", OriginDeparture, OriginStandalone, OriginWithdrawal, OriginAnnulment)
)

// AccountOperation is one order to unlink or relink the accounts of one employment.
type AccountOperation struct {
	ID           uuid.UUID
	EmploymentID uuid.UUID
	DepartureID  *uuid.UUID
	Kind         OperationKind
	Mode         OperationMode
	Origin       OperationOrigin
	AllOrNothing bool
	UndoesID     *uuid.UUID
	CutID        *uuid.UUID // the emergency cut that it is part of
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

// StepStates say what may follow each.
var StepStates = closed.States("account_steps.state", "step_state", [][]StepState{
	{StepPending, StepRunning, StepDone, StepStuck, StepAborted, StepSuperseded},
	{StepRunning, StepPending, StepAccepted, StepDone, StepStuck, StepAborted, StepSuperseded},
	{StepAccepted, StepPending, StepRunning, StepDone, StepStuck, StepAborted, StepSuperseded},
	{StepDone, StepPending, StepStuck},
	{StepStuck, StepPending, StepDone, StepWaived, StepAborted, StepSuperseded},
	{StepWaived, StepPending},
	{StepAborted}, {StepSuperseded},
})

// AccountStep is one account's part in an operation.
type AccountStep struct {
	ID          uuid.UUID
	OperationID uuid.UUID
	AccountID   uuid.UUID
	System      string
	Position    int
	Action      OperationKind
	// Cautious: what is found in use is left to people.
	Cautious    bool
	State       StepState
	Tries       int
	CheckAt     *time.Time
	StuckReason string
	StartedAt   *time.Time
	EndedAt     *time.Time
	// Before is how an operation of an emergency cut found the account; nil: it is of none.
	Before *string `gorm:"type:jsonb"`
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

// CaseState is where a support case stands.
type CaseState string

// The states of a support case.
const (
	CaseOpen            CaseState = "open"
	CaseWaiverRequested CaseState = "waiver_requested"
	CaseClosed          CaseState = "closed"
)

// CaseStates say what may follow each.
var CaseStates = closed.States("support_cases.state", "case_state", [][]CaseState{
	{CaseOpen, CaseWaiverRequested, CaseClosed}, {CaseWaiverRequested, CaseOpen, CaseClosed}, {CaseClosed},
})

// Resolution is how a support case was solved.
type Resolution string

// The resolutions.
const (
	ResolutionRetry      Resolution = "retry"
	ResolutionByHand     Resolution = "resolved_by_hand"
	ResolutionWaive      Resolution = "waive"
	ResolutionAbort      Resolution = "abort"
	ResolutionSuperseded Resolution = "superseded"
)

// Resolutions lists them all.
var Resolutions = closed.Of("case_resolution", ResolutionRetry, ResolutionByHand, ResolutionWaive, ResolutionAbort, ResolutionSuperseded)

// SupportCase is a stuck step that people must solve.
type SupportCase struct {
	ID            uuid.UUID
	OperationID   uuid.UUID
	StepID        uuid.UUID
	AccountID     uuid.UUID
	DepartureID   *uuid.UUID
	System        string
	Reason        string
	State         CaseState
	Resolution    Resolution
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
