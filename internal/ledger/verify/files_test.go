package verify

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
)

// TestI19_TheFolderBesideTheDatabaseIsWhole: whatever of the folder is missing or altered, and would keep
// an outsider from checking the ledger, is told by the verification of the database too.
func TestI19_TheFolderBesideTheDatabaseIsWhole(t *testing.T) {
	w := newWorld(t)
	w.write(t, 130)
	w.sequence(t)
	w.write(t, 130)
	w.sequence(t)
	wantClean(t, w.verify(t, w.evidence(t)))
	dir := w.env.LedgerStorage.Log(1).Dir()
	for _, name := range []string{
		"checkpoint", "checkpoint.witnessed", "tile/entries/000", "tile/entries/001.p/4", "tile/0/000", "tile/0/001.p/4", "tile/1/000.p/1",
	} {
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(path)
		must(t, err)
		must(t, os.Remove(path))
		e := Evidence{Policy: w.policy, Keys: w.keys} // and nothing from elsewhere
		must(t, e.Folder(t.Context(), w.env.LedgerStorage))
		if r := w.verify(t, e); !r.Has(MissingFile) {
			t.Errorf("%s deleted: %s", name, describe(r))
		}
		changed := bytes.Clone(content)
		changed[len(changed)/2] ^= 1
		must(t, os.WriteFile(path, changed, 0o600))
		if r := w.verify(t, w.evidence(t)); r.OK() || r.Verdict() != Wrong {
			t.Errorf("%s altered: %s", name, describe(r))
		}
		must(t, os.WriteFile(path, content, 0o600))
	}
	elsewhere := Evidence{Policy: w.policy, Keys: w.keys, Folders: map[int]string{}}
	if r := w.verify(t, elsewhere); !r.Has(MissingFile) {
		t.Errorf("an empty folder: %s", describe(r))
	}
	wantClean(t, w.verify(t, w.evidence(t)))
}

// TestI19_AReceiptThatDiffersFromItsLeafIsTold: with two entries that were rewritten and fit everything
// that the database and the folder say, the one whose receipt somebody holds is named, and only it.
func TestI19_AReceiptThatDiffersFromItsLeafIsTold(t *testing.T) {
	w := newWorld(t)
	w.write(t, 12)
	conn := w.connect(t)
	s := read(t, conn)
	if len(w.receipts) < 2 {
		t.Fatalf("%d receipts", len(w.receipts))
	}
	m := &mutant{t: t, w: w, r: seeded(t, 1), s: s, insider: true}
	var ids []uuid.UUID
	for _, receipt := range w.receipts[:2] {
		id := uuid.MustParse(receipt.File)
		e, c := m.both(id)
		c.values[9] = []byte("another reason")
		m.reseal(e, c)
		ids = append(ids, id)
	}
	for what, held := range map[string][]Held{"one receipt": w.receipts[:1], "all receipts": w.receipts} {
		c, err := newChecker(Evidence{Policy: w.policy, Receipts: held, Keys: w.keys})
		must(t, err)
		must(t, c.run(t.Context(), s.clone().reader()))
		told := map[uuid.UUID]bool{}
		for _, p := range c.report.Problems {
			if p.Code == ReceiptDiffers {
				told[*p.EntryID] = true
			}
		}
		if !told[ids[0]] || told[ids[1]] != (what == "all receipts") || len(told) != c.report.Count {
			t.Errorf("%s: %s", what, describe(c.report))
		}
		if c.covered[ids[0]] {
			t.Errorf("%s: an entry counts as protected by a receipt for another leaf", what)
		}
	}
}
