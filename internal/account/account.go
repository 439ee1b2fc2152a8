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
	"gorm.io/gorm/clause"

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
	Seal(tx *database.Tx, p vault.Place, plain []byte) (models.Sealed, uuid.UUID, error)
	Open(tx *database.Tx, p vault.Place, s models.Sealed) ([]byte, error)
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

var (
	forChange = clause.Locking{Strength: "NO KEY UPDATE"}
	forShare  = clause.Locking{Strength: "SHARE"}
	byID      = clause.OrderByColumn{Column: clause.Column{Name: "id"}}
)

func find[T any](tx *database.Tx, what string, where string, args ...any) ([]T, error) {
	var rows []T
	if err := tx.DB().Where(where, args...).Order(byID).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, database.Hide(err))
	}
	return rows, nil
}

func findLocked[T any](tx *database.Tx, what string, where string, args ...any) ([]T, error) {
	var rows []T
	if err := tx.DB().Clauses(forChange).Where(where, args...).Order(byID).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("locking %s: %w", what, database.Hide(err))
	}
	return rows, nil
}

// change updates columns of one row by id.
func change[T any](tx *database.Tx, what string, id uuid.UUID, columns map[string]any) error {
	var row T
	if err := database.UpdateOne(tx.DB().Model(&row).Where("id = ?", id).Updates(columns)); err != nil {
		return fmt.Errorf("updating %s: %w", what, err)
	}
	return nil
}

func create[T any](tx *database.Tx, what string, rows ...T) error {
	if len(rows) == 0 {
		return nil
	}
	if err := tx.DB().Create(&rows).Error; err != nil {
		return fmt.Errorf("creating %s: %w", what, database.Hide(err))
	}
	return nil
}

// lockOperation locks an operation and reads it.
func lockOperation(tx *database.Tx, id uuid.UUID) (models.AccountOperation, error) {
	op, err := database.First[models.AccountOperation](tx.DB().Clauses(forChange).Where("id = ?", id))
	if err != nil {
		return op, fmt.Errorf("locking an account operation: %w", err)
	}
	return op, nil
}

func lockAccount(tx *database.Tx, id uuid.UUID) (models.LinkedAccount, error) {
	a, err := database.First[models.LinkedAccount](tx.DB().Clauses(forChange).Where("id = ?", id))
	if err != nil {
		return a, fmt.Errorf("locking an account: %w", err)
	}
	return a, nil
}

// lockOwner locks what comes before a departure's operation in the lock order.
func lockOwner(tx *database.Tx, op models.AccountOperation) error {
	if op.DepartureID == nil {
		return nil
	}
	if _, err := database.First[models.Employment](tx.DB().Clauses(forChange).Select("id").Where("id = ?", op.EmploymentID)); err != nil {
		return fmt.Errorf("locking an employment: %w", err)
	}
	if _, err := database.First[models.Departure](tx.DB().Clauses(forChange).Select("id").Where("id = ?", *op.DepartureID)); err != nil {
		return fmt.Errorf("locking a departure: %w", err)
	}
	return nil
}
