package disclosure

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/invalid"
	"lethe/models"
)

// The ways in which a command is refused. A look that is refused by its rules is no error: see [Ask].
var (
	ErrNotFound = errors.New("no such look")
	// ErrProve: the looker has to prove first who they are.
	ErrProve = errors.New("this look needs a re-authentication")
	// ErrOwn: nobody reviews the own look, or one at the own file.
	ErrOwn = errors.New("nobody decides about the own look, or one at the own file")
	// ErrNotLooker: only who asked opens a look, and tells what came of it.
	ErrNotLooker = errors.New("another person asked for this look")
	// ErrNotOpen: it cannot be opened in this state, or not any more.
	ErrNotOpen = errors.New("the look cannot be opened, or not any more")
	// ErrNotPermitted: it was shown, and the permissions do not let the looker look any more.
	ErrNotPermitted = fmt.Errorf("who asked for it may not look any more: %w", ErrNotOpen)
	// ErrNotShown: nothing was shown whose outcome could be told.
	ErrNotShown = errors.New("nothing was shown")
	// ErrClosed: the outcome was told already, and another one.
	ErrClosed = errors.New("the outcome was told already")
	// ErrNoReview: this look is not reviewed afterwards.
	ErrNoReview = errors.New("this look needs no review")
	// ErrReviewed: it was reviewed already, with another finding.
	ErrReviewed = errors.New("the look was reviewed already")
	// ErrObjected: the subject objected to it already.
	ErrObjected = errors.New("the subject objected already")
	// ErrNoObjection: the subject did not object.
	ErrNoObjection = errors.New("the subject did not object")
	// ErrAnswered: the objection was answered already.
	ErrAnswered = errors.New("the objection was answered already")
	// ErrNotWaiting: no reviewer is to decide about it.
	ErrNotWaiting = errors.New("the look waits for nobody")
)

// Codes of a refused value, besides those of package invalid.
const (
	CodeSaysNothing = "says_nothing"
)

// InsteadOfEvidence is what can be done where evidence is missing: an authority brings it, and what it asks for is kept meanwhile.
func InsteadOfEvidence(e *invalid.ValuesError, p access.Purpose) []Alternative {
	if p != access.AuthorityOrder || !slices.ContainsFunc(e.Problems, func(v invalid.Value) bool {
		return strings.HasPrefix(v.Location, "evidence.") && v.Code == invalid.Required
	}) {
		return nil
	}
	return insteadOf(RuleGranted, p)
}

// WaitingError says that the same look waits for a reviewer already.
type WaitingError struct{ ID uuid.UUID }

func (e *WaitingError) Error() string { return fmt.Sprintf("the look %s waits already", e.ID) }

// LapsedError says that what a look was judged by has changed since.
type LapsedError struct {
	ID    uuid.UUID
	State models.DisclosureState
}

func (e *LapsedError) Error() string { return fmt.Sprintf("the look %s is %s", e.ID, e.State) }
