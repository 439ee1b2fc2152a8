// Package retention keeps what law wants kept and destroys the rest when it is due, with proof.
//
// A rule says how long a category of fields is kept in a jurisdiction, and which law says so. When
// an employment has ended, each category gets a deadline, an absolute instant. What is due is
// claimed by a purge, which carries out steps that each resume: intent (the point of no return),
// tombstone, keys, columns, probe, certificate. A hold suspends deletion while the deadlines run on.
// Whether something may be destroyed is decided by the database's predicate lethe_purgeable in the
// transaction of the intent, never by a timer.
//
// Locks are taken in this order: the holds lock, employment, departure, accounts, retention, purge,
// deadlines by id, categories by id.
package retention

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

// Refusals. An unknown id is database.ErrNotFound.
var (
	ErrApprovalRequired = errors.New("this brings a deadline forward and needs approval")
	ErrPurgeBegan       = errors.New("data has been destroyed already, or is being destroyed")
	ErrNotInReview      = errors.New("the purge is not in review")
	ErrRejected         = errors.New("the purge was rejected: two others approve it, or nobody")
	ErrNotRejected      = errors.New("the purge was not rejected")
	ErrUntilPast        = errors.New("an extension ends after the deadline and after today")
	ErrAboveCeiling     = errors.New("nothing may be kept that long")
	ErrUnknownDecision  = errors.New("a purge is approved or rejected")
	// ErrListChanged says that a list is not as it was seen, ErrNotInList that somebody takes out of it what is not in it.
	ErrListChanged = errors.New("the list changed since it was seen")
	ErrNotInList   = errors.New("the list has no such purge")
	ErrNobodyLeft  = errors.New("a decision about a list is about nobody")
	ErrRoleMayNot  = errors.New("only a reviewer decides about a purge")
	// ErrRejecter is ErrSamePerson of somebody who rejected what others would have to approve.
	ErrRejecter        = fmt.Errorf("%w: who rejected a purge does not approve it", ErrSamePerson)
	ErrSubject         = errors.New("nobody decides about the own data")
	ErrSamePerson      = errors.New("the second person must be a different one")
	ErrUnknownCategory = errors.New("unknown category")
	ErrMatterRequired  = errors.New("a hold names the matter that it is for")
	ErrHoldReleased    = errors.New("the hold was released already")
	ErrHoldScope       = errors.New("a hold is about one person, or about whoever matches a filter, or about everybody")
	ErrHoldPeriod      = errors.New("the period of leaving ends before it begins")
	ErrHoldEntity      = errors.New("the legal entity of a hold does not exist")
	ErrHoldDepartment  = errors.New("the department of a hold does not exist")
	ErrReachesOneself  = errors.New("a hold that covers whoever places or releases it needs another person")
	// ErrNotPurgeable says that the database's predicate refuses what the rows in Go's eyes allow.
	ErrNotPurgeable = errors.New("the database does not let this category be purged")
	// ErrOutOfOrder says that a step of a purge was called before the one that it builds on.
	ErrOutOfOrder = errors.New("the purge has not come that far")
	// ErrNotDestroyed says that a probe found something that is still there.
	ErrNotDestroyed = errors.New("a purge left something behind")
)

// MissingRulesError says that a jurisdiction has no rule for some category. Nobody employed under
// it can depart until one is added: without a rule nothing would ever be destroyed.
type MissingRulesError struct {
	Jurisdiction string
	Categories   []models.Category
}

func (e *MissingRulesError) Error() string {
	return fmt.Sprintf("jurisdiction %s has no retention rule for %s: add one for every category first",
		e.Jurisdiction, names(e.Categories))
}

// TooLateError says that a hold comes after the point of no return of these categories.
type TooLateError struct{ Categories []models.Category }

func (e *TooLateError) Error() string {
	return "too late for a hold: destroyed, or being destroyed: " + names(e.Categories)
}

func names(categories []models.Category) string {
	texts := make([]string, len(categories))
	for i, c := range categories {
		texts[i] = string(c)
	}
	return strings.Join(texts, ", ")
}

// LockDeparture locks a departure's employment and then the departure, and reads the latter.
func LockDeparture(tx *database.Tx, id uuid.UUID) (models.Departure, error) {
	dep, err := database.First[models.Departure](tx.DB().Select("id", "employment_id").Where("id = ?", id))
	if err != nil {
		return dep, fmt.Errorf("reading a departure: %w", err)
	}
	if _, err := archive.LockEmployment(tx, dep.EmploymentID); err != nil {
		return dep, err
	}
	return database.Lock[models.Departure](tx, "a departure", id)
}
