package dev

import (
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/launch/launchtest"
)

// freshDatabase is an empty database of the test's own.
func freshDatabase(t *testing.T) *database.DB {
	t.Helper()
	server := launchtest.Postgres()
	name := "dev_" + strings.ToLower(rand.Text())
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	db, err := database.Open(t.Context(), u.String(), database.Options{MaxConnections: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestDevTouchesOnlyItsOwnDatabases(t *testing.T) {
	execute := func(t *testing.T, db *database.DB, sql string) {
		t.Helper()
		if _, err := db.SQL().ExecContext(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	migrate := func(t *testing.T, db *database.DB) {
		t.Helper()
		if err := database.Migrate(t.Context(), db, database.SchemaKeys); err != nil {
			t.Fatal(err)
		}
	}
	const key = "INSERT INTO data_keys (id, employment_id, category, category_id, kek_generation, wrapped) VALUES " +
		"(gen_random_uuid(), gen_random_uuid(), 'contract', gen_random_uuid(), 1, 'x')"
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, db *database.DB)
		refused bool
	}{
		{"empty", func(*testing.T, *database.DB) {}, false},
		{"killed while it migrated", func(t *testing.T, db *database.DB) {
			execute(t, db, "CREATE TABLE goose_db_version (id int)")
		}, false},
		{"killed before the mark", migrate, false},
		{"marked dev", func(t *testing.T, db *database.DB) {
			migrate(t, db)
			execute(t, db, "INSERT INTO installation (id, mode) VALUES (gen_random_uuid(), 'dev');"+key)
		}, false},
		{"marked production", func(t *testing.T, db *database.DB) {
			migrate(t, db)
			execute(t, db, "INSERT INTO installation (id, mode) VALUES (gen_random_uuid(), 'production')")
		}, true},
		{"filled without a mark", func(t *testing.T, db *database.DB) {
			migrate(t, db)
			execute(t, db, key)
		}, true},
		{"somebody else's table", func(t *testing.T, db *database.DB) {
			execute(t, db, "CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)")
		}, true},
		{"somebody else's installation", func(t *testing.T, db *database.DB) {
			execute(t, db, "CREATE TABLE installation (id int)")
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := freshDatabase(t)
			test.prepare(t, db)
			err := refuseForeign(t.Context(), db, "data_keys")
			if errors.Is(err, errForeignDatabase) != test.refused || (!test.refused && err != nil) {
				t.Errorf("refused: %v, want %v", err, test.refused)
			}
		})
	}
}
