package database_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
)

// errDone ends a transaction of which nothing shall stay.
var errDone = errors.New("done")

// TestI18_OnlyAnEntryOfThisTransactionCounts tries, as the application, every way to name another one.
func TestI18_OnlyAnEntryOfThisTransactionCounts(t *testing.T) {
	env := databasetest.New(t)
	app := env.AsApp(t)
	departure := insertDeparture(t, env, env.Hire(t, "CN"))
	appended := func(tx *database.Tx) (uuid.UUID, error) {
		return ledger.Append(tx, ledger.Entry{Kind: ledger.KindDeparture, Action: "departure.started"})
	}
	earlier := func(write func(tx *database.Tx) (uuid.UUID, error)) (id uuid.UUID) {
		must(t, database.Run(t.Context(), app, func(tx *database.Tx) (err error) {
			id, err = write(tx)
			return err
		}))
		return id
	}
	sequenced := earlier(appended)
	if err := env.NewSequencer(t).Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting, forged := earlier(appended), earlier(func(tx *database.Tx) (uuid.UUID, error) {
		id := uuid.New()
		return id, database.Hide(tx.DB().Exec(`INSERT INTO ledger_entries (id, at, kind, format, epoch, leaf, mac, mac_generation)
			VALUES (?, '2026-01-01', 'x', 1, 1, '', decode(repeat('00', 32), 'hex'), 1)`, id).Error)
	})
	pend := func(tx *database.Tx, id uuid.UUID) error {
		return database.Hide(tx.DB().Exec("INSERT INTO ledger_pending (entry_id, at) SELECT ?, coalesce((SELECT at FROM ledger_entries WHERE id = ?), '2026-01-01')", id, id).Error)
	}
	for name, test := range map[string]struct {
		entry func(tx *database.Tx) (uuid.UUID, error)
		want  string
	}{
		"its own":                     {appended, ""},
		"its own, after a savepoint":  {func(tx *database.Tx) (uuid.UUID, error) { return savepoint(tx, appended) }, ""},
		"none":                        {func(*database.Tx) (uuid.UUID, error) { return uuid.New(), nil }, "LT013"},
		"an invented id in the queue": {func(tx *database.Tx) (uuid.UUID, error) { id := uuid.New(); return id, pend(tx, id) }, "LT013"},
		"one of before that waits":    {func(*database.Tx) (uuid.UUID, error) { return waiting, nil }, "LT013"},
		"one of before, queued again": {func(tx *database.Tx) (uuid.UUID, error) { return sequenced, pend(tx, sequenced) }, "LT013"},
		"one of before, queued late":  {func(tx *database.Tx) (uuid.UUID, error) { return forged, pend(tx, forged) }, "LT013"},
		"one of before, with another time": {func(tx *database.Tx) (uuid.UUID, error) {
			err := tx.DB().Exec(`INSERT INTO ledger_entries (id, at, kind, format, epoch, leaf, mac, mac_generation)
				SELECT id, at + interval '1 ms', kind, format, epoch, leaf, mac, mac_generation FROM ledger_entries WHERE id = ?`, sequenced).Error
			if err == nil {
				err = tx.DB().Exec("INSERT INTO ledger_pending (entry_id, at) SELECT id, max(at) FROM ledger_entries WHERE id = ? GROUP BY id", sequenced).Error
			}
			return sequenced, database.Hide(err)
		}, "LT013"},
		"one that never waits": {func(tx *database.Tx) (uuid.UUID, error) {
			id := uuid.New()
			return id, database.Hide(tx.DB().Exec(`INSERT INTO ledger_entries (id, at, kind, format, epoch, leaf, mac, mac_generation)
				VALUES (?, '2026-01-01', 'x', 1, 1, '', decode(repeat('00', 32), 'hex'), 1)`, id).Error)
		}, "LT013"},
	} {
		var got string
		err := database.Run(t.Context(), app, func(tx *database.Tx) error {
			entry, err := test.entry(tx)
			if err != nil {
				return err
			}
			got = database.Code(tellBy(tx, departure, entry))
			return errDone
		})
		if wantError(t, err, errDone); got != test.want {
			t.Errorf("%s: code %q, want %q", name, got, test.want)
		}
	}
	err := app.Read(t.Context()).Exec(`INSERT INTO ledger_entries (id, at, kind, format, epoch, leaf, mac, mac_generation, written_in)
		VALUES (gen_random_uuid(), '2026-01-01', 'x', 1, 1, '', decode(repeat('00', 32), 'hex'), 1, '7')`).Error
	if got := database.Code(database.Hide(err)); got != denied {
		t.Errorf("the application says in which transaction an entry was written: code %q, want %s", got, denied)
	}
}

func savepoint(tx *database.Tx, fn func(tx *database.Tx) (uuid.UUID, error)) (uuid.UUID, error) {
	if err := tx.DB().Exec("SAVEPOINT inside").Error; err != nil {
		return uuid.Nil, database.Hide(err)
	}
	id, err := fn(tx)
	if err != nil {
		return id, err
	}
	return id, database.Hide(tx.DB().Exec("RELEASE SAVEPOINT inside").Error)
}

// TestInstall_RefusesAnEmptyOrForeignKeysDatabase: nothing is marked or migrated on the way.
func TestInstall_RefusesAnEmptyOrForeignKeysDatabase(t *testing.T) {
	used, empty, foreign := databasetest.New(t), databasetest.NewEmpty(t), databasetest.New(t)
	for _, env := range []*databasetest.Env{used, foreign} {
		env.Hire(t, "CN")
		env.Hire(t, "SG")
	}
	for name, test := range map[string]struct {
		facts, keys *database.DB
		want        error
	}{
		"empty":               {used.Facts, empty.Keys, database.ErrEmptyKeys},
		"foreign":             {used.Facts, foreign.Keys, database.ErrForeignKeys},
		"keys of lost facts":  {empty.Facts, foreign.Keys, database.ErrForeignKeys},
		"the same":            {used.Facts, used.Keys, nil},
		"both without a mark": {empty.Facts, empty.Keys, nil},
	} {
		if err := database.CheckPair(t.Context(), test.facts, test.keys); err != test.want {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if test.want == nil {
			continue
		}
		_, err := database.Install(t.Context(), test.facts, test.keys, database.ModeDev)
		wantError(t, err, test.want)
		_, err = database.CheckInstallation(t.Context(), test.facts, test.keys, database.ModeDev)
		wantError(t, err, test.want)
	}
	var made int64
	must(t, empty.Keys.Read(t.Context()).Raw("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&made).Error)
	if made != 0 {
		t.Errorf("%d tables were made in a refused database", made)
	}
}
