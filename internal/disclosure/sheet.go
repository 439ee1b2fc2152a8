package disclosure

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// ErrNoSheet: the look is none that was shown for an authority's order.
var ErrNoSheet = errors.New("nothing was given to an authority by this look")

const actionPrinted = "disclosure.registration_printed"

// Sheet is what is printed for the file when data was given to an authority (对外提供登记): which fields, to whom, on which
// document. Values are on it only while the look may be shown.
type Sheet struct {
	models.Disclosure
	Statement  Statement
	Fields     []SheetField
	WithValues bool
	PrintedAt  time.Time
	Receipt    string // of the entry that says that it was printed
}

// SheetField is a field that was given.
type SheetField struct {
	LabelZh, LabelEn string
	Value            string
}

// Print makes the sheet of a look, which is recorded before it leaves (I18). It has the values for the looker alone, as
// long as the look may be shown and nothing that it rests on is gone, counted as if it were shown again. Whose data it is does not print it.
func Print(tx *database.Tx, opener vault.Opener, by models.Actor, id uuid.UUID) (s Sheet, err error) {
	if s.Disclosure, err = Lock(tx, id); err != nil {
		return s, err
	}
	looker := s.ActorID == by.EmployeeID && s.ActorRole == by.Role
	switch {
	case s.EmployeeID == by.EmployeeID || !looker && by.Role == models.RoleDepartmentHead:
		return s, ErrNotFound
	case s.Purpose != string(access.AuthorityOrder) || s.ShownAt == nil:
		return s, ErrNoSheet
	}
	if s.PrintedAt, err = tx.Now(); err != nil {
		return s, err
	}
	fields, err := archive.LookFields(tx, s.EmploymentID, s.Disclosure.Fields)
	if err != nil {
		return s, err
	}
	s.WithValues = looker && s.State == models.LookShown && s.OpenUntil != nil && s.OpenUntil.After(s.PrintedAt) &&
		!slices.ContainsFunc(fields, func(f archive.LookField) bool { return f.State != models.CategoryOpen })
	if s.WithValues {
		look := Look{Disclosure: s.Disclosure}
		agreed, err := look.stillAgreed(tx)
		if err != nil {
			return s, err
		}
		permitted, err := stillPermitted(tx, s.Disclosure)
		if err != nil {
			return s, err
		}
		s.WithValues = agreed && permitted
	}
	if err := s.record(tx); err != nil {
		return s, err
	}
	written, err := Statements(tx.Context(), tx, s.Disclosure)
	if err != nil {
		return s, err
	}
	s.Statement = written[0]
	for _, f := range fields {
		s.Fields = append(s.Fields, SheetField{LabelZh: f.Label(i18n.Chinese), LabelEn: f.Label(i18n.English)})
	}
	if !s.WithValues {
		return s, nil
	}
	shown, err := open(tx, opener, fields, i18n.Chinese)
	for i, f := range shown {
		s.Fields[i].Value = f.printed()
	}
	return s, err
}

// record writes the entry; a sheet with values counts as the look being shown again.
func (s *Sheet) record(tx *database.Tx) (err error) {
	if s.WithValues {
		s.ShownTimes++
	}
	details := map[string]string{"fields": strings.Join(s.Disclosure.Fields, ","), "with_values": strconv.FormatBool(s.WithValues), "times": strconv.Itoa(s.ShownTimes)}
	entry, receipt, err := ledger.AppendWithReceipt(tx, entryOf(s.Disclosure, actionPrinted, details), "")
	s.LedgerEntryID, s.Receipt = entry, receipt
	if err != nil || !s.WithValues {
		return err
	}
	return database.UpdateOne(tx.DB().Model(&models.Disclosure{}).Where("id = ?", s.ID).Updates(map[string]any{"shown_times": s.ShownTimes, "ledger_entry_id": entry}))
}

// printed is what stands on paper for a field.
func (f Shown) printed() string {
	var parts []string
	if f.Text != nil {
		parts = append(parts, *f.Text)
	}
	for _, d := range f.Attachments {
		parts = append(parts, d.Name+" ("+string(d.Type)+")")
	}
	return strings.Join(parts, "；")
}
