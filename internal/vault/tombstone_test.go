package vault_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/vault"
	"lethe/models"
)

func openTombstones(t testing.TB, path string) *vault.Tombstones {
	t.Helper()
	stones, err := vault.OpenTombstones(path)
	must(t, err)
	t.Cleanup(func() { _ = stones.Close() })
	return stones
}

func stone() vault.Tombstone {
	return vault.Tombstone{
		PurgeID: uuid.New(), EmploymentID: uuid.New(), Categories: []uuid.UUID{uuid.New(), uuid.New()},
		At: time.Date(2026, 3, 1, 12, 0, 0, 123, time.UTC),
	}
}

func TestTombstones_KeptAcrossRestartsAndOncePerPurge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tombstones")
	stones := openTombstones(t, path)
	first, second := stone(), stone()
	for _, s := range []vault.Tombstone{first, second, first} {
		must(t, stones.Append(t.Context(), s))
	}
	again := first
	again.Categories = slices.Clone(first.Categories)
	slices.Reverse(again.Categories)
	again.At = again.At.Add(time.Hour)
	must(t, openTombstones(t, path).Append(t.Context(), again)) // a resumed purge, another process
	again.Categories = again.Categories[:1]
	wantError(t, stones.Append(t.Context(), again), vault.ErrTombstoneDiffers)

	got, err := openTombstones(t, path).All()
	must(t, err)
	if diff := cmp.Diff([]vault.Tombstone{first, second}, got); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
}

// TestTombstones_TornLine cuts the file at any byte, as a crash during the last append would, and
// goes on: every line before the cut is kept, the torn one is gone, the next append works.
func TestTombstones_TornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tombstones")
	stones := openTombstones(t, path)
	written := []vault.Tombstone{stone(), stone(), stone()}
	var ends []int64
	for _, s := range written {
		must(t, stones.Append(t.Context(), s))
		info, err := os.Stat(path)
		must(t, err)
		ends = append(ends, info.Size())
	}
	content, err := os.ReadFile(path)
	must(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		cut := rapid.Int64Range(0, ends[2]).Draw(rt, "cut")
		torn := filepath.Join(t.TempDir(), "torn")
		if err := os.WriteFile(torn, content[:cut], 0o600); err != nil {
			rt.Fatal(err)
		}
		whole := 0
		for _, end := range ends {
			if end <= cut {
				whole++
			}
		}
		repaired := openTombstones(t, torn)
		next := stone()
		next.Categories = next.Categories[:1] // shorter than what may be left of the torn line
		if err := repaired.Append(context.Background(), next); err != nil {
			rt.Fatal(err)
		}
		if after, err := os.ReadFile(torn); err != nil || !bytes.HasSuffix(after, []byte("\n")) {
			rt.Fatalf("cut at %d, the file does not end with a whole line: %q, %v", cut, after, err)
		}
		got, err := openTombstones(t, torn).All()
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(append(slices.Clone(written[:whole]), next), got); diff != "" {
			rt.Fatalf("cut at %d: %s", cut, diff)
		}
	})
}

// TestTombstones_Damaged alters any byte of a line that was acknowledged.
func TestTombstones_Damaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tombstones")
	stones := openTombstones(t, path)
	must(t, stones.Append(t.Context(), stone()))
	must(t, stones.Append(t.Context(), stone()))
	content, err := os.ReadFile(path)
	must(t, err)
	for i := range len(content) - 1 { // without the last line's end: that would be a torn line
		altered := slices.Clone(content)
		altered[i] ^= 1
		must(t, os.WriteFile(path+".altered", altered, 0o600))
		if _, err := vault.OpenTombstones(path + ".altered"); err == nil {
			t.Fatalf("byte %d altered: accepted", i)
		}
	}
	must(t, os.Truncate(path, 10))
	_, err = stones.All()
	wantError(t, err, vault.ErrTombstonesDamaged)
}

func TestTombstones_ManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tombstones")
	const writers, each = 4, 10
	shared := stone()
	var all sync.WaitGroup
	for range writers {
		stones := openTombstones(t, path)
		all.Go(func() {
			for range each {
				for _, s := range []vault.Tombstone{stone(), shared} {
					if err := stones.Append(context.Background(), s); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	got, err := openTombstones(t, path).All()
	must(t, err)
	if len(got) != writers*each+1 {
		t.Errorf("%d tombstones, want %d", len(got), writers*each+1)
	}
}

// TestI25_RestoredBackupIsPurgedAgain restores both databases to before a purge: the keys are
// destroyed again before anything else, and the category is named for its fields to be cleared.
func TestI25_RestoredBackupIsPurgedAgain(t *testing.T) {
	b := newBench(t)
	p, kept := b.place(), b.place()
	kept.Category = models.CategoryPayBank
	sealed, category, err := b.seal(t.Context(), b.vault, p, "secret")
	must(t, err)
	salary, _, err := b.seal(t.Context(), b.vault, kept, "salary")
	must(t, err)
	neverSealed := b.categoryID(t, models.CategoryContract)

	// The backup is what the databases hold now; the tombstone is of a purge that came later.
	stones := openTombstones(t, filepath.Join(t.TempDir(), "tombstones"))
	s := vault.Tombstone{PurgeID: uuid.New(), EmploymentID: b.employment, Categories: []uuid.UUID{category, neverSealed}}
	must(t, stones.Append(t.Context(), s))

	for range 2 {
		again, err := b.vault.ReplayTombstones(t.Context(), b.Facts, stones)
		must(t, err)
		got := map[uuid.UUID]bool{}
		for _, c := range again {
			got[c.ID] = true
		}
		if diff := cmp.Diff(map[uuid.UUID]bool{category: true, neverSealed: true}, got); diff != "" {
			t.Fatal(diff)
		}
		must(t, b.vault.Probe(t.Context(), category, sealed))
		must(t, b.vault.Probe(t.Context(), neverSealed))
	}
	if _, err := b.open(t.Context(), b.vault, kept, salary); err != nil {
		t.Errorf("a category without a tombstone does not open: %v", err)
	}

	b.begin(t, category)
	b.begin(t, neverSealed)
	must(t, b.Facts.Read(t.Context()).Exec("UPDATE employment_categories SET state = 'purged' WHERE state = 'purging'").Error)
	again, err := b.vault.ReplayTombstones(t.Context(), b.Facts, stones)
	must(t, err)
	if len(again) != 0 {
		t.Errorf("%d purged categories are named again", len(again))
	}
}
