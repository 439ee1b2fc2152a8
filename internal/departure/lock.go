package departure

import (
	"errors"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// Lock locks the departure's employment and then the departure, in the order that every
// transaction keeps, and reads it.
func Lock(tx *database.Tx, id uuid.UUID) (models.Departure, error) {
	dep, err := retention.LockDeparture(tx, id)
	if errors.Is(err, database.ErrNotFound) {
		return dep, ErrNotFound
	}
	return dep, err
}

// update changes columns of a locked departure; the stage it is expected in guards the write.
func update(tx *database.Tx, dep models.Departure, columns map[string]any) error {
	err := database.UpdateOne(tx.DB().Model(&models.Departure{}).
		Where("id = ? AND stage = ?", dep.ID, dep.Stage).Updates(columns))
	return database.Wrap("updating a departure", err)
}
