package vault

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// replayBatch bounds one query of ReplayTombstones.
const replayBatch = 1000

// ReplayTombstones is run before the API opens (I25). If a backup of either database was restored,
// keys may be back that were destroyed: those of every tombstone are destroyed again. It returns the
// categories that have a tombstone and are not purged by the facts, for their fields to be cleared;
// purges that were interrupted and are about to be resumed are among them.
func (v *Vault) ReplayTombstones(ctx context.Context, facts *database.DB, stones *Tombstones) ([]models.EmploymentCategory, error) {
	all, err := stones.All()
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	for _, stone := range all {
		ids = append(ids, stone.Categories...)
	}
	var unpurged []models.EmploymentCategory
	for batch := range slices.Chunk(ids, replayBatch) {
		if err := v.destroyAgain(ctx, batch); err != nil {
			return nil, err
		}
		var rows []models.EmploymentCategory
		err := facts.Read(ctx).Where("id IN ? AND state <> ?", batch, models.CategoryPurged).Find(&rows).Error
		if err != nil {
			return nil, database.Wrap("looking for categories to purge again", err)
		}
		unpurged = append(unpurged, rows...)
	}
	return unpurged, nil
}

// destroyAgain destroys what is not destroyed among the categories.
func (v *Vault) destroyAgain(ctx context.Context, categories []uuid.UUID) error {
	var destroyed []uuid.UUID
	err := v.keys.Read(ctx).Model(&storedKey{}).Where("category_id IN ?", categories).
		Group("category_id").Having("count(wrapped) = 0").Pluck("category_id", &destroyed).Error
	if err != nil {
		return database.Wrap("looking for restored keys", err)
	}
	for _, id := range categories {
		if slices.Contains(destroyed, id) {
			continue
		}
		if err := v.Destroy(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
