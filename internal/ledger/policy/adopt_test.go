package policy_test

import (
	"errors"
	"path/filepath"
	"testing"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A rotation: the former policy stands until the next one, which names the old and the new key, was
// adopted in an entry.
func TestI19_ARotationIsAnEntryWithAnOverlap(t *testing.T) {
	env := databasetest.New(t)
	path := filepath.Join(t.TempDir(), "ledger.json")
	must(t, ledger.CreateKeyFile(path))
	load := func() (*ledger.Keys, *policy.Policy) {
		keys, err := ledger.LoadKeys(path)
		must(t, err)
		p, err := policy.Of(env.LedgerOrigin(), keys, 0)
		must(t, err)
		return keys, p
	}
	run := func(do func(tx *database.Tx) error) error { return database.Run(t.Context(), env.Facts, do) }
	keys, first := load()
	for range 2 { // the second process finds it adopted
		must(t, run(func(tx *database.Tx) error { return first.RequireAdopted(tx, keys) }))
	}
	must(t, ledger.RotateKeyFile(path))
	rotated, next := load()
	if len(next.LogKeys) != 2 || len(rotated.LogPublicKeys()) != 2 {
		t.Fatalf("%d keys after a rotation", len(next.LogKeys))
	}
	if err := run(func(tx *database.Tx) error { return next.RequireAdopted(tx, rotated) }); !errors.Is(err, policy.ErrNotAdopted) {
		t.Errorf("a policy that nobody adopted: %v", err)
	}
	without := *next
	without.LogKeys = next.LogKeys[:1]
	if err := run(func(tx *database.Tx) error { return without.Adopt(tx, rotated, ledger.Entry{}) }); !errors.Is(err, policy.ErrNoOverlap) {
		t.Errorf("a policy without the key that signs: %v", err)
	}
	must(t, run(func(tx *database.Tx) error { return next.Adopt(tx, rotated, ledger.Entry{Reason: "yearly"}) }))
	must(t, run(func(tx *database.Tx) error { return next.RequireAdopted(tx, rotated) }))
	if err := run(func(tx *database.Tx) error { return first.RequireAdopted(tx, keys) }); !errors.Is(err, policy.ErrNotAdopted) {
		t.Errorf("the former policy: %v", err)
	}
	var found []string
	must(t, env.Facts.Read(t.Context()).Raw(`SELECT details->>'policy_sha256' FROM ledger_content
		WHERE kind = 'ledger' AND action = 'ledger.policy_changed' ORDER BY entry_id`).Scan(&found).Error)
	if len(found) != 2 || found[0] != first.Digest() || found[1] != next.Digest() {
		t.Errorf("the ledger names %v", found)
	}
}

// The login of serve and worker adopts the first policy, and can change nothing after that.
func TestI19_WhoServesRequestsCannotAdopt(t *testing.T) {
	env := databasetest.New(t)
	app := env.AsApp(t)
	keys := env.LedgerKeys
	first, err := policy.Of(env.LedgerOrigin(), keys, 0)
	must(t, err)
	must(t, database.Run(t.Context(), app, func(tx *database.Tx) error { return first.RequireAdopted(tx, keys) }))
	path := filepath.Join(t.TempDir(), "ledger.json")
	must(t, ledger.CreateKeyFile(path))
	others, err := ledger.LoadKeys(path)
	must(t, err)
	next, err := policy.Of(env.LedgerOrigin(), others, 0)
	must(t, err)
	if err := database.Run(t.Context(), app, func(tx *database.Tx) error { return next.Adopt(tx, others, ledger.Entry{}) }); err == nil {
		t.Error("the app role adopted a policy")
	}
	for _, sql := range []string{
		"UPDATE ledger_policies SET digest = 'another'", "DELETE FROM ledger_policies", "TRUNCATE ledger_policies",
		"INSERT INTO ledger_policies (number, digest, ledger_entry_id) SELECT 2, 'another', entry_id FROM ledger_pending LIMIT 1",
		"INSERT INTO ledger_policies (number, digest, ledger_entry_id) SELECT 0, 'another', entry_id FROM ledger_pending LIMIT 1",
	} {
		if err := app.Read(t.Context()).Exec(sql).Error; err == nil {
			t.Errorf("%s: done", sql)
		}
	}
	must(t, database.Run(t.Context(), app, func(tx *database.Tx) error { return first.RequireAdopted(tx, keys) }))
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error { return next.Adopt(tx, others, ledger.Entry{}) }))
}
