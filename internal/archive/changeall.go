package archive

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// Change is a patch of one of many files: of the post, the department, the site and values that are set. Anything else is changed
// one file at a time.
type Change struct {
	File
	Patch
}

// ChangeAll changes files that [Files] has locked and [Rules.JudgeChange] has judged in the same transaction, with the
// rows, values and entries that [Update] makes for each. Where a purge has begun since it is ErrPurged, and nothing is
// changed.
func ChangeAll(tx *database.Tx, sealer vault.Sealer, r *Rules, all []Change) error {
	if len(all) == 0 {
		return nil
	}
	entries := make([]ledger.Entry, len(all))
	var values []vault.Value
	for i, c := range all {
		if c.Name != nil || c.LegalEntityID != nil || c.Jurisdiction != nil || c.TimeZone != nil || c.HiredOn != nil {
			return fmt.Errorf("a change of many: %w", ErrApprovalRequired)
		}
		if models.CallerOf(tx.Context()).Actor.EmployeeID == c.Employee.ID {
			return ErrOwnFile
		}
		entries[i] = entryOf(actionUpdated, c.Employee.ID, c.Employment.ID, c.names())
		for _, key := range slices.Sorted(maps.Keys(c.Fields)) {
			values = append(values, vault.Value{Plain: []byte(*c.Fields[key]), Cell: vault.Cell{
				Table: "field_values", Row: models.NewID(), Employment: c.Employment.ID, Category: r.Definitions[key].Category, Field: key,
			}})
		}
	}
	recorded, err := ledger.AppendAll(tx, entries)
	if err != nil {
		return err
	}
	if err := changeColumns(tx, all, recorded); err != nil {
		return err
	}
	return replaceValues(tx, sealer, values)
}

func changeColumns(tx *database.Tx, all []Change, entries []uuid.UUID) error {
	n := len(all)
	employments, people, departments, posts := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n), make([]string, n)
	for i, c := range all {
		employments[i], people[i], departments[i], posts[i] = c.Employment.ID, c.Employee.ID, c.Employment.DepartmentID, c.Employment.Post
		if c.DepartmentID != nil {
			departments[i] = *c.DepartmentID
		}
		if c.Post != nil {
			posts[i] = *c.Post
		}
	}
	met, err := database.Exec(tx, "changing employments", `UPDATE employments m SET post = n.post, department_id = n.department, basis_entry_id = n.entry
		FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[]) n (id, post, department, entry) WHERE m.id = n.id`, employments, posts, departments, entries)
	if err == nil && met != int64(n) {
		err = database.ErrChanged
	}
	if err != nil {
		return err
	}
	// Only who moves gets another department: that of a person who has left may be another than the employment's.
	sites := make([]*uuid.UUID, n)
	for i, c := range all {
		if c.DepartmentID == nil {
			departments[i] = c.Employee.DepartmentID
		}
		sites[i] = cmp.Or(c.SiteID, c.Employee.SiteID)
	}
	met, err = database.Exec(tx, "changing people", `UPDATE employees e SET department_id = n.department, site_id = n.site, revision = revision + 1, updated_at = (SELECT public.lethe_now())
		FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) n (id, department, site) WHERE e.id = n.id`, people, departments, sites)
	if err == nil && met != int64(n) {
		err = database.ErrChanged
	}
	return err
}

// replaceValues seals values, over those that there are.
func replaceValues(tx *database.Tx, sealer vault.Sealer, values []vault.Value) error {
	var employments models.IDs
	for _, v := range values {
		if n := len(employments); n == 0 || employments[n-1] != v.Employment {
			employments = append(employments, v.Employment)
		}
	}
	var rows []models.FieldValue
	if err := tx.DB().Select("id", "employment_id", "field_key").Where("employment_id = ANY (?)", employments).Find(&rows).Error; err != nil {
		return database.Wrap("reading the files", err)
	}
	type cell struct {
		employment uuid.UUID
		field      string
	}
	stored := make(map[cell]uuid.UUID, len(rows))
	for _, row := range rows {
		stored[cell{row.EmploymentID, row.FieldKey}] = row.ID
	}
	old := make([]bool, len(values))
	for i := range values {
		if id, ok := stored[cell{values[i].Employment, values[i].Field}]; ok {
			values[i].Row, old[i] = id, true
		}
	}
	if err := sealer.SealAll(tx, values); err != nil {
		return err
	}
	var fresh []vault.Value
	var ids []uuid.UUID
	var boxes [][]byte
	for i, v := range values {
		if !old[i] {
			fresh = append(fresh, v)
			continue
		}
		clear(v.Plain)
		ids, boxes = append(ids, v.Row), append(boxes, v.Sealed.Box())
	}
	met, err := database.Exec(tx, "replacing values", `UPDATE field_values v SET value_sealed = n.sealed, updated_at = (SELECT public.lethe_now())
		FROM unnest($1::uuid[], $2::bytea[]) n (id, sealed) WHERE v.id = n.id`, ids, boxes)
	if err == nil && met != int64(len(ids)) {
		err = database.ErrChanged
	}
	if err != nil {
		return err
	}
	return insertValues(tx, fresh)
}
