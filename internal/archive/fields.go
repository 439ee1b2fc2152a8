package archive

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/vault"
	"lethe/models"
)

// change is one field that is set, or removed if value is nil.
type change struct {
	key      string
	value    *string
	category models.EmploymentCategory
}

// checkFields says which changes are refused, by the catalogue and as values of their types, and puts the values into
// the form in which they are stored.
func checkFields(tx *database.Tx, fields map[string]*string) (map[string]models.Category, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	var rows []models.FieldDefinition
	keys := slices.Sorted(maps.Keys(fields))
	if err := tx.DB().Where("key IN ?", keys).Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading the field catalogue", err)
	}
	now, err := tx.Now()
	if err != nil {
		return nil, err
	}
	definitions := map[string]models.FieldDefinition{}
	for _, row := range rows {
		definitions[row.Key] = row
	}
	var found problems
	return judgeFields(definitions, now, fields, &found), found.Err()
}

// judgeFields does so by the catalogue's rows, and says to which category each field belongs.
func judgeFields(definitions map[string]models.FieldDefinition, now time.Time, fields map[string]*string, found *problems) map[string]models.Category {
	categories, right := map[string]models.Category{}, map[string]*string{}
	for i, key := range slices.Sorted(maps.Keys(fields)) {
		definition, known := definitions[key]
		categories[key] = definition.Category
		switch value := fields[key]; {
		case !known:
			// An unknown key is the caller's text and not repeated.
			found.Add(fmt.Sprintf("fields[%d]", i), CodeUnknownField)
		case definition.Category == "" || definition.Type == models.FieldAttachment:
			found.Add("fields."+key, invalid.ReadOnly)
		case definition.Retired && value != nil:
			found.Add("fields."+key, CodeRetired)
		case value != nil:
			code := checkText(value, maxValue)
			if code == "" {
				code = judge(definition, value, now)
			}
			if code != "" {
				found.Add("fields."+key, code)
			} else {
				right[key] = value
			}
		}
	}
	together(right, now, found)
	return categories
}

// writeFields seals, replaces and removes values. The employment is locked by the caller, so that
// two changes of one file take turns; the categories are locked in the order of their ids.
func writeFields(tx *database.Tx, sealer vault.Sealer, employmentID uuid.UUID, changes []change) (err error) {
	if len(changes) == 0 {
		return nil
	}
	var rows []models.FieldValue
	if err := tx.DB().Where("employment_id = ?", employmentID).Find(&rows).Error; err != nil {
		return database.Wrap("reading the file", err)
	}
	stored := map[string]uuid.UUID{}
	for _, row := range rows {
		stored[row.FieldKey] = row.ID
	}
	for _, c := range changes {
		id, exists := stored[c.key]
		switch {
		case c.value != nil:
			err = sealField(tx, sealer, employmentID, c, id, exists)
		case exists:
			err = database.UpdateOne(tx.DB().Where("id = ?", id).Delete(&models.FieldValue{}))
		}
		if errors.Is(err, vault.ErrPurged) {
			return ErrPurged
		}
		if err != nil {
			return fmt.Errorf("writing the field %s: %w", c.key, err)
		}
	}
	return nil
}

// order brings changes of fields into the order in which their categories are locked. What is purged is ErrPurged.
func order(tx *database.Tx, employmentID uuid.UUID, fields map[string]*string, categories map[string]models.Category) ([]change, error) {
	if len(fields) == 0 {
		return nil, nil
	}
	var rows []models.EmploymentCategory
	if err := tx.DB().Where("employment_id = ?", employmentID).Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading the categories", err)
	}
	byName := map[models.Category]models.EmploymentCategory{}
	for _, row := range rows {
		byName[row.Category] = row
	}
	changes := make([]change, 0, len(fields))
	for key, value := range fields {
		category, ok := byName[categories[key]]
		if !ok {
			return nil, fmt.Errorf("the employment has no category %s", categories[key])
		}
		if category.State != models.CategoryOpen {
			return nil, ErrPurged
		}
		changes = append(changes, change{key, value, category})
	}
	slices.SortFunc(changes, func(a, b change) int {
		if a.category.ID == b.category.ID {
			return strings.Compare(a.key, b.key)
		}
		return bytes.Compare(a.category.ID[:], b.category.ID[:])
	})
	return changes, nil
}

func sealField(tx *database.Tx, sealer vault.Sealer, employmentID uuid.UUID, c change, id uuid.UUID, exists bool) error {
	if !exists {
		id = models.NewID()
	}
	plain := []byte(*c.value)
	defer clear(plain)
	sealed, categoryID, err := sealer.Seal(tx, vault.Cell{
		Table: "field_values", Row: id, Employment: employmentID, Category: c.category.Category, Field: c.key,
	}, plain)
	if err != nil {
		return err
	}
	if exists {
		return database.UpdateOne(tx.DB().Exec(
			"UPDATE field_values SET value_sealed = ?, updated_at = lethe_now() WHERE id = ?", sealed, id))
	}
	return database.Hide(tx.DB().Exec(`INSERT INTO field_values (id, employment_id, category_id, field_key, value_sealed)
		VALUES (?, ?, ?, ?, ?)`, id, employmentID, categoryID, c.key, sealed).Error)
}

// ClearFields nulls the sealed values of a category that is being purged and says how many there
// were; called again, there are none.
func ClearFields(tx *database.Tx, categoryID uuid.UUID) (rows int64, err error) {
	result := tx.DB().Exec(`UPDATE field_values SET value_sealed = NULL, updated_at = lethe_now()
		WHERE category_id = ? AND value_sealed IS NOT NULL`, categoryID)
	if result.Error != nil {
		return 0, database.Wrap("clearing the fields of a category", result.Error)
	}
	return result.RowsAffected, nil
}
