package identity

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// ErrNotEmpty says that there are users already: the first ones are made once.
var ErrNotEmpty = errors.New("there are users already")

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

// LockBootstrap takes the bootstrap for itself to the end of the transaction, and refuses it once
// there are users.
func LockBootstrap(tx *database.Tx) error {
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(?::bigint)", bootstrapLock).Error; err != nil {
		return fmt.Errorf("locking the bootstrap: %w", database.Hide(err))
	}
	var users int64
	if err := tx.DB().Model(&models.User{}).Count(&users).Error; err != nil {
		return fmt.Errorf("looking for users: %w", database.Hide(err))
	}
	if users > 0 {
		return ErrNotEmpty
	}
	return nil
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
	entry, err := recordHost(tx, "installation.bootstrapped", "", nil)
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
