package models

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// CutState is how far an emergency cut of somebody's access came.
type CutState string

// The states of an emergency cut.
const (
	// CutUnconfirmed: closed, and no second person has said yet that it is right.
	CutUnconfirmed CutState = "unconfirmed"
	// CutConfirmed: closed, and a second person agrees.
	CutConfirmed CutState = "confirmed"
	// CutLifted: two people opened again what it closed.
	CutLifted CutState = "lifted"
	// CutEnded: the employment ended, or the data was deleted, which keeps closed what it had closed.
	CutEnded CutState = "ended"
)

// CutStates say what may follow each.
var CutStates = closed.States("access_cuts.state", "cut_state", [][]CutState{
	{CutUnconfirmed, CutConfirmed, CutLifted, CutEnded}, {CutConfirmed, CutLifted, CutEnded}, {CutLifted}, {CutEnded},
})

// StandingCuts are the states of those that stand.
var StandingCuts = []CutState{CutUnconfirmed, CutConfirmed}

// Stands says whether it keeps closed what it closed.
func (s CutState) Stands() bool { return slices.Contains(StandingCuts, s) }

// AccessCut is that somebody's access was taken away at once, without a departure or before one.
type AccessCut struct {
	ID         uuid.UUID
	EmployeeID uuid.UUID
	State      CutState
	// Systems are those that it is about; nil: all, also those that are connected later.
	Systems Names `gorm:"type:text[]"`
	// HolderOf are the protected roles that the person held when it was ordered.
	HolderOf     Names `gorm:"type:text[]"`
	OrderedBy    uuid.UUID
	OrderedRole  Role
	OrderedAt    time.Time
	ReasonSealed Sealed // it ends with the log
	// ConfirmDueAt is until when a second person has to confirm it.
	ConfirmDueAt time.Time
	// ToldAt is when somebody entered that the person was told; nil: nobody but those who act on it knows.
	ToldAt      *time.Time
	ToldBy      *uuid.UUID
	ConfirmedAt *time.Time
	ConfirmedBy *uuid.UUID
	// Escalations is how often it was shown that nobody confirms, EscalatedAt when that was last.
	Escalations   int
	EscalatedAt   *time.Time
	LiftedAt      *time.Time
	LiftedBy      *uuid.UUID
	LiftedWith    *uuid.UUID // who agreed
	EndedAt       *time.Time // of one that ended with the employment
	LedgerEntryID uuid.UUID
}
