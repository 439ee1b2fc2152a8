package archive

import (
	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/access"
	"lethe/internal/database"
)

// standsColumns say how employment m of somebody in employees stands to @asker: by the asker's latest employment.
const standsColumns = `m.legal_entity_id = (SELECT o.legal_entity_id FROM employments o WHERE o.employee_id = @asker
			ORDER BY o.created_at DESC, o.id DESC LIMIT 1) AS same_entity,
		EXISTS (SELECT FROM employees a WHERE a.id = @asker AND a.site_id = employees.site_id) AS same_site,
		EXISTS (SELECT FROM departments d WHERE d.id = employees.department_id AND d.head_employee_id = @asker) AS own_department,
		EXISTS (WITH RECURSIVE up AS (SELECT d.id, d.parent_id, d.head_employee_id FROM departments d WHERE d.id = employees.department_id
			UNION SELECT p.id, p.parent_id, p.head_employee_id FROM departments p JOIN up ON p.id = up.parent_id)
			SELECT FROM up WHERE up.head_employee_id = @asker) AS below_department`

// StandsTo is how somebody's employment stands to whoever asks about it.
func StandsTo(g *gorm.DB, asker, person, employmentID uuid.UUID) (access.Target, error) {
	t := access.Target{ID: person}
	var stands struct{ SameEntity, SameSite, OwnDepartment, BelowDepartment bool }
	err := g.Raw(`SELECT `+standsColumns+` FROM employments m JOIN employees ON employees.id = m.employee_id WHERE m.id = @employment`,
		map[string]any{"asker": asker, "employment": employmentID}).Scan(&stands).Error
	t.SameEntity, t.SameSite, t.OwnDepartment, t.BelowDepartment = stands.SameEntity, stands.SameSite, stands.OwnDepartment, stands.BelowDepartment
	return t, database.Wrap("reading how somebody stands to who asks", err)
}
