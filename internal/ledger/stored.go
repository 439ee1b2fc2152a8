package ledger

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
)

// stored is an entry as the database has it, without its content.
type stored struct {
	id         uuid.UUID
	kind       string
	format     int
	epoch      int
	leaf       []byte
	mac        []byte
	generation int
}

// fetch reads entries in the order of ids; one that is missing has no leaf. The ids tell the
// partition of each, so that only its index is looked at.
func fetch(ctx context.Context, g *gorm.DB, ids []uuid.UUID) ([]stored, error) {
	texts, times := make([]string, len(ids)), make([]time.Time, len(ids))
	for i, id := range ids {
		texts[i], times[i] = id.String(), TimeOf(id)
	}
	rows, err := g.Statement.ConnPool.QueryContext(ctx, `
		SELECT e.kind, e.format, e.epoch, e.leaf, e.mac, e.mac_generation
		FROM unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY AS u (id, at, place)
		LEFT JOIN LATERAL (SELECT * FROM ledger_entries WHERE id = u.id AND at = u.at LIMIT 1) AS e ON true
		ORDER BY u.place`, texts, times)
	if err != nil {
		return nil, fmt.Errorf("reading entries: %w", database.Hide(err))
	}
	defer func() { _ = rows.Close() }()
	out := make([]stored, 0, len(ids))
	for rows.Next() {
		var kind *string
		var format, epoch, generation *int
		e := stored{id: ids[len(out)]}
		if err := rows.Scan(&kind, &format, &epoch, &e.leaf, &e.mac, &generation); err != nil {
			return nil, fmt.Errorf("reading entries: %w", database.Hide(err))
		}
		if kind != nil {
			e.kind, e.format, e.epoch, e.generation = *kind, *format, *epoch, *generation
		}
		out = append(out, e)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("reading entries: %w", database.Hide(err))
	}
	return out, nil
}

// check says whether an entry was written by a process that has the key, for this ledger, and not
// changed since. An entry that was pending when a new epoch began is of an older one.
func (e stored) check(origin string, epoch int, keys *Keys) error {
	leaf, err := ParseLeaf(e.leaf)
	if err != nil {
		return ErrBadMAC
	}
	key := keys.mac(e.generation)
	if key == nil || !hmac.Equal(macOf(key, e.leaf), e.mac) {
		return ErrBadMAC
	}
	if leaf.Origin != origin || leaf.Epoch > epoch || leaf.ID != e.id || string(leaf.Kind) != e.kind || leaf.Epoch != e.epoch || e.format != Format {
		return ErrBadMAC
	}
	return nil
}
