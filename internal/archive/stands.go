package archive

import (
	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/access"
	"lethe/internal/database"
)

// StandsTo is how somebody's employment stands to whoever asks about it: by the asker's latest employment.
func StandsTo(g *gorm.DB, asker, person, employmentID uuid.UUID) (access.Target, error) {
	t := access.Target{ID: person}
	var stands struct{ Entity, Department bool }
	err := g.Raw(`SELECT m.legal_entity_id = (SELECT o.legal_entity_id FROM employments o WHERE o.employee_id = @asker
				ORDER BY o.created_at DESC, o.id DESC LIMIT 1) AS entity,
			EXISTS (SELECT FROM departments d WHERE d.id = e.department_id AND d.head_employee_id = @asker) AS department
		FROM employments m JOIN employees e ON e.id = m.employee_id WHERE m.id = @employment`,
		map[string]any{"asker": asker, "employment": employmentID}).Scan(&stands).Error
	t.SameEntity, t.OwnDepartment = stands.Entity, stands.Department
	return t, database.Wrap("reading how somebody stands to who asks", err)
}
