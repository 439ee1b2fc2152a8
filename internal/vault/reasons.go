package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/models"
)

// What people write for the record has a key for each month (UTC), a loose key whose place is
// "reasons/2026-11".
const (
	reasonPlace = "reasons/"
	monthLayout = "2006-01"
	// actionReasonsEnded says of which months the keys were destroyed.
	actionReasonsEnded = "reasons.ended"
)

// reasonsEnd is when what was written in a month ends: with the log's content of that month, which the
// database lets go from then on (ledger_drop_content).
func reasonsEnd(month time.Time) time.Time { return month.AddDate(10, 1, 0) }

var _ reasons.Keeper = (*Vault)(nil)

// SealReason encrypts a text with the key of its month; see [reasons.Keeper]. The key is committed before
// it returns.
func (v *Vault) SealReason(ctx context.Context, at time.Time, place, text string) (models.Sealed, error) {
	key, err := v.reasonKey(ctx, reasonPlace+at.UTC().Format(monthLayout))
	if err != nil {
		return models.Sealed{}, err
	}
	defer key.clear()
	box, err := key.seal([]byte(text), v.reasonFor(place, key.id))
	if err != nil {
		return models.Sealed{}, err
	}
	return models.NewSealed(box), nil
}

// OpenReasons decrypts texts, each key of theirs read once; see [reasons.Keeper].
func (v *Vault) OpenReasons(ctx context.Context, texts []reasons.Text) ([]string, error) {
	var ids models.IDs
	of := make([]uuid.UUID, len(texts))
	for i, t := range texts {
		id, err := keyOf(t.Sealed)
		if err != nil {
			return nil, err
		}
		if of[i] = id; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var rows []looseKey
	if err := v.keys.Read(ctx).Where("id = ANY (?) AND wrapped IS NOT NULL", ids).Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading the keys of reasons", err)
	}
	keys := map[uuid.UUID]*dataKey{}
	defer func() {
		for _, key := range keys {
			key.clear()
		}
	}()
	for _, row := range rows {
		key, err := v.unwrapLoose(row)
		if err != nil {
			return nil, err
		}
		keys[row.ID] = key
	}
	opened := make([]string, len(texts))
	for i, t := range texts {
		key, there := keys[of[i]]
		if !there {
			continue // destroyed, or given up after a restore
		}
		plain, err := key.open(t.Sealed, v.reasonFor(t.Cell, key.id))
		if err != nil {
			return nil, err
		}
		opened[i] = string(plain)
	}
	return opened, nil
}

// reasonFor is the associated data of a text.
func (v *Vault) reasonFor(place string, keyID uuid.UUID) []byte {
	return bind("lethe reason v1", v.installation[:], []byte(place), keyID[:])
}

// reasonKey opens the key of a month, which the first one to write makes. One that was destroyed is
// never followed by another.
func (v *Vault) reasonKey(ctx context.Context, place string) (*dataKey, error) {
	var rows []looseKey
	find := func(g *gorm.DB) error {
		return database.Hide(g.Raw("SELECT * FROM loose_keys WHERE place = ? ORDER BY wrapped IS NOT NULL DESC, id LIMIT 1", place).Scan(&rows).Error)
	}
	if err := find(v.keys.Read(ctx)); err != nil {
		return nil, fmt.Errorf("reading the key of a month: %w", err)
	}
	if len(rows) == 0 {
		err := database.Run(ctx, v.keys, func(tx *database.Tx) error {
			if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", place).Error; err != nil {
				return database.Hide(err)
			}
			if err := find(tx.DB()); err != nil || len(rows) > 0 {
				return err
			}
			if err := v.addLooseKey(tx, place); err != nil {
				return err
			}
			return find(tx.DB())
		})
		if err != nil {
			return nil, fmt.Errorf("creating the key of a month: %w", err)
		}
	}
	return v.unwrapLoose(rows[0])
}

// addLooseKey makes a key that seals more than one value, or none.
func (v *Vault) addLooseKey(tx *database.Tx, place string) error {
	if err := lockKEKShared(tx); err != nil {
		return err
	}
	id := models.NewID()
	key := dataKey{id: id, raw: make([]byte, keySize)}
	defer key.clear()
	_, _ = rand.Read(key.raw) // never fails: it crashes the program instead
	wrapped, generation, err := v.kek.wrap(key.raw, v.looseWrappedFor(place, id))
	if err != nil {
		return err
	}
	return database.Hide(tx.DB().Create(&looseKey{ID: id, Place: place, KekGeneration: generation, Wrapped: wrapped}).Error)
}

// EndReasons destroys the keys of the months whose log is ten years old, by the clock of the facts. The
// entry comes first: what a crash leaves between both is done, and recorded once more, by the next call.
func (v *Vault) EndReasons(ctx context.Context, facts *database.DB) (ended int, err error) {
	now, err := facts.Now(ctx)
	if err != nil {
		return 0, err
	}
	var rows []looseKey
	if err := v.keys.Read(ctx).Where("place LIKE ? AND wrapped IS NOT NULL", reasonPlace+"%").Find(&rows).Error; err != nil {
		return 0, database.Wrap("looking for reasons that end", err)
	}
	var due models.IDs
	var months []string
	for _, row := range rows {
		name := strings.TrimPrefix(row.Place, reasonPlace)
		month, err := time.Parse(monthLayout, name)
		if err != nil {
			return 0, errors.New("the key of a month has an unreadable place")
		}
		if !now.Before(reasonsEnd(month)) {
			due, months = append(due, row.ID), append(months, name)
		}
	}
	if len(due) == 0 {
		return 0, nil
	}
	slices.Sort(months)
	err = database.Run(ctx, facts, func(tx *database.Tx) error {
		_, err := ledger.Append(tx, ledger.Entry{
			Kind: ledger.KindConfiguration, Action: actionReasonsEnded, Object: "reasons", Details: map[string]string{"months": strings.Join(months, ",")},
		})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("recording that reasons end: %w", err)
	}
	if _, err := v.endLoose(ctx, due); err != nil {
		return 0, fmt.Errorf("the keys of reasons: %w", err)
	}
	return len(due), nil
}
