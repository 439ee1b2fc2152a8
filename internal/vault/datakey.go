package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// storedKey is a row of data_keys, in the keys database.
type storedKey struct {
	ID            uuid.UUID
	EmploymentID  uuid.UUID
	Category      models.Category
	CategoryID    uuid.UUID
	KekGeneration int
	Wrapped       []byte
	CreatedAt     time.Time `gorm:"->"`
	RewrappedAt   *time.Time
	DestroyedAt   *time.Time
}

func (storedKey) TableName() string { return "data_keys" }

// place is the part of the category that a wrapped key is bound to.
func (k storedKey) place() models.EmploymentCategory {
	return models.EmploymentCategory{ID: k.CategoryID, EmploymentID: k.EmploymentID, Category: k.Category}
}

// create makes a data key for the category and commits it in the keys database. The caller holds
// the category's row. If its transaction fails later, the key stays unreferenced and is dropped
// by DropUnreferenced.
func (v *Vault) create(ctx context.Context, category models.EmploymentCategory) (uuid.UUID, error) {
	id := models.NewID()
	key := dataKey{id: id, raw: make([]byte, keySize)}
	defer key.clear()
	_, _ = rand.Read(key.raw) // never fails: it crashes the program instead

	err := database.Run(ctx, v.keys, func(tx *database.Tx) error {
		// Shared with other creators, against a change of KEK; alone for this category, against
		// its destruction. A key that a restored backup of the facts knows nothing of stays dead.
		if err := lockKEKShared(tx); err != nil {
			return err
		}
		if err := lockKeysOf(tx, category.ID); err != nil {
			return err
		}
		var destroyed int64
		query := tx.DB().Model(&storedKey{}).Where("category_id = ? AND destroyed_at IS NOT NULL", category.ID)
		if err := query.Count(&destroyed).Error; err != nil {
			return database.Hide(err)
		}
		if destroyed > 0 {
			return ErrPurged
		}
		wrapped, generation, err := v.kek.wrap(key.raw, v.wrappedFor(category, id))
		if err != nil {
			return err
		}
		return database.Hide(tx.DB().Create(&storedKey{
			ID: id, EmploymentID: category.EmploymentID, Category: category.Category, CategoryID: category.ID,
			KekGeneration: generation, Wrapped: wrapped,
		}).Error)
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("creating a data key: %w", err)
	}
	return id, nil
}

// load opens one data key of the category. A destroyed one is ErrPurged.
func (v *Vault) load(ctx context.Context, category models.EmploymentCategory, id uuid.UUID) (*dataKey, error) {
	row, err := database.First[storedKey](v.keys.Read(ctx).Where("id = ? AND category_id = ?", id, category.ID))
	if errors.Is(err, database.ErrNotFound) {
		return nil, fmt.Errorf("the data key is not one of this category: %w", ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a data key: %w", err)
	}
	return v.unwrap(row, category)
}

func (v *Vault) unwrap(row storedKey, category models.EmploymentCategory) (*dataKey, error) {
	if row.Wrapped == nil {
		return nil, ErrPurged
	}
	raw, err := v.kek.unwrap(row.Wrapped, row.KekGeneration, v.wrappedFor(category, row.ID))
	if err != nil {
		return nil, fmt.Errorf("unwrapping a data key: %w", err)
	}
	return &dataKey{id: row.ID, raw: raw}, nil
}

// The advisory locks of the keys database. The first number is the kind of lock.
const (
	kekLock  = 0x4c56_4b45 // "LVKE": key creation shares it, a change of KEK takes it alone
	keysLock = 0x4c56_4b59 // "LVKY": the keys of one category
)

func lockKEKShared(tx *database.Tx) error {
	return database.Hide(tx.DB().Exec("SELECT pg_advisory_xact_lock_shared(?::bigint)", kekLock).Error)
}

func lockKEK(tx *database.Tx) error {
	return database.Hide(tx.DB().Exec("SELECT pg_advisory_xact_lock(?::bigint)", kekLock).Error)
}

func lockKeysOf(tx *database.Tx, categoryID uuid.UUID) error {
	return database.Hide(tx.DB().Exec("SELECT pg_advisory_xact_lock(?, hashtext(?))", keysLock, categoryID.String()).Error)
}
