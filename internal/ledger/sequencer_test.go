package ledger_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
)

// verifiers are the public keys of a test's log.
func verifiers(t testing.TB, vkeys []string) note.Verifiers {
	t.Helper()
	var list []note.Verifier
	for _, vkey := range vkeys {
		v, err := note.NewVerifier(vkey)
		must(t, err)
		list = append(list, v)
	}
	return note.VerifierList(list...)
}

// signedHead opens the newest checkpoint.
func signedHead(t testing.TB, env *databasetest.Env, epoch int) ledger.Head {
	t.Helper()
	signed, err := env.LedgerStorage.Log(epoch).Signed(t.Context())
	must(t, err)
	head, err := ledger.OpenCheckpoint(signed, ledger.TreeName(env.LedgerOrigin(), epoch), verifiers(t, env.LedgerKeys.LogVerifiers(env.LedgerOrigin(), epoch)))
	must(t, err)
	return head
}

// checkTree computes the tree anew from the bundles, and compares it with the checkpoint and the
// database's sequence. It returns the ids in their order.
func checkTree(t testing.TB, env *databasetest.Env, epoch int) []uuid.UUID {
	t.Helper()
	head := signedHead(t, env, epoch)
	var hashes []tlog.Hash
	var ids []uuid.UUID
	for n := int64(0); n*256 < head.Size; n++ {
		leaves, err := env.LedgerStorage.Log(epoch).Leaves(n, int(min(256, head.Size-n*256)))
		must(t, err)
		for _, data := range leaves {
			leaf, err := ledger.ParseLeaf(data)
			must(t, err)
			hashes, ids = append(hashes, ledger.LeafHash(data)), append(ids, leaf.ID)
		}
	}
	if root := naiveRoot(hashes); root != head.Root {
		t.Fatalf("the bundles hash to %v, the checkpoint of %d says %v", root, head.Size, head.Root)
	}
	var sequence []struct {
		Index    int64
		EntryID  uuid.UUID
		LeafHash []byte
	}
	must(t, env.Facts.Read(t.Context()).Raw("SELECT index, entry_id, leaf_hash FROM ledger_sequence WHERE epoch = ? ORDER BY index", epoch).Scan(&sequence).Error)
	if int64(len(sequence)) != head.Size {
		t.Fatalf("%d places in the database, %d leaves signed", len(sequence), head.Size)
	}
	for i, row := range sequence {
		if row.Index != int64(i) || row.EntryID != ids[i] || tlog.Hash(row.LeafHash) != hashes[i] {
			t.Fatalf("place %d is %+v", i, row)
		}
	}
	return ids
}

// naiveRoot is the definition of RFC 6962, section 2.1.
func naiveRoot(hashes []tlog.Hash) tlog.Hash {
	switch len(hashes) {
	case 0:
		root, _ := tlog.TreeHash(0, nil)
		return root
	case 1:
		return hashes[0]
	}
	k := 1
	for 2*k < len(hashes) {
		k *= 2
	}
	return tlog.NodeHash(naiveRoot(hashes[:k]), naiveRoot(hashes[k:]))
}

func TestSequencer_SignsWhatWasCommitted(t *testing.T) {
	env := databasetest.New(t)
	s := env.NewSequencer(t)
	must(t, s.Drain(t.Context()))
	if head := signedHead(t, env, 1); head.Size != 0 {
		t.Errorf("an empty ledger is signed as %+v", head)
	}
	var all []uuid.UUID
	for _, n := range []int{1, 2, 253, 1, 300, 7} {
		all = append(all, write(t, env, n)...)
		must(t, s.Drain(t.Context()))
		if got := checkTree(t, env, 1); len(got) != len(all) {
			t.Fatalf("%d leaves after %d entries", len(got), len(all))
		}
	}
	for _, i := range []int{0, 255, 256, len(all) - 1} {
		proof, err := ledger.ProofOf(t.Context(), env.Facts, env.LedgerStorage, all[i])
		must(t, err)
		head := signedHead(t, env, 1)
		must(t, tlog.CheckRecord(proof.Hashes, head.Size, head.Root, proof.Index, ledger.LeafHash(proof.Leaf)))
	}
	late := write(t, env, 1)[0]
	if _, err := ledger.ProofOf(t.Context(), env.Facts, env.LedgerStorage, late); !errors.Is(err, ledger.ErrNotSequenced) {
		t.Errorf("the proof of a pending entry: %v", err)
	}
	if _, err := ledger.ProofOf(t.Context(), env.Facts, env.LedgerStorage, uuid.Must(uuid.NewV7())); !errors.Is(err, database.ErrNotFound) {
		t.Errorf("the proof of nothing: %v", err)
	}
	consistency, err := env.LedgerStorage.Log(1).Prove(t.Context(), 3, 564)
	must(t, err)
	if len(consistency) == 0 {
		t.Error("an empty proof")
	}
}

// TestSequencer_Several: writers whose transactions overlap, and sequencers side by side that share
// the folder.
func TestSequencer_Several(t *testing.T) {
	env := databasetest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	var sequencers, appenders sync.WaitGroup
	for range 3 {
		sequencers.Go(func() { env.NewSequencer(t).Run(ctx) })
	}
	const each = 60
	for range 4 {
		appenders.Go(func() {
			for i := range each {
				err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
					for range 3 {
						if _, err := ledger.Append(tx, entry); err != nil {
							return err
						}
					}
					time.Sleep(time.Duration(i%5) * time.Millisecond)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	appenders.Wait()
	deadline := time.Now().Add(5 * time.Second)
	for signedHead(t, env, 1).Size < 4*each*3 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	sequencers.Wait()
	if ids := checkTree(t, env, 1); len(ids) != 4*each*3 {
		t.Errorf("%d of %d entries are signed", len(ids), 4*each*3)
	}
}

// TestI19_RestoredDatabaseStopsUntilANewEpoch restores a copy of the database that is older than
// what was signed.
func TestI19_RestoredDatabaseStopsUntilANewEpoch(t *testing.T) {
	env := databasetest.New(t)
	s := env.NewSequencer(t)
	write(t, env, 5)
	must(t, s.Drain(t.Context()))
	restore := rewind(t, env, 5)
	write(t, env, 4)
	must(t, s.Drain(t.Context()))
	signed := signedHead(t, env, 1)
	restore()
	pending := write(t, env, 3)
	for range 3 {
		if _, err := env.NewSequencer(t).Round(t.Context()); !errors.Is(err, ledger.ErrRolledBack) {
			t.Fatalf("a round on a restored database: %v", err)
		}
	}
	if signedHead(t, env, 1) != signed {
		t.Fatal("something was signed")
	}
	var epoch int
	var begun uuid.UUID
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) (err error) {
		epoch, begun, err = ledger.BeginEpoch(tx, env.LedgerStorage, ledger.Entry{Reason: "the disk is gone"})
		return err
	}))
	pending = append(pending, write(t, env, 2)...)
	must(t, s.Drain(t.Context()))
	ids := checkTree(t, env, 2)
	if epoch != 2 || len(ids) != 6 || ids[0] != begun {
		t.Errorf("epoch %d has %d leaves, the first %v, begun by %v", epoch, len(ids), ids[0], begun)
	}
	for _, id := range pending {
		proof, err := ledger.ProofOf(t.Context(), env.Facts, env.LedgerStorage, id)
		must(t, err)
		if proof.Epoch != 2 {
			t.Errorf("an entry is in epoch %d", proof.Epoch)
		}
	}
	if s.Status().Problem != nil || s.Status().Epoch != 2 {
		t.Errorf("status: %+v", s.Status())
	}
}

// rewind remembers the tables of the ledger, and puts them back as a restore would.
func rewind(t testing.TB, env *databasetest.Env, size int64) (restore func()) {
	t.Helper()
	tables := []string{"ledger_entries", "ledger_content", "ledger_pending", "ledger_sequence", "ledger_head"}
	g := env.Facts.Read(t.Context())
	for _, table := range tables {
		must(t, g.Exec("CREATE TABLE backup_"+table+" AS SELECT * FROM "+table).Error)
	}
	return func() {
		t.Helper()
		must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
			for _, table := range tables {
				must(t, withoutTriggers(tx, table, "DELETE FROM "+table))
				must(t, tx.DB().Exec("INSERT INTO "+table+" SELECT * FROM backup_"+table).Error)
			}
			return nil
		}))
		var got int64
		must(t, g.Raw("SELECT size FROM ledger_head").Scan(&got).Error)
		if got != size {
			t.Fatalf("restored to %d", got)
		}
	}
}

// withoutTriggers does what only the owner of a table can.
func withoutTriggers(tx *database.Tx, table, sql string) error {
	for _, s := range []string{"ALTER TABLE " + table + " DISABLE TRIGGER USER", sql, "ALTER TABLE " + table + " ENABLE ALWAYS TRIGGER append_only"} {
		if err := tx.DB().Exec(s).Error; err != nil {
			return err
		}
	}
	return nil
}

// TestSequencer_FindsLateCommitters: a transaction that commits long after it wrote its entry.
func TestSequencer_FindsLateCommitters(t *testing.T) {
	env := databasetest.New(t)
	written, commit := make(chan bool), make(chan bool)
	done := make(chan error)
	go func() {
		done <- database.Run(context.Background(), env.Facts, func(tx *database.Tx) error {
			_, err := ledger.Append(tx, entry)
			close(written)
			<-commit
			return err
		})
	}()
	<-written
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	s := env.NewSequencer(t)
	running.Go(func() { s.Run(ctx) })
	defer running.Wait()
	defer stop()
	wait := func(size int64) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Second); s.Status().Size != size; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("status: %+v, want %d leaves", s.Status(), size)
			}
		}
	}
	env.Advance(t, 10*time.Minute)
	write(t, env, 3)
	wait(3)
	close(commit)
	must(t, <-done)
	wait(4)
	if ids := checkTree(t, env, 1); !ledger.TimeOf(ids[3]).Before(ledger.TimeOf(ids[0])) {
		t.Error("the late one is not the oldest")
	}
}
