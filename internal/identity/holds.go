package identity

import (
	"fmt"

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
	if err != nil {
		return false, fmt.Errorf("reading a person's roles: %w", database.Hide(err))
	}
	return holds, nil
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
		return user, nil, fmt.Errorf("reading a user's roles: %w", database.Hide(err))
	}
	return user, roles, nil
}
