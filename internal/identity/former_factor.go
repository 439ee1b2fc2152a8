package identity

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// What can be wrong with another second factor for somebody who has left.
var (
	// ErrNotLeft: whoever works here is reset as everybody is.
	ErrNotLeft = errors.New("the person has not left")
	// ErrPersonPurged: nothing is kept that a link would open.
	ErrPersonPurged = errors.New("the person's data is deleted")
	ErrDocument     = errors.New("no such kind of document")
)

// HandedOverLasts is how long the code works that two people hand over to somebody who has left.
const HandedOverLasts = 24 * time.Hour

// NewFactor lets somebody who has left, and who lost the second factor or never had one, enrol another one. The person was
// there in person, and two people checked the document, of which the kind is kept and never its number.
type NewFactor struct {
	EmployeeID uuid.UUID
	Document   models.IdentityDocument
	// Login is for somebody who never had an account here; empty: the employee number.
	Login string
}

// Account is the user that it is about: the person's oldest, locked, or a new one without an id, with the login that it
// would get. It is why [Service.HandOver] would refuse, if it would.
func (n NewFactor) Account(tx *database.Tx) (user models.User, err error) {
	if !slices.Contains(models.IdentityDocuments, n.Document) {
		return user, ErrDocument
	}
	person, err := database.First[models.Employee](tx.DB().Select("id", "employee_no", "status").Where("id = ?", n.EmployeeID))
	switch {
	case err != nil:
		return user, database.Found("reading a person", err, ErrNoSuchPerson)
	case person.Status == models.StatusPurged:
		return user, ErrPersonPurged
	case person.Status != models.StatusDeparted:
		return user, ErrNotLeft
	}
	user, err = database.First[models.User](tx.DB().Clauses(database.ForChange).Where("employee_id = ? AND state = ?", person.ID, models.UserDisabled).
		Order(clause.OrderByColumn{Column: clause.Column{Name: "created_at"}}).Order(database.ByID))
	if !errors.Is(err, database.ErrNotFound) {
		return user, database.Wrap("finding the user of somebody who has left", err)
	}
	user = models.User{EmployeeID: person.ID, Login: normalLogin(n.Login), State: models.UserDisabled}
	if user.Login == "" {
		user.Login = normalLogin(person.EmployeeNo)
	}
	if !loginForm.MatchString(user.Login) {
		return user, ErrLogin
	}
	var taken int64
	if err := tx.DB().Model(&models.User{}).Where("login = ?", user.Login).Count(&taken).Error; err != nil {
		return user, database.Wrap("looking for a login", err)
	}
	if taken > 0 {
		return user, ErrLoginTaken
	}
	return user, nil
}

// HandOver prepares the code, in two halves: by, who asked, and the second person behind the context each give one to the
// person ([EnrolmentCode]). The account stays disabled, and opens the own data alone, with a link. It is what the operation
// "former_access.enrol" runs.
func (s *Service) HandOver(tx *database.Tx, by models.Actor, n NewFactor) (models.User, error) {
	user, err := n.Account(tx)
	if err != nil {
		return user, err
	}
	if user.ID == uuid.Nil {
		user.CreatedBy = by.ID()
		if user, err = insertUser(tx, by, user); err != nil {
			return user, err
		}
	}
	entry, err := record(tx, by, "former_access.enrolment_opened", user, map[string]string{"identity_document": string(n.Document)})
	if err != nil {
		return user, err
	}
	if err := tx.DB().Where("user_id = ?", user.ID).Delete(&models.Enrolment{}).Error; err != nil {
		return user, database.Wrap("replacing a code", err)
	}
	return user, expectEnrolment(tx, user.ID, by, entry, HandedOverLasts)
}

// awaitsFactor says whether a user may enrol another second factor.
func awaitsFactor(g *gorm.DB, userID uuid.UUID) (bool, error) {
	var n int64
	err := g.Model(&models.Enrolment{}).Where("user_id = ? AND expires_at > lethe_now()", userID).Count(&n).Error
	return n > 0, database.Wrap("looking for a code", err)
}

// FormerEnrolling is somebody who has left, with a link and both halves of the code that was handed over.
type FormerEnrolling struct {
	Link, Code, TOTP string
	Client           Client
}

// BeginFormerFactor shows the secret of another second factor, once: a second call makes a new one. The former factor holds
// until [Service.FinishFormerFactor].
func (s *Service) BeginFormerFactor(ctx context.Context, e FormerEnrolling) (secret TOTP, err error) {
	err = s.withLink(ctx, e.Link, e.Client, func(tx *database.Tx, user models.User, _ func() error) error {
		if err := s.lockEnrolment(tx, user.ID, Enrolling{Code: e.Code}); err != nil {
			return err
		}
		if _, err := record(tx, ofOwner(user), "former_access.enrolment_begun", user, nil); err != nil {
			return err
		}
		secret, err = s.BeginTOTP(tx, user.ID)
		return err
	})
	return secret, err
}

// FinishFormerFactor puts the second factor in force with its first code, uses link and code up, gives out recovery codes
// and opens the session that the link is for. Sessions that the factor before opened end.
func (s *Service) FinishFormerFactor(ctx context.Context, e FormerEnrolling) (opened Opened, recovery []string, err error) {
	err = s.withLink(ctx, e.Link, e.Client, func(tx *database.Tx, user models.User, use func() error) error {
		if err := s.lockEnrolment(tx, user.ID, Enrolling{Code: e.Code}); err != nil {
			return err
		}
		if user.TOTPPendingSealed.IsNull() {
			return ErrCode
		}
		step, err := s.matchingStep(tx, user, user.TOTPPendingSealed, e.TOTP)
		if err != nil {
			return err // before anything is written
		}
		entry, err := record(tx, ofOwner(user), "totp.enrolled", user, map[string]string{"how": "in_person"})
		if err != nil {
			return err
		}
		if recovery, err = putInForce(tx, user, step, entry); err != nil {
			return err
		}
		if err := tx.DB().Where("user_id = ?", user.ID).Delete(&models.Enrolment{}).Error; err != nil {
			return database.Wrap("using up a code", err)
		}
		if err := errors.Join(use(), endSessions(tx, "user_id = ?", user.ID)); err != nil {
			return err
		}
		opened, err = s.openFormer(tx, user, e.Client)
		return err
	})
	if err != nil {
		return Opened{}, nil, err
	}
	formerEnrolments.Inc()
	formerSessions.Inc()
	return opened, recovery, nil
}

func ofOwner(user models.User) models.Actor {
	return models.Actor{EmployeeID: user.EmployeeID, Role: models.RoleEmployee}
}
