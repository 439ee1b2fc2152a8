package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"lethe/internal/launch/launchtest"
	"lethe/internal/ledger"
)

// disarm takes every trigger and constraint off the ledger's tables, as the owner of a database can:
// detection must not lean on them.
func disarm(t testing.TB, conn *pgx.Conn) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `DO $$
		DECLARE r record;
		BEGIN
			FOR r IN SELECT c.conrelid::regclass AS tab, c.conname FROM pg_constraint c JOIN pg_class k ON k.oid = c.conrelid
				WHERE k.relname LIKE 'ledger\_%' AND c.contype IN ('p', 'u', 'c', 'f') AND c.coninhcount = 0 AND c.conparentid = 0
				ORDER BY c.contype LOOP
				EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', r.tab, r.conname);
			END LOOP;
			FOR r IN SELECT oid::regclass AS tab FROM pg_class WHERE relname LIKE 'ledger\_%' AND relkind IN ('r', 'p') LOOP
				EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', r.tab);
			END LOOP;
		END $$`)
	must(t, err)
}

// store writes what a mutant changed into the tables.
func (m *mutant) store(ctx context.Context, tx pgx.Tx, before *snapshot) error {
	var places, entries, contents, pending, heads, epochs [][]any
	for _, p := range m.s.placeRows {
		places = append(places, []any{p.epoch, p.index, p.entry, p.leaf})
	}
	for _, e := range m.s.entryRows {
		entries = append(entries, []any{e.id, e.at, e.kind, e.format, e.epoch, e.leaf, e.mac, e.generation})
	}
	for _, c := range m.s.contentRows {
		contents = append(contents, c.columns())
	}
	for _, p := range m.s.rest.pending {
		pending = append(pending, []any{p.entry, p.at})
	}
	for _, h := range m.s.rest.heads {
		heads = append(heads, []any{h.epoch, h.size, h.root, h.frontier})
	}
	for _, e := range m.s.rest.epochs {
		epochs = append(epochs, []any{e.epoch, idOrNull(e.entry), e.previousSize, e.previousRoot, e.keptSize})
	}
	names := append([]string{"entry_id", "at", "kind", "salts"}, ledger.FieldNames[:]...)
	for _, table := range []struct {
		name    string
		changed bool
		columns []string
		rows    [][]any
	}{
		{"ledger_sequence", !reflect.DeepEqual(m.s.placeRows, before.placeRows), []string{"epoch", "index", "entry_id", "leaf_hash"}, places},
		{"ledger_entries", !reflect.DeepEqual(m.s.entryRows, before.entryRows),
			[]string{"id", "at", "kind", "format", "epoch", "leaf", "mac", "mac_generation"}, entries},
		{"ledger_content", !reflect.DeepEqual(m.s.contentRows, before.contentRows), names, contents},
		{"ledger_pending", !reflect.DeepEqual(m.s.rest.pending, before.rest.pending), []string{"entry_id", "at"}, pending},
		{"ledger_head", !reflect.DeepEqual(m.s.rest.heads, before.rest.heads), []string{"epoch", "size", "root", "frontier"}, heads},
		{"ledger_epochs", !reflect.DeepEqual(m.s.rest.epochs, before.rest.epochs),
			[]string{"epoch", "entry_id", "previous_size", "previous_root", "kept_size"}, epochs},
	} {
		if !table.changed {
			continue
		}
		if _, err := tx.Exec(ctx, "DELETE FROM "+table.name); err != nil {
			return err
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, pgx.CopyFromRows(table.rows)); err != nil {
			return fmt.Errorf("%s: %w", table.name, err)
		}
	}
	return nil
}

func idOrNull(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}

func (c contentRow) columns() []any {
	row := []any{c.id, c.at, c.kind, c.salts}
	for i, v := range c.values {
		switch {
		case i == fieldDetails:
			object, _ := json.Marshal(parseDetails(v))
			row = append(row, object)
		case idFields[i] && v == nil:
			row = append(row, nil)
		case idFields[i]:
			row = append(row, uuid.MustParse(string(v)))
		default:
			row = append(row, string(v))
		}
	}
	return row
}

// statement is what the owner of a database types.
type statement struct {
	name  string
	sql   string // %d is a random number below 40, %s a random partition's month
	blind bool   // noticed without the writer's keys
}

var statements = []statement{
	{"truncate a partition of entries", "TRUNCATE ledger_entries_%s", true},
	{"truncate a partition of contents", "TRUNCATE ledger_content_%s", true},
	{"drop a partition", "DROP TABLE ledger_entries_%s", true},
	{"detach a partition", "ALTER TABLE ledger_content DETACH PARTITION ledger_content_%s", true},
	{"truncate the places", "TRUNCATE ledger_sequence", true},
	{"truncate all", "TRUNCATE ledger_sequence, ledger_entries, ledger_content, ledger_pending", true},
	{"truncate the queue", "TRUNCATE ledger_pending", true},
	{"cut the tail off the places", "DELETE FROM ledger_sequence WHERE index >= %d", true},
	{"cut the tail off everything", `WITH gone AS (DELETE FROM ledger_sequence WHERE index >= %d RETURNING entry_id),
		e AS (DELETE FROM ledger_entries WHERE id IN (SELECT entry_id FROM gone))
		DELETE FROM ledger_content WHERE entry_id IN (SELECT entry_id FROM gone)`, true},
	{"change a reason", "UPDATE ledger_content SET reason = reason || '.' WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)", true},
	{"change an actor", "UPDATE ledger_content SET actor_id = gen_random_uuid() WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)", true},
	{"clear a subject", `UPDATE ledger_content SET subject_id = CASE WHEN subject_id IS NULL THEN gen_random_uuid() END
		WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)`, true},
	{"null in the details", `UPDATE ledger_content SET details = details || '{"x": null}' WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)`, true},
	{"a number in the details", `UPDATE ledger_content SET details = details || '{"day": 1}' WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)`, true},
	{"no object in the details", `UPDATE ledger_content SET details = '[]' WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)`, true},
	{"re-date by a microsecond", "UPDATE ledger_entries SET at = at + interval '1 us' WHERE id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)", true},
	{"re-date to the end of time", "UPDATE ledger_content SET at = 'infinity' WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)", true},
	{"re-date everything", "WITH e AS (UPDATE ledger_entries SET at = at - interval '1 day') UPDATE ledger_content SET at = at - interval '1 day'", true},
	{"swap two places", "UPDATE ledger_sequence SET index = CASE index WHEN %[1]d THEN (%[1]d + 1) %% 40 ELSE %[1]d END WHERE index IN (%[1]d, (%[1]d + 1) %% 40)", true},
	{"the same entry twice", "INSERT INTO ledger_entries SELECT * FROM ledger_entries WHERE id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)", true},
	{"the same content twice", "INSERT INTO ledger_content SELECT * FROM ledger_content WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)", true},
	{"the same place twice", "INSERT INTO ledger_sequence SELECT * FROM ledger_sequence WHERE index = %d", true},
	{"a copy under a new id", `INSERT INTO ledger_entries (id, at, kind, format, epoch, leaf, mac, mac_generation)
		SELECT gen_random_uuid(), at, kind, format, epoch, leaf, mac, mac_generation FROM ledger_entries WHERE id = (SELECT entry_id FROM ledger_sequence WHERE index = %d)`, true},
	{"change a waiting entry", "UPDATE ledger_entries SET leaf = set_byte(leaf, 200, get_byte(leaf, 200) # 1) WHERE id = (SELECT min(entry_id::text)::uuid FROM ledger_pending)", false},
	{"change all MACs", "UPDATE ledger_entries SET mac = sha256(mac)", false},
	{"a negative epoch", "UPDATE ledger_sequence SET epoch = -1 WHERE index = %d", true},
	{"two heads", "INSERT INTO ledger_head SELECT * FROM ledger_head", true},
	{"no head", "DELETE FROM ledger_head", true},
	{"a tree from elsewhere", "UPDATE ledger_sequence SET leaf_hash = sha256(leaf_hash)", true},
	{"a name of a dropped month", `WITH gone AS (DELETE FROM ledger_content WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = %d) RETURNING *)
		INSERT INTO ledger_content SELECT entry_id, at, 'ledger', 'ledger.content_dropped', actor_id, actor_role, authenticated, user_id, subject_id, object,
			requested_by, purpose, reason, result, rule, request_id, jsonb_build_object('month', to_char(at, 'YYYY-MM')), salts FROM gone`, true},
}

func (s statement) with(r *rand.Rand, months []string) string {
	switch {
	case strings.Contains(s.sql, "%s"):
		return fmt.Sprintf(s.sql, months[r.IntN(len(months))])
	case strings.Contains(s.sql, "%d"), strings.Contains(s.sql, "%[1]d"):
		return fmt.Sprintf(s.sql, r.IntN(40))
	}
	return s.sql
}

// The same property where it matters, in Postgres, through the verifier as it is run.
func TestI19_MutationsInPostgresAreDetected(t *testing.T) {
	x := newExhibit(t)
	conn := x.w.connect(t)
	disarm(t, conn)
	r := seeded(t, 7)
	e := x.w.evidence(t)
	outside := mustChecker(t, e)
	e.Keys = nil
	blind := mustChecker(t, e)
	within(t, conn, outside.again(), "nothing", func(pgx.Tx) error { return nil }, false)

	var months []string
	for _, at := range []int{0, 12, 24} {
		months = append(months, timeOf(x.s.placeRows[at].entry).Format("2006_01"))
	}
	n := min(launchtest.Steps(t, 1000), 5000)
	typed, engineered := n*2/5, n*3/5
	for i := range typed {
		s := statements[i%len(statements)]
		c := outside
		if s.blind && r.IntN(2) == 0 {
			c = blind
		}
		sql := s.with(r, months)
		within(t, conn, c.again(), sql, func(tx pgx.Tx) error {
			done, err := tx.Exec(t.Context(), sql)
			if err == nil && done.RowsAffected() == 0 && (done.Update() || done.Delete() || done.Insert()) {
				return fmt.Errorf("%q changed nothing", s.name)
			}
			return err
		}, true)
	}
	for range engineered {
		m, c, names := x.mutate(t, r)
		if len(names) == 0 || m.s.same(x.s) {
			continue
		}
		within(t, conn, c, fmt.Sprint(names), func(tx pgx.Tx) error { return m.store(t.Context(), tx, x.s) }, true)
	}
	within(t, conn, outside.again(), "nothing", func(pgx.Tx) error { return nil }, false)
}

// within changes the database in a transaction, verifies what it sees, and takes everything back.
func within(t testing.TB, conn *pgx.Conn, c *checker, what string, change func(tx pgx.Tx) error, wanted bool) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	must(t, err)
	defer func() { must(t, tx.Rollback(context.Background())) }()
	if err := change(tx); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	report, err := c.database(t.Context(), tx)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if report.OK() == wanted {
		t.Fatalf("%s: %v", what, report.Problems)
	}
}
