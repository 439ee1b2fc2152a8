package models

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"lethe/internal/clock"
	"lethe/internal/closed"
)

// RetentionRule is one version of how long a category is kept in a jurisdiction, and why.
type RetentionRule struct {
	ID             uuid.UUID
	Jurisdiction   string
	Category       Category
	Version        int
	Period         string // ISO 8601 duration
	Floor          string // ISO 8601 duration, the statutory minimum
	Ceiling        string // ISO 8601 duration, the longest that a law allows; empty: none
	Anchor         string // AnchorEmploymentEnd or AnchorEndOfCalendarYear
	ReviewRequired bool
	BasisZh        string
	BasisEn        string
	CreatedAt      time.Time `gorm:"->"`
	SupersededAt   *time.Time
	LedgerEntryID  *uuid.UUID // the entry that put it into force; nil from before the ledger
}

// Where a rule counts from.
const (
	AnchorEmploymentEnd     = "employment_end"
	AnchorEndOfCalendarYear = "end_of_calendar_year"
)

// Retention is the driven row of one departure's retention; its id is the departure's.
type Retention struct {
	ID            uuid.UUID
	EmploymentID  uuid.UUID
	State         RetentionState
	CreatedAt     time.Time `gorm:"->"`
	EndedAt       *time.Time
	LedgerEntryID *uuid.UUID // the entry of the scheduling; nil from before the ledger
	Driven
}

// RetentionState is whether anything is left of a departure's retention.
type RetentionState string

// The states of a retention.
const (
	RetentionRunning RetentionState = "running"
	RetentionEnded   RetentionState = "ended"
)

// RetentionStates say what may follow each.
var RetentionStates = closed.States("retentions.state", "", [][]RetentionState{{RetentionRunning, RetentionEnded}, {RetentionEnded}})

// DeadlineState is where one category's deadline stands.
type DeadlineState string

// The states of a deadline.
const (
	DeadlineScheduled DeadlineState = "scheduled"
	DeadlineHeld      DeadlineState = "held"
	DeadlineInReview  DeadlineState = "in_review"
	DeadlinePurging   DeadlineState = "purging"
	DeadlinePurged    DeadlineState = "purged"
	DeadlineCancelled DeadlineState = "cancelled"
)

// DeadlineStates say what may follow each.
var DeadlineStates = closed.States("retention_deadlines.state", "retention_state", [][]DeadlineState{
	{DeadlineScheduled, DeadlineHeld, DeadlineInReview, DeadlinePurging, DeadlineCancelled},
	{DeadlineHeld, DeadlineScheduled, DeadlineCancelled},
	{DeadlineInReview, DeadlineScheduled, DeadlineHeld, DeadlinePurging, DeadlineCancelled},
	{DeadlinePurging, DeadlinePurged},
	{DeadlinePurged}, {DeadlineCancelled},
})

// RetentionDeadline is the absolute instant before which a category is not purged.
type RetentionDeadline struct {
	ID            uuid.UUID
	DepartureID   uuid.UUID
	EmploymentID  uuid.UUID
	CategoryID    uuid.UUID
	Category      Category
	RuleID        uuid.UUID
	EventAt       time.Time
	Deadline      time.Time
	FloorAt       time.Time
	State         DeadlineState
	Advanced      bool       // two people brought it forward: its purge wants the review
	ExtendedUntil *time.Time // two people extended it: no rule brings it before this
	UpdatedAt     time.Time  `gorm:"autoUpdateTime:false"`
	LedgerEntryID *uuid.UUID // the entry that computed it last; nil from before the ledger
}

// Hold suspends the deletion of somebody's categories (all of them if Categories is NULL) in every
// employment: one person's, of whoever matches its filter, or everybody's.
type Hold struct {
	ID             uuid.UUID
	EmployeeID     *uuid.UUID
	Everybody      bool
	LegalEntityID  *uuid.UUID // the filter, as are the next three
	DepartmentID   *uuid.UUID
	LeftFrom       *clock.Date
	LeftTo         *clock.Date
	Categories     pgtype.FlatArray[string] `gorm:"type:text[]"`
	MatterSealed   Sealed
	PlacedBy       *uuid.UUID
	PlacedAt       time.Time `gorm:"->"`
	ReleasedBy     *uuid.UUID
	ReleasedAt     *time.Time
	LedgerEntryID  *uuid.UUID // the entry of the placing; nil from before the ledger
	ReleaseEntryID *uuid.UUID // the entry of the release
}

// PurgeState is where a purge stands.
type PurgeState string

// The states of a purge. Purging is the point of no return.
const (
	PurgeClaimed   PurgeState = "claimed"
	PurgeInReview  PurgeState = "in_review"
	PurgeRejected  PurgeState = "rejected" // until two people decide otherwise, or a hold takes it over
	PurgePurging   PurgeState = "purging"
	PurgePurged    PurgeState = "purged"
	PurgeCancelled PurgeState = "cancelled"
)

// PurgeStates say what may follow each.
var PurgeStates = closed.States("purges.state", "purge_state", [][]PurgeState{
	{PurgeClaimed, PurgeInReview, PurgePurging, PurgeCancelled},
	{PurgeInReview, PurgeClaimed, PurgeRejected, PurgePurging, PurgeCancelled},
	{PurgeRejected, PurgeInReview, PurgeCancelled},
	{PurgePurging, PurgePurged},
	{PurgePurged}, {PurgeCancelled},
})

// Decision is what people said about a purge.
type Decision string

// The decisions.
const (
	DecisionApproved Decision = "approved"
	DecisionRejected Decision = "rejected"
	DecisionExtended Decision = "extended" // kept on to a day
)

// Decisions lists them all.
var Decisions = closed.Of("purge_decision", DecisionApproved, DecisionRejected, DecisionExtended)

// Purge claims the categories of one person that are due together.
type Purge struct {
	ID              uuid.UUID
	DepartureID     uuid.UUID
	EmploymentID    uuid.UUID
	State           PurgeState
	ReviewRequired  bool
	ReviewUntil     *time.Time
	Decision        Decision
	DecidedBy       *uuid.UUID
	DecidedAt       *time.Time
	ConfirmedBy     *uuid.UUID // the second one of two people who decided about a rejected purge
	RejectedBy      *uuid.UUID // who rejected it; stays
	RejectedAt      *time.Time
	ExtendedUntil   *clock.Date // of an extension: the last day that what it claimed is kept
	Escalations     int         // how often it was shown that nobody decides
	EscalatedAt     *time.Time
	IntentAt        *time.Time
	TombstonedAt    *time.Time
	KeysDestroyedAt *time.Time
	FieldsClearedAt *time.Time
	ProbedAt        *time.Time
	EndedAt         *time.Time
	CreatedAt       time.Time  `gorm:"->"`
	LedgerEntryID   *uuid.UUID // the entry of the order; nil from before the ledger
	Driven
}

// PurgeRejection is that somebody rejected the destruction of a category when a purge claimed it. It stands
// against every later purge of the category, and never changes.
type PurgeRejection struct {
	CategoryID    uuid.UUID  `gorm:"primaryKey"`
	PurgeID       uuid.UUID  `gorm:"primaryKey"`
	RejectedBy    *uuid.UUID // nil only if an older version did not say
	RejectedAt    time.Time  `gorm:"->"`
	LedgerEntryID *uuid.UUID // the entry of the decision; nil from before
}

// ClaimState is what became of a claim on one category.
type ClaimState string

// The states of a claim.
const (
	ClaimOpen   ClaimState = "open"
	ClaimLeft   ClaimState = "left"
	ClaimPurged ClaimState = "purged"
)

// ClaimStates say what may follow each.
var ClaimStates = closed.States("purge_claims.state", "", [][]ClaimState{{ClaimOpen, ClaimLeft, ClaimPurged}, {ClaimLeft}, {ClaimPurged}})

// PurgeClaim is a purge's claim on one category.
type PurgeClaim struct {
	PurgeID     uuid.UUID `gorm:"primaryKey"`
	DepartureID uuid.UUID
	CategoryID  uuid.UUID
	Category    Category `gorm:"primaryKey"`
	State       ClaimState
}

// DestructionCertificate proves one purge.
type DestructionCertificate struct {
	ID                 uuid.UUID
	PurgeID            uuid.UUID
	DepartureID        uuid.UUID
	Serial             int64  `gorm:"->"`
	Statement          string `gorm:"type:jsonb"`
	StatementSha256    []byte
	UnrecoverableAfter clock.Date
	IssuedAt           time.Time  `gorm:"->"`
	LedgerEntryID      *uuid.UUID // the entry that proves it; nil from before the ledger
}
