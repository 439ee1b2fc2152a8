package identity

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// Holds says whether any user of a person that is not disabled holds one of the roles.
func Holds(tx *database.Tx, employeeID uuid.UUID, roles ...models.Role) (bool, error) {
	var holds bool
	err := tx.DB().Raw(`SELECT EXISTS (SELECT FROM users u JOIN user_roles r ON r.user_id = u.id
		WHERE u.employee_id = ? AND u.state <> ? AND r.role IN ? AND r.revoked_at IS NULL)`,
		employeeID, models.UserDisabled, roles).Scan(&holds).Error
	return holds, database.Wrap("reading a person's roles", err)
}

// Absent are those of some persons of whom no user in use holds a role. What they held in it, a hold or a
// rejection, is the role's then (I32).
func Absent(ctx context.Context, db *database.DB, role models.Role, persons []uuid.UUID) (map[uuid.UUID]bool, error) {
	absent := make(map[uuid.UUID]bool, len(persons))
	if len(persons) == 0 {
		return absent, nil
	}
	for _, p := range persons {
		absent[p] = true
	}
	var present []uuid.UUID
	err := db.Read(ctx).Raw(`SELECT DISTINCT u.employee_id FROM users u JOIN user_roles r ON r.user_id = u.id
		WHERE u.employee_id IN ? AND u.state = ? AND r.role = ? AND r.revoked_at IS NULL`, persons, models.UserActive, role).Scan(&present).Error
	if err != nil {
		return nil, database.Wrap("looking who is still there", err)
	}
	for _, p := range present {
		delete(absent, p)
	}
	return absent, nil
}

// LockUser locks a user to the end of the transaction and reads it with the roles that it holds.
func LockUser(tx *database.Tx, id uuid.UUID) (models.User, []models.Role, error) {
	user, err := lockUser(tx, id)
	if err != nil {
		return user, nil, err
	}
	var roles []models.Role
	err = tx.DB().Model(&models.UserRole{}).Where("user_id = ? AND revoked_at IS NULL", id).
		Order(clause.OrderByColumn{Column: clause.Column{Name: "role"}}).Pluck("role", &roles).Error
	if err != nil {
		return user, nil, database.Wrap("reading a user's roles", err)
	}
	return user, roles, nil
}
