package vault

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/keyed"
)

// The keys of digests are loose keys that seal nothing; the place names their purpose. Unlike data
// keys they are kept in memory for a while: they open nothing, and are asked for with each request.
const (
	digestPlace = "digests/"
	// digestsKept is how long a process believes what it read.
	digestsKept = time.Minute
	// digestSettles is how old a key is before digests are made with it, by when every process has read
	// it: two of them must not keep the same thing under keys of which each knows only one.
	digestSettles = 3 * digestsKept
)

// digestKeys is what a process knows of the keys of digests.
type digestKeys struct {
	mu    sync.Mutex
	known map[string]knownDigestKeys
}

type knownDigestKeys struct {
	keys [][]byte // the one that makes digests first
	read time.Time
}

var _ keyed.Keys = (*Vault)(nil)

// DigestKeys are the keys of a purpose that live, the one that makes digests first. The next key is
// made when the newest one is as old as the purpose's life. What was read within a minute is not read
// again, nor later while the keys database does not answer.
func (v *Vault) DigestKeys(ctx context.Context, p keyed.Purpose) ([][]byte, error) {
	v.digests.mu.Lock()
	defer v.digests.mu.Unlock()
	known, ok := v.digests.known[p.Name]
	if ok && time.Since(known.read) < digestsKept {
		return known.keys, nil
	}
	keys, err := v.readDigestKeys(ctx, p)
	if err != nil {
		if ok {
			return known.keys, nil
		}
		return nil, fmt.Errorf("reading the keys of digests: %w", err)
	}
	if v.digests.known == nil {
		v.digests.known = map[string]knownDigestKeys{}
	}
	v.digests.known[p.Name] = knownDigestKeys{keys, time.Now()}
	return keys, nil
}

// datedKey is a loose key with its age by the clock of the keys database.
type datedKey struct {
	Key looseKey `gorm:"embedded"`
	Age float64  // in seconds
}

const livingDigestKeys = `SELECT *, extract(epoch FROM clock_timestamp() - created_at) AS age FROM loose_keys
	WHERE place = ? AND wrapped IS NOT NULL ORDER BY created_at DESC, id DESC`

func (v *Vault) readDigestKeys(ctx context.Context, p keyed.Purpose) ([][]byte, error) {
	place := digestPlace + p.Name
	var rows []datedKey
	err := database.Run(ctx, v.keys, func(tx *database.Tx) error {
		find := func() error { return database.Hide(tx.DB().Raw(livingDigestKeys, place).Scan(&rows).Error) }
		if err := find(); err != nil || len(rows) > 0 && rows[0].Age < p.Life.Seconds() {
			return err
		}
		// One at a time makes the next; whoever waited finds it.
		if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", place).Error; err != nil {
			return database.Hide(err)
		}
		if err := find(); err != nil || len(rows) > 0 && rows[0].Age < p.Life.Seconds() {
			return err
		}
		if err := v.addLooseKey(tx, place); err != nil {
			return err
		}
		return find()
	})
	if err != nil {
		return nil, err
	}
	// The newest one that every process knows makes digests; at first there is only one.
	first := slices.IndexFunc(rows, func(k datedKey) bool { return k.Age >= digestSettles.Seconds() })
	if first < 0 {
		first = len(rows) - 1
	}
	keys := make([][]byte, 0, len(rows))
	for _, row := range append([]datedKey{rows[first]}, slices.Delete(slices.Clone(rows), first, first+1)...) {
		key, err := v.unwrapLoose(row.Key)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key.raw)
	}
	return keys, nil
}

// EndDigestKeys destroys the keys of digests that were followed by another one a life ago: nothing
// that they made is looked for any more, and nobody shall be able to guess what it was of.
func (v *Vault) EndDigestKeys(ctx context.Context) (ended int64, err error) {
	for _, p := range keyed.Purposes {
		r := v.keys.Read(ctx).Model(&looseKey{}).
			Where("place = ? AND wrapped IS NOT NULL", digestPlace+p.Name).
			Where(`EXISTS (SELECT FROM loose_keys n WHERE n.place = loose_keys.place AND n.wrapped IS NOT NULL
				AND (n.created_at, n.id) > (loose_keys.created_at, loose_keys.id)
				AND n.created_at < clock_timestamp() - make_interval(secs => ?))`, (p.Life + digestSettles).Seconds()).
			Updates(map[string]any{"wrapped": nil, "destroyed_at": gorm.Expr("clock_timestamp()")})
		if r.Error != nil {
			return ended, database.Wrap("ending keys of digests", r.Error)
		}
		ended += r.RowsAffected
	}
	return ended, nil
}
