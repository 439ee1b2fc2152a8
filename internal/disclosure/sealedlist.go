package disclosure

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/permission"
	"lethe/internal/screening"
	"lethe/internal/textform"
	"lethe/internal/vault"
	"lethe/models"
)

const (
	actionListed     = "sealed_list.made"
	actionNotListed  = "sealed_list.refused"
	actionListOpened = "sealed_list.opened"
	// listHolds is for how many days a list holds: half a year.
	listHolds = 182
	// maxListReason is what every reason on the host may have.
	maxListReason = 1000
)

// The ways in which a list is refused.
var (
	ErrNotEmergency = errors.New("a list is made for emergencies alone")
	ErrNobodyListed = errors.New("nobody works in the department")
	ErrListReason   = errors.New("the reason says in 1 to 1,000 characters what for: letters or dots at random do not")
)

// SealedList is whom to call for the people of a department while Lethe cannot be reached: to be printed and sealed.
type SealedList struct {
	Department models.Department
	People     []Listed
	// Hidden is how many people the permissions keep out of it.
	Hidden          int
	MadeOn, HoldsTo clock.Date
	Receipt         string
}

// Listed is somebody with whom to call for them.
type Listed struct {
	Name, EmployeeNo string
	Contacts         []ListedContact
}

// ListedContact is one contact, in the order in which they are called.
type ListedContact struct{ Name, Relation, Phone string }

// ListOrder is what two people want a list for. The first one's permissions decide whom it may name: the second stands for
// the reviewer.
type ListOrder struct {
	Department models.Department
	By         models.Actor
	Purpose    access.Purpose
	Reason     string
	Language   i18n.Language
	Zone       *time.Location
}

// ListReason is the reason of a list or of an opening as it is kept: of the length of every reason on the host, and it says something.
// Else it is [ErrListReason], which does not repeat it.
func ListReason(text string, purpose access.Purpose) (string, error) {
	text, fault := textform.Paragraphs(text, maxListReason)
	if invalid.Text(fault) != "" || screening.Builtin().Screen(text, string(purpose)).Doubt == screening.SaysNothing {
		return "", ErrListReason
	}
	return text, nil
}

// MakeList opens the emergency contacts of all who work in a department, for two people on the host. What the permissions
// hide for the purpose stays out, and where they hide all of it there is no list ([ErrNotPermitted]). It is recorded before
// anything leaves (I18): the values must not leave before the transaction has committed.
func MakeList(tx *database.Tx, opener vault.Opener, o ListOrder) (list SealedList, err error) {
	purpose, known := purposeOf(o.Purpose)
	if !known || !purpose.Emergency {
		return list, ErrNotEmergency
	}
	now, err := tx.Now()
	if err != nil {
		return list, err
	}
	list.Department, list.MadeOn = o.Department, clock.Today(now, o.Zone)
	list.HoldsTo = list.MadeOn.AddDays(listHolds)
	people, err := archive.Employed(tx, o.Department.ID)
	if err != nil {
		return list, err
	}
	if len(people) == 0 {
		return list, ErrNobodyListed
	}
	matrix, err := permission.Current(tx.DB())
	if err != nil {
		return list, err
	}
	for _, person := range people {
		fields, shown, err := o.permitted(tx, matrix, purpose, person)
		if err != nil {
			return list, err
		}
		if !shown {
			list.Hidden++
			continue
		}
		contacts, err := o.contacts(tx, opener, fields)
		if err != nil {
			return list, err
		}
		list.People = append(list.People, Listed{person.Name, person.EmployeeNo, contacts})
	}
	if len(list.People) == 0 {
		return list, ErrNotPermitted
	}
	slices.SortFunc(list.People, func(a, b Listed) int { return strings.Compare(a.EmployeeNo, b.EmployeeNo) })
	entry := o.entry(actionListed)
	entry.Details = map[string]string{
		"fields": strings.Join(listedFields(), ","), "listed": strconv.Itoa(len(list.People)), "left_out": strconv.Itoa(list.Hidden), "holds_to": list.HoldsTo.String(),
	}
	_, list.Receipt, err = ledger.AppendWithReceipt(tx, entry, "")
	return list, err
}

// RecordNotListed records that a list was refused with [ErrNotPermitted].
func RecordNotListed(tx *database.Tx, o ListOrder) error {
	entry := o.entry(actionNotListed)
	entry.Result, entry.Rule, entry.Details = ledger.Refused, string(RulePurposeNotForField), map[string]string{"fields": strings.Join(listedFields(), ",")}
	_, err := ledger.Append(tx, entry)
	return err
}

func (o ListOrder) entry(action string) ledger.Entry {
	return ledger.Entry{
		Kind: ledger.KindDisclosure, Action: action, Object: "department/" + o.Department.ID.String(), Purpose: string(o.Purpose),
		Reason: o.Reason, RequestedBy: o.By.EmployeeID.String(),
	}
}

// listedFields are the fields that a list opens.
func listedFields() (keys []string) {
	for _, c := range archive.ContactKeys() {
		keys = append(keys, c.Name, c.Relation, c.Phone)
	}
	return keys
}

// permitted reads what somebody's file has for a list, and says whether the permissions show it. The own file is shown: who
// makes a list belongs on it.
func (o ListOrder) permitted(tx *database.Tx, matrix *access.Matrix, purpose Purpose, person models.Employee) ([]archive.LookField, bool, error) {
	var rows []archive.LookRow
	file, err := archive.LookRows(tx.DB(), o.By, person.ID, nil, listedFields())
	if err != nil {
		return nil, false, err
	}
	if err := file.Select(archive.LookColumns, map[string]any{"asker": o.By.EmployeeID}).Scan(&rows).Error; err != nil {
		return nil, false, database.Wrap("reading a file for a list", err)
	}
	f := Facts{Role: o.By.Role, Asker: o.By.EmployeeID, Purpose: purpose, Matrix: matrix}
	var fields []archive.LookField
	for _, row := range rows {
		f.about(person.ID, row)
		if row.Key != "" {
			fields = append(fields, row.LookField)
			f.asks(row.LookField)
		}
	}
	return fields, len(fields) > 0 && (person.ID == o.By.EmployeeID || f.level() != access.NoLook), nil
}

// contacts opens whom to call; what is being destroyed is not there.
func (o ListOrder) contacts(tx *database.Tx, opener vault.Opener, fields []archive.LookField) (all []ListedContact, err error) {
	values := map[string]string{}
	for _, f := range fields {
		shown, err := open(tx, opener, []archive.LookField{f}, o.Language)
		if errors.Is(err, vault.ErrPurged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if shown[0].Text != nil {
			values[f.Key] = *shown[0].Text
		}
	}
	for _, key := range archive.ContactKeys() {
		if c := (ListedContact{values[key.Name], values[key.Relation], values[key.Phone]}); c.Name != "" || c.Phone != "" {
			all = append(all, c)
		}
	}
	return all, nil
}

// RecordListOpened records that the envelope of a department was opened, and about whom, if that is known.
func RecordListOpened(tx *database.Tx, department, about uuid.UUID, reason string) error {
	entry := ledger.Entry{Kind: ledger.KindDisclosure, Action: actionListOpened, Object: "department/" + department.String(), Reason: reason}
	if about != uuid.Nil {
		entry.Subject = &about
	}
	_, err := ledger.Append(tx, entry)
	return err
}

// ListStand is how the list of a department stands.
type ListStand struct {
	Code   string
	Action string      // the latest entry about it; empty: there was no list
	Until  *clock.Date // until when the latest one holds
}

// Due says whether another list is wanted.
func (s ListStand) Due(today clock.Date) bool {
	return s.Action != actionListed || s.Until == nil || s.Until.Before(today)
}

// Opened says whether the envelope was opened since its list was made.
func (s ListStand) Opened() bool { return s.Action == actionListOpened }

// ListsStand is how the lists of all departments in which somebody works stand, by the log.
func ListsStand(ctx context.Context, db *database.DB) (all []ListStand, err error) {
	err = db.Read(ctx).Raw(`SELECT d.code, coalesce(l.action, '') AS action, l.until FROM departments d
		LEFT JOIN LATERAL (SELECT c.action, CAST(c.details ->> 'holds_to' AS date) AS until FROM ledger_content c
			WHERE c.object = 'department/' || d.id AND c.action IN ? ORDER BY c.at DESC, c.entry_id DESC LIMIT 1) l ON true
		WHERE EXISTS (SELECT FROM employees e WHERE e.department_id = d.id AND e.status IN ?) ORDER BY d.code`,
		[]string{actionListed, actionListOpened}, []models.EmployeeStatus{models.StatusActive, models.StatusPendingDeparture}).Scan(&all).Error
	return all, database.Wrap("reading how the sealed lists stand", err)
}
