package database_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

var migrationName = regexp.MustCompile(`^(\d{5})_[a-z0-9_]+\.sql$`)

func TestMigrations_NumbersAreContiguousAndUnique(t *testing.T) {
	for _, schema := range []database.Schema{database.SchemaMain, database.SchemaKeys} {
		files, err := os.ReadDir(filepath.Join("migrations", string(schema)))
		must(t, err)
		for i, file := range files {
			match := migrationName.FindStringSubmatch(file.Name())
			if match == nil {
				t.Errorf("%s/%s is not named like 00001_what_it_does.sql", schema, file.Name())
				continue
			}
			if number, err := strconv.Atoi(match[1]); err != nil || number != i+1 {
				t.Errorf("%s/%s should have number %d", schema, file.Name(), i+1)
			}
		}
	}
}

// TestMigrations_UpDownUp goes up, down and up again with rows in between, and wants the second
// schema to be the first one, to the last index, function and trigger.
func TestMigrations_UpDownUp(t *testing.T) {
	env := databasetest.NewEmpty(t)
	for schema, db := range map[database.Schema]*database.DB{database.SchemaMain: env.Facts, database.SchemaKeys: env.Keys} {
		nothing := describe(t, db)
		must(t, database.Migrate(t.Context(), db, schema))
		must(t, database.Migrate(t.Context(), db, schema))
		current, newest, err := database.MigrationVersion(t.Context(), db, schema)
		must(t, err)
		if current != newest || newest == 0 {
			t.Errorf("%s is at version %d of %d", schema, current, newest)
		}
		first := describe(t, db)
		if len(first) <= len(nothing) {
			t.Fatal("the description of a schema sees nothing")
		}
		seed(t, env, schema)
		must(t, database.MigrateDown(t.Context(), db, schema, 0))
		// Connections remember the types of the schema that is gone.
		db.SQL().SetMaxIdleConns(0)
		db.SQL().SetMaxIdleConns(1)
		if diff := cmp.Diff(nothing, describe(t, db)); diff != "" {
			t.Errorf("%s: left behind after down: %s", schema, diff)
		}
		must(t, database.Migrate(t.Context(), db, schema))
		if diff := cmp.Diff(first, describe(t, db)); diff != "" {
			t.Errorf("%s: up, down and up again differs: %s", schema, diff)
		}
		seed(t, env, schema)
	}
}

// TestMigrations_StepByStep takes each migration back and forth on its own, with rows there.
func TestMigrations_StepByStep(t *testing.T) {
	env := databasetest.NewUnmarked(t)
	for schema, db := range map[database.Schema]*database.DB{database.SchemaMain: env.Facts, database.SchemaKeys: env.Keys} {
		seed(t, env, schema)
		_, newest, err := database.MigrationVersion(t.Context(), db, schema)
		must(t, err)
		for version := newest - 1; version >= 0; version-- {
			must(t, database.MigrateDown(t.Context(), db, schema, version))
			current, _, err := database.MigrationVersion(t.Context(), db, schema)
			must(t, err)
			if current != version {
				t.Errorf("%s is at version %d, want %d", schema, current, version)
			}
		}
		must(t, database.Migrate(t.Context(), db, schema))
	}
}

// TestMigrate_Racing starts several migrations at once, as several processes would.
func TestMigrate_Racing(t *testing.T) {
	env := databasetest.NewEmpty(t)
	errs := make(chan error)
	const racers = 3
	for range racers {
		go func() { errs <- database.Migrate(t.Context(), env.Keys, database.SchemaKeys) }()
	}
	for range racers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// seed inserts rows of the tables that others refer to.
func seed(t *testing.T, env *databasetest.Env, schema database.Schema) {
	t.Helper()
	if schema == database.SchemaKeys {
		must(t, env.Keys.Read(t.Context()).Exec(`INSERT INTO data_keys (id, employment_id, category, category_id, kek_generation, wrapped)
			VALUES (gen_random_uuid(), gen_random_uuid(), 'identity', gen_random_uuid(), 1, 'x')`).Error)
		return
	}
	employment := env.Hire(t, "CN")
	g := env.Facts.Read(t.Context())
	must(t, g.Create(&models.EmploymentCategory{
		ID: uuid.New(), EmploymentID: employment.ID, Category: models.CategoryIdentity, State: models.CategoryOpen,
	}).Error)
	insertDeparture(t, env, employment)
	must(t, g.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", employment.EmployeeID, employment.DepartmentID).Error)
}

func tellBy(tx *database.Tx, departure, entry uuid.UUID) error {
	return database.Hide(tx.DB().Exec("INSERT INTO departure_events (departure_id, what, ledger_entry_id) VALUES (?, 'x', ?)", departure, entry).Error)
}

// describe lists everything in the schema but goose's own table: columns, constraints, indexes,
// functions, triggers, types, and the listed transitions.
func describe(t *testing.T, db *database.DB) []string {
	t.Helper()
	var lines []string
	err := db.Read(t.Context()).Raw(`
		SELECT line FROM (
			SELECT format('column %s.%s %s %s %s', table_name, column_name, coalesce(domain_name, data_type), is_nullable, column_default) AS line
			FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version'
			UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
			WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'goose_db_version'
			UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'goose_db_version'
			UNION ALL SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
			UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
			UNION ALL SELECT format('type %s %s', typname, typtype) FROM pg_type
			WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e')
		) AS everything ORDER BY line`).Scan(&lines).Error
	must(t, err)
	var transitions bool
	must(t, db.Read(t.Context()).Raw("SELECT to_regclass('legal_transitions') IS NOT NULL").Scan(&transitions).Error)
	if transitions {
		var listed []string
		must(t, db.Read(t.Context()).Raw(`SELECT format('transition %s %s %s', machine, from_state, to_state)
			FROM legal_transitions ORDER BY 1`).Scan(&listed).Error)
		lines = append(lines, listed...)
	}
	return lines
}
