package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// Holding is a kind of thing that somebody looks after here by name.
type Holding string

// The kinds of things.
const (
	HoldingDepartment Holding = "department" // as its head
	HoldingHold       Holding = "hold"
	HoldingRejection  Holding = "rejection"    // of a deletion
	HoldingLook       Holding = "look"         // whose outcome is still to be told
	HoldingDuty       Holding = "duty"         // a shift that is not over
	HoldingCall       Holding = "call"         // an emergency call that was taken
	HoldingCase       Holding = "support_case" // whose waiver the person asked for
	HoldingRequest    Holding = "request"      // that nobody has decided
	HoldingImport     Holding = "import"       // that is not done
	HoldingEnrolment  Holding = "enrolment"    // half of whose code the person has to hand over
	HoldingRole       Holding = "role"         // that nobody else holds
)

// Holdings lists them all.
var Holdings = closed.Of("holding", HoldingDepartment, HoldingHold, HoldingRejection, HoldingLook, HoldingDuty, HoldingCall, HoldingCase,
	HoldingRequest, HoldingImport, HoldingEnrolment, HoldingRole)

// HoldingEffect is what becomes of a thing when its holder is gone.
type HoldingEffect string

// The effects.
const (
	// EffectPasses: to the successor, else to the role, where it is shown until somebody takes it.
	EffectPasses HoldingEffect = "passes"
	// EffectReturns: to everybody of the role, where it waited before.
	EffectReturns HoldingEffect = "returns"
	// EffectEnds: it ends, and is shown as ended for that.
	EffectEnds HoldingEffect = "ends"
	// EffectVacant: the role has nobody any more; giving it to somebody takes two people.
	EffectVacant HoldingEffect = "vacant"
)

// HoldingEffects lists them all.
var HoldingEffects = closed.Of("holding_effect", EffectPasses, EffectReturns, EffectEnds, EffectVacant)

// SuccessionCause is why something passed on.
type SuccessionCause string

// The causes.
const (
	SuccessionLeft     SuccessionCause = "left"
	SuccessionCut      SuccessionCause = "cut" // an emergency cut
	SuccessionDisabled SuccessionCause = "disabled"
	SuccessionRoleLost SuccessionCause = "role_lost"
	SuccessionTaken    SuccessionCause = "taken" // from the role, by whom somebody of HR named
)

// SuccessionCauses lists them all.
var SuccessionCauses = closed.Of("succession_cause", SuccessionLeft, SuccessionCut, SuccessionDisabled, SuccessionRoleLost, SuccessionTaken)

// SuccessionPlan is one version of who takes over what somebody looks after.
type SuccessionPlan struct {
	ID            uuid.UUID
	EmployeeID    uuid.UUID
	Version       int
	NamedBy       uuid.UUID
	NamedAt       time.Time `gorm:"->"`
	LedgerEntryID uuid.UUID
}

// SuccessionChoice is a successor for a kind of thing; without a kind, for every one that names nobody else.
type SuccessionChoice struct {
	PlanID      uuid.UUID `gorm:"primaryKey"`
	Kind        Holding   `gorm:"primaryKey"`
	SuccessorID uuid.UUID
}

// Succession is that a thing passed on.
type Succession struct {
	ID      uuid.UUID
	Kind    Holding
	ThingID uuid.UUID
	// Turn counts how often it passed on; the last one counts.
	Turn   int
	FromID *uuid.UUID // nil: from the role
	ToID   *uuid.UUID // nil: to the role
	// Role is the one that looks after it where nobody does by name.
	Role          Role
	Cause         SuccessionCause
	PassedBy      *uuid.UUID // who named the person that took it from the role
	At            time.Time  `gorm:"->"`
	LedgerEntryID uuid.UUID
}
