package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// Shredder destroys keys and proves it; it can neither seal nor open.
type Shredder interface {
	// Destroy makes everything that was ever sealed in the category unreadable, for good.
	Destroy(ctx context.Context, categoryID uuid.UUID) error
	// Probe is nil only if no key of the category can be unwrapped any more, nor any key that
	// sealed one of the samples.
	Probe(ctx context.Context, categoryID uuid.UUID, samples ...models.Sealed) error
	// UnrecoverableAfter is the day after which backups cannot bring a destroyed key back either.
	UnrecoverableAfter(ctx context.Context) (clock.Date, error)
}

// ErrNotDestroyed says that a probe found a key that can still be opened, or no trace of a
// destruction at all.
var ErrNotDestroyed = errors.New("the category's keys are not destroyed")

// Destroy nulls all wrapped keys of the category, the unreferenced ones too, and keeps their rows,
// so that the key is never created again. A category that never had a key gets a row without one.
// The caller has committed the category's purging before: nothing can be sealed any more.
// Calling it again changes nothing.
func (v *Vault) Destroy(ctx context.Context, categoryID uuid.UUID) error {
	err := database.Run(ctx, v.keys, func(tx *database.Tx) error {
		if err := lockKeysOf(tx, categoryID); err != nil {
			return err
		}
		err := tx.DB().Exec(`UPDATE data_keys SET wrapped = NULL, destroyed_at = clock_timestamp()
			WHERE category_id = ? AND destroyed_at IS NULL`, categoryID).Error
		if err != nil {
			return database.Hide(err)
		}
		id := models.NewID()
		// The facts say whose category it is; here its id is enough to refuse a key for ever.
		return database.Hide(tx.DB().Exec(`
			INSERT INTO data_keys (id, employment_id, category, category_id, kek_generation, wrapped, destroyed_at)
			SELECT ?, ?, '', ?, 0, NULL, clock_timestamp()
			WHERE NOT EXISTS (SELECT FROM data_keys WHERE category_id = ?)`,
			id, uuid.Nil, categoryID, categoryID).Error)
	})
	if err != nil {
		return fmt.Errorf("destroying the keys of a category: %w", err)
	}
	return nil
}

// Probe looks for a key that can still be opened; see [Shredder]. A wrapped key counts as one
// whether or not today's KEK opens it: a restored KEK file could.
func (v *Vault) Probe(ctx context.Context, categoryID uuid.UUID, samples ...models.Sealed) error {
	var counts struct{ Known, Wrapped int }
	err := v.keys.Read(ctx).Raw(`SELECT count(*) AS known, count(wrapped) AS wrapped
		FROM data_keys WHERE category_id = ?`, categoryID).Scan(&counts).Error
	if err != nil {
		return database.Wrap("probing a category", err)
	}
	if counts.Known == 0 || counts.Wrapped > 0 {
		return ErrNotDestroyed
	}
	for _, sample := range samples {
		if err := v.probeSample(ctx, sample); err != nil {
			return err
		}
	}
	return nil
}

func (v *Vault) probeSample(ctx context.Context, sample models.Sealed) error {
	if sample.IsNull() {
		return nil
	}
	id, err := keyOf(sample)
	if err != nil {
		return nil //nolint:nilerr // not even readable as sealed: nothing that could be opened
	}
	var wrapped int64
	query := v.keys.Read(ctx).Model(&storedKey{}).Where("id = ? AND wrapped IS NOT NULL", id)
	if err := query.Count(&wrapped).Error; err != nil {
		return database.Wrap("probing a sealed value", err)
	}
	if wrapped > 0 {
		return ErrNotDestroyed
	}
	return nil
}
