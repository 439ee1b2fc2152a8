package departure

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lethe/models"
)

// Refusals of a command. Each is judged before anything is written.
var (
	ErrEmployeeNotFound = errors.New("no such employee with a current employment")
	ErrNotFound         = errors.New("no such departure")
	ErrUnknownKind      = errors.New("unknown kind of departure")
	ErrUnknownInitiator = errors.New("unknown initiator")
	ErrNotSupportedYet  = errors.New("not supported by this version")
	ErrLastDayMissing   = errors.New("a last working day is required unless the departure is immediate")
	ErrImmediateDates   = errors.New("an immediate departure derives its dates itself")
	ErrLastDayInPast    = errors.New("the last working day is in the past and was not confirmed")
	ErrBeforeHire       = errors.New("a date is before the hire date")
	ErrTooFarAhead      = errors.New("a date is more than two years ahead")
	ErrDatesOutOfOrder  = errors.New("the dates are in an impossible order")
	ErrUnknownZone      = errors.New("unknown time zone")
	ErrNoRules          = errors.New("no retention rules for the jurisdiction")
	ErrApprovalRequired = errors.New("this brings a deadline forward and needs approval")
	ErrStage            = errors.New("the departure's stage does not allow this")
	ErrConsentRequired  = errors.New("the notice was received: a withdrawal needs the company's consent")
	ErrEnded            = errors.New("the employment has ended")
	ErrPurgeBegan       = errors.New("data has been destroyed already")
	ErrNoAnnulment      = errors.New("nobody asked for this annulment")
	ErrSamePerson       = errors.New("the second person must be a different one")
	ErrSubject          = errors.New("nobody begins, or decides about, the own departure")
	ErrRehired          = errors.New("the person has a new employment")
	ErrNotEarlier       = errors.New("the dates bring no deadline forward")
	ErrCutoffPassed     = errors.New("accounts were unlinked already: the cutoff stays")
	ErrNotACode         = errors.New("a code consists of small letters, digits, dots, hyphens and underscores")
)

// PastError is ErrLastDayInPast, and says by how much.
type PastError struct {
	// Days is how many days before today the last working day lies, in the departure's zone.
	Days int
}

func (e *PastError) Error() string { return fmt.Sprintf("%v: %d days", ErrLastDayInPast, e.Days) }

// Is lets callers compare with ErrLastDayInPast.
func (e *PastError) Is(target error) bool { return target == ErrLastDayInPast }

// OrderError is ErrDatesOutOfOrder, and says which date is in the wrong place.
type OrderError struct {
	// Field is the date's name in the API.
	Field string
}

func (e *OrderError) Error() string { return fmt.Sprintf("%v: %s", ErrDatesOutOfOrder, e.Field) }

// Is lets callers compare with ErrDatesOutOfOrder.
func (e *OrderError) Is(target error) bool { return target == ErrDatesOutOfOrder }

// ExistsError says that the employment has a departure already, under way or over.
type ExistsError struct {
	ID    uuid.UUID
	Stage models.Stage
}

func (e *ExistsError) Error() string { return fmt.Sprintf("departure %s is %s", e.ID, e.Stage) }
