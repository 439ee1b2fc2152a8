package identity

import (
	"errors"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// ErrNotEmpty says that there are users already: the first ones are made once.
var ErrNotEmpty = errors.New("there are users already")

// ErrEnrolled says that the first users' codes cannot be renewed any more.
var ErrEnrolled = errors.New("the codes of `lethe admin bootstrap` are renewed only while neither of the first two has enrolled, and there are no other users")

// ErrOnePerson says that the first two users must be two people.
var ErrOnePerson = errors.New("the first two users are two different persons")

// FirstUser is one of the two people who begin.
type FirstUser struct {
	EmployeeID uuid.UUID
	Login      string
}

// FirstRoles are the roles of the first two users: with them the two can do everything that takes
// two people, one asking and the other approving, and hand the roles on.
var FirstRoles = []models.Role{models.RoleHRAdmin, models.RoleReviewer, models.RoleITOps, models.RoleAuditor}

// bootstrapLock lets one bootstrap at a time look whether there are users.
const bootstrapLock = 0x4c42_4f4f // "LBOO"

func lockBootstrap(tx *database.Tx) error {
	return database.Wrap("locking the bootstrap", tx.DB().Exec("SELECT pg_advisory_xact_lock(?::bigint)", bootstrapLock).Error)
}

// LockBootstrap takes the bootstrap for itself to the end of the transaction, and refuses it once
// there are users.
func LockBootstrap(tx *database.Tx) error {
	if err := lockBootstrap(tx); err != nil {
		return err
	}
	var users int64
	if err := tx.DB().Model(&models.User{}).Count(&users).Error; err != nil {
		return database.Wrap("looking for users", err)
	}
	if users > 0 {
		return ErrNotEmpty
	}
	return nil
}

// RenewBootstrap gives the first two users new codes, and voids the former ones, while neither has
// enrolled and there is nobody else. It takes host access, as [Bootstrap] does.
func RenewBootstrap(tx *database.Tx) (renewed []models.User, codes []string, err error) {
	if err := lockBootstrap(tx); err != nil {
		return nil, nil, err
	}
	err = tx.DB().Clauses(database.ForUpdate).Order("id").Find(&renewed).Error
	if err != nil {
		return nil, nil, database.Wrap("reading the first users", err)
	}
	waits := func(u models.User) bool { return u.State == models.UserEnrolling && u.CreatedBy == nil }
	if len(renewed) != 2 || !waits(renewed[0]) || !waits(renewed[1]) {
		return nil, nil, ErrEnrolled
	}
	for _, user := range renewed {
		entry, err := record(tx, models.System, "enrolment_code.renewed", user, nil)
		if err != nil {
			return nil, nil, err
		}
		if err := tx.DB().Where("user_id = ?", user.ID).Delete(&models.Enrolment{}).Error; err != nil {
			return nil, nil, database.Wrap("voiding an enrolment code", err)
		}
		if err := expectEnrolment(tx, user.ID, models.System, entry, EnrolmentLasts); err != nil {
			return nil, nil, err
		}
		code, err := wholeCode(tx, user.ID, entry)
		if err != nil {
			return nil, nil, err
		}
		codes = append(codes, code)
	}
	return renewed, codes, nil
}

// Bootstrap makes the first two users and returns the codes with which they enrol. It takes host
// access; whoever runs it hands each code to its owner and cannot approve anything with it.
func Bootstrap(tx *database.Tx, first, second FirstUser) (codes [2]string, err error) {
	if first.EmployeeID == second.EmployeeID {
		return codes, ErrOnePerson
	}
	if err := LockBootstrap(tx); err != nil {
		return codes, err
	}
	entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindIdentity, Action: "installation.bootstrapped"})
	if err != nil {
		return codes, err
	}
	for i, f := range []FirstUser{first, second} {
		user, err := CreateUser(tx, models.System, NewUser{EmployeeID: f.EmployeeID, Login: f.Login, Roles: FirstRoles})
		if err != nil {
			return codes, err
		}
		if codes[i], err = wholeCode(tx, user.ID, entry); err != nil {
			return codes, err
		}
	}
	return codes, nil
}
