package archive

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/vault"
	"lethe/models"
)

// CodeNotSensitive says that a field is no secret: whoever sees the person sees it.
const CodeNotSensitive = "not_sensitive"

// GroupOf is the group of a sensitive field.
func GroupOf(section, key string) access.Group {
	switch key {
	case "home_address", "personal_phone", "personal_email", "forwarding_contact", "duty_phone", "duty_email":
		return access.GroupPrivateContact
	}
	return access.Group(section)
}

// ForCallsAlone says of a field that an emergency call names its value, and no look does.
func ForCallsAlone(key string) bool { return key == "duty_phone" || key == "duty_email" }

// LookField is a field that somebody asks to see, with what the file has for it; sealed.
type LookField struct {
	models.FieldDefinition
	EmploymentID uuid.UUID
	CategoryID   uuid.UUID
	State        models.CategoryState
	ValueID      *uuid.UUID
	ValueSealed  models.Sealed
}

// Group is the field's group.
func (f LookField) Group() access.Group { return GroupOf(f.Section, f.Key) }

// Label is what the field is called.
func (f LookField) Label(l i18n.Language) string { return l.Of(f.LabelZh, f.LabelEn) }

// Notice says what its value may be used for.
func (f LookField) Notice(l i18n.Language) string { return noticeOf(f.FieldDefinition, l) }

// purposesOf are those for which a field is opened, as far as the field itself says so.
func purposesOf(f models.FieldDefinition) []access.Purpose {
	if !f.Own() {
		return access.Purposes
	}
	all := make([]access.Purpose, len(f.Purposes))
	for i, p := range f.Purposes {
		all[i] = access.Purpose(p)
	}
	return all
}

// OpenFor says whether all of the fields are still opened for a purpose, as far as the fields themselves say so.
func OpenFor(tx *database.Tx, keys []string, purpose string) (ok bool, err error) {
	err = tx.DB().Raw("SELECT NOT EXISTS (SELECT FROM field_definitions WHERE key IN ? AND NOT ? = ANY (purposes))", append(keys, ""), purpose).Scan(&ok).Error
	return ok, database.Wrap("reading for what fields are opened", err)
}

const lookColumns = `f.*, m.id AS employment_id, c.id AS category_id, coalesce(c.state, 'open') AS state, v.id AS value_id, v.value_sealed`

// joinFields reads the asked fields of an employment m.
func joinFields(g *gorm.DB, keys []string) *gorm.DB {
	return g.Joins("LEFT JOIN field_definitions f ON f.key IN ?", keys).
		Joins("LEFT JOIN employment_categories c ON c.employment_id = m.id AND c.category = f.category").
		Joins("LEFT JOIN field_values v ON v.employment_id = m.id AND v.field_key = f.key")
}

// LookFields reads fields of one employment, as [InOrder] has them.
func LookFields(tx *database.Tx, employmentID uuid.UUID, keys []string) ([]LookField, error) {
	var fields []LookField
	if err := joinFields(tx.DB().Table("employments m").Where("m.id = ?", employmentID), keys).Select(lookColumns).Scan(&fields).Error; err != nil {
		return nil, database.Wrap("reading fields of a file", err)
	}
	return fields, InOrder(fields, keys)
}

// InOrder puts fields into the order in which their categories are locked. A key that the catalogue does not have, or
// that is no secret, is *InvalidError.
func InOrder(fields []LookField, keys []string) error {
	var found problems
	for i, key := range keys {
		at := slices.IndexFunc(fields, func(f LookField) bool { return f.Key == key })
		switch {
		case at < 0:
			found.Add(fmt.Sprintf("fields[%d]", i), CodeUnknownField)
		case fields[at].Category == "":
			found.Add(fmt.Sprintf("fields[%d]", i), CodeNotSensitive)
		}
	}
	slices.SortFunc(fields, func(a, b LookField) int {
		if c := bytes.Compare(a.CategoryID[:], b.CategoryID[:]); c != 0 {
			return c
		}
		return a.Position - b.Position
	})
	return found.Err()
}

// LookRow is one row of a file that somebody wants to look into: the person, the employment, how that stands to who asks,
// and one of the fields. Without any field that the catalogue has there is one row without a key.
type LookRow struct {
	LookField
	PersonStatus         models.EmployeeStatus
	Jurisdiction, Region string
	TimeZone             string
	SameEntity, SameSite bool
	OwnDepartment        bool
	BelowDepartment      bool
}

// LookColumns are the columns of a [LookRow].
const LookColumns = lookColumns + `, employees.status AS person_status, m.jurisdiction, m.time_zone, ` + regionColumn + `, ` + standsColumns

// LookRows reads the file of somebody whom [SeenBy] lets through for a look: of one employment or, without it, of the latest.
// Who asks for it selects [LookColumns], and what else is to be read with them.
func LookRows(g *gorm.DB, by models.Actor, person uuid.UUID, employment *uuid.UUID, keys []string) (*gorm.DB, error) {
	seen, err := SeenBy(g, by)
	if err != nil {
		return nil, err
	}
	which, args := "", []any(nil)
	if employment != nil {
		which, args = " AND id = ?", []any{*employment}
	}
	return joinFields(g.Table("employees").Scopes(seen).Where("employees.id = ?", person).
		Joins("JOIN LATERAL (SELECT * FROM employments WHERE employee_id = employees.id"+which+" ORDER BY "+latestOrder+" LIMIT 1) m ON true", args...), keys), nil
}

// OpenField opens a field for a look that was judged and recorded in the same transaction; ok is false where the file
// has nothing for it. A category that is being destroyed is [vault.ErrPurged]. The value must not leave before the
// transaction has committed.
func OpenField(tx *database.Tx, opener vault.Opener, f LookField) (value string, ok bool, err error) {
	if f.ValueID == nil || f.ValueSealed.IsNull() {
		return "", false, nil
	}
	plain, err := opener.Open(tx, vault.Cell{
		Table: "field_values", Row: *f.ValueID, Employment: f.EmploymentID, Category: f.Category, Field: f.Key,
	}, f.ValueSealed)
	if err != nil {
		return "", false, fmt.Errorf("opening the field %s: %w", f.Key, err)
	}
	defer clear(plain)
	return string(plain), true, nil
}

// StoredFields are the sensitive fields of one employment that hold something which is not being destroyed.
func StoredFields(tx *database.Tx, employmentID uuid.UUID) ([]LookField, error) {
	var fields []LookField
	err := tx.DB().Raw(`SELECT `+lookColumns+` FROM employments m JOIN field_definitions f ON f.category <> ''
		JOIN employment_categories c ON c.employment_id = m.id AND c.category = f.category AND c.state = 'open'
		LEFT JOIN field_values v ON v.employment_id = m.id AND v.field_key = f.key
		WHERE m.id = ? AND (v.value_sealed IS NOT NULL OR f.type = 'attachment' AND EXISTS (
			SELECT FROM attachments a WHERE a.employment_id = m.id AND a.field_key = f.key AND a.name_sealed IS NOT NULL))`, employmentID).Scan(&fields).Error
	return fields, database.Wrap("reading a file", err)
}
