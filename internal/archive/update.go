package archive

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

// Patch changes a file; what is nil stays as it is.
type Patch struct {
	Name         *string
	DepartmentID *uuid.UUID
	Post         *string
	// Fields sets sealed fields by the catalogue's keys; nil removes one.
	Fields map[string]*string

	// A different legal entity, jurisdiction, time zone or hiring date could bring a retention
	// deadline forward (I6): ErrApprovalRequired.
	LegalEntityID *uuid.UUID
	Jurisdiction  *string
	TimeZone      *string
	HiredOn       *clock.Date
}

// Update changes the file of the latest employment. A purged file is ErrPurged.
func Update(tx *database.Tx, sealer vault.Sealer, id uuid.UUID, p Patch) error {
	categories, err := p.check(tx)
	if err != nil {
		return err
	}
	employment, err := lockLatest(tx, id)
	if err != nil {
		return err
	}
	employee, err := database.First[models.Employee](tx.DB().Clauses(locked).Where("id = ?", id))
	if err != nil {
		return fmt.Errorf("locking an employee: %w", err)
	}
	if employee.Status == models.StatusPurged {
		return ErrPurged
	}
	if p.movesDeadlines(employment) {
		return ErrApprovalRequired
	}
	if err := p.columns(tx, employee, employment); err != nil {
		return err
	}
	return writeFields(tx, sealer, employment.ID, p.Fields, categories)
}

func (p Patch) check(tx *database.Tx) (map[string]models.Category, error) {
	var found problems
	if p.Name != nil {
		if code := checkText(*p.Name, maxName); code != "" {
			found.add("name", code)
		}
	}
	if p.Post != nil && *p.Post != "" {
		if code := checkText(*p.Post, maxPost); code != "" {
			found.add("post", code)
		}
	}
	categories, err := checkFields(tx, p.Fields)
	var refused *InvalidError
	if errors.As(err, &refused) {
		found = append(found, refused.Problems...)
	} else if err != nil {
		return nil, err
	}
	return categories, found.err()
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
func (p Patch) columns(tx *database.Tx, employee models.Employee, employment models.Employment) error {
	if p.Name != nil {
		employee.Name = *p.Name
	}
	if p.Post != nil {
		employment.Post = *p.Post
	}
	if p.DepartmentID != nil {
		if err := sameEntity(tx, *p.DepartmentID, employment.LegalEntityID); err != nil {
			return err
		}
		employee.DepartmentID, employment.DepartmentID = *p.DepartmentID, *p.DepartmentID
	}
	err := database.UpdateOne(tx.DB().Exec("UPDATE employments SET post = ?, department_id = ? WHERE id = ?",
		employment.Post, employment.DepartmentID, employment.ID))
	if err != nil {
		return fmt.Errorf("changing an employment: %w", err)
	}
	err = database.UpdateOne(tx.DB().Exec(`UPDATE employees
		SET name = ?, department_id = ?, revision = revision + 1, updated_at = lethe_now() WHERE id = ?`,
		employee.Name, employee.DepartmentID, employee.ID))
	if err != nil {
		return fmt.Errorf("changing a person: %w", err)
	}
	return nil
}

// sameEntity refuses a department of another legal entity: that is a change of the entity.
func sameEntity(tx *database.Tx, departmentID, entityID uuid.UUID) error {
	department, err := database.First[models.Department](tx.DB().Where("id = ?", departmentID))
	if errors.Is(err, database.ErrNotFound) {
		return invalid("department_id", CodeUnknown)
	}
	if err != nil {
		return fmt.Errorf("finding the department: %w", err)
	}
	if department.LegalEntityID != entityID {
		return ErrApprovalRequired
	}
	return nil
}
