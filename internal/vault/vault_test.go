package vault_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/launch/launchtest"
	"lethe/internal/vault"
	"lethe/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, launchtest.Goroutines()...) }

// bench is a vault on databases of its own, with one employment that has its categories.
type bench struct {
	*databasetest.Env
	vault      *vault.Vault
	kekPath    string
	employment uuid.UUID
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Env: databasetest.New(t), kekPath: filepath.Join(t.TempDir(), "kek.json")}
	must(t, vault.CreateKEKFile(b.kekPath))
	b.vault = b.again(t)
	b.employment = b.hire(t)
	return b
}

// again is the vault as a process that just started would have it.
func (b *bench) again(t *testing.T) *vault.Vault {
	t.Helper()
	kek, err := vault.LoadKEKFile(b.kekPath)
	must(t, err)
	return vault.New(b.Keys, kek, b.Installation.ID)
}

func (b *bench) hire(t *testing.T) uuid.UUID {
	t.Helper()
	id := b.Hire(t, "CN").ID
	must(t, database.Run(t.Context(), b.Facts, func(tx *database.Tx) error { return b.vault.CreateCategories(tx, id) }))
	return id
}

func (b *bench) place() vault.Cell {
	return vault.Cell{
		Table: "field_values", Row: uuid.New(), Employment: b.employment, Category: models.CategoryIdentity, Field: "id_number",
	}
}

func (b *bench) seal(ctx context.Context, v *vault.Vault, p vault.Cell, plain string) (sealed models.Sealed, category uuid.UUID, err error) {
	err = database.Run(ctx, b.Facts, func(tx *database.Tx) error {
		sealed, category, err = v.Seal(tx, p, []byte(plain))
		return err
	})
	return sealed, category, err
}

func (b *bench) open(ctx context.Context, v *vault.Vault, p vault.Cell, s models.Sealed) (plain string, err error) {
	err = database.Run(ctx, b.Facts, func(tx *database.Tx) error {
		opened, err := v.Open(tx, p, s)
		plain = string(opened)
		return err
	})
	return plain, err
}

// begin turns the category purging, past the trigger that wants a due deadline.
func (b *bench) begin(t *testing.T, category uuid.UUID) {
	t.Helper()
	must(t, b.Facts.Read(t.Context()).Exec("ALTER TABLE employment_categories DISABLE TRIGGER employment_categories_not_early").Error)
	result := b.Facts.Read(t.Context()).Exec("UPDATE employment_categories SET state = 'purging' WHERE id = ?", category)
	must(t, database.UpdateOne(result))
}

func (b *bench) categoryID(t *testing.T, category models.Category) uuid.UUID {
	t.Helper()
	row, err := database.First[models.EmploymentCategory](b.Facts.Read(t.Context()).
		Where("employment_id = ? AND category = ?", b.employment, category))
	must(t, err)
	return row.ID
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

func TestSeal_OpensAtItsPlaceAlsoAfterARestart(t *testing.T) {
	b := newBench(t)
	p := b.place()
	for _, plain := range []string{"", "310101199001011234", "张三的护照"} {
		sealed, _, err := b.seal(t.Context(), b.vault, p, plain)
		must(t, err)
		if plain != "" && bytes.Contains(sealed.Box(), []byte(plain)) {
			t.Error("the sealed bytes contain the value")
		}
		got, err := b.open(t.Context(), b.again(t), p, sealed)
		must(t, err)
		if got != plain {
			t.Errorf("opened %q, want %q", got, plain)
		}
	}
}

// TestOpen_WrongPlace moves a value to a place that differs in any one part, or several.
func TestOpen_WrongPlace(t *testing.T) {
	b := newBench(t)
	other := b.hire(t)
	p := b.place()
	sealed, _, err := b.seal(t.Context(), b.vault, p, "secret")
	must(t, err)
	// The other categories and employments have keys of their own.
	for _, employment := range []uuid.UUID{b.employment, other} {
		for _, c := range models.Categories {
			q := p
			q.Employment, q.Category = employment, c
			_, _, err := b.seal(t.Context(), b.vault, q, "else")
			must(t, err)
		}
	}
	kek, err := vault.LoadKEKFile(b.kekPath)
	must(t, err)
	foreign := vault.New(b.Keys, kek, uuid.New())
	rapid.Check(t, func(rt *rapid.T) {
		q, v := p, b.vault
		if rapid.Bool().Draw(rt, "installation") {
			v = foreign
		}
		q.Table = rapid.OneOf(rapid.Just(p.Table), rapid.String()).Draw(rt, "table")
		if rapid.Bool().Draw(rt, "row") {
			q.Row = uuid.New()
		}
		q.Employment = rapid.SampledFrom([]uuid.UUID{p.Employment, other}).Draw(rt, "employment")
		q.Category = rapid.SampledFrom(models.Categories).Draw(rt, "category")
		q.Field = rapid.OneOf(rapid.Just(p.Field), rapid.String()).Draw(rt, "field")
		got, err := b.open(context.Background(), v, q, sealed)
		if q == p && v == b.vault {
			if err != nil || got != "secret" {
				rt.Fatalf("its own place does not open: %v", err)
			}
			return
		}
		if !errors.Is(err, vault.ErrDamaged) || got != "" {
			rt.Fatalf("opened at %+v: %v", q, err)
		}
	})
}

// TestBind_DifferentPartsNeverLookAlike: otherwise one place could be passed off as another.
func TestBind_DifferentPartsNeverLookAlike(t *testing.T) {
	parts := rapid.SliceOfN(rapid.SliceOfN(rapid.ByteRange(0, 2), 0, 3), 0, 4)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := parts.Draw(rt, "a"), parts.Draw(rt, "b")
		same := slices.EqualFunc(a, b, bytes.Equal)
		if bytes.Equal(vault.Bind("x", a...), vault.Bind("x", b...)) != same {
			rt.Fatalf("%v and %v: equal is %v", a, b, !same)
		}
	})
	if bytes.Equal(vault.Bind("x", []byte("ab"), []byte("c")), vault.Bind("x", []byte("a"), []byte("bc"))) {
		t.Error("a letter may move from one part into the next")
	}
}

func TestOpen_Tampered(t *testing.T) {
	b := newBench(t)
	p := b.place()
	sealed, _, err := b.seal(t.Context(), b.vault, p, "secret")
	must(t, err)
	box := sealed.Box()
	for i := range box {
		altered := bytes.Clone(box)
		altered[i] ^= 1
		if _, err := b.open(t.Context(), b.vault, p, models.NewSealed(altered)); !errors.Is(err, vault.ErrDamaged) {
			t.Errorf("byte %d altered: %v, want ErrDamaged", i, err)
		}
	}
	for _, cut := range [][]byte{nil, box[:3], box[:20], box[:len(box)-1], append(bytes.Clone(box), 0)} {
		if _, err := b.open(t.Context(), b.vault, p, models.NewSealed(cut)); !errors.Is(err, vault.ErrDamaged) {
			t.Errorf("%d of %d bytes: %v, want ErrDamaged", len(cut), len(box), err)
		}
	}
}

// TestOpen_SwappedKeys gives one category's wrapped key to another one's row in the keys database.
func TestOpen_SwappedKeys(t *testing.T) {
	b := newBench(t)
	p, q := b.place(), b.place()
	q.Category = models.CategoryPayBank
	_, from, err := b.seal(t.Context(), b.vault, p, "secret")
	must(t, err)
	sealed, to, err := b.seal(t.Context(), b.vault, q, "salary")
	must(t, err)
	must(t, b.Keys.Read(t.Context()).Exec(`UPDATE data_keys SET wrapped =
		(SELECT wrapped FROM data_keys WHERE category_id = ?) WHERE category_id = ?`, from, to).Error)
	_, err = b.open(t.Context(), b.vault, q, sealed)
	wantError(t, err, vault.ErrDamaged)
}

func TestSeal_ConcurrentFirstSealsAgreeOnOneKey(t *testing.T) {
	b := newBench(t)
	const sealers = 8
	places := make([]vault.Cell, sealers)
	sealed := make([]models.Sealed, sealers)
	errs := make([]error, sealers)
	var all sync.WaitGroup
	for i := range sealers {
		places[i] = b.place()
		all.Go(func() { sealed[i], _, errs[i] = b.seal(t.Context(), b.vault, places[i], "secret") })
	}
	all.Wait()
	must(t, errors.Join(errs...))
	for i := range sealers {
		if _, err := b.open(t.Context(), b.vault, places[i], sealed[i]); err != nil {
			t.Errorf("sealer %d: %v", i, err)
		}
		if !bytes.Equal(sealed[i].Box()[:20], sealed[0].Box()[:20]) {
			t.Errorf("sealer %d used a key of its own", i)
		}
	}
	var keys int64
	must(t, b.Keys.Read(t.Context()).Table("data_keys").Count(&keys).Error)
	if keys != 1 {
		t.Errorf("%d data keys for one category", keys)
	}
}

// TestSeal_RolledBack leaves a key that nothing refers to; the next seal makes another one, and the
// first is dropped after a day.
func TestSeal_RolledBack(t *testing.T) {
	b := newBench(t)
	p := b.place()
	failed := errors.New("failed later")
	err := database.Run(t.Context(), b.Facts, func(tx *database.Tx) error {
		if _, _, err := b.vault.Seal(tx, p, []byte("lost")); err != nil {
			return err
		}
		return failed
	})
	wantError(t, err, failed)
	sealed, _, err := b.seal(t.Context(), b.vault, p, "kept")
	must(t, err)

	drop := func(want int) {
		t.Helper()
		if n, err := b.vault.DropUnreferenced(t.Context(), b.Facts); err != nil || n != want {
			t.Fatalf("dropped %d keys, %v; want %d", n, err, want)
		}
	}
	age := func(by string) {
		t.Helper()
		must(t, b.Keys.Read(t.Context()).Exec("UPDATE data_keys SET created_at = created_at - ?::interval", by).Error)
	}
	drop(0) // too young
	age("23 hours")
	drop(0)
	age("2 hours")
	drop(1)
	drop(0)
	if got, err := b.open(t.Context(), b.vault, p, sealed); err != nil || got != "kept" {
		t.Errorf("the referenced key is gone: %v", err)
	}
}

// TestSeal_PurgeWaits holds a seal's transaction open: the purge's lock waits for its end, and
// whoever seals or opens after the purge began is refused.
func TestSeal_PurgeWaits(t *testing.T) {
	b := newBench(t)
	p := b.place()
	sealed, category, err := b.seal(t.Context(), b.vault, p, "first")
	must(t, err)

	inside, leave, purged := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var sealing sync.WaitGroup
	sealing.Go(func() {
		err := database.Run(t.Context(), b.Facts, func(tx *database.Tx) error {
			if _, err := b.vault.Open(tx, p, sealed); err != nil {
				return err
			}
			close(inside)
			<-leave
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-inside
	var purging sync.WaitGroup
	purging.Go(func() {
		b.begin(t, category)
		close(purged)
	})
	select {
	case <-purged:
		t.Error("the purge did not wait for the value that is being opened")
	case <-time.After(200 * time.Millisecond):
	}
	close(leave)
	sealing.Wait()
	purging.Wait()
	_, _, err = b.seal(t.Context(), b.vault, b.place(), "late")
	wantError(t, err, vault.ErrPurged)
	_, err = b.open(t.Context(), b.vault, p, sealed)
	wantError(t, err, vault.ErrPurged)
}

// TestSeal_RacesWithPurge lets many seal, some of them first, while the category is purged: nothing
// that was sealed can be opened after the keys are destroyed, and no key is left.
func TestSeal_RacesWithPurge(t *testing.T) {
	b := newBench(t)
	category := b.categoryID(t, models.CategoryIdentity)
	b.begin(t, b.categoryID(t, models.CategoryContract)) // another one's purge, and the trigger is off
	var all sync.WaitGroup
	var mu sync.Mutex
	var boxes []models.Sealed
	for range 6 {
		all.Go(func() {
			for {
				sealed, _, err := b.seal(t.Context(), b.vault, b.place(), "secret")
				if errors.Is(err, vault.ErrPurged) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				boxes = append(boxes, sealed)
				mu.Unlock()
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	must(t, database.UpdateOne(b.Facts.Read(t.Context()).Exec("UPDATE employment_categories SET state = 'purging' WHERE id = ?", category)))
	must(t, b.vault.Destroy(t.Context(), category))
	all.Wait()
	if len(boxes) == 0 {
		t.Fatal("nothing was sealed before the purge: the race was not run")
	}
	must(t, b.vault.Probe(t.Context(), category, boxes...))
}
