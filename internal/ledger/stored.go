package ledger

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"

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

// fetch reads entries in the order of ids; one that is missing has no leaf. The ids tell between
// which times to look, so that the other partitions are not.
func fetch(ctx context.Context, g *gorm.DB, ids []uuid.UUID) ([]stored, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	texts, places, out := make([]string, len(ids)), make(map[uuid.UUID]int, len(ids)), make([]stored, len(ids))
	for i, id := range ids {
		texts[i], places[id], out[i].id = id.String(), i, id
	}
	oldest, newest := TimeOf(slices.MinFunc(ids, compareIDs)), TimeOf(slices.MaxFunc(ids, compareIDs))
	rows, err := g.Statement.ConnPool.QueryContext(ctx, `
		SELECT id::text, kind, format, epoch, leaf, mac, mac_generation FROM ledger_entries
		WHERE id = ANY ($1::uuid[]) AND at BETWEEN $2 AND $3`, texts, oldest, newest)
	if err != nil {
		return nil, database.Wrap("reading entries", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e stored
		var text string
		if err := rows.Scan(&text, &e.kind, &e.format, &e.epoch, &e.leaf, &e.mac, &e.generation); err != nil {
			return nil, database.Wrap("reading entries", err)
		}
		if e.id, err = uuid.Parse(text); err != nil {
			return nil, fmt.Errorf("reading entries: %w", ErrMalformed)
		}
		out[places[e.id]] = e
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, database.Wrap("reading entries", err)
	}
	return out, nil
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

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

// RequireKeys refuses keys with which the newest entry that has a place was not written, and before any
// has one, the oldest that waits: ErrForeignKeys. Only entries of the right keys get a place, so that
// what somebody else wrote since locks nobody out. An empty ledger takes any keys.
func RequireKeys(ctx context.Context, db *database.DB, origin string, keys *Keys) error {
	g := db.Read(ctx)
	var id string
	err := g.Raw(`SELECT coalesce(
		(SELECT entry_id::text FROM ledger_sequence ORDER BY epoch DESC, index DESC LIMIT 1),
		(SELECT entry_id::text FROM ledger_pending ORDER BY entry_id LIMIT 1), '')`).Scan(&id).Error
	if err != nil || id == "" {
		return database.Wrap("looking at who writes the ledger", err)
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return fmt.Errorf("looking at who writes the ledger: %w", ErrMalformed)
	}
	entries, err := fetch(ctx, g, []uuid.UUID{parsed})
	if err != nil {
		return err
	}
	if e := entries[0]; e.check(origin, e.epoch, keys) != nil {
		return ErrForeignKeys
	}
	return nil
}
