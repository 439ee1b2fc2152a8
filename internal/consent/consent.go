// Package consent keeps what people agreed to. A privacy policy, versioned, asks for each purpose in words; a person
// answers by the own login, or on a paper that HR records. Each answer is a row and an entry, and the last one about a
// purpose counts: whoever relies on a consent asks [Standing] again right before.
//
// What rests on a contract or a law is not asked for, and nobody agrees for somebody else.
package consent

import (
	"errors"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/models"
)

// State is how a person stands to a purpose.
type State string

// The states.
const (
	// Unanswered: nobody asked yet, or nothing was said.
	Unanswered State = "unanswered"
	Given      State = "given"
	Declined   State = "declined"
	Withdrawn  State = "withdrawn"
	// Outdated: given, but the policy asks for something else by now. It does not count.
	Outdated State = "outdated"
	// Ended: the person's data was deleted.
	Ended State = "ended"
)

// States lists them all.
var States = closed.Of("consent_state", Unanswered, Given, Declined, Withdrawn, Outdated, Ended)

// Refuses says whether the person said no.
func (s State) Refuses() bool { return s == Declined || s == Withdrawn }

// Standing is how a person stands to one purpose.
type Standing struct {
	Purpose models.ConsentPurpose
	State   State
	// ToAnswer: the policy in force asks for an answer that was not given yet.
	ToAnswer bool
	// Ask is what the policy in force asks; nil: it does not ask for this any more.
	Ask *Ask
	// Last is the last answer; nil: there is none.
	Last *models.Consent
}

// stand is pure: the last answer, and what is asked now.
func stand(purpose models.ConsentPurpose, ask *Ask, last *models.Consent) Standing {
	s := Standing{Purpose: purpose, State: Unanswered, Ask: ask, Last: last}
	same := last != nil && ask != nil && last.AskedSince >= ask.Since
	switch {
	case last == nil:
	case last.Answer == models.ConsentGiven && !same:
		s.State = Outdated
	case last.Answer == models.ConsentGiven:
		s.State = Given
	case last.Answer == models.ConsentDeclined:
		s.State = Declined
	case last.Answer == models.ConsentWithdrawn:
		s.State = Withdrawn
	default:
		s.State = Ended
	}
	s.ToAnswer = ask != nil && (!same || s.State == Ended)
	return s
}

// Of is how a person stands to whatever is asked, and to what was asked once and answered.
func Of(g *gorm.DB, employeeID uuid.UUID) ([]Standing, error) {
	policy, err := Current(g)
	if err != nil {
		return nil, err
	}
	var rows []models.Consent
	err = g.Raw("SELECT DISTINCT ON (purpose) * FROM consents WHERE employee_id = ? ORDER BY purpose, seq DESC", employeeID).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading what somebody agreed to", err)
	}
	var all []Standing
	for _, purpose := range models.ConsentPurposes {
		var last *models.Consent
		if i := slices.IndexFunc(rows, func(c models.Consent) bool { return c.Purpose == purpose }); i >= 0 {
			last = &rows[i]
		}
		if ask := policy.Ask(purpose); ask != nil || last != nil {
			all = append(all, stand(purpose, ask, last))
		}
	}
	return all, nil
}

// To is how a person stands to one purpose.
func To(g *gorm.DB, employeeID uuid.UUID, purpose models.ConsentPurpose) (Standing, error) {
	all, err := Of(g, employeeID)
	if err != nil {
		return Standing{}, err
	}
	for _, s := range all {
		if s.Purpose == purpose {
			return s, nil
		}
	}
	return Standing{Purpose: purpose, State: Unanswered}, nil
}

// ToAnswer is what the policy in force asks of somebody who has not answered it yet; never nil.
func ToAnswer(g *gorm.DB, employeeID uuid.UUID) ([]models.ConsentPurpose, error) {
	all, err := Of(g, employeeID)
	open := []models.ConsentPurpose{}
	for _, s := range all {
		if s.ToAnswer {
			open = append(open, s.Purpose)
		}
	}
	return open, err
}

// History is every answer of a person, newest first.
func History(g *gorm.DB, employeeID uuid.UUID) ([]models.Consent, error) {
	var rows []models.Consent
	err := g.Where("employee_id = ?", employeeID).Order("seq DESC").Limit(maxHistory).Find(&rows).Error
	return rows, database.Wrap("reading what somebody answered", err)
}

// maxHistory bounds a page: nobody answers so often.
const maxHistory = 200

// The ways in which a command is refused.
var (
	ErrNotFound = errors.New("there is no such version of the privacy policy")
	// ErrChanged: another version is in force than the one that was answered, or that a draft was made from.
	ErrChanged = errors.New("the privacy policy was changed meanwhile")
	// ErrSame: nothing would change.
	ErrSame = errors.New("the privacy policy says so already")
	// ErrOthers: only HR records what somebody else signed.
	ErrOthers = errors.New("nobody answers for somebody else")
	// ErrOwnPaper: nobody of HR records a paper of the own.
	ErrOwnPaper = errors.New("who is logged in answers by the own login")
	// ErrAnsweredLater: the person answered after the paper was signed.
	ErrAnsweredLater = errors.New("the person answered later than the paper was signed")
	// ErrGone: the person's data is deleted.
	ErrGone = errors.New("the person's data is deleted")
)

// Codes of a refused value, besides those of package invalid.
const (
	CodeNotAsked = "not_asked"
)
