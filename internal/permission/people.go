package permission

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/models"
)

// sorted is each of the ids once, so that two lists of the same people are the same.
func sorted(ids []uuid.UUID) []uuid.UUID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// knownEntities are the legal entities that a matrix names, and that there are.
func knownEntities(tx *database.Tx, m *access.Matrix) (map[uuid.UUID]bool, error) {
	known := map[uuid.UUID]bool{}
	if len(m.Patterns) == 0 {
		return known, nil
	}
	var ids []uuid.UUID
	err := tx.DB().Model(&models.LegalEntity{}).Pluck("id", &ids).Error
	for _, id := range ids {
		known[id] = true
	}
	return known, database.Wrap("looking for legal entities", err)
}

// unknownPeople says where somebody is named who does not exist.
func unknownPeople(tx *database.Tx, m *access.Matrix) (locations []string, err error) {
	named := map[string][]uuid.UUID{"protected": m.Protected, "configurers": m.Configurers}
	var all models.IDs
	for i, t := range m.Tiers {
		named[fmt.Sprintf("tiers[%d].members", i)] = t.Members
	}
	for _, ids := range named {
		all = append(all, ids...)
	}
	if len(all) == 0 {
		return nil, nil
	}
	var known []uuid.UUID
	if err := tx.DB().Raw("SELECT id FROM employees WHERE id = ANY (?)", all).Scan(&known).Error; err != nil {
		return nil, database.Wrap("looking for people", err)
	}
	there := make(map[uuid.UUID]bool, len(known))
	for _, id := range known {
		there[id] = true
	}
	for location, ids := range named {
		if slices.ContainsFunc(ids, func(id uuid.UUID) bool { return !there[id] }) {
			locations = append(locations, location)
		}
	}
	slices.Sort(locations)
	return locations, nil
}

// Lookers are all who hold roles that the permissions are about, with these.
func Lookers(tx *database.Tx) (map[uuid.UUID][]models.Role, error) {
	var rows []struct {
		EmployeeID uuid.UUID
		Role       models.Role
	}
	err := tx.DB().Raw(`SELECT DISTINCT u.employee_id, r.role FROM user_roles r JOIN users u ON u.id = r.user_id
		WHERE r.role IN ? AND r.revoked_at IS NULL`, access.LookRoles).Scan(&rows).Error
	all := make(map[uuid.UUID][]models.Role, len(rows))
	for _, row := range rows {
		all[row.EmployeeID] = append(all[row.EmployeeID], row.Role)
	}
	return all, database.Wrap("reading who looks", err)
}
