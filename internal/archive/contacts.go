package archive

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// ErrNoContact says that the file has no emergency contact there.
var ErrNoContact = errors.New("the file has no such emergency contact")

const (
	actionContactRemoved = "emergency_contact.removed"
	// maxKeptAt is in characters; a request may have come so many days before its entry.
	maxKeptAt     = 200
	contactsAskIn = 366
)

// contactFields are the fields of one emergency contact.
func contactFields(contact int) []string {
	keys := []string{"name", "relation", "phone", "informed", "informed_on", "informed_by"}
	for i := range keys {
		keys[i] = prefixOf(contact) + keys[i]
	}
	return keys
}

// IsContact says whether a field is of an emergency contact.
func IsContact(key string) bool {
	return strings.HasPrefix(key, contactPrefix)
}

// Removal takes an emergency contact out of a file, on that contact's own request.
type Removal struct {
	EmployeeID uuid.UUID
	// EmploymentID names the file of a former employment; nil: the latest.
	EmploymentID *uuid.UUID
	Contact      int
	Form         models.ContactRequest
	ReceivedOn   clock.Date
	KeptAt       string
}

// RemoveContact removes whatever is written of a contact. Where nothing is left since a removal, the same again is that
// one. What a hold keeps stays (ErrHeld).
func RemoveContact(tx *database.Tx, by models.Actor, o Removal) error {
	if by.EmployeeID == o.EmployeeID {
		return ErrOwnFile
	}
	employee, employment, err := FileOf(tx, o.EmployeeID, o.EmploymentID)
	if err != nil {
		return err
	}
	if employee.Status == models.StatusPurged {
		return ErrPurged
	}
	if err := o.check(tx, employment); err != nil {
		return err
	}
	fields, categories := map[string]*string{}, map[string]models.Category{}
	for _, key := range contactFields(o.Contact) {
		fields[key], categories[key] = nil, models.CategoryEmergencyContact
	}
	changes, err := order(tx, employment.ID, fields, categories)
	if err != nil {
		return err
	}
	done, err := alreadyRemoved(tx, employment.ID, o.Contact, contactFields(o.Contact))
	if err != nil || done {
		return err
	}
	if err := refuseHeld(tx, employment, fields, categories); err != nil {
		return err
	}
	return o.carry(tx, by, employee, employment, changes)
}

func (o *Removal) check(tx *database.Tx, employment models.Employment) error {
	zone, err := clock.LoadZone(employment.TimeZone)
	if err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	var found problems
	kept, fault := textform.Line(o.KeptAt, maxKeptAt)
	o.KeptAt = kept
	if code := invalid.Text(fault); code != "" {
		found.Add("kept_at", code)
	}
	if !slices.Contains(models.ContactRequests, o.Form) {
		found.Add("form", invalid.Unknown)
	}
	if today := clock.Today(now, zone); o.ReceivedOn.After(today) || o.ReceivedOn.Before(today.AddDays(-contactsAskIn)) {
		found.Add("received_on", CodeOutOfRange)
	}
	return found.Err()
}

// alreadyRemoved says whether nothing is left of a contact who was removed; of one who never was that is ErrNoContact.
func alreadyRemoved(tx *database.Tx, employment uuid.UUID, contact int, keys []string) (bool, error) {
	var is struct{ There, Removed bool }
	err := tx.DB().Raw(`SELECT EXISTS (SELECT FROM field_values WHERE employment_id = @employment AND field_key IN @keys AND value_sealed IS NOT NULL) AS there,
		EXISTS (SELECT FROM contact_removals WHERE employment_id = @employment AND contact = @contact) AS removed`,
		map[string]any{"employment": employment, "keys": keys, "contact": contact}).Scan(&is).Error
	if err == nil && !is.There && !is.Removed {
		return false, ErrNoContact
	}
	return !is.There, database.Wrap("looking for a contact", err)
}

func (o Removal) carry(tx *database.Tx, by models.Actor, employee models.Employee, employment models.Employment, changes []change) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	row := models.ContactRemoval{
		ID: models.NewID(), EmployeeID: employee.ID, EmploymentID: employment.ID, Contact: o.Contact, Form: o.Form, ReceivedOn: o.ReceivedOn,
		RemovedBy: by.EmployeeID, RemovedAt: now,
	}
	if row.EvidenceSealed, err = reasons.Seal(tx, removalCell(row.ID), o.KeptAt); err != nil {
		return err
	}
	row.LedgerEntryID, err = ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindArchive, Action: actionContactRemoved, Subject: &employee.ID, Object: "employee/" + employee.ID.String(),
		Details: map[string]string{
			"employment": employment.ID.String(), "contact": strconv.Itoa(o.Contact), "contact_request": string(o.Form), "received_on": o.ReceivedOn.String(),
		},
	})
	if err != nil {
		return err
	}
	if err := tx.DB().Create(&row).Error; err != nil {
		return database.Wrap("keeping that a contact was removed", err)
	}
	err = database.UpdateOne(tx.DB().Exec("UPDATE employees SET revision = revision + 1, updated_at = lethe_now() WHERE id = ?", employee.ID))
	if err != nil {
		return err
	}
	return writeFields(tx, nil, employment.ID, changes) // nothing is sealed
}

func removalCell(id uuid.UUID) string { return reasons.Cell("contact_removals.evidence_sealed", id) }

// Contact is an emergency contact of a file as far as it is known without opening anything.
type Contact struct {
	EmployeeID   uuid.UUID
	EmploymentID uuid.UUID
	Contact      int
	// Told says that the day is recorded on which the contact was told.
	Told bool
}

// Contacts are those of a person's files, and which were removed on their own request, with where the evidence is kept.
func Contacts(ctx context.Context, db *database.DB, person uuid.UUID) (there []Contact, removed []models.ContactRemoval, keptAt []string, err error) {
	g := db.Read(ctx)
	if err := contactsOf(g, []uuid.UUID{person}, &there); err != nil {
		return nil, nil, nil, err
	}
	if err := g.Where("employee_id = ?", person).Order("removed_at, id").Find(&removed).Error; err != nil {
		return nil, nil, nil, database.Wrap("reading which contacts were removed", err)
	}
	texts := make([]reasons.Text, len(removed))
	for i, r := range removed {
		texts[i] = reasons.Text{Cell: removalCell(r.ID), Sealed: r.EvidenceSealed}
	}
	keptAt, err = reasons.Open(ctx, db, texts...)
	return there, removed, keptAt, err
}

func contactsOf(g *gorm.DB, people []uuid.UUID, to *[]Contact) error {
	err := g.Raw(`SELECT m.employee_id, v.employment_id, n.contact, bool_or(v.field_key = n.prefix || 'informed_on') AS told
		FROM field_values v JOIN employments m ON m.id = v.employment_id JOIN employment_categories c ON c.id = v.category_id
		JOIN (SELECT n AS contact, 'emergency_contact_' || CASE n WHEN 1 THEN '' ELSE n || '_' END AS prefix FROM generate_series(1, 5) n) n
			ON v.field_key IN (n.prefix || 'name', n.prefix || 'phone', n.prefix || 'informed_on')
		WHERE m.employee_id IN ? AND v.value_sealed IS NOT NULL AND c.state = 'open'
		GROUP BY m.employee_id, m.ended_at, m.created_at, v.employment_id, n.contact HAVING bool_or(v.field_key <> n.prefix || 'informed_on')
		ORDER BY m.ended_at IS NULL DESC, m.created_at DESC, v.employment_id, n.contact`, people).Scan(to).Error
	return database.Wrap("reading which contacts there are", err)
}

// Untold is somebody who works here and has emergency contacts of whom it is not recorded that they were told.
type Untold struct {
	ID         uuid.UUID
	EmployeeNo string
	Name       string
	Contacts   []int `gorm:"-"`
}

// UntoldContacts is a page of them, by id, and whether there are more. The own file is somebody else's to look after.
func UntoldContacts(ctx context.Context, db *database.DB, by models.Actor, after uuid.UUID, limit int) (people []Untold, more bool, err error) {
	g := db.Read(ctx)
	err = g.Raw(`SELECT e.id, e.employee_no, e.name FROM employees e JOIN employments m ON m.employee_id = e.id AND m.ended_at IS NULL
		WHERE e.id > ? AND e.id <> ? AND EXISTS (SELECT FROM field_values v JOIN employment_categories c ON c.id = v.category_id
			WHERE v.employment_id = m.id AND c.state = 'open' AND v.value_sealed IS NOT NULL AND v.field_key ~ '^emergency_contact_([2-5]_|)(name|phone)$'
			AND NOT EXISTS (SELECT FROM field_values t WHERE t.employment_id = m.id AND t.value_sealed IS NOT NULL
				AND t.field_key = regexp_replace(v.field_key, '(name|phone)$', 'informed_on')))
		ORDER BY e.id LIMIT ?`, after, by.EmployeeID, limit+1).Scan(&people).Error
	if err != nil {
		return nil, false, database.Wrap("listing contacts who were not told", err)
	}
	if len(people) > limit {
		people, more = people[:limit], true
	}
	ids := make([]uuid.UUID, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	if len(ids) == 0 {
		return people, more, nil
	}
	var there []Contact
	if err := contactsOf(g, ids, &there); err != nil {
		return nil, false, err
	}
	latest := map[uuid.UUID]uuid.UUID{} // the employment that has not ended comes first
	for _, c := range there {
		if _, known := latest[c.EmployeeID]; !known {
			latest[c.EmployeeID] = c.EmploymentID
		}
		if i := slices.Index(ids, c.EmployeeID); !c.Told && latest[c.EmployeeID] == c.EmploymentID {
			people[i].Contacts = append(people[i].Contacts, c.Contact)
		}
	}
	return people, more, nil
}

// RemovedContacts says of whom a contact was removed on their own request: what an import brings of their contacts is
// nobody's decision, and may be that contact again.
func RemovedContacts(tx *database.Tx, people []uuid.UUID) (map[uuid.UUID]bool, error) {
	if len(people) == 0 {
		return nil, nil //nolint:nilnil // nobody
	}
	var found []uuid.UUID
	err := tx.DB().Model(&models.ContactRemoval{}).Where("employee_id IN ?", people).Distinct().Pluck("employee_id", &found).Error
	of := make(map[uuid.UUID]bool, len(found))
	for _, id := range found {
		of[id] = true
	}
	return of, database.Wrap("reading of whom a contact was removed", err)
}
