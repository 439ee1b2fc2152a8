package archive

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// What the ledger says of people and their files.
const (
	actionCreated = "employee.created"
	actionRehired = "employee.rehired"
	actionUpdated = "employee.updated"
)

// record appends that a file was begun or changed.
func record(tx *database.Tx, action string, employeeID, employmentID uuid.UUID, fields []string) (uuid.UUID, error) {
	return ledger.Append(tx, entryOf(action, employeeID, employmentID, fields))
}

// entryOf says that a file was begun or changed: the names of the fields, never a value.
func entryOf(action string, employeeID, employmentID uuid.UUID, fields []string) ledger.Entry {
	slices.Sort(fields)
	return ledger.Entry{
		Kind: ledger.KindArchive, Action: action, Subject: &employeeID, Object: "employee/" + employeeID.String(),
		Details: map[string]string{"employment": employmentID.String(), "fields": strings.Join(fields, ",")},
	}
}

// names are what a patch sets or removes.
func (p Patch) names() []string {
	names := slices.Collect(maps.Keys(p.Fields))
	for name, given := range map[string]bool{
		"name": p.Name != nil, "department": p.DepartmentID != nil, "site": p.SiteID != nil || p.NoSite, "post": p.Post != nil, "legal_entity": p.LegalEntityID != nil,
		"jurisdiction": p.Jurisdiction != nil, "time_zone": p.TimeZone != nil, "hired_on": p.HiredOn != nil,
	} {
		if given {
			names = append(names, name)
		}
	}
	return names
}

// refuseHeld refuses to change what a legal hold wants kept as it is (ErrHeld). A hold by a filter or
// on everybody would stop the daily work on the files of people who are still employed: there a value
// may be replaced, and is not removed. The employment is locked: a hold on the person that is placed
// meanwhile waits, and so does its release.
func refuseHeld(tx *database.Tx, employment models.Employment, fields map[string]*string, categories map[string]models.Category) error {
	if len(fields) == 0 {
		return nil
	}
	var held []struct {
		Category models.Category
		Personal bool
	}
	err := tx.DB().Raw(`SELECT c.category, EXISTS (SELECT FROM holds h WHERE h.employee_id = ? AND h.released_at IS NULL
			AND (h.categories IS NULL OR c.category = ANY (h.categories))) AS personal
		FROM employment_categories c WHERE c.employment_id = ? AND lethe_held(c.employment_id, c.category)`,
		employment.EmployeeID, employment.ID).Scan(&held).Error
	if err != nil {
		return database.Wrap("looking for holds", err)
	}
	for key, value := range fields {
		for _, h := range held {
			if h.Category == categories[key] && (h.Personal || value == nil || employment.EndedAt != nil) {
				return ErrHeld
			}
		}
	}
	return nil
}
