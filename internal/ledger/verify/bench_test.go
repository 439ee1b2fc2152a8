package verify

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"lethe/internal/ledger"
)

// BenchmarkDatabase verifies a ledger of 300,000 entries, contents and all, and says how many of
// them it verifies in a second. The budget is 300,000 on two cores that do nothing else.
func BenchmarkDatabase(b *testing.B) {
	w := newWorld(b)
	const n = 300_000
	signed := w.generate(b, n)
	e := Evidence{Policy: w.policy, Signed: []Held{{File: "generated", Content: signed}}}
	b.ResetTimer()
	for b.Loop() {
		r, err := Open(b.Context(), w.env.FactsURL, e)
		must(b, err)
		if !r.OK() || r.Entries != n || r.Contents != n {
			b.Fatalf("%+v", r)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// generate fills the tables as writers and sequencer would have, and signs the tree.
func (w *world) generate(t testing.TB, n int) []byte {
	t.Helper()
	m := &mutant{t: t, w: w, insider: true}
	tree := &tree{}
	var places, entries, contents [][]any
	began := time.Now().Add(-time.Hour)
	flush := func() {
		conn := w.connect(t)
		for _, c := range []struct {
			table   string
			columns []string
			rows    [][]any
		}{
			{"ledger_sequence", []string{"epoch", "index", "entry_id", "leaf_hash"}, places},
			{"ledger_entries", []string{"id", "at", "kind", "format", "epoch", "leaf", "mac", "mac_generation"}, entries},
			{"ledger_content", append([]string{"entry_id", "at", "kind", "salts"}, ledger.FieldNames[:]...), contents},
		} {
			_, err := conn.CopyFrom(t.Context(), pgx.Identifier{c.table}, c.columns, pgx.CopyFromRows(c.rows))
			must(t, err)
		}
		places, entries, contents = nil, nil, nil
	}
	actor, subject := uuid.New(), uuid.New()
	for i := range n {
		id := dated(uuid.New(), began.Add(time.Duration(i)*time.Millisecond))
		c := contentRow{id: id, at: timeOf(id), kind: "departure", salts: make([]byte, fields*ledger.SaltSize)}
		copy(c.salts, id[:])
		for f, v := range []string{"departure.started", actor.String(), "hr_admin", "password_totp", "", subject.String(), "departure/" + id.String(),
			"", "audit", "年度审计", "done", "", "8f14e45f"} {
			if v != "" || !idFields[f] {
				c.values[f] = []byte(v)
			}
		}
		c.values[fieldDetails] = canonical(map[string]string{"n": fmt.Sprint(i)})
		e := entryRow{id: id, at: c.at, kind: c.kind, format: 1, epoch: 1, generation: 1}
		m.reseal(&e, &c)
		hash := ledger.LeafHash(e.leaf)
		places = append(places, []any{1, i, id, hash[:]})
		entries = append(entries, []any{id, e.at, e.kind, 1, 1, e.leaf, e.mac, 1})
		contents = append(contents, c.columns())
		tree.add(hash)
		if len(places) == 50_000 {
			flush()
		}
	}
	if len(places) > 0 {
		flush()
	}
	root := tree.root()
	conn := w.connect(t)
	_, err := conn.Exec(context.Background(), "UPDATE ledger_head SET size = $1, root = $2, frontier = $3", tree.size, root[:], tree.joined())
	must(t, err)
	_, err = conn.Exec(context.Background(), "VACUUM ANALYZE ledger_sequence, ledger_entries, ledger_content")
	must(t, err)
	return m.sign(tree)
}
