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
	all, err = openAll(tx, opener, by.EmployeeID, language, func(archive.LookField) bool { return true })
	if err != nil {
		return nil, "", err
	}
	total := 0
	for _, m := range all {
		total += len(m.Fields)
	}
	subject := by.EmployeeID
	_, receipt, err = ledger.AppendWithReceipt(tx, ledger.Entry{
		Kind: ledger.KindDisclosure, Action: actionOwn, Subject: &subject, Object: "employee/" + subject.String(),
		Details: map[string]string{"values": strconv.Itoa(total)},
	}, "")
	return all, receipt, err
}

// stored are the fields of somebody that hold something, of all employments, in the order in which their categories are
// locked.
func stored(tx *database.Tx, person uuid.UUID) (employments []models.Employment, fields []archive.LookField, err error) {
	employments, err = database.Find[models.Employment](tx.DB(), "somebody's employments", "employee_id = ?", person)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range employments {
		of, err := archive.StoredFields(tx, m.ID)
		if err != nil {
			return nil, nil, err
		}
		fields = append(fields, of...)
	}
	slices.SortStableFunc(fields, func(a, b archive.LookField) int { return bytes.Compare(a.CategoryID[:], b.CategoryID[:]) })
	return employments, fields, nil
}

// openAll opens those of somebody's fields that may be in a copy.
func openAll(tx *database.Tx, opener vault.Opener, person uuid.UUID, language i18n.Language, may func(archive.LookField) bool) (all []OwnEmployment, err error) {
	employments, fields, err := stored(tx, person)
	if err != nil {
		return nil, err
	}
	of := map[uuid.UUID][]archive.LookField{}
	opened := map[uuid.UUID][]OwnField{}
	for _, f := range fields {
		if !may(f) {
			continue
		}
		shown, err := open(tx, opener, []archive.LookField{f}, language)
		if errors.Is(err, vault.ErrPurged) {
			continue // its destruction has begun since
		}
		if err != nil {
			return nil, err
		}
		of[f.EmploymentID] = append(of[f.EmploymentID], f)
		opened[f.EmploymentID] = append(opened[f.EmploymentID], OwnField{f.Section, shown[0]})
	}
	for _, m := range employments {
		own := OwnEmployment{Employment: m, Fields: opened[m.ID]}
		inOrder(of[m.ID], own.Fields)
		all = append(all, own)
	}
	return all, nil
}

// inOrder puts fields into the order of the file.
func inOrder(of []archive.LookField, fields []OwnField) {
	position := map[string]int{}
	for _, f := range of {
		position[f.Key] = f.Position
	}
	slices.SortFunc(fields, func(a, b OwnField) int { return position[a.Key] - position[b.Key] })
}
