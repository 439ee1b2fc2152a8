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
	"lethe/internal/invalid"
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
	// SiteID is where the person works; nil: not said.
	SiteID  *uuid.UUID
	Post    string
	HiredOn clock.Date
	// TimeZone is the IANA name of where the person works; left out, it is the legal entity's.
	TimeZone string
	// EndedAt is the end of an employment that was over before anybody entered it; nil: it is not. Only [CreateAll]
	// takes it.
	EndedAt *time.Time
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
	h, err := n.prepare(tx)
	if err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	if id, err = h.person(tx); err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	if employmentID, err = h.employ(tx, id); err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	if err := sealer.CreateCategories(tx, employmentID); err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	changes, err := order(tx, employmentID, h.fields, h.categories)
	if err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	return id, employmentID, writeFields(tx, sealer, employmentID, changes)
}

// Check is why [Create] would refuse to hire somebody so, if it would.
func (n NewEmployee) Check(tx *database.Tx) error {
	_, err := n.prepare(tx)
	return err
}

// hiring is an order that was judged and completed.
type hiring struct {
	NewEmployee
	entity     models.LegalEntity
	fields     map[string]*string
	categories map[string]models.Category
	known      *models.Employee // who comes back
}

func (n NewEmployee) prepare(tx *database.Tx) (h hiring, err error) {
	h.fields = make(map[string]*string, len(n.Fields))
	for key, value := range n.Fields {
		h.fields[key] = &value
	}
	if h.entity, err = n.check(tx); err != nil {
		return h, err
	}
	if err := siteKnown(tx, n.SiteID); err != nil {
		return h, err
	}
	h.NewEmployee = n
	if h.categories, err = checkFields(tx, h.fields); err != nil {
		return h, err
	}
	known, err := EmployeeByNo(tx.DB(), n.EmployeeNo)
	if errors.Is(err, database.ErrNotFound) {
		return h, nil
	}
	if err == nil {
		h.known, err = &known, n.mayReturn(tx, known)
	}
	return h, err
}

// check refuses what is malformed, completes what was left out, and finds the legal entity.
func (n *NewEmployee) check(tx *database.Tx) (models.LegalEntity, error) {
	var found problems
	now, err := tx.Now()
	if err != nil {
		return models.LegalEntity{}, err
	}
	n.judge(now, &found)
	entity, err := n.entity(tx, &found)
	if err != nil {
		return entity, err
	}
	if n.TimeZone == "" {
		n.TimeZone = entity.TimeZone
	}
	return entity, found.Err()
}

// judge judges what needs nothing from the database.
func (n *NewEmployee) judge(now time.Time, found *problems) {
	if n.EmployeeNo == "" {
		found.Add("employee_no", invalid.Required)
	} else if !employeeNo.MatchString(n.EmployeeNo) {
		found.Add("employee_no", invalid.Malformed)
	}
	if code := checkText(&n.Name, maxName); code != "" {
		found.Add("name", code)
	}
	if code := checkText(&n.Post, maxPost); code != "" && n.Post != "" {
		found.Add("post", code)
	}
	switch {
	case n.HiredOn.IsZero():
		found.Add("hired_on", invalid.Required)
	case n.HiredOn.Before(earliestHiring) || n.HiredOn.After(clock.DateOf(now).AddDays(latestHiring)):
		found.Add("hired_on", CodeOutOfRange)
	}
	if n.TimeZone != "" {
		if _, err := clock.LoadZone(n.TimeZone); err != nil {
			found.Add("time_zone", invalid.Unknown)
		}
	}
}

// entity finds the department's legal entity.
func (n *NewEmployee) entity(tx *database.Tx, found *problems) (models.LegalEntity, error) {
	department, err := database.First[models.Department](tx.DB().Where("id = ?", n.DepartmentID))
	if errors.Is(err, database.ErrNotFound) {
		found.Add("department_id", invalid.Unknown)
		return models.LegalEntity{}, nil
	}
	if err != nil {
		return models.LegalEntity{}, fmt.Errorf("finding the department: %w", err)
	}
	if n.LegalEntityID == uuid.Nil {
		n.LegalEntityID = department.LegalEntityID
	}
	if n.LegalEntityID != department.LegalEntityID {
		found.Add("legal_entity_id", CodeMismatch)
	}
	entity, err := database.First[models.LegalEntity](tx.DB().Where("id = ?", department.LegalEntityID))
	return entity, database.Wrap("finding the legal entity", err)
}

// person is the id of the person: a new row, or the one who comes back.
func (h hiring) person(tx *database.Tx) (id uuid.UUID, err error) {
	if h.known != nil {
		if err := SetStatus(tx, h.known.ID, models.StatusActive); err != nil {
			return uuid.Nil, err
		}
		return h.known.ID, database.UpdateOne(tx.DB().Exec(`UPDATE employees
			SET department_id = ?, site_id = ?, revision = revision + 1, updated_at = lethe_now() WHERE id = ?`, h.DepartmentID, h.SiteID, h.known.ID))
	}
	id = models.NewID()
	err = database.Hide(tx.DB().Create(&models.Employee{
		ID: id, EmployeeNo: h.EmployeeNo, Name: h.Name, DepartmentID: h.DepartmentID, SiteID: h.SiteID,
		Status: models.StatusActive, Revision: 1, SearchNames: FoundBy(h.Name),
	}).Error)
	if database.Violates(err, "employees_employee_no_key") || database.Violates(err, "employees_employee_no_once") {
		return uuid.Nil, ErrEmployeeNoTaken // by somebody who was hired at the same moment
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("inserting a person: %w", err)
	}
	return id, nil
}

// mayReturn says whether a known person may have another employment.
func (n NewEmployee) mayReturn(tx *database.Tx, known models.Employee) error {
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
		return refuse("hired_on", invalid.TooEarly)
	}
	return nil
}

func (h hiring) employ(tx *database.Tx, employeeID uuid.UUID) (uuid.UUID, error) {
	id := models.NewID()
	action := actionCreated
	if h.known != nil {
		action = actionRehired
	}
	entry, err := record(tx, action, employeeID, id, slices.Collect(maps.Keys(h.fields)))
	if err != nil {
		return uuid.Nil, err
	}
	err = database.Hide(tx.DB().Create(&models.Employment{
		ID: id, LedgerEntryID: &entry, EmployeeID: employeeID, LegalEntityID: h.entity.ID, DepartmentID: h.DepartmentID, Post: h.Post,
		Jurisdiction: h.entity.Jurisdiction, TimeZone: h.TimeZone, HiredOn: h.HiredOn,
	}).Error)
	if database.Violates(err, "employments_one_current") {
		return uuid.Nil, ErrStillEmployed
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("inserting an employment: %w", err)
	}
	return id, nil
}
