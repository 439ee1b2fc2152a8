package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"lethe/internal/clock"
	"lethe/internal/database"
)

// How long key-encryption keys live. Backups, WAL and dead tuples of the keys database keep the
// wrapped form of destroyed data keys; they can be opened only with the generation of their time.
const (
	// RewrapEvery is the age at which a generation is followed by the next one.
	RewrapEvery = 30 * 24 * time.Hour
	// RetireAfter is how long a followed generation is kept for the recovery of a lost keys database.
	RetireAfter = 7 * 24 * time.Hour
)

// ErrKEKInUse says that a generation cannot be retired: live data keys are wrapped by it, or it is
// the newest.
var ErrKEKInUse = errors.New("the key-encryption key is in use")

// AddKEK adds a generation to the KEK file; it wraps every new data key from then on.
func (v *Vault) AddKEK(ctx context.Context) error {
	return v.changeKEK(ctx, func(tx *database.Tx, file *kekFile) error {
		now, err := keysClock(tx.DB())
		if err != nil {
			return err
		}
		return file.add(now)
	})
}

// RetireKEK removes a generation from the KEK file: what only it can unwrap is gone for good. It
// refuses (ErrKEKInUse) the newest one and one that still wraps live keys. Copies of the file are
// outside its reach and must be destroyed by those who made them.
func (v *Vault) RetireKEK(ctx context.Context, number int) error {
	return v.changeKEK(ctx, func(tx *database.Tx, file *kekFile) error {
		i := slices.IndexFunc(file.Generations, func(g kekGeneration) bool { return g.Generation == number })
		if i < 0 {
			return nil // retired before
		}
		if i == len(file.Generations)-1 {
			return ErrKEKInUse
		}
		for _, keys := range []any{&storedKey{}, &looseKey{}} {
			var wrapped int64
			query := tx.DB().Model(keys).Where("kek_generation = ? AND wrapped IS NOT NULL", number)
			if err := query.Count(&wrapped).Error; err != nil {
				return database.Hide(err)
			}
			if wrapped > 0 {
				return ErrKEKInUse
			}
		}
		file.Generations = slices.Delete(file.Generations, i, i+1)
		return nil
	})
}

// changeKEK rewrites the KEK file while no data key is being created anywhere: otherwise one could
// be wrapped by a generation that was counted as unused a moment before.
func (v *Vault) changeKEK(ctx context.Context, change func(tx *database.Tx, file *kekFile) error) error {
	err := database.Run(ctx, v.keys, func(tx *database.Tx) error {
		if err := lockKEK(tx); err != nil {
			return err
		}
		file, _, err := readKEKFile(v.kek.path)
		if err != nil {
			return err
		}
		before := len(file.Generations)
		if err := change(tx, &file); err != nil || len(file.Generations) == before {
			return err
		}
		return file.replace(v.kek.path)
	})
	if err != nil {
		return fmt.Errorf("changing the KEK: %w", err)
	}
	return nil
}

// rewrapBatch bounds one transaction of Rewrap.
const rewrapBatch = 200

// Rewrap wraps every live data key, loose ones too, by the newest generation and says how many it changed. It may
// be interrupted and run again, by several processes at once.
func (v *Vault) Rewrap(ctx context.Context) (rewrapped int, err error) {
	for {
		n, err := v.rewrapSome(ctx)
		rewrapped += n
		if err != nil {
			return rewrapped, fmt.Errorf("rewrapping data keys: %w", err)
		}
		if n == 0 {
			return rewrapped, nil
		}
	}
}

func (v *Vault) rewrapSome(ctx context.Context) (n int, err error) {
	err = database.Run(ctx, v.keys, func(tx *database.Tx) error {
		if err := lockKEKShared(tx); err != nil {
			return err
		}
		newest, err := v.kek.newest()
		if err != nil {
			return err
		}
		data, err := rewrapEach(tx, newest.number, v.rewrapOne)
		if err != nil {
			return err
		}
		loose, err := rewrapEach(tx, newest.number, v.rewrapLoose)
		n = data + loose
		return err
	})
	return n, err
}

// rewrapEach is Rewrap's part for one kind of keys.
func rewrapEach[Key any](tx *database.Tx, newest int, rewrap func(tx *database.Tx, row Key) error) (int, error) {
	rows, err := database.Find[Key](tx.DB().Clauses(database.ForUpdate).Limit(rewrapBatch), "old keys",
		"wrapped IS NOT NULL AND kek_generation < ?", newest)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if err := rewrap(tx, row); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

func (v *Vault) rewrapOne(tx *database.Tx, row storedKey) error {
	key, err := v.unwrap(row, row.place())
	if err != nil {
		return err
	}
	defer key.clear()
	wrapped, number, err := v.kek.wrap(key.raw, v.wrappedFor(row.place(), row.ID))
	if err != nil {
		return err
	}
	return database.UpdateOne(tx.DB().Exec(`UPDATE data_keys
		SET wrapped = ?, kek_generation = ?, rewrapped_at = clock_timestamp()
		WHERE id = ? AND wrapped IS NOT NULL`, wrapped, number, row.ID))
}

// UnrecoverableAfter is the day (UTC) after which no backup of the keys database can bring back a
// data key that is destroyed by now: when the generation in use will have been retired. That is
// RewrapEvery after it was created, or today if that has passed, plus RetireAfter. Older
// generations are gone sooner. It holds if Housekeep runs at least daily and the copies of the KEK
// file are destroyed with it.
func (v *Vault) UnrecoverableAfter(ctx context.Context) (clock.Date, error) {
	newest, err := v.kek.newest()
	if err != nil {
		return clock.Date{}, err
	}
	now, err := keysClock(v.keys.Read(ctx))
	if err != nil {
		return clock.Date{}, err
	}
	return unrecoverableAfter(newest.created, now), nil
}

func unrecoverableAfter(created, now time.Time) clock.Date {
	followed := created.Add(RewrapEvery)
	if now.After(followed) {
		followed = now
	}
	return clock.DateOf(followed.Add(RetireAfter).UTC())
}

// keysClock is the time of the keys database. Key-encryption keys age in real time: a moved clock
// of a development database does not make a key any older.
func keysClock(g *gorm.DB) (time.Time, error) {
	var t time.Time
	if err := g.Raw("SELECT clock_timestamp()").Scan(&t).Error; err != nil {
		return t, database.Wrap("reading the clock of the keys database", err)
	}
	return t.UTC(), nil
}
