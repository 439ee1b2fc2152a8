package dev

import (
	"context"

	"github.com/google/uuid"

	"lethe/cmd/lethe/demo"
	"lethe/internal/database"
	"lethe/models"
)

// holder is the demo person who acts under one of the names in dev.json.
type holder struct {
	ID         uuid.UUID
	EmployeeNo string
	Name       string
}

// holderNames are the names in dev.json: one for each role, and the others of [demo.Others].
func holderNames() []string {
	var names []string
	for _, o := range demo.Others {
		names = append(names, o.Name)
	}
	for _, role := range models.Roles {
		names = append(names, string(role))
	}
	return names
}

// holderOf is the role of a name and the number of the person whom the demo company gives it to.
func holderOf(name string) (models.Role, string) {
	for _, o := range demo.Others {
		if o.Name == name {
			return o.Role, o.No
		}
	}
	return models.Role(name), demo.Bearers[models.Role(name)]
}

func roleOf(name string) models.Role {
	role, _ := holderOf(name)
	return role
}

func bearerOf(name string) string {
	_, no := holderOf(name)
	return no
}

// chooseHolders says who acts under each name. Whoever tries the product may let anybody leave, or
// disable them: then a colleague takes the name over, so that the next start finds somebody who can
// work. A name for which nobody is left is missing. Whoever holds a name keeps it.
func (d *development) chooseHolders(ctx context.Context) (map[string]holder, error) {
	holders := map[string]holder{}
	taken := []uuid.UUID{uuid.Nil} // never empty, for NOT IN
	// Those who hold a name choose before those who replace somebody, else a replacement could be
	// the holder of the next name.
	for _, replace := range []bool{false, true} {
		for _, name := range holderNames() {
			if _, known := holders[name]; known {
				continue
			}
			found, err := d.candidates(ctx, name, replace, taken)
			if err != nil {
				return nil, err
			}
			if len(found) > 0 {
				holders[name] = found[0]
				taken = append(taken, found[0].ID)
			}
		}
	}
	return holders, nil
}

// candidates are those who could act under a name, the best first: who did so far, also while a
// departure is pending, else the person whom the demo company gives it to, else (replace) a
// colleague who stays. A department head must head one.
func (d *development) candidates(ctx context.Context, name string, replace bool, taken []uuid.UUID) ([]holder, error) {
	var found []holder
	err := d.facts.Read(ctx).Raw(`
		SELECT e.id, e.employee_no, e.name FROM employees e
		WHERE (e.status = ? OR e.status = ? AND NOT ?) AND e.id NOT IN ?
		  AND (NOT EXISTS (SELECT FROM users u WHERE u.employee_id = e.id)
		    OR EXISTS (SELECT FROM users u WHERE u.employee_id = e.id AND u.state <> ?))
		  AND (? <> ? OR EXISTS (SELECT FROM departments h WHERE h.head_employee_id = e.id))
		  AND (? OR e.employee_no = ? OR EXISTS (SELECT FROM users u WHERE u.employee_id = e.id AND u.login = ?))
		ORDER BY EXISTS (SELECT FROM users u WHERE u.employee_id = e.id AND u.login = ?) DESC, e.employee_no = ? DESC,
		  e.department_id = (SELECT b.department_id FROM employees b WHERE b.employee_no = ?) DESC, e.employee_no DESC
		LIMIT 1`,
		models.StatusActive, models.StatusPendingDeparture, replace, taken, models.UserDisabled, roleOf(name), models.RoleDepartmentHead,
		replace, bearerOf(name), d.users[name].Login, d.users[name].Login, bearerOf(name), bearerOf(name)).Scan(&found).Error
	return found, database.Wrap("finding who acts as "+name, err)
}
