package departure

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// administrators are the roles whose bearers could be locked out by one person to act alone after.
var administrators = []models.Role{models.RoleHRAdmin, models.RoleITOps, models.RoleReviewer}

// warning is what a head or an administrator has at least between the order and its effect, unless two
// people agree: a cutoff a second ahead would be at once by another name.
const warning = 24 * time.Hour

// notSudden is ErrApprovalRequired if the dates take the access or the employment of a head of
// department or of an administrator away at once, or sooner than others would notice: whoever could do that alone could get rid of those
// who watch.
func notSudden(tx *database.Tx, employeeID uuid.UUID, d Dates) error {
	now, err := tx.Now() // after the dates were derived: a cutoff in the past was set to their now
	if err != nil {
		return err
	}
	if soon := now.Add(warning); d.AccessCutoffAt.After(soon) && d.EmploymentEndedAt.After(soon) {
		return nil
	}
	protected, err := Protected(tx, employeeID)
	if err == nil && protected {
		err = ErrApprovalRequired
	}
	return err
}

// Protected says that somebody heads a department or administers: whoever could take such a person's access
// away alone could get rid of those who watch.
func Protected(tx *database.Tx, employeeID uuid.UUID) (bool, error) {
	var heads bool
	err := tx.DB().Raw("SELECT EXISTS (SELECT FROM departments WHERE head_employee_id = ?)", employeeID).Scan(&heads).Error
	if err != nil {
		return false, fmt.Errorf("looking whether somebody heads a department: %w", database.Hide(err))
	}
	administers, err := identity.Holds(tx, employeeID, administrators...)
	return heads || administers, err
}

// OneMayChangeAccess is ErrApprovalRequired for a change of somebody's accounts or users apart from a
// departure that one person may not make alone: of whom a departure protects, and of oneself.
func OneMayChangeAccess(tx *database.Tx, by models.Actor, employeeID uuid.UUID) error {
	if by.EmployeeID == employeeID {
		return ErrApprovalRequired
	}
	protected, err := Protected(tx, employeeID)
	if err == nil && protected {
		err = ErrApprovalRequired
	}
	return err
}
