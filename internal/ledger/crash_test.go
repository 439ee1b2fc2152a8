package ledger_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
)

var errDied = errors.New("died here")

// dying is a sequencer that dies the first time it comes to a step.
func dying(env *databasetest.Env, at string) *ledger.Sequencer {
	o := ledger.Options{Origin: env.LedgerOrigin(), Log: slog.New(slog.DiscardHandler), Batch: 100}
	ledger.StepForTest(&o, func(name string) error {
		if name == at {
			return errDied
		}
		return nil
	})
	return ledger.NewSequencer(env.Facts, env.LedgerStorage, env.LedgerKeys, o)
}

// TestI19_CrashAnywhereIsResumed: nothing is lost, signed twice in two ways, or left without a place.
func TestI19_CrashAnywhereIsResumed(t *testing.T) {
	env := databasetest.New(t)
	must(t, env.NewSequencer(t).Drain(t.Context()))
	total, size := 0, int64(0)
	for _, n := range []int{3, 260} {
		for _, step := range []string{"ledger.before_commit", "ledger.sequenced", "ledger.before_tiles", "ledger.before_sign", "ledger.signed"} {
			write(t, env, n)
			total += n
			if err := dying(env, step).Drain(t.Context()); !errors.Is(err, errDied) {
				t.Fatalf("%s is never reached: %v", step, err)
			}
			if got := signedHead(t, env, 1).Size; got < size || got > int64(total) {
				t.Fatalf("after dying at %s %d leaves are signed, %d before", step, got, size)
			}
			must(t, env.NewSequencer(t).Drain(t.Context()))
			if ids := checkTree(t, env, 1); len(ids) != total {
				t.Fatalf("after dying at %s, %d of %d entries have their place", step, len(ids), total)
			}
			size = int64(total)
		}
	}
}

// TestI19_CrashHalfwayThroughTheTiles leaves files of every kind of half-written.
func TestI19_CrashHalfwayThroughTheTiles(t *testing.T) {
	env := databasetest.New(t)
	s := env.NewSequencer(t)
	write(t, env, 200)
	must(t, s.Drain(t.Context()))
	write(t, env, 100)
	if err := dying(env, "ledger.before_sign").Drain(t.Context()); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	dir := env.LedgerStorage.Log(1).Dir()
	must(t, os.WriteFile(filepath.Join(dir, ledger.TilePath(0, 0, 256)), []byte("half"), 0o600))
	must(t, os.Remove(filepath.Join(dir, ledger.TilePath(ledger.EntriesLevel, 0, 256))))
	must(t, os.WriteFile(filepath.Join(dir, ledger.TilePath(ledger.EntriesLevel, 0, 200)), nil, 0o600))
	must(t, env.NewSequencer(t).Drain(t.Context()))
	checkTree(t, env, 1)
	if _, err := os.Stat(filepath.Join(dir, ledger.TilePath(0, 0, 256)+".p")); !os.IsNotExist(err) {
		t.Error("parts of a whole tile are kept")
	}
}

// TestI19_LostFolderIsNotMadeUp: whoever removes the folder does not get a new signature for what is
// in the database now.
func TestI19_LostFolderIsNotMadeUp(t *testing.T) {
	env := databasetest.New(t)
	write(t, env, 300)
	must(t, env.NewSequencer(t).Drain(t.Context()))
	before := signedHead(t, env, 1)
	var err error
	env.LedgerStorage, err = ledger.OpenStorage(t.TempDir())
	must(t, err)
	write(t, env, 1)
	if _, err := env.NewSequencer(t).Round(t.Context()); !errors.Is(err, ledger.ErrStorageLost) {
		t.Fatalf("a round without the folder: %v", err)
	}
	if signed, err := env.LedgerStorage.Log(1).Signed(t.Context()); signed != nil || err != nil {
		t.Fatalf("signed: %s, %v", signed, err)
	}
	rebuild := ledger.NewSequencer(env.Facts, env.LedgerStorage, env.LedgerKeys, ledger.Options{Origin: env.LedgerOrigin(), Rebuild: true})
	must(t, rebuild.Drain(t.Context()))
	if ids := checkTree(t, env, 1); len(ids) != 301 {
		t.Errorf("%d leaves after %+v", len(ids), before)
	}
}

// TestI19_NothingForgedIsSigned: what is put between commit and signature, or changed behind it.
func TestI19_NothingForgedIsSigned(t *testing.T) {
	for name, forge := range map[string]string{
		"head":         "UPDATE ledger_head SET root = sha256('forged')",
		"frontier":     "UPDATE ledger_head SET frontier = ''::bytea",
		"longer":       "UPDATE ledger_head SET size = size + 1",
		"swapped":      "UPDATE ledger_sequence SET index = 1005 - index WHERE index IN (5, 6); UPDATE ledger_sequence SET index = 1011 - index WHERE index > 900",
		"inserted":     "INSERT INTO ledger_sequence (epoch, index, entry_id, leaf_hash) VALUES (1, 8, gen_random_uuid(), sha256('x')); UPDATE ledger_head SET size = 9",
		"leaf changed": "UPDATE ledger_entries SET leaf = set_byte(leaf, 100, get_byte(leaf, 100) # 1) WHERE id = (SELECT entry_id FROM ledger_sequence WHERE index = 7)",
		"entry gone":   "DELETE FROM ledger_entries WHERE id = (SELECT entry_id FROM ledger_sequence WHERE index = 7)",
	} {
		t.Run(name, func(t *testing.T) {
			env := databasetest.New(t)
			write(t, env, 4)
			must(t, env.NewSequencer(t).Drain(t.Context()))
			write(t, env, 4)
			if err := dying(env, "ledger.sequenced").Drain(t.Context()); !errors.Is(err, errDied) {
				t.Fatal(err)
			}
			must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
				for _, table := range []string{"ledger_head", "ledger_sequence", "ledger_entries"} {
					must(t, withoutTriggers(tx, table, "SELECT 1"))
					must(t, tx.DB().Exec("ALTER TABLE "+table+" DISABLE TRIGGER USER").Error)
				}
				return tx.DB().Exec(forge).Error
			}))
			write(t, env, 1)
			s := env.NewSequencer(t)
			for range 3 {
				if _, err := s.Round(t.Context()); err == nil {
					t.Fatal("a round passed")
				}
			}
			want := int64(4)
			if name == "frontier" {
				want = 8 // what was committed is right, and only nothing can follow
			}
			if size := signedHead(t, env, 1).Size; size != want {
				t.Errorf("%d leaves are signed", size)
			}
			if s.Status().Problem == nil {
				t.Error("no alarm")
			}
		})
	}
}

// TestI19_EntriesNotWrittenByUsGetNoPlace: the others do.
func TestI19_EntriesNotWrittenByUsGetNoPlace(t *testing.T) {
	for name, forge := range map[string]string{
		"changed":    "UPDATE ledger_entries SET leaf = set_byte(leaf, 100, get_byte(leaf, 100) # 1) WHERE id = ?",
		"kind":       "UPDATE ledger_entries SET kind = 'purge' WHERE id = ?",
		"epoch":      "UPDATE ledger_entries SET epoch = 2 WHERE id = ?",
		"generation": "UPDATE ledger_entries SET mac_generation = 2 WHERE id = ?",
		"removed":    "DELETE FROM ledger_entries WHERE id = ?",
		"inserted":   "INSERT INTO ledger_pending SELECT gen_random_uuid(), at FROM ledger_entries WHERE id = ?; DELETE FROM ledger_pending WHERE entry_id = ?",
		"twice":      "INSERT INTO ledger_pending SELECT s.entry_id, now() FROM ledger_sequence s LIMIT 1; DELETE FROM ledger_pending WHERE entry_id = ? AND ?::text > ''",
	} {
		t.Run(name, func(t *testing.T) {
			env := databasetest.New(t)
			write(t, env, 1)
			must(t, env.NewSequencer(t).Drain(t.Context()))
			ids := write(t, env, 3)
			must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
				must(t, tx.DB().Exec("ALTER TABLE ledger_entries DISABLE TRIGGER USER").Error)
				for _, statement := range split(forge) {
					args := []any{}
					for range count(statement) {
						args = append(args, ids[1])
					}
					must(t, tx.DB().Exec(statement, args...).Error)
				}
				return nil
			}))
			s := env.NewSequencer(t)
			must(t, s.Drain(t.Context()))
			must(t, s.Drain(t.Context()))
			placed := checkTree(t, env, 1)
			if len(placed) != 3 || s.Status().Refused != 1 {
				t.Errorf("%d places, %d refused", len(placed), s.Status().Refused)
			}
			var pending int64
			must(t, env.Facts.Read(t.Context()).Table("ledger_pending").Count(&pending).Error)
			if pending != 1 {
				t.Errorf("%d wait", pending)
			}
		})
	}
}

// TestI19_ConsistentForgeryIsNotSigned: whoever owns the database rewrites an entry between commit
// and signature, and everything that follows from it, but has no key.
func TestI19_ConsistentForgeryIsNotSigned(t *testing.T) {
	env := databasetest.New(t)
	write(t, env, 4)
	must(t, env.NewSequencer(t).Drain(t.Context()))
	write(t, env, 4)
	if err := dying(env, "ledger.sequenced").Drain(t.Context()); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		for _, table := range []string{"ledger_head", "ledger_sequence", "ledger_entries"} {
			must(t, tx.DB().Exec("ALTER TABLE "+table+" DISABLE TRIGGER USER").Error)
		}
		var rows []struct {
			EntryID string
			Leaf    []byte
		}
		must(t, tx.DB().Raw("SELECT s.entry_id, e.leaf FROM ledger_sequence s JOIN ledger_entries e ON e.id = s.entry_id ORDER BY s.index").Scan(&rows).Error)
		tree, err := ledger.GrowForTest(0, nil)
		must(t, err)
		for i, row := range rows {
			if i == 6 {
				row.Leaf[len(row.Leaf)-1] ^= 1
				must(t, tx.DB().Exec("UPDATE ledger_entries SET leaf = ? WHERE id = ?", row.Leaf, row.EntryID).Error)
			}
			hash := ledger.LeafHash(row.Leaf)
			must(t, tx.DB().Exec("UPDATE ledger_sequence SET leaf_hash = ? WHERE entry_id = ?", hash[:], row.EntryID).Error)
			must(t, tree.Add(hash))
		}
		root, err := tree.Root()
		must(t, err)
		edge, err := tree.Edge()
		must(t, err)
		return tx.DB().Exec("UPDATE ledger_head SET root = ?, frontier = ?", root[:], joined(edge)).Error
	}))
	if _, err := env.NewSequencer(t).Round(t.Context()); !errors.Is(err, ledger.ErrBadMAC) {
		t.Errorf("a round on a forged ledger: %v, want ErrBadMAC", err)
	}
	if size := signedHead(t, env, 1).Size; size != 4 {
		t.Errorf("%d leaves are signed", size)
	}
}
