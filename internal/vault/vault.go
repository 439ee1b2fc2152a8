// Package vault seals sensitive values, opens them again, and destroys the keys without which
// nothing can be opened any more.
//
// Each category of each employment has one data key (AES-256-GCM). It is stored wrapped by a
// key-encryption key (KEK) in a database of its own; the KEK is in a file. There is no transaction
// across both databases, so the order is fixed: a new key is committed in the keys database first,
// then the category's row refers to it, then values are sealed.
package vault

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// ErrPurged says that a category is being purged or was purged: nothing of it is sealed or opened.
var ErrPurged = errors.New("the category is purged")

// ErrDamaged says that sealed bytes do not open at this place: they were altered, cut, or sealed
// for another row, field, employment or installation.
var ErrDamaged = errors.New("the sealed value does not open here")

// Cell is where a sealed value belongs. It is part of the associated data: a value that is moved
// to any other place does not open there.
type Cell struct {
	Table      string
	Row        uuid.UUID
	Employment uuid.UUID
	Category   models.Category
	Field      string
}

// Sealer can seal, and cannot open.
type Sealer interface {
	// CreateCategories inserts the rows of all categories of a new employment.
	CreateCategories(tx *database.Tx, employmentID uuid.UUID) error
	// CreateSealed does so for many new employments, and seals what they begin with.
	CreateSealed(tx *database.Tx, employments []uuid.UUID, values []Value) error
	// SealAll seals values of many employments, as Seal does each; it locks the categories in the order of their ids. A
	// category that is being purged, or was, makes all of it ErrPurged.
	SealAll(tx *database.Tx, values []Value) error
	// Seal encrypts plain for p and returns it with the id of the category's row. The row stays
	// locked to the end of the transaction. Whoever seals for several categories of an employment
	// in one transaction does so in the order of the rows' ids.
	Seal(tx *database.Tx, p Cell, plain []byte) (models.Sealed, uuid.UUID, error)
}

// Opener can seal and open.
type Opener interface {
	Sealer
	// Open decrypts what was sealed for p. The category's row stays locked to the end of the
	// transaction. The caller owns the bytes and clears them after use.
	Open(tx *database.Tx, p Cell, s models.Sealed) ([]byte, error)
}

// Vault is all of it; hand out the interface that is needed.
type Vault struct {
	keys         *database.DB
	kek          *KEK
	installation uuid.UUID
	digests      digestKeys
}

var (
	_ Opener   = (*Vault)(nil)
	_ Shredder = (*Vault)(nil)
)

// New is the vault of one installation on its keys database.
func New(keys *database.DB, kek *KEK, installation uuid.UUID) *Vault {
	return &Vault{keys: keys, kek: kek, installation: installation}
}

// CreateCategories inserts the rows of all categories of a new employment.
func (v *Vault) CreateCategories(tx *database.Tx, employmentID uuid.UUID) error {
	rows := make([]models.EmploymentCategory, 0, len(models.Categories))
	for _, category := range models.Categories {
		id := models.NewID()
		rows = append(rows, models.EmploymentCategory{
			ID: id, EmploymentID: employmentID, Category: category, State: models.CategoryOpen,
		})
	}
	return database.Wrap("creating the categories", tx.DB().Create(&rows).Error)
}

// Seal encrypts plain for p; see [Sealer].
func (v *Vault) Seal(tx *database.Tx, p Cell, plain []byte) (models.Sealed, uuid.UUID, error) {
	category, err := v.lockForSealing(tx, p)
	if err != nil {
		return models.Sealed{}, uuid.Nil, err
	}
	key, err := v.load(tx.Context(), category, *category.DataKeyID)
	if err != nil {
		return models.Sealed{}, uuid.Nil, err
	}
	defer key.clear()
	box, err := key.seal(plain, v.sealedFor(p, key.id))
	if err != nil {
		return models.Sealed{}, uuid.Nil, err
	}
	return models.NewSealed(box), category.ID, nil
}

// Open decrypts what was sealed for p; see [Opener].
func (v *Vault) Open(tx *database.Tx, p Cell, s models.Sealed) ([]byte, error) {
	category, err := lockCategory(tx, p, clause.LockingStrengthShare)
	if err != nil {
		return nil, err
	}
	keyID, err := keyOf(s)
	if err != nil {
		return nil, err
	}
	key, err := v.load(tx.Context(), category, keyID)
	if err != nil {
		return nil, err
	}
	defer key.clear()
	return key.open(s, v.sealedFor(p, key.id))
}

// lockForSealing locks the category's row, shared if it has its key already. The first one to seal
// takes it alone, creates the key and refers to it; whoever comes second waits and finds that key.
func (v *Vault) lockForSealing(tx *database.Tx, p Cell) (models.EmploymentCategory, error) {
	category, err := findCategory(tx, p, "")
	if err != nil {
		return category, err
	}
	if category.DataKeyID != nil {
		return lockCategory(tx, p, clause.LockingStrengthShare)
	}
	// Not FOR SHARE first: two that both hold it could not both go on to the stronger lock.
	if category, err = lockCategory(tx, p, lockAlone); err != nil || category.DataKeyID != nil {
		return category, err
	}
	id, err := v.create(tx.Context(), category)
	if err != nil {
		return category, err
	}
	result := tx.DB().Model(&models.EmploymentCategory{}).
		Where("id = ? AND data_key_id IS NULL", category.ID).Update("data_key_id", id)
	if err := database.UpdateOne(result); err != nil {
		return category, fmt.Errorf("referring to the new data key: %w", err)
	}
	category.DataKeyID = &id
	return category, nil
}

const lockAlone = "NO KEY UPDATE"

// lockCategory locks the category's row until the end of the transaction and refuses it once a
// purge has begun. It reads after the lock was granted: a purge that was waited for is seen.
func lockCategory(tx *database.Tx, p Cell, strength string) (models.EmploymentCategory, error) {
	category, err := findCategory(tx, p, strength)
	if err != nil {
		return category, err
	}
	if category.State != models.CategoryOpen {
		return category, ErrPurged
	}
	return category, nil
}

func findCategory(tx *database.Tx, p Cell, strength string) (models.EmploymentCategory, error) {
	query := tx.DB().Where("employment_id = ? AND category = ?", p.Employment, p.Category)
	if strength != "" {
		query = query.Clauses(clause.Locking{Strength: strength})
	}
	category, err := database.First[models.EmploymentCategory](query)
	return category, database.Wrap("finding the category "+string(p.Category), err)
}
