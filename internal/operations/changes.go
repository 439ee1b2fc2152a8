package operations

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/models"
)

// What approvers see. A field's name in both languages is the catalogue's approval.field.<name>;
// one with a dot is a key of the catalogue itself.

// person names whom it is about. It is shown, and no state that a request is bound to.
func person(tx *database.Tx, id uuid.UUID) (approval.Change, error) {
	e, err := database.First[models.Employee](tx.DB().Select("employee_no", "name").Where("id = ?", id))
	return approval.Change{Field: "person", After: e.EmployeeNo + " " + e.Name}, err
}

// holdScope says whose data a hold keeps.
func holdScope(tx *database.Tx, hold retention.HoldView) ([]approval.Change, error) {
	if hold.Everybody {
		return []approval.Change{word("hold_scope", "hold_scope", "", "everybody")}, nil
	}
	if hold.EmployeeID != nil {
		who, err := person(tx, *hold.EmployeeID)
		return []approval.Change{who}, err
	}
	changes := []approval.Change{word("hold_scope", "hold_scope", "", "query")}
	for _, part := range []struct {
		field, table string
		id           *uuid.UUID
	}{{"legal_entity", "legal_entities", hold.LegalEntityID}, {"department", "departments", hold.DepartmentID}} {
		if part.id == nil {
			continue
		}
		var name struct{ NameZh, NameEn string }
		if err := tx.DB().Table(part.table).Select("name_zh", "name_en").Where("id = ?", *part.id).Scan(&name).Error; err != nil {
			return nil, fmt.Errorf("naming the filter of a hold: %w", database.Hide(err))
		}
		changes = append(changes, shown(part.field, i18n.Both(name.NameZh, name.NameEn)))
	}
	if hold.LeftFrom != nil {
		changes = append(changes, shown("left_from", hold.LeftFrom.String()))
	}
	if hold.LeftTo != nil {
		changes = append(changes, shown("left_to", hold.LeftTo.String()))
	}
	return changes, nil
}

func shown(field, value string) approval.Change { return approval.Change{Field: field, After: value} }

// differing keeps only what would change.
func differing(changes ...approval.Change) []approval.Change {
	var kept []approval.Change
	for _, c := range changes {
		if c.Before != c.After {
			kept = append(kept, c)
		}
	}
	return kept
}

func day(field string, before, after clock.Date) approval.Change {
	return approval.Change{Field: field, Before: dayText(before), After: dayText(after)}
}

func dayText(d clock.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// instant is shown by the clock of a zone.
func instant(field, zone string, before, after time.Time) approval.Change {
	return approval.Change{Field: field, Before: instantText(before), After: instantText(after), Zone: zone}
}

func instantText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}

func word(field, words, before, after string) approval.Change {
	return approval.Change{Field: field, Words: words, Before: before, After: after}
}

func count(field string, n int) approval.Change { return shown(field, strconv.Itoa(n)) }

func roleTexts(roles []models.Role) string {
	texts := make([]string, len(roles))
	for i, r := range roles {
		texts[i] = string(r)
	}
	return strings.Join(texts, " ")
}
