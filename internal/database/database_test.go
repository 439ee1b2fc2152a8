package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/launch/launchtest"
	"lethe/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, launchtest.Goroutines()...) }

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

func TestInstall_MarksOnceAndRefusesTheOtherMode(t *testing.T) {
	for _, mode := range []database.Mode{database.ModeDev, database.ModeProduction} {
		other := database.ModeProduction
		if mode == other {
			other = database.ModeDev
		}
		env := databasetest.NewUnmarked(t)
		_, err := database.CheckInstallation(t.Context(), env.Facts, env.Keys, mode)
		wantError(t, err, database.ErrNotInstalled)
		first, err := database.Install(t.Context(), env.Facts, env.Keys, mode)
		must(t, err)
		again, err := database.Install(t.Context(), env.Facts, env.Keys, mode)
		must(t, err)
		found, err := database.CheckInstallation(t.Context(), env.Facts, env.Keys, mode)
		must(t, err)
		if first != again || first != found || first.Mode != mode || first.ID == uuid.Nil {
			t.Errorf("%s: installed %v, then %v, found %v", mode, first, again, found)
		}
		_, err = database.Install(t.Context(), env.Facts, env.Keys, other)
		wantError(t, err, database.ErrWrongMode)
		if !strings.Contains(err.Error(), "--dev") {
			t.Errorf("the refusal does not say what to do: %v", err)
		}
		_, err = database.CheckInstallation(t.Context(), env.Facts, env.Keys, other)
		wantError(t, err, database.ErrWrongMode)
		if !strings.Contains(err.Error(), "--dev") {
			t.Errorf("the refusal does not say what to do: %v", err)
		}
	}
}

func TestCheckInstallation_ForeignKeysAndEmptyDatabases(t *testing.T) {
	one, two := databasetest.New(t), databasetest.New(t)
	if _, err := database.CheckInstallation(t.Context(), one.Facts, two.Keys, database.ModeDev); err == nil {
		t.Error("the keys of another installation are accepted")
	}
	empty := databasetest.NewEmpty(t)
	_, err := database.CheckInstallation(t.Context(), empty.Facts, empty.Keys, database.ModeDev)
	wantError(t, err, database.ErrNotInstalled)
}

// TestMoveClock_DevOnly: a production database has no clock that could be moved, and a moved one is
// what every default and predicate sees.
func TestMoveClock_DevOnly(t *testing.T) {
	production := databasetest.NewUnmarked(t)
	_, err := database.Install(t.Context(), production.Facts, production.Keys, database.ModeProduction)
	must(t, err)
	if err := databasetest.MoveClock(t.Context(), production.Facts, time.Hour); err == nil {
		t.Error("the clock of a production database moved")
	}
	env := databasetest.New(t)
	before := env.Hire(t, "CN")
	for range 2 {
		env.Advance(t, 1000*time.Hour+time.Millisecond)
	}
	after := env.Hire(t, "CN")
	created := func(id uuid.UUID) time.Time {
		row, err := database.First[models.Employment](env.Facts.Read(t.Context()).Where("id = ?", id))
		must(t, err)
		return row.CreatedAt
	}
	if moved := created(after.ID).Sub(created(before.ID)); moved < 2000*time.Hour || moved > 2001*time.Hour {
		t.Errorf("the default of created_at moved by %v", moved)
	}
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		first, err := tx.Now()
		if err != nil {
			return err
		}
		second, err := tx.Now()
		if err == nil && !second.After(first) {
			t.Error("the clock stands still within a transaction")
		}
		if first.Location() != time.UTC {
			t.Error("the time is not in UTC")
		}
		return err
	}))
}

// TestHide_NeverShowsTheRow provokes errors whose driver text quotes values, and prints them in every way.
func TestHide_NeverShowsTheRow(t *testing.T) {
	const marker = "MARKER-4711"
	env := databasetest.New(t)
	employment := env.Hire(t, "CN")
	g := env.Facts.Read(t.Context())
	for name, test := range map[string]struct{ sql, code string }{
		"unique":      {"INSERT INTO legal_entities SELECT gen_random_uuid(), '" + marker + "', '', '', '', '' FROM generate_series(1, 2)", "23505"},
		"check":       {"INSERT INTO employees (id, employee_no, name, department_id) VALUES (gen_random_uuid(), '" + marker + " x', 'n', '" + employment.DepartmentID.String() + "')", "23514"},
		"not null":    {"INSERT INTO legal_entities (id, code, name_zh) VALUES (gen_random_uuid(), 'c', '" + marker + "')", "23502"},
		"foreign key": {"INSERT INTO employees (id, employee_no, name, department_id) VALUES (gen_random_uuid(), '" + marker + "', 'n', gen_random_uuid())", "23503"},
		"cast":        {"SELECT '" + marker + "'::int", "22P02"},
		"domain":      {"SELECT '" + marker + "'::bytea::sealed", "23514"},
		"syntax":      {"SELECT " + marker + " FROM", "42601"},
	} {
		raw := g.Exec(test.sql).Error
		if raw == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		err := fmt.Errorf("doing something: %w", database.Hide(raw))
		for _, shown := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", errors.Unwrap(err))} {
			if strings.Contains(shown, "MARKER") || strings.Contains(shown, "4711") {
				t.Errorf("%s: the error shows the row: %s", name, shown)
			}
		}
		if got := database.Code(err); got != test.code {
			t.Errorf("%s: code %q, want %s", name, got, test.code)
		}
		var quoted interface{ Unwrap() error }
		if own := errors.Unwrap(err); errors.As(own, &quoted) {
			t.Errorf("%s: the driver's error can be unwrapped", name)
		}
	}
}

// TestAnErrorSaysWhetherTheDatabaseWasReached: a value that does not fit is no outage, whichever side it
// does not fit.
func TestAnErrorSaysWhetherTheDatabaseWasReached(t *testing.T) {
	env := databasetest.New(t)
	db := env.Facts.Read(t.Context())
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var number int
	gone, err := sql.Open("pgx", "postgres://127.0.0.1:1/nobody?connect_timeout=1")
	must(t, err)
	defer func() { _ = gone.Close() }()
	closed, err := sql.Open("pgx", "postgres://127.0.0.1:1/nobody")
	must(t, err)
	must(t, closed.Close())
	for name, c := range map[string]struct {
		err     error
		reached bool
	}{
		"no number in the answer": {db.Raw("SELECT 'secret'").Row().Scan(&number), true},
		"two values into one":     {db.Raw("SELECT 1, 2").Row().Scan(&number), true},
		"a value of no column":    {db.Exec("SELECT ?::int", struct{ A chan int }{}).Error, true},
		"refused":                 {db.Exec("SELECT 1/0").Error, true},
		"given up":                {env.Facts.Read(over).Exec("SELECT 1").Error, false},
		"nobody there":            {gone.PingContext(t.Context()), false},
		"closed":                  {closed.PingContext(t.Context()), false},
		"cut":                     {fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), false},
	} {
		hidden := database.Hide(c.err)
		if c.err == nil || strings.Contains(hidden.Error(), "secret") {
			t.Errorf("%s: %v", name, hidden)
			continue
		}
		if said := strings.Contains(hidden.Error(), "did not answer"); said == c.reached || database.Unavailable(hidden) == c.reached {
			t.Errorf("%s: %q of %v, unavailable %v", name, hidden, c.err, database.Unavailable(hidden))
		}
	}
}

func TestHide_KeepsWhatCallersActOn(t *testing.T) {
	if database.Hide(nil) != nil {
		t.Error("no error became one")
	}
	wantError(t, database.Hide(fmt.Errorf("x: %w", database.ErrNotFound)), database.ErrNotFound)
	wantError(t, database.Hide(context.Canceled), context.Canceled)
	wantError(t, database.Hide(context.DeadlineExceeded), context.DeadlineExceeded)
	once := database.Hide(errors.New("secret"))
	if twice := database.Hide(fmt.Errorf("doing: %w", once)); !errors.Is(twice, once) || strings.Contains(twice.Error(), "secret") {
		t.Errorf("hidden twice: %v", twice)
	}
	env := databasetest.New(t)
	person := models.Employee{ID: uuid.New(), EmployeeNo: "E1", Name: "n", DepartmentID: env.Hire(t, "CN").DepartmentID, Status: "active", Revision: 1}
	must(t, env.Facts.Read(t.Context()).Create(&person).Error)
	person.ID = uuid.New()
	err := database.Hide(env.Facts.Read(t.Context()).Create(&person).Error)
	if !database.Violates(err, "employees_employee_no_key") || database.Violates(err, "employees_pkey") {
		t.Errorf("Violates does not tell the index: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, database.Hide(env.Facts.Read(ctx).Exec("SELECT 1").Error), context.Canceled)
}

// TestSealedDomain: plain text is refused, what looks sealed and NULL are kept, and a row round-trips.
func TestSealedDomain(t *testing.T) {
	env := databasetest.New(t)
	employment := env.Hire(t, "CN")
	g := env.Facts.Read(t.Context())
	category := models.EmploymentCategory{ID: uuid.New(), EmploymentID: employment.ID, Category: models.CategoryIdentity, State: models.CategoryOpen}
	must(t, g.Create(&category).Error)
	must(t, g.Create(&models.FieldDefinition{Key: "f", Type: models.FieldText, Category: models.CategoryIdentity, Sensitivity: "sensitive"}).Error)
	value := models.FieldValue{ID: uuid.New(), EmploymentID: employment.ID, CategoryID: category.ID, FieldKey: "f"}
	box := append([]byte("LSL1"), make([]byte, 44)...)
	for name, bad := range map[string][]byte{"plain": []byte("13800000000"), "too short": box[:47], "other magic": append([]byte("LSL2"), box[4:]...)} {
		value.ValueSealed = models.NewSealed(bad)
		if err := database.Hide(g.Create(&value).Error); database.Code(err) != "23514" {
			t.Errorf("%s: %v, want a check violation", name, err)
		}
	}
	value.ValueSealed = models.NewSealed(box)
	must(t, g.Create(&value).Error)
	read := func() models.Sealed {
		row, err := database.First[models.FieldValue](g.Where("id = ?", value.ID))
		must(t, err)
		return row.ValueSealed
	}
	if diff := cmp.Diff(box, read().Box()); diff != "" {
		t.Error(diff)
	}
	must(t, database.UpdateOne(g.Model(&models.FieldValue{}).Where("id = ?", value.ID).Update("value_sealed", models.Sealed{})))
	if !read().IsNull() {
		t.Error("the zero value is not NULL")
	}
	for _, shown := range []string{fmt.Sprint(value), fmt.Sprintf("%+v %#v %s %x", value, value, value.ValueSealed, value.ValueSealed)} {
		if strings.Contains(shown, "LSL1") || strings.Contains(shown, "4c534c31") || strings.Contains(shown, "76 83 76") || strings.Contains(shown, "0x4c, 0x53") {
			t.Errorf("a sealed column is printed: %s", shown)
		}
	}
}
