package archive

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/invalid"
	"lethe/internal/vault"
	"lethe/models"
)

// Patch changes a file; what is nil stays as it is.
type Patch struct {
	Name         *string
	DepartmentID *uuid.UUID
	// SiteID is where the person works; NoSite: that is not said any more.
	SiteID *uuid.UUID
	NoSite bool
	Post   *string
	// Fields sets sealed fields by the catalogue's keys; nil removes one.
	Fields map[string]*string

	// A different legal entity, jurisdiction, time zone or hiring date could bring a retention
	// deadline forward (I6): it needs two people.
	LegalEntityID *uuid.UUID
	Jurisdiction  *string
	TimeZone      *string
	HiredOn       *clock.Date
}

// Update changes the file of the latest employment. A purged file is ErrPurged; what deadlines hang
// on is ErrApprovalRequired; the file of whoever is behind the context is ErrOwnFile.
func Update(tx *database.Tx, sealer vault.Sealer, id uuid.UUID, p Patch) error {
	c, err := p.Prepare(tx, id)
	if err == nil && len(c.Causes) > 0 {
		err = ErrApprovalRequired
	}
	if err != nil {
		return err
	}
	return c.Write(tx, sealer)
}

// LatestFile locks what a patch of a person would change, and reads it.
func LatestFile(tx *database.Tx, id uuid.UUID) (models.Employee, models.Employment, error) {
	return FileOf(tx, id, nil)
}

// FileOf locks and reads a person with the named employment, as [EmploymentOf] finds it.
func FileOf(tx *database.Tx, id uuid.UUID, named *uuid.UUID) (models.Employee, models.Employment, error) {
	employment, err := EmploymentOf(tx, id, named)
	if err != nil {
		return models.Employee{}, employment, err
	}
	employee, err := database.Lock[models.Employee](tx, "an employee", id)
	return employee, employment, err
}

// Changing is a file with a patch that fits it. Whether one person may make it is known before anything is written.
type Changing struct {
	// Causes are why one person may not.
	Causes []models.Cause
	// Employment is the latest one, with what deadlines hang on as it would be.
	Employment models.Employment

	employee models.Employee
	patch    Patch
	fields   []change
}

// Prepare locks the file and judges the patch; its refusals are those of [Update].
func (p Patch) Prepare(tx *database.Tx, id uuid.UUID) (c Changing, err error) {
	if models.CallerOf(tx.Context()).Actor.EmployeeID == id {
		return c, ErrOwnFile
	}
	categories, err := p.check(tx)
	if err != nil {
		return c, err
	}
	c.patch = p
	if err = p.LockCopies(tx, id); err != nil {
		return c, err
	}
	if c.employee, c.Employment, err = LatestFile(tx, id); err != nil {
		return c, err
	}
	if c.employee.Status == models.StatusPurged {
		return c, ErrPurged
	}
	if c.Causes, err = p.causes(tx, c.Employment); err != nil {
		return c, err
	}
	if err = p.basis(tx, &c.Employment); err != nil {
		return c, err
	}
	if err = refuseHeld(tx, c.Employment, p.Fields, categories); err != nil {
		return c, err
	}
	c.fields, err = order(tx, c.Employment.ID, p.Fields, categories)
	return c, err
}

// LockCopies locks the departures, which a new name is copied to, before the person: in that order the last purge of
// a former employment does.
func (p Patch) LockCopies(tx *database.Tx, id uuid.UUID) error {
	if p.Name == nil {
		return nil
	}
	_, err := lockLatest(tx, id)
	if err == nil {
		_, err = database.LockAll[models.Departure](tx, "a person's departures", "employee_id = ?", id)
	}
	return err
}

// Write changes the file, whatever the causes: who asks for what two people agreed to lets the deadlines follow in
// the same transaction (retention.Following).
func (c Changing) Write(tx *database.Tx, sealer vault.Sealer) error {
	entry, err := record(tx, actionUpdated, c.employee.ID, c.Employment.ID, c.patch.names())
	if err != nil {
		return err
	}
	if err := c.patch.columns(tx, c.employee, c.Employment, entry); err != nil {
		return err
	}
	if _, given := c.patch.Fields[privateAddress]; given {
		if err := identity.EndFormer(tx, c.employee.ID); err != nil {
			return err
		}
	}
	return writeFields(tx, sealer, c.Employment.ID, c.fields)
}

func (p Patch) check(tx *database.Tx) (map[string]models.Category, error) {
	var found problems
	if p.Name != nil {
		if code := checkText(p.Name, maxName); code != "" {
			found.Add("name", code)
		}
	}
	if p.Post != nil && *p.Post != "" {
		if code := checkText(p.Post, maxPost); code != "" {
			found.Add("post", code)
		}
	}
	if p.SiteID != nil && p.NoSite {
		found.Add("no_site", invalid.OneOfTwo)
	} else if err := siteKnown(tx, p.SiteID); err != nil {
		return nil, err
	}
	categories, err := checkFields(tx, p.Fields)
	var refused *InvalidError
	if errors.As(err, &refused) {
		found.Problems = append(found.Problems, refused.Problems...)
	} else if err != nil {
		return nil, err
	}
	return categories, found.Err()
}

// movesDeadlines holds if the patch changes a fact that deadlines hang on. Whether it would bring
// one forward is for an approval to show; here each difference counts.
func (p Patch) movesDeadlines(e models.Employment) bool {
	return p.LegalEntityID != nil && *p.LegalEntityID != e.LegalEntityID ||
		p.Jurisdiction != nil && *p.Jurisdiction != e.Jurisdiction ||
		p.TimeZone != nil && *p.TimeZone != e.TimeZone ||
		p.HiredOn != nil && *p.HiredOn != e.HiredOn
}

// columns changes the basic fields, and in any case the revision of the file.
func (p Patch) columns(tx *database.Tx, employee models.Employee, employment models.Employment, entry uuid.UUID) error {
	if p.Name != nil {
		employee.Name = *p.Name
	}
	if p.Post != nil {
		employment.Post = *p.Post
	}
	if p.DepartmentID != nil {
		employee.DepartmentID, employment.DepartmentID = *p.DepartmentID, *p.DepartmentID
	}
	if p.SiteID != nil || p.NoSite {
		employee.SiteID = p.SiteID
	}
	err := database.UpdateOne(tx.DB().Exec(`UPDATE employments
		SET post = ?, department_id = ?, legal_entity_id = ?, jurisdiction = ?, time_zone = ?, hired_on = ?, basis_entry_id = ? WHERE id = ?`,
		employment.Post, employment.DepartmentID, employment.LegalEntityID, employment.Jurisdiction, employment.TimeZone,
		employment.HiredOn, entry, employment.ID))
	if err != nil {
		return fmt.Errorf("changing an employment: %w", err)
	}
	err = database.UpdateOne(tx.DB().Exec(`UPDATE employees
		SET name = ?, department_id = ?, site_id = ?, revision = revision + 1, updated_at = lethe_now() WHERE id = ?`,
		employee.Name, employee.DepartmentID, employee.SiteID, employee.ID))
	if err != nil || p.Name == nil {
		return database.Wrap("changing a person", err)
	}
	_, err = hear(tx, tx.DB().Where("id = ?", employee.ID))
	return err
}

// privateAddress is the field of the address to which somebody who has left is written.
const privateAddress = "personal_email"

// assess is why one person may not make a patch alone: what deadlines hang on would change (a department of another
// legal entity is a change of the entity), or where links to somebody who has left go.
func (p Patch) assess(e models.Employment, department *models.Department) []models.Cause {
	var causes []models.Cause
	if p.movesDeadlines(e) || department != nil && department.LegalEntityID != e.LegalEntityID {
		causes = append(causes, models.CauseForward)
	}
	if _, given := p.Fields[privateAddress]; given && e.EndedAt != nil {
		causes = append(causes, models.CauseAddress) // links go there
	}
	return causes
}

// Assess locks the file and says why one person may not change it so, if that is so.
func Assess(tx *database.Tx, id uuid.UUID, p Patch) ([]models.Cause, error) {
	_, employment, err := LatestFile(tx, id)
	if err != nil {
		return nil, err
	}
	return p.causes(tx, employment)
}

// causes are those that [Patch.assess] has, and that somebody would look further by it: whoever asks at the person, or the
// person at whoever is at the other site.
func (p Patch) causes(tx *database.Tx, employment models.Employment) ([]models.Cause, error) {
	department, err := p.department(tx)
	if err != nil {
		return nil, err
	}
	causes := p.assess(employment, department)
	caller := models.CallerOf(tx.Context()).Actor.EmployeeID
	gains, err := comesBelow(tx, employment, department, caller)
	if err == nil && !gains && p.SiteID != nil {
		gains, err = p.furtherBySite(tx, employment.EmployeeID, caller)
	}
	if gains {
		causes = append(causes, models.CauseOwnReach)
	}
	return causes, err
}

func (p Patch) furtherBySite(tx *database.Tx, id, caller uuid.UUID) (bool, error) {
	person, err := database.First[models.Employee](tx.DB().Where("id = ?", id))
	if err != nil {
		return false, err
	}
	reach, err := ReachNow(tx, caller)
	return err == nil && reach.BySite(person, p.SiteID), err
}

// department is the one that the patch moves to; nil: to none.
func (p Patch) department(tx *database.Tx) (*models.Department, error) {
	if p.DepartmentID == nil {
		return nil, nil //nolint:nilnil // it moves to none
	}
	d, err := departmentOf(tx, *p.DepartmentID)
	return &d, err
}

// basis judges and sets what deadlines hang on. The department decides about the legal entity, and
// a legal entity that is named has to be the department's.
func (p Patch) basis(tx *database.Tx, employment *models.Employment) error {
	if p.DepartmentID != nil || p.LegalEntityID != nil {
		department := employment.DepartmentID
		if p.DepartmentID != nil {
			department = *p.DepartmentID
		}
		found, err := departmentOf(tx, department)
		if err != nil {
			return err
		}
		if p.LegalEntityID != nil && *p.LegalEntityID != found.LegalEntityID {
			return refuse("legal_entity_id", CodeMismatch)
		}
		employment.LegalEntityID = found.LegalEntityID
	}
	if p.Jurisdiction != nil {
		employment.Jurisdiction = *p.Jurisdiction
	}
	if p.TimeZone != nil {
		if _, err := clock.LoadZone(*p.TimeZone); err != nil {
			return refuse("time_zone", invalid.Unknown)
		}
		employment.TimeZone = *p.TimeZone
	}
	if p.HiredOn == nil {
		return nil
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	if p.HiredOn.Before(earliestHiring) || p.HiredOn.After(clock.DateOf(now).AddDays(latestHiring)) {
		return refuse("hired_on", CodeOutOfRange)
	}
	employment.HiredOn = *p.HiredOn
	return nil
}

func departmentOf(tx *database.Tx, id uuid.UUID) (models.Department, error) {
	department, err := database.First[models.Department](tx.DB().Where("id = ?", id))
	if errors.Is(err, database.ErrNotFound) {
		return department, refuse("department_id", invalid.Unknown)
	}
	if err != nil {
		return department, fmt.Errorf("finding the department: %w", err)
	}
	return department, nil
}
