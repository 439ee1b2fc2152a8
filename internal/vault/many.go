package vault

import (
	"crypto/rand"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Value is what a new employment begins with in one field.
type Value struct {
	Cell
	Plain []byte
	// Sealed and CategoryID are what becomes of it.
	Sealed     models.Sealed
	CategoryID uuid.UUID
}

// rowsAtOnce bounds one INSERT: a statement takes 65,535 arguments.
const rowsAtOnce = 5000

// CreateSealed inserts the rows of all categories of new employments and seals their first values, whose keys are
// committed in one transaction before any row refers to them. Nobody else sees the rows yet, so none is locked.
func (v *Vault) CreateSealed(tx *database.Tx, employments []uuid.UUID, values []Value) error {
	type place struct {
		employment uuid.UUID
		category   models.Category
	}
	rows := make([]models.EmploymentCategory, 0, len(employments)*len(models.Categories))
	at := make(map[place]int, cap(rows))
	for _, employment := range employments {
		for _, category := range models.Categories {
			at[place{employment, category}] = len(rows)
			rows = append(rows, models.EmploymentCategory{ID: models.NewID(), EmploymentID: employment, Category: category, State: models.CategoryOpen})
		}
	}
	keys := map[uuid.UUID]*dataKey{}
	defer func() {
		for _, key := range keys {
			key.clear()
		}
	}()
	for i := range values {
		row := &rows[at[place{values[i].Employment, values[i].Category}]]
		key, ok := keys[row.ID]
		if !ok {
			key = &dataKey{id: models.NewID(), raw: make([]byte, keySize)}
			_, _ = rand.Read(key.raw) // never fails: it crashes the program instead
			keys[row.ID], row.DataKeyID = key, &key.id
		}
		box, err := key.seal(values[i].Plain, v.sealedFor(values[i].Cell, key.id))
		if err != nil {
			return err
		}
		values[i].Sealed, values[i].CategoryID = models.NewSealed(box), row.ID
	}
	if err := v.commitKeys(tx, rows, keys); err != nil {
		return err
	}
	for part := range slices.Chunk(rows, rowsAtOnce) {
		if err := tx.DB().Create(&part).Error; err != nil {
			return database.Wrap("creating the categories", err)
		}
	}
	return nil
}

func (v *Vault) commitKeys(tx *database.Tx, rows []models.EmploymentCategory, keys map[uuid.UUID]*dataKey) error {
	if len(keys) == 0 {
		return nil
	}
	err := database.Run(tx.Context(), v.keys, func(tx *database.Tx) error {
		if err := lockKEKShared(tx); err != nil {
			return err
		}
		stored := make([]storedKey, 0, len(keys))
		for _, row := range rows {
			key, ok := keys[row.ID]
			if !ok {
				continue
			}
			wrapped, generation, err := v.kek.wrap(key.raw, v.wrappedFor(row, key.id))
			if err != nil {
				return err
			}
			stored = append(stored, storedKey{
				ID: key.id, EmploymentID: row.EmploymentID, Category: row.Category, CategoryID: row.ID, KekGeneration: generation, Wrapped: wrapped,
			})
		}
		for part := range slices.Chunk(stored, rowsAtOnce) {
			if err := tx.DB().Create(&part).Error; err != nil {
				return database.Hide(err)
			}
		}
		return nil
	})
	return database.Wrap("creating data keys", err)
}
