package vault

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// SealAll seals values of many employments that there are already; see [Sealer].
func (v *Vault) SealAll(tx *database.Tx, values []Value) error {
	if len(values) == 0 {
		return nil
	}
	categories, err := lockAllForSealing(tx, values)
	if err != nil {
		return err
	}
	keys, err := v.keysOf(tx, categories)
	defer func() {
		for _, key := range keys {
			key.clear()
		}
	}()
	if err != nil {
		return err
	}
	for i := range values {
		category, ok := categories[place{values[i].Employment, values[i].Category}]
		if !ok {
			return fmt.Errorf("the employment has no category %s", values[i].Category)
		}
		key := keys[category.ID]
		box, err := key.seal(values[i].Plain, v.sealedFor(values[i].Cell, key.id))
		if err != nil {
			return err
		}
		values[i].Sealed, values[i].CategoryID = models.NewSealed(box), category.ID
	}
	return nil
}

// place is a category of an employment.
type place struct {
	employment uuid.UUID
	category   models.Category
}

// lockAllForSealing locks as [Vault.lockForSealing] does: what has no key yet alone, the rest shared, each in the order of
// the ids. One that is being purged is ErrPurged.
func lockAllForSealing(tx *database.Tx, values []Value) (map[place]models.EmploymentCategory, error) {
	wanted := map[place]bool{}
	var employments models.IDs
	for _, value := range values {
		if p := (place{value.Employment, value.Category}); !wanted[p] {
			wanted[p] = true
			employments = append(employments, value.Employment)
		}
	}
	var seen []models.EmploymentCategory
	if err := tx.DB().Where("employment_id = ANY (?)", employments).Find(&seen).Error; err != nil {
		return nil, database.Wrap("finding the categories", err)
	}
	var alone, shared models.IDs
	for _, c := range seen {
		switch {
		case !wanted[place{c.EmploymentID, c.Category}]:
		case c.DataKeyID == nil:
			alone = append(alone, c.ID)
		default:
			shared = append(shared, c.ID)
		}
	}
	locked := map[place]models.EmploymentCategory{}
	for strength, ids := range map[string]models.IDs{lockAlone: alone, clause.LockingStrengthShare: shared} {
		var rows []models.EmploymentCategory
		err := tx.DB().Clauses(clause.Locking{Strength: strength}).Where("id = ANY (?)", ids).Order(database.ByID).Find(&rows).Error
		if err != nil {
			return nil, database.Wrap("locking the categories", err)
		}
		for _, c := range rows {
			if c.State != models.CategoryOpen {
				return nil, ErrPurged
			}
			locked[place{c.EmploymentID, c.Category}] = c
		}
	}
	return locked, nil
}

// keysOf opens the keys of categories, and makes those that there are not yet.
func (v *Vault) keysOf(tx *database.Tx, categories map[place]models.EmploymentCategory) (map[uuid.UUID]*dataKey, error) {
	var ids models.IDs
	byKey := map[uuid.UUID]models.EmploymentCategory{}
	keys, fresh := map[uuid.UUID]*dataKey{}, map[uuid.UUID]*dataKey{}
	var rows []models.EmploymentCategory
	for _, c := range categories {
		if c.DataKeyID != nil {
			ids = append(ids, *c.DataKeyID)
			byKey[*c.DataKeyID] = c
			continue
		}
		key := &dataKey{id: models.NewID(), raw: make([]byte, keySize)}
		_, _ = rand.Read(key.raw) // never fails: it crashes the program instead
		keys[c.ID], fresh[c.ID], rows = key, key, append(rows, c)
	}
	var stored []storedKey
	if err := v.keys.Read(tx.Context()).Where("id = ANY (?)", ids).Find(&stored).Error; err != nil {
		return keys, database.Wrap("reading data keys", err)
	}
	for _, row := range stored {
		c, ok := byKey[row.ID]
		if !ok || row.CategoryID != c.ID {
			return keys, fmt.Errorf("the data key is not one of this category: %w", ErrDamaged)
		}
		key, err := v.unwrap(row, c)
		if err != nil {
			return keys, err
		}
		keys[c.ID] = key
	}
	if len(stored) != len(ids) {
		return keys, fmt.Errorf("a data key is not there: %w", ErrDamaged)
	}
	return keys, v.refer(tx, rows, fresh)
}

// refer commits new keys and has their categories refer to them. A category of which a key was destroyed gets no other: a
// restored backup of the facts may know nothing of it.
func (v *Vault) refer(tx *database.Tx, rows []models.EmploymentCategory, fresh map[uuid.UUID]*dataKey) error {
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b models.EmploymentCategory) int { return slices.Compare(a.ID[:], b.ID[:]) })
	ids, keyIDs := make([]uuid.UUID, len(rows)), make([]uuid.UUID, len(rows))
	for i, c := range rows {
		ids[i], keyIDs[i] = c.ID, fresh[c.ID].id
	}
	for part := range slices.Chunk(rows, keysAtOnce) {
		if err := v.commitKeys(tx, part, fresh, func(tx *database.Tx) error { return lockUndestroyed(tx, part) }); err != nil {
			return err
		}
	}
	n, err := database.Exec(tx, "referring to new data keys", `UPDATE employment_categories c SET data_key_id = n.key
		FROM unnest($1::uuid[], $2::uuid[]) n (id, key) WHERE c.id = n.id AND c.data_key_id IS NULL`, ids, keyIDs)
	if err == nil && n != int64(len(rows)) {
		err = database.ErrChanged
	}
	return err
}

// keysAtOnce bounds the locks of one transaction: the server has room for some thousands in all.
const keysAtOnce = 100

// lockUndestroyed locks the keys of categories against their destruction. A category of which a key was destroyed is
// ErrPurged.
func lockUndestroyed(tx *database.Tx, categories []models.EmploymentCategory) error {
	ids := make(models.IDs, len(categories))
	for i, c := range categories {
		ids[i] = c.ID
		if err := lockKeysOf(tx, c.ID); err != nil {
			return err
		}
	}
	var destroyed int64
	err := tx.DB().Model(&storedKey{}).Where("category_id = ANY (?) AND destroyed_at IS NOT NULL", ids).Count(&destroyed).Error
	if err == nil && destroyed > 0 {
		return ErrPurged
	}
	return database.Hide(err)
}
