// Package archive holds the employee files: the skeleton in columns, everything else sealed. It can
// seal and never opens; views show sensitive fields as masks, which are constants.
package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// LockEmployment locks one employment to the end of the transaction.
func LockEmployment(tx *database.Tx, employmentID uuid.UUID) (models.Employment, error) {
	return database.Lock[models.Employment](tx, "an employment", employmentID)
}

// LockEmployments locks all employments of a person, in the order of their ids; a person who does not
// exist is database.ErrNotFound.
func LockEmployments(tx *database.Tx, employeeID uuid.UUID) ([]models.Employment, error) {
	employments, err := database.LockAll[models.Employment](tx, "a person's employments", "employee_id = ?", employeeID)
	if err == nil && len(employments) == 0 {
		err = fmt.Errorf("locking a person's employments: %w", database.ErrNotFound)
	}
	return employments, err
}

// CurrentEmployment locks the person's employment that has not ended; without one it is
// database.ErrNotFound.
func CurrentEmployment(tx *database.Tx, employeeID uuid.UUID) (models.Employment, error) {
	employment, err := database.First[models.Employment](
		tx.DB().Clauses(database.ForChange).Where("employee_id = ? AND ended_at IS NULL", employeeID))
	return employment, database.Wrap("locking the current employment", err)
}

// LatestEmployment is the current employment or, for a leaver, the last one. It locks nothing.
func LatestEmployment(g *gorm.DB, employeeID uuid.UUID) (models.Employment, error) {
	employment, err := database.First[models.Employment](g.Where("employee_id = ?", employeeID).Order(latestFirst))
	return employment, database.Wrap("finding the latest employment", err)
}

// regionColumn is the part of its jurisdiction that employment m is in.
const regionColumn = `(SELECT e.region FROM legal_entities e WHERE e.id = m.legal_entity_id) AS region`

// PlaceOf is where somebody is employed, as far as it decides about working days.
func PlaceOf(g *gorm.DB, employment models.Employment) (clock.Place, error) {
	p := clock.Place{Jurisdiction: employment.Jurisdiction}
	err := g.Raw("SELECT "+regionColumn+" FROM employments m WHERE m.id = ?", employment.ID).Scan(&p.Region).Error
	return p, database.Wrap("reading where somebody is employed", err)
}

// latestOrder orders a person's employments as they were entered; at most one has no end. Which day somebody
// was hired can be corrected afterwards.
const latestOrder = "ended_at IS NULL DESC, created_at DESC, id DESC"

// LatestZone is a query for the time zone of the latest employment of a row of employees.
const LatestZone = "SELECT time_zone FROM employments WHERE employee_id = employees.id ORDER BY " + latestOrder + " LIMIT 1"

var latestFirst = clause.OrderBy{Expression: clause.Expr{SQL: latestOrder}}

// lockLatest locks the latest employment. It asks again after the lock was granted: meanwhile the
// person may have been hired again.
func lockLatest(tx *database.Tx, employeeID uuid.UUID) (models.Employment, error) {
	for {
		latest, err := LatestEmployment(tx.DB(), employeeID)
		if err != nil {
			return latest, err
		}
		employment, err := LockEmployment(tx, latest.ID)
		if err != nil {
			return employment, err
		}
		again, err := LatestEmployment(tx.DB(), employeeID)
		if err != nil || again.ID == employment.ID {
			return employment, err
		}
	}
}

// EmploymentOf locks the named employment of a person, the latest one if none is named. One that is not
// the person's is database.ErrNotFound.
func EmploymentOf(tx *database.Tx, employeeID uuid.UUID, named *uuid.UUID) (models.Employment, error) {
	if named == nil {
		return lockLatest(tx, employeeID)
	}
	employment, err := LockEmployment(tx, *named)
	if err == nil && employment.EmployeeID != employeeID {
		return models.Employment{}, fmt.Errorf("an employment of somebody else: %w", database.ErrNotFound)
	}
	return employment, err
}

// EndEmployment sets the instant at which the employment ended, as an entry says; nil opens it again,
// which is ErrStillEmployed if the person has another one by now (I8).
func EndEmployment(tx *database.Tx, employmentID uuid.UUID, at *time.Time, entry uuid.UUID) error {
	err := database.UpdateOne(tx.DB().Model(&models.Employment{}).Where("id = ?", employmentID).
		Updates(map[string]any{"ended_at": at, "basis_entry_id": entry}))
	if database.Violates(err, "employments_one_current") {
		return errors.Join(ErrStillEmployed, err)
	}
	if err != nil {
		return fmt.Errorf("ending an employment: %w", err)
	}
	return nil
}

// CollidingNumbers are the employee numbers that differ from another one by case only, which former
// versions gave out; those of two people stand side by side.
func CollidingNumbers(ctx context.Context, db *database.DB) ([]string, error) {
	var numbers []string
	err := db.Read(ctx).Raw(`SELECT employee_no FROM employees WHERE lower(employee_no) IN (
		SELECT lower(employee_no) FROM employees GROUP BY 1 HAVING count(*) > 1) ORDER BY lower(employee_no), employee_no_key`).Scan(&numbers).Error
	return numbers, database.Wrap("looking for numbers that differ by case only", err)
}

// EmployeeByNo finds a person by employee number, which is matched exactly.
func EmployeeByNo(g *gorm.DB, no string) (models.Employee, error) {
	// Two people whose numbers differ by case only are there from former versions alone.
	employee, err := database.First[models.Employee](g.Where("employee_no = ? OR employee_no_key = lower(?)", no, no).
		Order(clause.OrderBy{Expression: clause.Expr{SQL: "employee_no = ? DESC", Vars: []any{no}}}))
	return employee, database.Wrap("finding an employee by number", err)
}
