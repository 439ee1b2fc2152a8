package querylog

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// Leaf is where an entry stands in its tree.
type Leaf struct {
	Index    int64
	ID       uuid.UUID
	LeafHash []byte
}

// Everything between two ids, from each of the tables for itself: a join would be planned for a
// handful of rows, and even the right one takes longer than a map.
const (
	runEntries = `SELECT id, at, epoch, kind, leaf, at < (SELECT lethe_now()) - interval '10 years', mac, mac_generation FROM ledger_entries
		WHERE id BETWEEN $1 AND $2 AND at BETWEEN $3 AND $4 LIMIT $5`
	runContents = `SELECT entry_id, at, kind, action, actor_role, authenticated, object, requested_by, purpose, reason, result, rule, request_id,
		actor_id, user_id, subject_id, details, salts FROM ledger_content
		WHERE entry_id BETWEEN $1 AND $2 AND at BETWEEN $3 AND $4 LIMIT $5`
)

// FetchRun is [Fetch] for places that follow each other in the tree, and most of whose entries follow
// each other in time. Where they do not it reads as Fetch does.
func FetchRun(ctx context.Context, db *sql.DB, wrote ledger.Wrote, places []Leaf) (map[uuid.UUID]Row, error) {
	ids, wanted := make([]uuid.UUID, len(places)), make(map[uuid.UUID]*Leaf, len(places))
	for i := range places {
		ids[i] = places[i].ID
		wanted[ids[i]] = &places[i]
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := fetchRun(ctx, db, wrote, slices.MinFunc(ids, oldestFirst), slices.MaxFunc(ids, oldestFirst), wanted)
	if errors.Is(err, errScattered) {
		return Fetch(ctx, db, wrote, ids)
	}
	return found, err
}

func oldestFirst(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }

var errScattered = errors.New("there are other entries between these")

func fetchRun(ctx context.Context, db *sql.DB, wrote ledger.Wrote, first, last uuid.UUID, wanted map[uuid.UUID]*Leaf) (map[uuid.UUID]Row, error) {
	if ledger.TimeOf(last).Sub(ledger.TimeOf(first)) >= together {
		return nil, errScattered
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, database.Wrap("reading entries", err)
	}
	defer func() { _ = conn.Close() }()
	r := &run{wanted: wanted, rows: make(map[uuid.UUID]*runRow, len(wanted))}
	err = conn.Raw(func(driver any) error {
		own, ok := driver.(*stdlib.Conn)
		if !ok {
			return errScattered
		}
		most := 2*len(wanted) + 1
		for sql, decode := range map[string]func([][]byte){runEntries: r.entry, runContents: r.content} {
			rows, err := own.Conn().Query(ctx, sql, pgx.QueryResultFormats{pgx.BinaryFormatCode}, first, last, ledger.TimeOf(first), ledger.TimeOf(last), most)
			if err != nil {
				return err
			}
			n := 0
			for ; rows.Next(); n++ {
				decode(rows.RawValues())
			}
			if rows.Close(); rows.Err() != nil {
				return rows.Err()
			}
			if n == most {
				return errScattered
			}
		}
		return nil
	})
	if errors.Is(err, errScattered) {
		return nil, err
	}
	if err != nil {
		return nil, database.Wrap("reading entries", err)
	}
	return r.checked(wrote), nil
}

// run is what was read so far.
type run struct {
	wanted map[uuid.UUID]*Leaf
	rows   map[uuid.UUID]*runRow
}

type runRow struct {
	Row
	content content
	mac     mac
	texts   [11]string
	there   bool // the entry
	old     bool
}

func (r *run) row(id []byte) *runRow {
	place := r.wanted[uuid.UUID(id)]
	if place == nil {
		return nil
	}
	row := r.rows[place.ID]
	if row == nil {
		row = &runRow{Row: Row{Row: ledger.Row{ID: place.ID}, Index: &place.Index, LeafHash: place.LeafHash}}
		r.rows[place.ID] = row
	}
	return row
}

// entry reads a row in Postgres's binary format. The values are copied: they are gone with the next.
func (r *run) entry(v [][]byte) {
	if row := r.row(v[0]); row != nil {
		row.there, row.At, row.Kind, row.Leaf, row.old = true, timestamp(v[1]), ledger.Kind(v[3]), slices.Clone(v[4]), v[5][0] == 1
		row.Epoch = int(int32(binary.BigEndian.Uint32(v[2])))
		row.mac = mac{slices.Clone(v[6]), int(int32(binary.BigEndian.Uint32(v[7])))}
	}
}

func (r *run) content(v [][]byte) {
	row := r.row(v[0])
	if row == nil {
		return
	}
	at := timestamp(v[1])
	c := &row.content
	c.at = &at
	const texts, ids, details, salts = 2, 13, 16, 17
	var all strings.Builder
	for _, text := range v[texts:ids] {
		all.Write(text)
	}
	rest := all.String()
	for i, text := range v[texts:ids] {
		row.texts[i], rest = rest[:len(text)], rest[len(text):]
	}
	for i, target := range []**string{
		&c.kind, &c.action, &c.actorRole, &c.authenticated, &c.object, &c.requestedBy, &c.purpose, &c.reason, &c.result, &c.rule, &c.requestID,
	} {
		*target = &row.texts[i]
	}
	for i, target := range []**uuid.UUID{&row.ActorID, &row.UserID, &row.SubjectID} {
		if id := v[ids+i]; id != nil {
			*target = (*uuid.UUID)(slices.Clone(id))
		}
	}
	row.Details, row.Salts = slices.Clone(v[details][1:]), slices.Clone(v[salts]) // jsonb's version, then its text
}

// checked are the rows that have an entry.
func (r *run) checked(wrote ledger.Wrote) map[uuid.UUID]Row {
	found := make(map[uuid.UUID]Row, len(r.rows))
	for id, row := range r.rows {
		if row.there {
			row.State = row.check(row.content, row.mac, wrote, row.old)
			found[id] = row.Row
		}
	}
	return found
}

// timestamp is the time of microseconds since 2000; the infinities are no time.
func timestamp(v []byte) time.Time {
	n := int64(binary.BigEndian.Uint64(v))
	if n == math.MaxInt64 || n == math.MinInt64 {
		return time.Time{}
	}
	return time.UnixMicro(n + 946_684_800_000_000).UTC()
}
