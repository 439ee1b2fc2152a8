package verify

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// A backup is restored that is older than what was signed and witnessed: that is a truncated ledger
// until two people have said so in a new epoch, and then it shows how much was lost.
func TestI19_ARestoreIsTamperingUntilItIsNamed(t *testing.T) {
	w := newWorld(t)
	w.write(t, 10)
	w.sequence(t)
	conn := w.connect(t)
	disarm(t, conn)
	backup := read(t, conn)
	w.write(t, 7)
	w.sequence(t)
	lost := w.evidence(t)
	w.restore(t, conn, backup)
	if r := w.verify(t, lost); !r.Has(Truncated) || !r.Has(ReceiptMissing) {
		t.Fatalf("a restored ledger: %v", r.Problems)
	}
	must(t, database.Run(t.Context(), w.env.Facts, func(tx *database.Tx) error {
		_, _, err := ledger.BeginEpoch(tx, w.env.LedgerStorage, ledger.Entry{Reason: "the disk is gone"})
		return err
	}))
	wantClean(t, w.verify(t, w.evidence(t))) // it waits for its place
	w.write(t, 5)
	w.sequence(t)
	r := w.verify(t, w.evidence(t))
	wantClean(t, r)
	if len(r.Trees) != 2 || r.Trees[0].Size != 10 || r.Trees[0].Lost != 7 || r.Trees[0].Witnessed != 17 || r.Trees[1].Size != 6 {
		t.Errorf("%+v", r.Trees)
	}
	named := read(t, conn)
	for what, c := range map[string]struct {
		sql  string
		want Code
	}{
		"the entry that names it is gone": {"DELETE FROM ledger_content WHERE action = 'ledger.epoch_begun'", WrongEpoch},
		"it names another loss":           {"UPDATE ledger_epochs SET previous_size = 16 WHERE epoch = 2", WrongEpoch},
		"it names no loss":                {"DELETE FROM ledger_epochs WHERE epoch = 2", WrongEpoch},
		"it kept more":                    {"UPDATE ledger_epochs SET kept_size = 11 WHERE epoch = 2", WrongEpoch},
		"another root":                    {"UPDATE ledger_epochs SET previous_root = sha256(previous_root) WHERE epoch = 2", WrongEpoch},
		"another entry":                   {"UPDATE ledger_epochs SET entry_id = gen_random_uuid() WHERE epoch = 2", WrongEpoch},
		"more is lost than it says": {`WITH gone AS (DELETE FROM ledger_sequence WHERE epoch = 1 AND index = 9 RETURNING entry_id),
			e AS (DELETE FROM ledger_entries WHERE id IN (SELECT entry_id FROM gone)) DELETE FROM ledger_content WHERE entry_id IN (SELECT entry_id FROM gone)`, Truncated},
	} {
		if _, err := conn.Exec(t.Context(), c.sql); err != nil {
			t.Fatal(err)
		}
		if r := w.verify(t, w.evidence(t)); !r.Has(c.want) {
			t.Errorf("%s: %v", what, r.Problems)
		}
		w.restore(t, conn, named)
	}
	wantClean(t, w.verify(t, w.evidence(t)))
}

// Somebody kept a checkpoint of a part of what a given-up epoch lost: without tiles that lead to what
// the new epoch names nobody knows whether it is of the same tree, and the report says so.
func TestI19_ACheckpointWithinALossIsComparedOrNamed(t *testing.T) {
	w := newWorld(t)
	w.write(t, 10)
	w.sequence(t)
	conn := w.connect(t)
	disarm(t, conn)
	backup := read(t, conn)
	w.write(t, 4)
	w.sequence(t)
	within, err := w.witness.Latest(ledger.TreeName(w.policy.Origin, 1))
	must(t, err)
	w.write(t, 3)
	w.sequence(t)
	w.restore(t, conn, backup)
	must(t, database.Run(t.Context(), w.env.Facts, func(tx *database.Tx) error {
		_, _, err := ledger.BeginEpoch(tx, w.env.LedgerStorage, ledger.Entry{Reason: "the disk is gone"})
		return err
	}))
	w.sequence(t)
	e := w.evidence(t)
	e.Receipts = nil // those of what was lost are found in the tiles only
	e.Checkpoints = append(e.Checkpoints, Held{File: "within", Content: within})
	wantClean(t, w.verify(t, e))
	e.Folders, e.Signed = nil, nil
	r := w.verify(t, e)
	if r.Count != 1 || !r.Has(NotCompared) || *r.Problems[0].Size != 14 || r.Problems[0].File != "within" {
		t.Errorf("a checkpoint that nothing was compared with: %v", r.Problems)
	}
}

// restore puts the tables back as they were.
func (w *world) restore(t testing.TB, conn *pgx.Conn, s *snapshot) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	must(t, err)
	m := &mutant{t: t, w: w, s: s}
	must(t, m.store(t.Context(), tx, &snapshot{}))
	must(t, tx.Commit(t.Context()))
}
