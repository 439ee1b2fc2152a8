package identity

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// The ways in which a command about users is refused.
var (
	ErrNoSuchUser     = errors.New("there is no such user")
	ErrLogin          = errors.New("a login has 1 to 100 letters, digits and . _ - + @")
	ErrLoginTaken     = errors.New("the login belongs to another person")
	ErrUserDisabled   = errors.New("the user is disabled")
	ErrRoleNotGranted = errors.New("the person holds no such role")
)

var loginForm = regexp.MustCompile(`^[a-z0-9._-][a-z0-9._@+-]{0,99}$`)

// normalLogin is how a login is stored and compared.
func normalLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// EnsureUser finds the person's user with this login or makes one, active and without credentials:
// tokens can be issued for it, and nobody can log in with it. Without a login it is the person's
// oldest user that is not disabled, else one named after the employee number.
func EnsureUser(tx *database.Tx, employeeID uuid.UUID, login string) (models.User, error) {
	person, err := database.First[models.Employee](tx.DB().Select("id", "employee_no").Where("id = ?", employeeID))
	if err != nil {
		return models.User{}, database.Found("finding the person of a user", err, ErrNoSuchPerson)
	}
	query := tx.DB().Where("employee_id = ? AND state <> ?", employeeID, models.UserDisabled)
	if login != "" {
		query = query.Where("login = ?", normalLogin(login))
	} else {
		login = person.EmployeeNo
	}
	known, err := database.First[models.User](query.Order(clause.OrderByColumn{Column: clause.Column{Name: "created_at"}}))
	if !errors.Is(err, database.ErrNotFound) {
		return known, err
	}
	return insertUser(tx, models.System, models.User{EmployeeID: employeeID, Login: login, State: models.UserActive})
}

// insertUser stores a new user, who has the role employee from the first: everybody is one.
func insertUser(tx *database.Tx, by models.Actor, u models.User) (models.User, error) {
	u.Login = normalLogin(u.Login)
	if !loginForm.MatchString(u.Login) {
		return u, ErrLogin
	}
	u.ID = models.NewID()
	entry, err := record(tx, by, "user.created", u, nil)
	if err != nil {
		return u, err
	}
	u.LedgerEntryID = &entry
	err = database.Hide(tx.DB().Create(&u).Error)
	switch {
	case database.Violates(err, "users_login_key"):
		return u, ErrLoginTaken
	case err != nil:
		return u, fmt.Errorf("storing a user: %w", err)
	}
	return u, nil
}

// Grant gives a user a role; one that it holds already changes nothing. Who may ask for it is
// decided before: granting a role needs two people.
func Grant(tx *database.Tx, userID uuid.UUID, role models.Role, by models.Actor) error {
	user, err := Grantable(tx, userID, role)
	if err != nil {
		return err
	}
	held, err := rolesOf(tx.DB(), userID) // they change with the user locked
	if err != nil || slices.Contains(held, role) {
		return err
	}
	id := models.NewID()
	entry, err := record(tx, by, "role.granted", user, map[string]string{"role": string(role)})
	if err != nil {
		return err
	}
	granted := models.UserRole{ID: id, UserID: userID, Role: role, GrantedBy: by.ID(), LedgerEntryID: &entry}
	return database.Wrap("granting a role", tx.DB().Create(&granted).Error)
}

// Grantable locks a user who can be given a role.
func Grantable(tx *database.Tx, userID uuid.UUID, role models.Role) (models.User, error) {
	if !validRole(role) {
		return models.User{}, ErrRole
	}
	return lockEnabled(tx, userID)
}

// GrantTo is [EnsureUser] and [Grant] in one, where nobody has to be asked: for the demo company
// and for tests.
func GrantTo(tx *database.Tx, employeeID uuid.UUID, role models.Role) (models.User, error) {
	user, err := EnsureUser(tx, employeeID, "")
	if err != nil {
		return user, err
	}
	return user, Grant(tx, user.ID, role, models.System)
}

// RevokeRole takes a role from a user, and with it the user's sessions and tokens in that role:
// they are refused from the next request on (I23). A role that the user does not hold is
// ErrRoleNotGranted.
func RevokeRole(tx *database.Tx, userID uuid.UUID, role models.Role, by models.Actor) error {
	user, err := Revocable(tx, userID, role)
	if err != nil {
		return err
	}
	entry, err := record(tx, by, "role.revoked", user, map[string]string{"role": string(role)})
	if err != nil {
		return err
	}
	err = database.UpdateOne(tx.DB().Model(&models.UserRole{}).
		Where("user_id = ? AND role = ? AND revoked_at IS NULL", userID, role).
		Updates(map[string]any{"revoked_at": gorm.Expr("lethe_now()"), "revoked_by": by.ID(), "ledger_entry_id": entry}))
	if err != nil {
		return fmt.Errorf("revoking a role: %w", err)
	}
	return endAccess(tx, entry, "user_id = ? AND role = ?", userID, role)
}

// Revocable locks a user who holds a role.
func Revocable(tx *database.Tx, userID uuid.UUID, role models.Role) (models.User, error) {
	user, held, err := LockUser(tx, userID)
	if err == nil && !slices.Contains(held, role) {
		err = ErrRoleNotGranted
	}
	return user, err
}

// EndAll ends a person's own access here at the cutoff: users are disabled, sessions and tokens
// revoked. What has ended before stays as it was.
func EndAll(tx *database.Tx, employeeID uuid.UUID) error {
	users, err := database.LockAll[models.User](tx, "a person's users", "employee_id = ? AND state <> ?", employeeID, models.UserDisabled)
	if err != nil {
		return err
	}
	for _, user := range users {
		if err := disable(tx, user, models.System); err != nil {
			return err
		}
	}
	return nil
}

// Disable ends the access of one user.
func Disable(tx *database.Tx, userID uuid.UUID, by models.Actor) error {
	user, err := lockUser(tx, userID)
	if err != nil {
		return err
	}
	if user.State == models.UserDisabled {
		return nil
	}
	return disable(tx, user, by)
}

func disable(tx *database.Tx, user models.User, by models.Actor) error {
	entry, err := record(tx, by, "user.disabled", user, nil)
	if err != nil {
		return err
	}
	err = database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ? AND state = ?", user.ID, user.State).
		Updates(map[string]any{"state": models.UserDisabled, "access_ended_at": gorm.Expr("lethe_now()"), "ledger_entry_id": entry}))
	if err != nil {
		return fmt.Errorf("disabling a user: %w", err)
	}
	if err := tx.DB().Where("user_id = ?", user.ID).Delete(&models.Enrolment{}).Error; err != nil {
		return database.Wrap("withdrawing an enrolment", err)
	}
	if err := endAccess(tx, entry, "user_id = ?", user.ID); err != nil {
		return err
	}
	// A login that stayed linked could not be linked with whoever comes back one day.
	return endLinks(tx, user, by)
}

// endAccess revokes the sessions and tokens that the condition finds, as the entry says.
func endAccess(tx *database.Tx, entry uuid.UUID, where string, args ...any) error {
	if err := endTokens(tx, entry, where, args...); err != nil {
		return err
	}
	return endSessions(tx, where, args...)
}

func endTokens(tx *database.Tx, entry uuid.UUID, where string, args ...any) error {
	err := tx.DB().Model(&models.APIToken{}).Where(where, args...).Where("revoked_at IS NULL").
		Updates(map[string]any{"revoked_at": gorm.Expr("lethe_now()"), "ledger_entry_id": entry}).Error
	return database.Wrap("revoking tokens", err)
}

func endSessions(tx *database.Tx, where string, args ...any) error {
	err := tx.DB().Model(&models.Session{}).Where(where, args...).Where("revoked_at IS NULL").
		Update("revoked_at", gorm.Expr("lethe_now()")).Error
	return database.Wrap("revoking sessions", err)
}

// lockUser locks a user to the end of the transaction.
func lockUser(tx *database.Tx, id uuid.UUID) (models.User, error) {
	user, err := database.First[models.User](tx.DB().Clauses(database.ForChange).Where("id = ?", id))
	return user, database.Found("locking a user", err, ErrNoSuchUser)
}

// lockEnabled is [lockUser] for a user who is not disabled.
func lockEnabled(tx *database.Tx, id uuid.UUID) (models.User, error) {
	user, err := lockUser(tx, id)
	if err == nil && user.State == models.UserDisabled {
		err = ErrUserDisabled
	}
	return user, err
}

// userInRole is the person's oldest active user that holds a role.
func userInRole(tx *database.Tx, employeeID uuid.UUID, role models.Role) (models.User, error) {
	user, err := database.First[models.User](tx.DB().
		Where("employee_id = ? AND state = ?", employeeID, models.UserActive).
		Where("EXISTS (SELECT FROM user_roles r WHERE r.user_id = users.id AND r.role = ? AND r.revoked_at IS NULL)", role).
		Order(clause.OrderByColumn{Column: clause.Column{Name: "created_at"}}))
	return user, database.Found("finding the user of a role", err, ErrRoleNotGranted)
}

// CreatedOrReset says whether the approver's user was created, or its credentials were set last, by
// the requester, and its owner has not enrolled since, or whether the requester linked a login with
// it that its owner has not confirmed (I21).
func CreatedOrReset(tx *database.Tx, requester, approverUser uuid.UUID) (bool, error) {
	user, err := database.First[models.User](tx.DB().Clauses(database.ForShare).Where("id = ?", approverUser))
	if err != nil {
		return false, fmt.Errorf("locking a user: %w", err)
	}
	if user.CredentialsSetBy != nil && *user.CredentialsSetBy == requester {
		return true, nil
	}
	return linkedBy(tx, requester, approverUser)
}
