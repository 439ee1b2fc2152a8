package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// batch is how many rows of each kind are fetched at once.
const batch = 4096

// postgres reads one transaction's view of the ledger through three cursors. It uses pgx alone, and
// no code of those who write the ledger but its names.
type postgres struct {
	tx   pgx.Tx
	done map[string]bool
}

// cursors are the long tables in the order in which they are compared.
var cursors = map[string]string{
	"ledger_places": `SELECT epoch, index, entry_id, leaf_hash FROM ledger_sequence ORDER BY epoch, index`,
	"ledger_all":    `SELECT id, at, kind, format, epoch, leaf, mac, mac_generation, tableoid FROM ledger_entries ORDER BY id`,
	"ledger_said": `SELECT entry_id, at, kind, salts, tableoid, action, actor_id, actor_role, authenticated, user_id, subject_id,
		object, requested_by, purpose, reason, result, rule, request_id, details FROM ledger_content ORDER BY entry_id`,
}

// open declares the cursors. Within a transaction of REPEATABLE READ all of them, and everything
// else, show one moment, whatever is written meanwhile.
func open(ctx context.Context, tx pgx.Tx) (*postgres, error) {
	p := &postgres{tx: tx, done: map[string]bool{}}
	var all strings.Builder
	for name, query := range cursors {
		all.WriteString("DECLARE " + name + " NO SCROLL CURSOR FOR " + query + ";")
	}
	if _, err := tx.Exec(ctx, all.String()); err != nil {
		return nil, database.Wrap("reading the ledger", err)
	}
	return p, nil
}

// close lets the cursors go, so that one transaction can be read again.
func (p *postgres) close(ctx context.Context) error {
	var all strings.Builder
	for name := range cursors {
		all.WriteString("CLOSE " + name + ";")
	}
	if _, err := p.tx.Exec(ctx, all.String()); err != nil {
		return database.Wrap("reading the ledger", err)
	}
	return nil
}

// fetch reads the next rows of a cursor. decode gets each row's values in Postgres's binary format,
// which are gone with the next row.
func (p *postgres) fetch(ctx context.Context, cursor string, decode func(v [][]byte) error) error {
	if p.done[cursor] {
		return nil
	}
	n := 0
	err := p.query(ctx, fmt.Sprintf("FETCH %d FROM %s", batch, cursor), func(v [][]byte) error {
		n++
		return decode(v)
	})
	p.done[cursor] = n < batch
	return err
}

func (p *postgres) query(ctx context.Context, sql string, decode func(v [][]byte) error) error {
	rows, err := p.tx.Query(ctx, sql, pgx.QueryResultFormats{pgx.BinaryFormatCode})
	if err != nil {
		return database.Wrap("reading the ledger", err)
	}
	return each(rows, decode)
}

func each(rows pgx.Rows, decode func(v [][]byte) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := decode(rows.RawValues()); err != nil {
			return fmt.Errorf("reading the ledger: %w", err)
		}
	}
	return database.Wrap("reading the ledger", rows.Err())
}

func (p *postgres) places(ctx context.Context) ([]placeRow, error) {
	out, arena := make([]placeRow, 0, batch), make([]byte, 0, batch*32)
	return out, p.fetch(ctx, "ledger_places", func(v [][]byte) error {
		d := decoder{}
		out = append(out, placeRow{epoch: d.int4(v[0]), index: d.int8(v[1]), entry: d.uuid(v[2]), leaf: kept(v[3], &arena)})
		return d.err
	})
}

func (p *postgres) entries(ctx context.Context) ([]entryRow, error) {
	out, arena := make([]entryRow, 0, batch), make([]byte, 0, batch*576)
	return out, p.fetch(ctx, "ledger_all", func(v [][]byte) error {
		d := decoder{}
		out = append(out, entryRow{
			id: d.uuid(v[0]), at: d.time(v[1]), kind: string(v[2]), format: d.int2(v[3]), epoch: d.int4(v[4]), leaf: kept(v[5], &arena),
			mac: kept(v[6], &arena), generation: d.int4(v[7]), partition: d.oid(v[8]),
		})
		return d.err
	})
}

func (p *postgres) contents(ctx context.Context) ([]contentRow, error) {
	out, arena := make([]contentRow, 0, batch), make([]byte, 0, batch*512)
	return out, p.fetch(ctx, "ledger_said", func(v [][]byte) error {
		d := decoder{}
		row := contentRow{id: d.uuid(v[0]), at: d.time(v[1]), kind: string(v[2]), salts: kept(v[3], &arena), partition: d.oid(v[4])}
		d.values(&row, v[5:], &arena)
		out = append(out, row)
		return d.err
	})
}

// small is read in one round trip; pgx asks for these types in binary by itself.
func (p *postgres) small(ctx context.Context) (small, error) {
	s := small{partitions: map[uint32]string{}}
	kinds := []struct {
		sql    string
		decode func(d *decoder, v [][]byte)
	}{
		{`SELECT epoch, size, root, frontier FROM ledger_head`, func(d *decoder, v [][]byte) {
			s.heads = append(s.heads, headRow{d.int4(v[0]), d.int8(v[1]), d.copied(v[2]), d.copied(v[3])})
		}},
		{`SELECT epoch, entry_id, previous_size, previous_root, kept_size FROM ledger_epochs ORDER BY epoch`, func(d *decoder, v [][]byte) {
			s.epochs = append(s.epochs, epochRow{d.int4(v[0]), d.uuidOrNil(v[1]), d.int8OrNull(v[2]), d.copied(v[3]), d.int8OrNull(v[4])})
		}},
		{`SELECT entry_id, at FROM ledger_pending ORDER BY entry_id`, func(d *decoder, v [][]byte) {
			s.pending = append(s.pending, pendingRow{d.uuid(v[0]), d.time(v[1])})
		}},
		{`SELECT DISTINCT details->>'` + ledger.DetailMonth + `' FROM ledger_content WHERE kind = 'ledger' AND action = '` + ledger.ActionContentDropped + `'
			AND details ? '` + ledger.DetailMonth + `' ORDER BY 1`, func(_ *decoder, v [][]byte) {
			s.dropped = append(s.dropped, string(v[0]))
		}},
		{`SELECT c.oid, c.relname::text FROM pg_class c WHERE c.oid IN (SELECT inhrelid FROM pg_inherits
			WHERE inhparent IN ('ledger_entries'::regclass, 'ledger_content'::regclass))`, func(d *decoder, v [][]byte) {
			s.partitions[d.oid(v[0])] = string(v[1])
		}},
	}
	all := &pgx.Batch{}
	for _, k := range kinds {
		all.Queue(k.sql).Query(func(rows pgx.Rows) error {
			return each(rows, func(v [][]byte) error {
				d := decoder{}
				k.decode(&d, v)
				return d.err
			})
		})
	}
	if err := p.tx.SendBatch(ctx, all).Close(); err != nil {
		return small{}, database.Wrap("reading the ledger", err)
	}
	return s, nil
}

// Database verifies the ledger that tx sees. The transaction is REPEATABLE READ, or nobody writes.
func Database(ctx context.Context, tx pgx.Tx, e Evidence) (*Report, error) {
	c, err := newChecker(e)
	if err != nil {
		return nil, err
	}
	return c.database(ctx, tx)
}

func (c *checker) database(ctx context.Context, tx pgx.Tx) (*Report, error) {
	p, err := open(ctx, tx)
	if err != nil {
		return nil, err
	}
	source, err := ahead(ctx, p)
	if err != nil {
		return nil, err
	}
	c.readFolders()
	err = c.run(ctx, source)
	source.stop()
	if err != nil {
		<-c.filed
		return nil, err
	}
	return c.report, p.close(ctx)
}

// Open verifies the ledger of the database at url, which it only reads.
func Open(ctx context.Context, url string, e Evidence) (*Report, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, database.Wrap("reaching the database", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, database.Wrap("reading the ledger", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	return Database(ctx, tx, e)
}

var errValue = errors.New("a column does not have its type")

// epochOfPostgres is the zero of timestamptz in its binary format, which counts microseconds.
var epochOfPostgres = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// jsonObject reads an object of strings, and nothing else.
func jsonObject(b []byte) (map[string]string, bool) {
	var values map[string]*string // a null is not an empty string
	if json.Unmarshal(b, &values) != nil || values == nil {
		return nil, false
	}
	out := make(map[string]string, len(values))
	for key, value := range values {
		if value == nil {
			return nil, false
		}
		out[key] = *value
	}
	return out, true
}
