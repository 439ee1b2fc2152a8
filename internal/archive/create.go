package archive

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

// NewEmployee is a person to be hired: a new one, or one who was employed before, known by the
// employee number.
type NewEmployee struct {
	EmployeeNo   string
	Name         string
	DepartmentID uuid.UUID
	// LegalEntityID may be left out (uuid.Nil): it is the department's.
	LegalEntityID uuid.UUID
	Post          string
	HiredOn       clock.Date
	// TimeZone is the IANA name of where the person works; left out, it is the legal entity's.
	TimeZone string
	// Fields are values by the catalogue's keys, of sealed fields only.
	Fields map[string]string
}

// The hiring dates that are accepted: nobody was hired before that day, nor is more than two years ahead.
var earliestHiring = clock.NewDate(1900, time.January, 1)

const latestHiring = 2 * 366 // days ahead

// Create hires a person and seals the fields. For an employee number that is known it opens a new
// employment (I8): only if the former one has ended and the name is the same, since a mistyped
// number must not join two people.
func Create(tx *database.Tx, sealer vault.Sealer, n NewEmployee) (id, employmentID uuid.UUID, err error) {
	fields := make(map[string]*string, len(n.Fields))
	for key, value := range n.Fields {
		fields[key] = &value
	}
	entity, err := n.check(tx)
	if err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	categories, err := checkFields(tx, fields)
	if err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	id, returns, err := n.person(tx)
	if err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	if employmentID, err = n.employ(tx, id, returns, entity); err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	if err := sealer.CreateCategories(tx, employmentID); err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	return id, employmentID, writeFields(tx, sealer, employmentID, fields, categories)
}

// check refuses what is malformed, completes what was left out, and finds the legal entity.
func (n *NewEmployee) check(tx *database.Tx) (models.LegalEntity, error) {
	var found problems
	if n.EmployeeNo == "" {
		found.add("employee_no", CodeRequired)
	} else if !employeeNo.MatchString(n.EmployeeNo) {
		found.add("employee_no", CodeMalformed)
	}
	if code := checkText(&n.Name, maxName); code != "" {
		found.add("name", code)
	}
	if code := checkText(&n.Post, maxPost); code != "" && n.Post != "" {
		found.add("post", code)
	}
	now, err := tx.Now()
	if err != nil {
		return models.LegalEntity{}, err
	}
	switch {
	case n.HiredOn.IsZero():
		found.add("hired_on", CodeRequired)
	case n.HiredOn.Before(earliestHiring) || n.HiredOn.After(clock.DateOf(now).AddDays(latestHiring)):
		found.add("hired_on", CodeOutOfRange)
	}
	if n.TimeZone != "" {
		if _, err := clock.LoadZone(n.TimeZone); err != nil {
			found.add("time_zone", CodeUnknown)
		}
	}
	entity, err := n.entity(tx, &found)
	if err != nil {
		return entity, err
	}
	if n.TimeZone == "" {
		n.TimeZone = entity.TimeZone
	}
	return entity, found.err()
}

// entity finds the department's legal entity.
func (n *NewEmployee) entity(tx *database.Tx, found *problems) (models.LegalEntity, error) {
	department, err := database.First[models.Department](tx.DB().Where("id = ?", n.DepartmentID))
	if errors.Is(err, database.ErrNotFound) {
		found.add("department_id", CodeUnknown)
		return models.LegalEntity{}, nil
	}
	if err != nil {
		return models.LegalEntity{}, fmt.Errorf("finding the department: %w", err)
	}
	if n.LegalEntityID == uuid.Nil {
		n.LegalEntityID = department.LegalEntityID
	}
	if n.LegalEntityID != department.LegalEntityID {
		found.add("legal_entity_id", CodeMismatch)
	}
	entity, err := database.First[models.LegalEntity](tx.DB().Where("id = ?", department.LegalEntityID))
	return entity, database.Wrap("finding the legal entity", err)
}

// person is the id of the person: a new row, or the one who comes back.
func (n *NewEmployee) person(tx *database.Tx) (id uuid.UUID, returns bool, err error) {
	known, err := EmployeeByNo(tx.DB(), n.EmployeeNo)
	if err == nil {
		return known.ID, true, n.rehire(tx, known)
	}
	if !errors.Is(err, database.ErrNotFound) {
		return uuid.Nil, false, err
	}
	id = models.NewID()
	err = database.Hide(tx.DB().Create(&models.Employee{
		ID: id, EmployeeNo: n.EmployeeNo, Name: n.Name, DepartmentID: n.DepartmentID,
		Status: models.StatusActive, Revision: 1,
	}).Error)
	if database.Violates(err, "employees_employee_no_key") || database.Violates(err, "employees_employee_no_once") {
		return uuid.Nil, false, ErrEmployeeNoTaken // by somebody who was hired at the same moment
	}
	if err != nil {
		return uuid.Nil, false, fmt.Errorf("inserting a person: %w", err)
	}
	return id, false, nil
}

// rehire prepares a known person for another employment.
func (n *NewEmployee) rehire(tx *database.Tx, known models.Employee) error {
	if known.Name != n.Name {
		return ErrEmployeeNoTaken
	}
	former, err := lockLatest(tx, known.ID)
	if err != nil {
		return err
	}
	if former.EndedAt == nil {
		return ErrStillEmployed
	}
	zone, err := clock.LoadZone(former.TimeZone)
	if err != nil {
		return fmt.Errorf("loading the zone of the former employment: %w", err)
	}
	if n.HiredOn.Before(clock.DateOf(former.EndedAt.In(zone))) {
		return invalid("hired_on", CodeTooEarly)
	}
	if err := SetStatus(tx, known.ID, models.StatusActive); err != nil {
		return err
	}
	return database.UpdateOne(tx.DB().Exec(`UPDATE employees
		SET department_id = ?, revision = revision + 1, updated_at = lethe_now() WHERE id = ?`, n.DepartmentID, known.ID))
}

func (n *NewEmployee) employ(tx *database.Tx, employeeID uuid.UUID, returns bool, entity models.LegalEntity) (uuid.UUID, error) {
	id := models.NewID()
	action := actionCreated
	if returns {
		action = actionRehired
	}
	entry, err := record(tx, action, employeeID, id, slices.Collect(maps.Keys(n.Fields)))
	if err != nil {
		return uuid.Nil, err
	}
	err = database.Hide(tx.DB().Create(&models.Employment{
		ID: id, LedgerEntryID: &entry, EmployeeID: employeeID, LegalEntityID: entity.ID, DepartmentID: n.DepartmentID, Post: n.Post,
		Jurisdiction: entity.Jurisdiction, TimeZone: n.TimeZone, HiredOn: n.HiredOn,
	}).Error)
	if database.Violates(err, "employments_one_current") {
		return uuid.Nil, ErrStillEmployed
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("inserting an employment: %w", err)
	}
	return id, nil
}
