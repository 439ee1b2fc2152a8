package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// NoticeAccessCut tells those who hold the same role that somebody's access was cut.
const NoticeAccessCut = "access_cut"

// ErrSuspended says that an emergency cut keeps a user closed: only lifting it gives it back.
var ErrSuspended = errors.New("an emergency cut keeps the user closed")

// Suspend ends a person's own access here for an emergency cut: users cannot be used, sessions and tokens are revoked.
// Credentials and linked logins stay, so that [Resume] gives it back. Who has not enrolled yet is disabled.
func Suspend(tx *database.Tx, employeeID uuid.UUID, by models.Actor) (int, error) {
	users, err := database.LockAll[models.User](tx, "a person's users", "employee_id = ? AND state IN ?", employeeID, []models.UserState{models.UserEnrolling, models.UserActive})
	if err != nil {
		return 0, err
	}
	for _, user := range users {
		if user.State == models.UserEnrolling {
			if err := disable(tx, user, by); err != nil {
				return 0, err
			}
			continue
		}
		entry, err := record(tx, by, "user.suspended", user, nil)
		if err != nil {
			return 0, err
		}
		err = database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ? AND state = ?", user.ID, user.State).
			Updates(map[string]any{"state": models.UserSuspended, "access_ended_at": gorm.Expr("lethe_now()"), "ledger_entry_id": entry}))
		if err != nil {
			return 0, fmt.Errorf("suspending a user: %w", err)
		}
		if err := endAccess(tx, entry, "user_id = ?", user.ID); err != nil {
			return 0, err
		}
	}
	return len(users), nil
}

// Resume gives back the users that [Suspend] took, but those that were disabled since for another reason.
func Resume(tx *database.Tx, employeeID uuid.UUID, by models.Actor) error {
	users, err := database.LockAll[models.User](tx, "a person's users", "employee_id = ? AND state = ?", employeeID, models.UserSuspended)
	if err != nil {
		return err
	}
	for _, user := range users {
		entry, err := record(tx, by, "user.resumed", user, nil)
		if err != nil {
			return err
		}
		err = database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ? AND state = ?", user.ID, models.UserSuspended).
			Updates(map[string]any{"state": models.UserActive, "ledger_entry_id": entry}))
		if err != nil {
			return fmt.Errorf("giving a user back: %w", err)
		}
	}
	return nil
}

// HeldRoles are the roles that a person's users in use hold.
func HeldRoles(tx *database.Tx, employeeID uuid.UUID) (roles []models.Role, err error) {
	err = tx.DB().Raw(`SELECT DISTINCT r.role FROM users u JOIN user_roles r ON r.user_id = u.id
		WHERE u.employee_id = ? AND u.state IN ? AND r.revoked_at IS NULL ORDER BY 1`,
		employeeID, []models.UserState{models.UserActive, models.UserEnrolling}).Scan(&roles).Error
	return roles, database.Wrap("reading a person's roles", err)
}

// OthersIn is how many other persons hold a role with a user in use.
func OthersIn(tx *database.Tx, role models.Role, but uuid.UUID) (n int, err error) {
	err = tx.DB().Raw(`SELECT count(DISTINCT u.employee_id) FROM users u JOIN user_roles r ON r.user_id = u.id
		WHERE u.employee_id <> ? AND u.state = ? AND r.role = ? AND r.revoked_at IS NULL`, but, models.UserActive, role).Scan(&n).Error
	return n, database.Wrap("counting who holds a role", err)
}

// TellHolders tells whoever holds one of some roles that a person's access was cut, until each says that it was read.
func TellHolders(tx *database.Tx, employeeID uuid.UUID, roles []models.Role) error {
	user, err := database.First[models.User](tx.DB().Where("employee_id = ?", employeeID).Order(database.ByID))
	if errors.Is(err, database.ErrNotFound) { // a head without a user: the notice is about nobody who could log in
		return nil
	}
	if err != nil {
		return err
	}
	return notify(tx, NoticeAccessCut, user.ID, roles...)
}

// suspended says whether an emergency cut keeps a person's access here closed.
func suspended(tx *database.Tx, employeeID uuid.UUID) (cut bool, err error) {
	err = tx.DB().Raw("SELECT EXISTS (SELECT FROM access_cuts WHERE employee_id = ? AND state IN ?)", employeeID, models.StandingCuts).Scan(&cut).Error
	return cut, database.Wrap("looking for an emergency cut", err)
}

// Usable are those of some persons of whom a user is in use.
func Usable(ctx context.Context, db *database.DB, persons []uuid.UUID) (map[uuid.UUID]bool, error) {
	usable := map[uuid.UUID]bool{}
	if len(persons) == 0 {
		return usable, nil
	}
	var ids []uuid.UUID
	err := db.Read(ctx).Raw("SELECT DISTINCT employee_id FROM users WHERE employee_id IN ? AND state = ?", persons, models.UserActive).Scan(&ids).Error
	for _, id := range ids {
		usable[id] = true
	}
	return usable, database.Wrap("looking who can log in", err)
}

// NoticesAbout is, by notice, whose access was cut.
func NoticesAbout(ctx context.Context, db *database.DB, notices []models.Notice) (map[uuid.UUID]uuid.UUID, error) {
	about, users := map[uuid.UUID]uuid.UUID{}, []uuid.UUID{}
	for _, n := range notices {
		if n.Kind == NoticeAccessCut && n.UserID != nil {
			users = append(users, *n.UserID)
		}
	}
	if len(users) == 0 {
		return about, nil
	}
	var rows []models.User
	if err := db.Read(ctx).Select("id", "employee_id").Where("id IN ?", users).Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading whom notices are about", err)
	}
	for _, n := range notices {
		for _, u := range rows {
			if n.Kind == NoticeAccessCut && n.UserID != nil && *n.UserID == u.ID {
				about[n.ID] = u.EmployeeID
			}
		}
	}
	return about, nil
}
