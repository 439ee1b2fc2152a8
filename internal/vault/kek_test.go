package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

func TestKEKFile_PrivateAndNeverReplaced(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "kek.json")
	must(t, vault.CreateKEKFile(path))
	before, err := os.ReadFile(path)
	must(t, err)
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	wantError(t, vault.CreateKEKFile(path), fs.ErrExist)
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("an existing file was replaced")
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left in the folder, want the KEK file alone; %v", len(entries), err)
	}
}

func TestLoadKEKFile_Refuses(t *testing.T) {
	for name, mode := range map[string]os.FileMode{"group may read": 0o640, "all may read": 0o604, "group may write": 0o620} {
		path := filepath.Join(t.TempDir(), "kek.json")
		must(t, vault.CreateKEKFile(path))
		must(t, os.Chmod(path, mode))
		if _, err := vault.LoadKEKFile(path); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	whole := filepath.Join(t.TempDir(), "kek.json")
	must(t, vault.CreateKEKFile(whole))
	content, err := os.ReadFile(whole)
	must(t, err)
	for name, content := range map[string]string{
		"empty": "", "not JSON": "key", "no generations": `{"format":"lethe-kek-v1","generations":[]}`,
		"other format": strings.Replace(string(content), "kek-v1", "kek-v9", 1),
		"cut":          string(content[:len(content)/2]),
		"no key":       `{"format":"lethe-kek-v1","generations":[{"generation":1,"created_at":"2026-01-01T00:00:00Z","keyset":{}}]}`,
	} {
		path := filepath.Join(t.TempDir(), "kek.json")
		must(t, os.WriteFile(path, []byte(content), 0o600))
		if _, err := vault.LoadKEKFile(path); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	_, err = vault.LoadKEKFile(filepath.Join(t.TempDir(), "none"))
	wantError(t, err, fs.ErrNotExist)
}

// TestRotation takes keys through two generations while another process, which loaded the file
// before, goes on sealing and opening.
func TestRotation(t *testing.T) {
	b := newBench(t)
	neighbour := b.again(t)
	p, q := b.place(), b.place()
	q.Category = models.CategoryPayBank
	sealed, _, err := b.seal(t.Context(), b.vault, p, "secret")
	must(t, err)
	wantError(t, newBench(t).vault.RetireKEK(t.Context(), 1), vault.ErrKEKInUse) // the newest, which wraps nothing yet
	wantError(t, b.vault.RetireKEK(t.Context(), 1), vault.ErrKEKInUse)           // the newest

	must(t, b.vault.AddKEK(t.Context()))
	wantError(t, b.vault.RetireKEK(t.Context(), 1), vault.ErrKEKInUse) // wraps a live key
	if n, err := b.vault.Rewrap(t.Context()); err != nil || n != 1 {
		t.Fatalf("rewrapped %d keys, %v; want 1", n, err)
	}
	if n, err := b.vault.Rewrap(t.Context()); err != nil || n != 0 {
		t.Fatalf("rewrapped %d keys again, %v; want 0", n, err)
	}
	must(t, b.vault.RetireKEK(t.Context(), 1))
	must(t, b.vault.RetireKEK(t.Context(), 1))

	other, _, err := b.seal(t.Context(), neighbour, q, "salary")
	must(t, err)
	for _, v := range []*vault.Vault{b.vault, neighbour, b.again(t)} {
		for place, box := range map[vault.Cell]models.Sealed{p: sealed, q: other} {
			if _, err := b.open(t.Context(), v, place, box); err != nil {
				t.Errorf("%s does not open after the rotation: %v", place.Category, err)
			}
		}
	}
	var old int64
	must(t, b.Keys.Read(t.Context()).Table("data_keys").Where("kek_generation <> 2").Count(&old).Error)
	if old != 0 {
		t.Errorf("%d keys are wrapped by an old generation", old)
	}
}

// TestRetiredGeneration_UnwrapsNothing puts a wrapped key back from a backup of before the rotation.
func TestRetiredGeneration_UnwrapsNothing(t *testing.T) {
	b := newBench(t)
	p := b.place()
	sealed, category, err := b.seal(t.Context(), b.vault, p, "secret")
	must(t, err)
	var backup []byte
	must(t, b.Keys.SQL().QueryRowContext(t.Context(), "SELECT wrapped FROM data_keys WHERE category_id = $1", category).Scan(&backup))
	must(t, b.vault.AddKEK(t.Context()))
	_, err = b.vault.Rewrap(t.Context())
	must(t, err)
	must(t, b.vault.RetireKEK(t.Context(), 1))
	must(t, b.Keys.Read(t.Context()).Exec("UPDATE data_keys SET wrapped = ?, kek_generation = 1", backup).Error)
	_, err = b.open(t.Context(), b.vault, p, sealed)
	wantError(t, err, vault.ErrUnknownKEK)
	must(t, b.Keys.Read(t.Context()).Exec("UPDATE data_keys SET kek_generation = 2").Error)
	_, err = b.open(t.Context(), b.vault, p, sealed)
	wantError(t, err, vault.ErrDamaged)
}

// TestRotation_UnderLoad seals first values, which creates keys, while generations come and go: no
// key may end up under a retired one.
func TestRotation_UnderLoad(t *testing.T) {
	b := newBench(t)
	type sealed struct {
		place vault.Cell
		box   models.Sealed
	}
	var all sync.WaitGroup
	done, results := make(chan struct{}), make(chan sealed, 1000)
	employments := []vault.Cell{}
	for range 4 {
		p := b.place()
		p.Employment = b.hire(t)
		employments = append(employments, p)
	}
	for _, p := range employments {
		v := b.again(t)
		all.Go(func() {
			for _, category := range models.Categories {
				p.Category = category
				box, _, err := b.seal(context.Background(), v, p, "secret")
				if err != nil {
					t.Error(err)
					return
				}
				results <- sealed{p, box}
			}
		})
	}
	var rotating sync.WaitGroup
	rotating.Go(func() {
		for generation := 1; ; generation++ {
			select {
			case <-done:
				return
			default:
			}
			if err := b.vault.AddKEK(context.Background()); err != nil {
				t.Error(err)
			}
			if _, err := b.vault.Rewrap(context.Background()); err != nil {
				t.Error(err)
			}
			if err := b.vault.RetireKEK(context.Background(), generation); err != nil && !errors.Is(err, vault.ErrKEKInUse) {
				t.Error(err)
			}
		}
	})
	all.Wait()
	close(done)
	rotating.Wait()
	close(results)
	for r := range results {
		if _, err := b.open(t.Context(), b.vault, r.place, r.box); err != nil {
			t.Errorf("a key was lost: %v", err)
		}
	}
}

// TestSeal_NewKeyWaitsForAChangeOfKEK, and a change of KEK for a key that is being made; a new key waits
// too for whoever destroys the keys of its category, and for nobody else's.
func TestSeal_NewKeyWaitsForAChangeOfKEK(t *testing.T) {
	b := newBench(t)
	keysOf := func(category models.Category) string {
		var id uuid.UUID
		must(t, b.Facts.SQL().QueryRowContext(t.Context(), "SELECT id FROM employment_categories WHERE employment_id = $1 AND category = $2",
			b.employment, string(category)).Scan(&id))
		return fmt.Sprintf("SELECT pg_advisory_xact_lock(%d, hashtext('%s'))", vault.KeysLock, id)
	}
	sealFirst := func(category models.Category) func() error {
		return func() error {
			place := b.place()
			place.Category = category
			_, _, err := b.seal(context.Background(), b.vault, place, "secret")
			return err
		}
	}
	addKEK := func() error { return b.vault.AddKEK(context.Background()) }
	for _, c := range []struct {
		name, lock string
		do         func() error
		waits      bool
	}{
		{"a key, for another category's", keysOf(models.CategoryContract), sealFirst(models.CategoryIdentity), false},
		{"a change, for a key that is made", fmt.Sprintf("SELECT pg_advisory_xact_lock_shared(%d::bigint)", vault.KEKLock), addKEK, true},
		{"a change, for a change", fmt.Sprintf("SELECT pg_advisory_xact_lock(%d::bigint)", vault.KEKLock), addKEK, true},
		{"a key, for a change", fmt.Sprintf("SELECT pg_advisory_xact_lock(%d::bigint)", vault.KEKLock), sealFirst(models.CategoryPayBank), true},
		{"a key, for its category's", keysOf(models.CategoryContract), sealFirst(models.CategoryContract), true},
	} {
		done := make(chan error, 1)
		must(t, database.Run(t.Context(), b.Keys, func(tx *database.Tx) error {
			if err := tx.DB().Exec(c.lock).Error; err != nil {
				return err
			}
			go func() { done <- c.do() }()
			patience := 200 * time.Millisecond
			if !c.waits {
				patience = 20 * time.Second
			}
			select {
			case err := <-done:
				done <- err
				if c.waits {
					t.Errorf("%s: it did not wait (%v)", c.name, err)
				}
			case <-time.After(patience):
				if !c.waits {
					t.Errorf("%s: it waits", c.name)
				}
			}
			return nil
		}))
		must(t, <-done)
	}
}

// TestUnrecoverableAfter: the generation in use is followed 30 days after it was made, or now if
// that has passed, and retired seven days later.
func TestUnrecoverableAfter(t *testing.T) {
	b := newBench(t)
	at := func(age time.Duration) clock.Date {
		t.Helper()
		rewriteCreated(t, b.kekPath, time.Now().UTC().Add(-age))
		day, err := b.again(t).UnrecoverableAfter(t.Context())
		must(t, err)
		return day
	}
	day := 24 * time.Hour
	today := func() clock.Date { return clock.DateOf(time.Now().UTC()) }
	for age, want := range map[time.Duration]int{0: 37, 10 * day: 27, 30 * day: 7, 300 * day: 7} {
		from := today()
		got := at(age)
		if got != from.AddDays(want) && got != today().AddDays(want) {
			t.Errorf("a generation %v old: %v, want %d days from today", age, got, want)
		}
	}
}

// TestHousekeep goes through a rotation as the calendar would bring it about.
func TestHousekeep(t *testing.T) {
	b := newBench(t)
	p := b.place()
	sealed, _, err := b.seal(t.Context(), b.vault, p, "secret")
	must(t, err)
	generations := func(want int) {
		t.Helper()
		must(t, b.vault.Housekeep(t.Context(), b.Facts))
		content, err := os.ReadFile(b.kekPath)
		must(t, err)
		if n := strings.Count(string(content), `"generation":`); n != want {
			t.Fatalf("%d generations, want %d", n, want)
		}
	}
	generations(1)
	rewriteCreated(t, b.kekPath, time.Now().Add(-31*24*time.Hour))
	generations(2) // followed
	generations(2) // kept for its grace
	rewriteCreated(t, b.kekPath, time.Now().Add(-8*24*time.Hour))
	generations(1) // retired
	if got, err := b.open(t.Context(), b.vault, p, sealed); err != nil || got != "secret" {
		t.Errorf("does not open after housekeeping: %v", err)
	}
}

// rewriteCreated makes all generations of a KEK file as old as wanted.
func rewriteCreated(t *testing.T, path string, at time.Time) {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	lines := strings.Split(string(content), "\n")
	for i, line := range lines {
		if strings.Contains(line, `"created_at"`) {
			lines[i] = `"created_at": "` + at.UTC().Format(time.RFC3339Nano) + `",`
		}
	}
	must(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600))
}
