package disclosure

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// OwnEmployment is what is kept of one employment, for the person.
type OwnEmployment struct {
	models.Employment
	Fields []OwnField
}

// OwnField is one field of the own file with what it holds.
type OwnField struct {
	Section string
	Shown
}

// Own opens all that the file holds of whoever asks, of each employment: the person's own right (PIPL Art. 45, GDPR
// Art. 15), which asks for no purpose. It is recorded before anything leaves; what is being destroyed is left out. The
// values must not leave before the transaction has committed.
func Own(tx *database.Tx, opener vault.Opener, by models.Actor, language i18n.Language) (all []OwnEmployment, receipt string, err error) {
	employments, err := database.Find[models.Employment](tx.DB(), "the own employments", "employee_id = ?", by.EmployeeID)
	if err != nil {
		return nil, "", err
	}
	var fields []archive.LookField
	for _, m := range employments {
		stored, err := archive.StoredFields(tx, m.ID)
		if err != nil {
			return nil, "", err
		}
		fields = append(fields, stored...)
	}
	// Of all employments, in the order in which their categories are locked.
	slices.SortStableFunc(fields, func(a, b archive.LookField) int { return bytes.Compare(a.CategoryID[:], b.CategoryID[:]) })
	of := map[uuid.UUID][]archive.LookField{}
	opened := map[uuid.UUID][]OwnField{}
	for _, f := range fields {
		shown, err := open(tx, opener, []archive.LookField{f}, language)
		if errors.Is(err, vault.ErrPurged) {
			continue // its destruction has begun since
		}
		if err != nil {
			return nil, "", err
		}
		of[f.EmploymentID] = append(of[f.EmploymentID], f)
		opened[f.EmploymentID] = append(opened[f.EmploymentID], OwnField{f.Section, shown[0]})
	}
	total := 0
	for _, m := range employments {
		own := OwnEmployment{Employment: m, Fields: opened[m.ID]}
		inOrder(of[m.ID], own.Fields)
		total += len(own.Fields)
		all = append(all, own)
	}
	subject := by.EmployeeID
	_, receipt, err = ledger.AppendWithReceipt(tx, ledger.Entry{
		Kind: ledger.KindDisclosure, Action: actionOwn, Subject: &subject, Object: "employee/" + subject.String(),
		Details: map[string]string{"values": strconv.Itoa(total)},
	}, "")
	return all, receipt, err
}

// inOrder puts fields into the order of the file.
func inOrder(of []archive.LookField, fields []OwnField) {
	position := map[string]int{}
	for _, f := range of {
		position[f.Key] = f.Position
	}
	slices.SortFunc(fields, func(a, b OwnField) int { return position[a.Key] - position[b.Key] })
}
