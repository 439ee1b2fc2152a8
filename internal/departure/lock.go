package departure

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

var (
	forUpdate = clause.Locking{Strength: "NO KEY UPDATE"}
	newest    = clause.OrderByColumn{Column: clause.Column{Name: "id"}, Desc: true}
)

// Lock locks the departure's employment and then the departure, in the order that every
// transaction keeps, and reads it.
func Lock(tx *database.Tx, id uuid.UUID) (models.Departure, error) {
	dep, err := database.First[models.Departure](tx.DB().Select("id", "employment_id").Where("id = ?", id))
	if errors.Is(err, database.ErrNotFound) {
		return dep, ErrNotFound
	}
	if err != nil {
		return dep, fmt.Errorf("reading a departure: %w", err)
	}
	if _, err := archive.LockEmployment(tx, dep.EmploymentID); err != nil {
		return dep, err
	}
	dep, err = database.First[models.Departure](tx.DB().Clauses(forUpdate).Where("id = ?", id))
	if err != nil {
		return dep, fmt.Errorf("locking a departure: %w", err)
	}
	return dep, nil
}

// update changes columns of a locked departure; the stage it is expected in guards the write.
func update(tx *database.Tx, dep models.Departure, columns map[string]any) error {
	err := database.UpdateOne(tx.DB().Model(&models.Departure{}).
		Where("id = ? AND stage = ?", dep.ID, dep.Stage).Updates(columns))
	if err != nil {
		return fmt.Errorf("updating a departure: %w", err)
	}
	return nil
}
