package ledger_test

import (
	"errors"
	"path/filepath"
	"testing"

	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
)

// TestI19_KeysOfAnotherLedgerAreRefused: what is written with them would never get a place.
func TestI19_KeysOfAnotherLedgerAreRefused(t *testing.T) {
	env := databasetest.New(t)
	path := filepath.Join(t.TempDir(), "ledger.json")
	load := func() *ledger.Keys {
		keys, err := ledger.LoadKeys(path)
		must(t, err)
		return keys
	}
	must(t, ledger.CreateKeyFile(path))
	ours, foreign, app := load(), ledger.NewKeys(), env.AsApp(t)
	fit := func(when string, keys *ledger.Keys, origin string, want error) {
		t.Helper()
		if err := ledger.RequireKeys(t.Context(), app, origin, keys); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", when, err, want)
		}
	}
	attach := func(keys *ledger.Keys) { ledger.Attach(env.Facts, ledger.NewWriter(env.LedgerOrigin(), keys.Writer())) }
	drain := func() {
		must(t, ledger.NewSequencer(env.Facts, env.LedgerStorage, load(), ledger.Options{Origin: env.LedgerOrigin()}).Drain(t.Context()))
	}
	fit("empty", foreign, env.LedgerOrigin(), nil)
	attach(ours)
	write(t, env, 1)
	fit("the first waits, ours", ours, env.LedgerOrigin(), nil)
	fit("the first waits, another's", foreign, env.LedgerOrigin(), ledger.ErrForeignKeys)
	fit("another origin", ours, "lethe/other", ledger.ErrForeignKeys)
	drain()
	attach(foreign)
	write(t, env, 2)
	fit("another one wrote since, ours", ours, env.LedgerOrigin(), nil)
	fit("another one wrote since, theirs", foreign, env.LedgerOrigin(), ledger.ErrForeignKeys)
	must(t, ledger.RotateKeyFile(path))
	fit("rotated, nothing written", load(), env.LedgerOrigin(), nil)
	attach(load())
	write(t, env, 1)
	drain()
	fit("rotated and written", load(), env.LedgerOrigin(), nil)
	fit("the file of before", ours, env.LedgerOrigin(), ledger.ErrForeignKeys)
}
