package archive

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/access"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/permission"
	"lethe/models"
)

// Mask stands for every sensitive value. It is a constant: a mask made from the value would tell
// its length or its digits.
const Mask = "••••••"

// EmployeeView is one file as an actor may see it.
type EmployeeView struct {
	Employee
	Fields []Field `json:"fields"`
}

// Field is one field of a file. Exactly one of Value and Masked is set if there is a value, none if
// there is none. Hidden fields are not in the view at all.
type Field struct {
	Key          string `json:"key"`
	Section      string `json:"section"`
	SectionLabel string `json:"section_label"`
	Label        string `json:"label"`
	FieldKind
	Access             access.Access `json:"access" enum:"value,masked"`
	Value              *string       `json:"value,omitempty"`
	Masked             *string       `json:"masked,omitempty"`
	Notice             string        `json:"notice"`
	RequiresDisclosure bool          `json:"requires_disclosure"`
	// Purged says that the field's category is purged or being purged: there is nothing left to ask for.
	Purged bool `json:"purged"`
	// Attachments is how many documents a field of that type has.
	Attachments int `json:"attachments,omitempty"`
	// PurgedText says since when, by the calendar of the employment's zone.
	PurgedText string `json:"purged_text,omitempty"`
	// CertificateID is the proof of it, once there is one.
	CertificateID *uuid.UUID `json:"certificate_id,omitempty"`
	// RemovedText says that an emergency contact was removed on their own request, and that nobody was named since.
	RemovedText string `json:"removed_text,omitempty"`
}

// FieldKind is what the values of a field are.
type FieldKind struct {
	Type     models.FieldType `json:"type"`
	TypeText string           `json:"type_text"`
	Choices  []FieldChoice    `json:"choices,omitempty" doc:"Of a choice: what may be written"`
}

// FieldChoice is a value that may be chosen, in a language.
type FieldChoice struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func kindOf(f models.FieldDefinition, language i18n.Language) FieldKind {
	kind := FieldKind{Type: f.Type, TypeText: closed.Text(language, f.Type)}
	for _, o := range f.Choices {
		if !o.Retired {
			kind.Choices = append(kind.Choices, FieldChoice{Code: o.Code, Text: language.Of(o.Zh, o.En)})
		}
	}
	return kind
}

// Get is one file in a language. A person whom the actor may not see is database.ErrNotFound.
func Get(ctx context.Context, db *database.DB, actor models.Actor, id uuid.UUID, language i18n.Language) (EmployeeView, error) {
	g := db.Read(ctx)
	seen, err := SeenBy(g, actor)
	if err != nil {
		return EmployeeView{}, err
	}
	employee, err := database.First[Employee](employees(g.Table("employees")).Scopes(seen).Where("employees.id = ?", id))
	if err != nil {
		return EmployeeView{}, fmt.Errorf("reading a file: %w", err)
	}
	department, err := database.First[models.Department](g.Where("id = ?", employee.DepartmentID))
	if err != nil {
		return EmployeeView{}, fmt.Errorf("reading the department: %w", err)
	}
	entries, err := readEntries(g, employee.EmploymentID)
	if err != nil {
		return EmployeeView{}, err
	}
	relation := relationOf(actor, employee, department)
	basics := map[string]string{
		FieldName:       employee.Name,
		FieldEmployeeNo: employee.EmployeeNo,
		FieldDepartment: text{department.NameZh, department.NameEn}.in(language),
		FieldPost:       employee.Post,
		FieldHiredOn:    employee.HiredOn.String(),
	}
	view := EmployeeView{Employee: employee, Fields: []Field{}}
	matrix, err := permission.Current(g)
	if err != nil {
		return EmployeeView{}, err
	}
	target, err := StandsTo(g, actor.EmployeeID, employee.ID, employee.EmploymentID)
	if err != nil {
		return EmployeeView{}, err
	}
	for _, e := range entries {
		if e.leftOut() {
			continue
		}
		shown := access.FieldAccess(actor, relation, e.Sensitivity)
		if e.Sensitivity != access.Basic && relation != access.RelationSelf && access.MaySee(actor.Role, relation) {
			shown = matrix.Shows(access.Asker{ID: actor.EmployeeID, Role: actor.Role}, target, GroupOf(e.Section, e.Key), purposesOf(e.FieldDefinition))
		}
		if shown != access.Hidden {
			view.Fields = append(view.Fields, e.show(shown, basics, language, employee.TimeZone))
		}
	}
	return view, nil
}

// relationOf is how an actor stands to somebody whom [SeenBy] lets through.
func relationOf(actor models.Actor, employee Employee, department models.Department) access.Relation {
	switch {
	case actor.EmployeeID == employee.ID:
		return access.RelationSelf
	case department.HeadEmployeeID != nil && actor.EmployeeID == *department.HeadEmployeeID:
		return access.RelationOwnDepartment
	case !access.MaySee(actor.Role, access.RelationNone):
		return access.RelationReached
	}
	return access.RelationNone
}

// entry is a line of the catalogue with what the file has for it; never the sealed value itself.
type entry struct {
	models.FieldDefinition
	Stored    bool
	Had       bool // a value, which may be destroyed
	Documents int
	State     models.CategoryState
	PurgedAt  *time.Time
	// CertificateID is of the purge that destroyed the category.
	CertificateID *uuid.UUID
	Removed       bool
}

func readEntries(g *gorm.DB, employmentID uuid.UUID) ([]entry, error) {
	var entries []entry
	err := g.Raw(`SELECT f.*, v.value_sealed IS NOT NULL AS stored, v.id IS NOT NULL AS had,
			(SELECT count(*) FROM attachments a WHERE f.type = 'attachment' AND a.employment_id = @employment AND a.field_key = f.key) AS documents, coalesce(c.state, 'open') AS state, c.purged_at,
			(SELECT x.id FROM purge_claims k JOIN destruction_certificates x ON x.purge_id = k.purge_id
				WHERE k.category_id = c.id AND k.state = 'purged') AS certificate_id,
			f.key LIKE 'emergency\_contact\_%' AND EXISTS (SELECT FROM contact_removals r WHERE r.employment_id = @employment AND f.key ~ ('^emergency_contact_' || CASE r.contact WHEN 1 THEN '' ELSE r.contact || '_' END || '[a-z]')
				AND NOT EXISTS (SELECT FROM field_values w WHERE w.employment_id = @employment AND w.value_sealed IS NOT NULL
					AND w.field_key ~ ('^emergency_contact_' || CASE r.contact WHEN 1 THEN '' ELSE r.contact || '_' END || '[a-z]'))) AS removed
		FROM field_definitions f
		LEFT JOIN employment_categories c ON c.employment_id = @employment AND c.category = f.category
		LEFT JOIN field_values v ON v.employment_id = @employment AND v.field_key = f.key
		ORDER BY f.position, f.key`, map[string]any{"employment": employmentID}).Scan(&entries).Error
	return entries, database.Wrap("reading the fields of a file", err)
}

// leftOut says whether a field stands in the file only where there is something for it: of further contacts, since the
// catalogue tells that there is room for more, and of the company's own fields those that are retired, or that came when
// the category was destroyed already.
func (e entry) leftOut() bool {
	switch {
	case e.Own():
		return !e.Had && e.Documents == 0 && (e.Retired || e.State != models.CategoryOpen)
	default:
		return further(e.Key) && !e.Stored
	}
}

func (e entry) show(shown access.Access, basics map[string]string, language i18n.Language, zone string) Field {
	f := Field{
		Key: e.Key, Section: e.Section, SectionLabel: sectionLabel(e.FieldDefinition, language),
		Label: text{e.LabelZh, e.LabelEn}.in(language), FieldKind: kindOf(e.FieldDefinition, language), Notice: noticeOf(e.FieldDefinition, language),
		Access: shown, Purged: e.State != models.CategoryOpen,
	}
	if f.Purged {
		f.PurgedText, f.CertificateID = purgedText(language, e.PurgedAt, zone), e.CertificateID
	}
	basic, isColumn := basics[e.Key]
	switch {
	case isColumn && shown == access.Value:
		f.Value = &basic
	case (e.Stored || e.Documents > 0) && !f.Purged:
		// Sealed values are never opened here, whatever their sensitivity.
		mask := Mask
		f.Access, f.Masked, f.RequiresDisclosure, f.Attachments = access.Masked, &mask, true, e.Documents
	case e.Removed && !f.Purged:
		f.RemovedText = i18n.Text(language, "field_removed")
	}
	return f
}

// purgedText says since when a category is destroyed, or that it is being destroyed.
func purgedText(language i18n.Language, at *time.Time, zone string) string {
	if at == nil {
		return i18n.Text(language, "field_purging")
	}
	loc, err := clock.LoadZone(zone)
	if err != nil {
		loc = time.UTC
	}
	return fmt.Sprintf(i18n.Text(language, "field_purged"), language.Day(at.In(loc)))
}
