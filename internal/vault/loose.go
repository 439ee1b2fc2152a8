package vault

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// Loose seals values that belong to no employment: TOTP secrets, stored commands. Each value has a
// data key of its own in the keys database, wrapped by the KEK like every other: rotation rewraps
// it, and destroying it destroys the value in every backup that outlives the KEK's generation.
//
// A place names where the value is kept, such as "users.totp_sealed/<id>": it is part of the
// associated data, stands in clear in the keys database, and so is no personal data.
type Loose interface {
	// SealLoose encrypts plain for a place. The key is committed before it returns; if the caller's
	// transaction fails, it seals nothing and stays behind.
	SealLoose(ctx context.Context, place string, plain []byte) (models.Sealed, error)
	// OpenLoose decrypts what was sealed for the place. The caller owns the bytes and clears them.
	// A value whose key was destroyed is ErrPurged.
	OpenLoose(ctx context.Context, place string, s models.Sealed) ([]byte, error)
	// OpenLooseAll opens many values with one look at their keys; what is wrong with one of them is with it.
	OpenLooseAll(ctx context.Context, values []LooseValue) ([]LooseOpened, error)
	// ShredLoose destroys the key of a value that is no longer needed. Doing it again, or to
	// nothing, changes nothing.
	ShredLoose(ctx context.Context, s models.Sealed) error
}

// LooseValue is a sealed value with its place.
type LooseValue struct {
	Cell   string
	Sealed models.Sealed
}

// LooseOpened is a value that was opened, or why it was not, as [Loose.OpenLoose] says it.
type LooseOpened struct {
	Plain []byte
	Err   error
}

var _ Loose = (*Vault)(nil)

// looseKey is a row of loose_keys, in the keys database.
type looseKey struct {
	ID            uuid.UUID
	Place         string
	KekGeneration int
	Wrapped       []byte
	CreatedAt     time.Time `gorm:"->"`
	RewrappedAt   *time.Time
	DestroyedAt   *time.Time
}

func (looseKey) TableName() string { return "loose_keys" }

// errNoKey says that the keys database has no row for the key.
var errNoKey = fmt.Errorf("the key is not there: %w", ErrDamaged)

// SealLoose encrypts plain for a place; see [Loose].
func (v *Vault) SealLoose(ctx context.Context, place string, plain []byte) (models.Sealed, error) {
	id := models.NewID()
	key := dataKey{id: id, raw: make([]byte, keySize)}
	defer key.clear()
	_, _ = rand.Read(key.raw) // never fails: it crashes the program instead
	err := database.Run(ctx, v.keys, func(tx *database.Tx) error {
		if err := lockKEKShared(tx); err != nil {
			return err
		}
		wrapped, generation, err := v.kek.wrap(key.raw, v.looseWrappedFor(place, id))
		if err != nil {
			return err
		}
		return database.Hide(tx.DB().Create(&looseKey{ID: id, Place: place, KekGeneration: generation, Wrapped: wrapped}).Error)
	})
	if err != nil {
		return models.Sealed{}, fmt.Errorf("creating a key for %s: %w", place, err)
	}
	box, err := key.seal(plain, v.looseFor(place, id))
	if err != nil {
		return models.Sealed{}, err
	}
	return models.NewSealed(box), nil
}

// OpenLoose decrypts what was sealed for the place; see [Loose].
func (v *Vault) OpenLoose(ctx context.Context, place string, s models.Sealed) ([]byte, error) {
	opened, err := v.OpenLooseAll(ctx, []LooseValue{{place, s}})
	if err != nil {
		return nil, err
	}
	return opened[0].Plain, opened[0].Err
}

// OpenLooseAll decrypts many values; see [Loose].
func (v *Vault) OpenLooseAll(ctx context.Context, values []LooseValue) ([]LooseOpened, error) {
	opened := make([]LooseOpened, len(values))
	ids := make(models.IDs, len(values))
	for i, value := range values {
		ids[i], opened[i].Err = keyOf(value.Sealed)
	}
	var rows []looseKey
	if err := v.keys.Read(ctx).Where("id = ANY (?)", ids).Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading keys", err)
	}
	byID := make(map[uuid.UUID]looseKey, len(rows))
	for _, row := range rows {
		byID[row.ID] = row
	}
	for i, value := range values {
		if opened[i].Err == nil {
			opened[i].Plain, opened[i].Err = v.openLoose(byID[ids[i]], value)
		}
	}
	return opened, nil
}

func (v *Vault) openLoose(row looseKey, value LooseValue) ([]byte, error) {
	if row.ID == uuid.Nil {
		return nil, errNoKey
	}
	key, err := v.unwrapLoose(row)
	if err != nil {
		return nil, err
	}
	defer key.clear()
	return key.open(value.Sealed, v.looseFor(value.Cell, row.ID))
}

// ShredLoose destroys the key of a value; see [Loose].
func (v *Vault) ShredLoose(ctx context.Context, s models.Sealed) error {
	if s.IsNull() {
		return nil
	}
	id, err := keyOf(s)
	if err != nil {
		return err
	}
	_, err = v.endLoose(ctx, models.IDs{id})
	return err
}

// endLoose destroys keys, and says how many were there.
func (v *Vault) endLoose(ctx context.Context, ids models.IDs) (int64, error) {
	r := v.keys.Read(ctx).Model(&looseKey{}).Where("id = ANY (?) AND destroyed_at IS NULL", ids).
		Updates(map[string]any{"wrapped": nil, "destroyed_at": gorm.Expr("clock_timestamp()")})
	if r.Error != nil {
		return 0, database.Wrap("destroying keys", r.Error)
	}
	return r.RowsAffected, nil
}

func (v *Vault) unwrapLoose(row looseKey) (*dataKey, error) {
	if row.Wrapped == nil {
		return nil, ErrPurged
	}
	raw, err := v.kek.unwrap(row.Wrapped, row.KekGeneration, v.looseWrappedFor(row.Place, row.ID))
	if err != nil {
		return nil, fmt.Errorf("unwrapping a key: %w", err)
	}
	return &dataKey{id: row.ID, raw: raw}, nil
}

// looseFor is the associated data of a loose value.
func (v *Vault) looseFor(place string, keyID uuid.UUID) []byte {
	return bind("lethe loose value v1", v.installation[:], []byte(place), keyID[:])
}

// looseWrappedFor is the associated data of its wrapped key.
func (v *Vault) looseWrappedFor(place string, keyID uuid.UUID) []byte {
	return bind("lethe loose key v1", v.installation[:], []byte(place), keyID[:])
}

func (v *Vault) rewrapLoose(tx *database.Tx, row looseKey) error {
	key, err := v.unwrapLoose(row)
	if err != nil {
		return err
	}
	defer key.clear()
	wrapped, number, err := v.kek.wrap(key.raw, v.looseWrappedFor(row.Place, row.ID))
	if err != nil {
		return err
	}
	return database.UpdateOne(tx.DB().Model(&looseKey{}).Where("id = ? AND wrapped IS NOT NULL", row.ID).
		Updates(map[string]any{"wrapped": wrapped, "kek_generation": number, "rewrapped_at": gorm.Expr("clock_timestamp()")}))
}
