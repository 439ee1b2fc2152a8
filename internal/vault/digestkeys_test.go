package vault_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/internal/vault"
)

// age makes all keys of digests older.
func (b *bench) age(t *testing.T, by time.Duration) {
	t.Helper()
	must(t, b.Keys.Read(t.Context()).Exec("UPDATE loose_keys SET created_at = created_at - make_interval(secs => ?) WHERE place LIKE 'digests/%'",
		by.Seconds()).Error)
}

func digestKeys(t *testing.T, v *vault.Vault, p keyed.Purpose) [][]byte {
	t.Helper()
	keys, err := v.DigestKeys(t.Context(), p)
	must(t, err)
	return keys
}

// TestI25_KeysOfDigestsFollowAndEnd: the next key is made after a life, is used once every process can
// know it, and the one before it is destroyed a life later.
func TestI25_KeysOfDigestsFollowAndEnd(t *testing.T) {
	b := newBench(t)
	const settled = 4 * time.Minute
	p := keyed.Requests
	first := digestKeys(t, b.again(t), p)
	if len(first) != 1 || len(first[0]) != 32 {
		t.Fatalf("%d keys at first", len(first))
	}
	if again := digestKeys(t, b.again(t), p); len(again) != 1 || !bytes.Equal(again[0], first[0]) {
		t.Fatal("another process has another key")
	}
	if other := digestKeys(t, b.again(t), keyed.Places); bytes.Equal(other[0], first[0]) {
		t.Error("two purposes share a key")
	}
	b.age(t, p.Life)
	next := digestKeys(t, b.again(t), p)
	if len(next) != 2 || !bytes.Equal(next[0], first[0]) {
		t.Fatalf("%d keys after a life, or digests are made with one that other processes do not know yet", len(next))
	}
	b.age(t, settled)
	used := digestKeys(t, b.again(t), p)
	if len(used) != 2 || bytes.Equal(used[0], first[0]) || !bytes.Equal(used[1], first[0]) {
		t.Fatal("the next key is not used, or the one before it is not looked for")
	}
	end := func(want int64) {
		t.Helper()
		if ended, err := b.vault.EndDigestKeys(t.Context()); err != nil || ended != want {
			t.Errorf("ended %d keys, want %d, %v", ended, want, err)
		}
	}
	b.age(t, p.Life-2*settled)
	end(0)
	b.age(t, 2*settled)
	end(1)
	end(0)
	left := digestKeys(t, b.again(t), p)
	if slices.ContainsFunc(left, func(k []byte) bool { return bytes.Equal(k, first[0]) }) {
		t.Error("an ended key is still handed out")
	}
	var wrapped int64
	must(t, b.Keys.Read(t.Context()).Raw("SELECT count(*) FROM loose_keys WHERE place = 'digests/requests' AND wrapped IS NOT NULL").Scan(&wrapped).Error)
	if int(wrapped) != len(left) {
		t.Errorf("%d wrapped keys are left in the database, %d are handed out", wrapped, len(left))
	}
}

// TestKeysOfDigests_ManyProcessesMakeOne: those who find none at the same time wait for each other, and make
// one.
func TestKeysOfDigests_ManyProcessesMakeOne(t *testing.T) {
	b := newBench(t)
	const processes = 4
	got := make(chan []byte, processes)
	must(t, database.Run(t.Context(), b.Keys, func(tx *database.Tx) error {
		if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "digests/"+keyed.Words.Name).Error; err != nil {
			return err
		}
		for range processes {
			v := b.again(t)
			go func() {
				keys, err := v.DigestKeys(context.Background(), keyed.Words)
				if err != nil || len(keys) != 1 {
					t.Errorf("%d keys, %v", len(keys), err)
					got <- nil
					return
				}
				got <- keys[0]
			}()
		}
		select {
		case key := <-got:
			t.Fatalf("%x was made beside somebody who makes one", key)
		case <-time.After(300 * time.Millisecond):
		}
		return nil
	}))
	first := <-got
	for range processes - 1 {
		if key := <-got; !bytes.Equal(key, first) {
			t.Error("two processes made a key each")
		}
	}
}

// TestKeysOfDigests_AreUsedWhileTheirDatabaseIsAway: what was read goes on being used.
func TestKeysOfDigests_AreUsedWhileTheirDatabaseIsAway(t *testing.T) {
	b := newBench(t)
	v := b.again(t)
	first := digestKeys(t, v, keyed.Tries)
	v.ForgetWhenDigestKeysWereRead()
	must(t, b.Keys.Read(t.Context()).Exec("ALTER TABLE loose_keys RENAME TO away").Error)
	if again := digestKeys(t, v, keyed.Tries); !bytes.Equal(again[0], first[0]) {
		t.Error("another key")
	}
	if _, err := v.DigestKeys(t.Context(), keyed.Words); err == nil {
		t.Error("keys that were never read are handed out")
	}
}
