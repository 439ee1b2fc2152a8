// Package account takes the accounts of an employment in outside systems away and gives them back.
//
// An order (an operation) has one step for each account. A step is carried out by RunStep, as often
// as it takes: every sub-step is recorded as evidence, so that a run that died is resumed, and an
// account settles only on what was read back at the target, never because a call returned 200.
// What cannot be carried out becomes a support case for people; a failure never re-opens access.
//
// Three things keep a late or repeated run harmless. Each run raises the account's attempt and
// checks right before every mutating call that it is still the newest (the fence). An order that
// takes an account over raises the attempt too. And a step that acts in the other direction waits
// until the former run has returned or can no longer act (attempt_open_until).
//
// Locks are taken in this order: employment, departure, operations by id, accounts by id, category.
package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/failpoint"
	"lethe/internal/vault"
	"lethe/models"
)

// Timings are the limits that bound one run of a step and its retries.
type Timings struct {
	StartToClose    time.Duration // limit for one run of a step
	ScheduleToClose time.Duration // how far ahead a driven row may sleep while a step runs
	HTTPTimeout     time.Duration // limit for one remote call; below StartToClose
	RetryInitial    time.Duration // pause after the first failed try; doubles from there
	RetryMax        time.Duration // longest pause between two tries
	AcceptedCheck   time.Duration // when to look again at what a system accepted but has not done
	Tries           int           // failed tries, or checks of what was accepted, before people are asked
}

// Snapshots seals and opens what an account looked like before it was unlinked.
type Snapshots interface {
	Seal(tx *database.Tx, p vault.Cell, plain []byte) (models.Sealed, uuid.UUID, error)
	Open(tx *database.Tx, p vault.Cell, s models.Sealed) ([]byte, error)
}

// Service carries out steps. Orders and decisions need no service: they only change facts.
type Service struct {
	db        *database.DB
	snapshots Snapshots
	systems   *connector.Registry
	timings   Timings
	// mark names the places before and after each effect and commit, for crash tests.
	mark func(name string)
}

// New is a service that talks to the given systems.
func New(db *database.DB, v Snapshots, systems *connector.Registry, t Timings) *Service {
	return &Service{db: db, snapshots: v, systems: systems, timings: t, mark: failpoint.Hit}
}

// Errors of orders and decisions. An unknown id is database.ErrNotFound.
var (
	ErrAccessEnded     = errors.New("the access of this employment has ended: nothing new is linked to it")
	ErrAlreadyLinked   = errors.New("this account is linked already")
	ErrDetached        = errors.New("this account was detached: a relink links it again")
	ErrOfAnother       = errors.New("this account is linked to somebody else")
	ErrCutStands       = errors.New("an emergency cut keeps these accounts closed: lift it")
	ErrDepartureOwns   = errors.New("a departure unlinked these accounts: withdraw or annul the departure")
	ErrCaseClosed      = errors.New("the support case is closed or waits for another decision")
	ErrNoWaiverAsked   = errors.New("nobody asked for a waiver")
	ErrSamePerson      = errors.New("a waiver is confirmed by a different person")
	ErrOwnAccount      = errors.New("nobody decides about the own account")
	ErrRoleMayNot      = errors.New("this role may not decide support cases")
	ErrAbortNotAllowed = errors.New("only a stand-alone unlinking can be aborted")
	ErrUnknownAction   = errors.New("unknown action on a support case")
	ErrNothingToUnlink = errors.New("every account in question is settled")
	ErrNothingToUndo   = errors.New("the operation to undo is not an unlinking of this employment")
	ErrInvalidOrder    = errors.New("the order contradicts itself")
	errStale           = errors.New("the step is no longer this run's to carry out")
	ErrUnknown         = fmt.Errorf("no such account operation or step: %w", database.ErrNotFound)
)

// AlreadyRunningError says that an unlinking of the same accounts is under way.
type AlreadyRunningError struct{ OperationID uuid.UUID }

func (e *AlreadyRunningError) Error() string { return "these accounts are being unlinked already" }

// change updates columns of one row by id.
func change[T any](tx *database.Tx, what string, id uuid.UUID, columns map[string]any) error {
	var row T
	return database.Wrap("updating "+what, database.UpdateOne(tx.DB().Model(&row).Where("id = ?", id).Updates(columns)))
}

func create[T any](tx *database.Tx, what string, rows ...T) error {
	if len(rows) == 0 {
		return nil
	}
	return database.Wrap("creating "+what, tx.DB().Create(&rows).Error)
}

// lockOwner locks what comes before a departure's operation in the lock order.
func lockOwner(tx *database.Tx, op models.AccountOperation) error {
	if op.DepartureID == nil {
		return nil
	}
	if _, err := database.Lock[models.Employment](tx, "an employment", op.EmploymentID); err != nil {
		return err
	}
	_, err := database.Lock[models.Departure](tx, "a departure", *op.DepartureID)
	return err
}
