// Package databasetest gives each test a fresh pair of databases on a real Postgres, so that tests
// run side by side and see nothing of each other.
package databasetest

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
)

// Env is a migrated pair of databases, marked dev, for one test.
type Env struct {
	Facts, Keys       *database.DB
	FactsURL, KeysURL string
	Installation      database.Installation
	// LedgerKeys are those of the writer that is attached to the facts.
	LedgerKeys *ledger.Keys
	// Digests are the keys of digests that are attached to the facts.
	Digests Digests
	// Reasons seals what people write for the record, with the keys database of the test.
	Reasons reasons.Keeper
	// LedgerStorage is the folder that NewSequencer fills.
	LedgerStorage *ledger.Storage
}

// maxConnections bounds one pool: several test processes share the server.
const maxConnections = 12

// within bounds each step that talks to the server; the first one of a run makes the templates.
const within = 2 * time.Minute

// New clones the templates, marks the clones as a dev installation of their own, and drops them
// when the test ends. Their clock starts as [StartVariable] has it.
func New(t testing.TB) *Env {
	t.Helper()
	env := NewToday(t)
	env.AdvanceToHour(t, "Asia/Shanghai", cmp.Or(os.Getenv(StartVariable), usualStart))
	return env
}

// NewToday is New by the clock of the machine, for tests beside a server that goes by it.
func NewToday(t testing.TB) *Env {
	t.Helper()
	env := NewUnmarked(t)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	installation, err := database.Install(ctx, env.Facts, env.Keys, database.ModeDev)
	if err != nil {
		t.Fatalf("marking the test databases: %v", err)
	}
	env.Installation = installation
	env.LedgerKeys = ledger.NewKeys()
	if env.LedgerStorage, err = ledger.OpenStorage(t.TempDir()); err != nil {
		t.Fatalf("making the ledger's folder: %v", err)
	}
	ledger.Attach(env.Facts, ledger.NewWriter(env.LedgerOrigin(), env.LedgerKeys.Writer()))
	keyed.Attach(env.Facts, &env.Digests)
	env.Reasons = &keeper{env: env, kek: filepath.Join(t.TempDir(), "reasons-kek")}
	reasons.Attach(env.Facts, env.Reasons)
	return env
}

// NewUnmarked is New for tests of the marks themselves: migrated, of no mode yet.
func NewUnmarked(t testing.TB) *Env {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	s := newServer(t)
	return s.open(ctx, t, s.facts, s.keys)
}

// NewEmpty is a pair of databases without any migration.
func NewEmpty(t testing.TB) *Env {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return newServer(t).open(ctx, t, "template1", "template1")
}

// LedgerOrigin is the name of the ledger.
func (e *Env) LedgerOrigin() string { return ledger.DefaultOrigin(e.Installation.ID) }

// NewSequencer is a sequencer of the test's ledger. Whoever wants it to work calls Drain or Run.
func (e *Env) NewSequencer(t testing.TB) *ledger.Sequencer {
	t.Helper()
	return ledger.NewSequencer(e.Facts, e.LedgerStorage, e.LedgerKeys, ledger.Options{
		Origin: e.LedgerOrigin(), Log: slog.New(slog.DiscardHandler),
	})
}

// StartVariable names the hour at which the clock of each test starts, hh:mm in China: the next one to come. A test that holds at
// one hour only fails when it is set to another; by default every run starts at the same.
const StartVariable = "LETHE_TEST_START"

const usualStart = "10:00"

// Advance moves the clock of the facts, lethe_now(), by d.
func (e *Env) Advance(t testing.TB, d time.Duration) {
	t.Helper()
	if err := MoveClock(context.Background(), e.Facts, d); err != nil {
		t.Fatalf("moving the clock: %v", err)
	}
}

// AdvanceToHour moves the clock to the next time that it is hour, hh:mm, in a zone.
func (e *Env) AdvanceToHour(t testing.TB, zone, hour string) {
	t.Helper()
	local, err := clock.LoadZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	of, err := time.Parse("15:04", hour)
	if err != nil {
		t.Fatalf("an hour of the day: %v", err)
	}
	now, err := e.Facts.Now(context.Background()) // t may be a scope of several tests, without a context
	if err != nil {
		t.Fatalf("reading the clock: %v", err)
	}
	at := now.In(local)
	at = time.Date(at.Year(), at.Month(), at.Day(), of.Hour(), of.Minute(), 0, 0, local)
	if at.Before(now) {
		at = at.AddDate(0, 0, 1)
	}
	e.Advance(t, at.Sub(now))
}

// MoveClock adds d to the clock of a dev database. Production databases have nothing to move.
func MoveClock(ctx context.Context, db *database.DB, d time.Duration) error {
	err := db.Read(ctx).Exec("UPDATE lethe_clock SET shift = shift + make_interval(secs => ?)", d.Seconds()).Error
	return database.Wrap("moving the clock", err)
}

// open clones both templates side by side and connects to the clones.
func (s *server) open(ctx context.Context, t testing.TB, factsTemplate, keysTemplate string) *Env {
	t.Helper()
	env := &Env{}
	failed := make(chan error, 1)
	go func() {
		var err error
		env.KeysURL, env.Keys, err = s.clone(ctx, t, keysTemplate)
		failed <- err
	}()
	var err error
	env.FactsURL, env.Facts, err = s.clone(ctx, t, factsTemplate)
	if keysErr := <-failed; err == nil {
		err = keysErr
	}
	if err != nil {
		t.Fatalf("making the test databases: %v", err)
	}
	return env
}
