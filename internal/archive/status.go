package archive

import (
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// SetStatus changes a person's status. The same status again changes nothing; what is not legal is
// ErrIllegalStatus. The caller has locked the employment that it is about.
func SetStatus(tx *database.Tx, employeeID uuid.UUID, status models.EmployeeStatus) error {
	employee, err := database.Lock[models.Employee](tx, "an employee", employeeID)
	if err != nil {
		return err
	}
	if employee.Status == status {
		return nil
	}
	if !models.Statuses.Allows(employee.Status, status) {
		return fmt.Errorf("from %s to %s: %w", employee.Status, status, ErrIllegalStatus)
	}
	err = database.UpdateOne(tx.DB().Exec(`UPDATE employees
		SET status = ?, revision = revision + 1, updated_at = lethe_now() WHERE id = ?`, status, employeeID))
	if err != nil || employee.Status != models.StatusPurged {
		return database.Wrap("changing a person's status", err)
	}
	_, err = hear(tx, tx.DB().Where("id = ?", employeeID)) // who comes back is found again
	return err
}
