package departure

import (
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

// tooSudden says whether dates take access or employment away sooner than others would notice. It is pure.
func (d Dates) tooSudden(now time.Time) bool {
	soon := now.Add(warning)
	return !d.AccessCutoffAt.After(soon) || !d.EmploymentEndedAt.After(soon)
}

// suddenly is why one person may not give somebody these dates: a head of department or an administrator would
// lose the access or the employment at once. Whoever could do that alone could get rid of those who watch.
func suddenly(tx *database.Tx, employeeID uuid.UUID, d Dates) ([]models.Cause, error) {
	now, err := tx.Now() // after the dates were derived: a cutoff in the past was set to their now
	if err != nil || !d.tooSudden(now) {
		return nil, err
	}
	protected, err := Protected(tx, employeeID)
	if err != nil || !protected {
		return nil, err
	}
	return []models.Cause{models.CauseSudden}, nil
}

// Protected says that somebody heads a department or administers: whoever could take such a person's access
// away alone could get rid of those who watch.
func Protected(tx *database.Tx, employeeID uuid.UUID) (bool, error) {
	var heads bool
	err := tx.DB().Raw("SELECT EXISTS (SELECT FROM departments WHERE head_employee_id = ?)", employeeID).Scan(&heads).Error
	if err != nil {
		return false, database.Wrap("looking whether somebody heads a department", err)
	}
	administers, err := identity.Holds(tx, employeeID, administrators...)
	return heads || administers, err
}

// AssessAccess is why one person may not change somebody's accounts or users apart from a departure: they are of
// somebody whom a departure protects, or the own.
func AssessAccess(tx *database.Tx, by models.Actor, employeeID uuid.UUID) ([]models.Cause, error) {
	if by.EmployeeID == employeeID {
		return []models.Cause{models.CauseOneself}, nil
	}
	protected, err := Protected(tx, employeeID)
	if err != nil || !protected {
		return nil, err
	}
	return []models.Cause{models.CauseProtected}, nil
}
