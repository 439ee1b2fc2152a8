package vault

import (
	"crypto/rand"

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

// CreateSealed inserts the rows of all categories of new employments and seals their first values, whose keys are
// committed in one transaction before any row refers to them. Nobody else sees the rows yet, so none is locked.
func (v *Vault) CreateSealed(tx *database.Tx, employments []uuid.UUID, values []Value) error {
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
	if err := v.commitKeys(tx, rows, keys, func(*database.Tx) error { return nil }); err != nil {
		return err
	}
	return insertCategories(tx, rows)
}

func insertCategories(tx *database.Tx, rows []models.EmploymentCategory) error {
	n := len(rows)
	ids, employments, categories, keys := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]string, n), make([]*uuid.UUID, n)
	for i, r := range rows {
		ids[i], employments[i], categories[i], keys[i] = r.ID, r.EmploymentID, string(r.Category), r.DataKeyID
	}
	_, err := database.Exec(tx, "creating the categories", `INSERT INTO employment_categories (id, employment_id, category, state, data_key_id, created_at)
		SELECT id, employment, category, 'open', key, (SELECT lethe_now()) FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) n (id, employment, category, key)`,
		ids, employments, categories, keys)
	return err
}

// commitKeys makes keys of categories in one transaction of the keys database, in which guard comes first.
func (v *Vault) commitKeys(tx *database.Tx, rows []models.EmploymentCategory, keys map[uuid.UUID]*dataKey, guard func(tx *database.Tx) error) error {
	if len(keys) == 0 {
		return nil
	}
	err := database.Run(tx.Context(), v.keys, func(tx *database.Tx) error {
		if err := lockKEKShared(tx); err != nil {
			return err
		}
		if err := guard(tx); err != nil {
			return err
		}
		n := len(keys)
		ids, employments, categoryIDs := make([]uuid.UUID, 0, n), make([]uuid.UUID, 0, n), make([]uuid.UUID, 0, n)
		categories, boxes, generations := make([]string, 0, n), make([][]byte, 0, n), make([]int32, 0, n)
		for _, row := range rows {
			key, ok := keys[row.ID]
			if !ok {
				continue
			}
			wrapped, generation, err := v.kek.wrap(key.raw, v.wrappedFor(row, key.id))
			if err != nil {
				return err
			}
			ids, employments, categoryIDs = append(ids, key.id), append(employments, row.EmploymentID), append(categoryIDs, row.ID)
			categories, boxes, generations = append(categories, string(row.Category)), append(boxes, wrapped), append(generations, int32(generation)) //nolint:gosec // a count of months
		}
		_, err := database.Exec(tx, "creating data keys", `INSERT INTO data_keys (id, employment_id, category, category_id, kek_generation, wrapped)
			SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::int[], $6::bytea[])`, ids, employments, categories, categoryIDs, generations, boxes)
		return err
	})
	return database.Wrap("creating data keys", err)
}
