package database_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
)

// denied is the SQLSTATE of whoever lacks a privilege.
const denied = "42501"

// tables are those that a condition on pg_class c picks.
func tables(t *testing.T, env *databasetest.Env, condition string) []string {
	t.Helper()
	var names []string
	must(t, env.Facts.Read(t.Context()).Raw(`SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
		AND c.relkind IN ('r', 'p') AND `+condition+` ORDER BY 1`).Scan(&names).Error)
	return names
}

// appendOnly are the tables with a trigger against change, and every partition of theirs.
const appendOnly = `EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
	WHERE t.tgtype & 16 <> 0 AND f.proname = 'refuse_change'
	AND t.tgrelid IN (SELECT c.oid UNION SELECT inhparent FROM pg_inherits WHERE inhrelid = c.oid))`

// TestI19_NoRoleRewrites tries every way to change what is append-only, on each table and on each
// partition, as each of the roles that processes have.
func TestI19_NoRoleRewrites(t *testing.T) {
	env := databasetest.New(t)
	protected := tables(t, env, appendOnly)
	for _, expected := range []string{"departure_events", "account_evidence", "destruction_certificates",
		"ledger_entries", "ledger_entries_default", "ledger_content", "ledger_content_default", "ledger_sequence", "ledger_epochs"} {
		if !slices.Contains(protected, expected) {
			t.Fatalf("%s is not append-only; the check would check nothing", expected)
		}
	}
	for _, group := range []database.Role{database.RoleApp, database.RoleSequencer, database.RoleLedgerRetention} {
		_, db := env.Login(t, group)
		for _, table := range protected {
			var column string
			must(t, env.Facts.Read(t.Context()).Raw("SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attgenerated = '' LIMIT 1", table).Scan(&column).Error)
			attempts := []string{
				"UPDATE %[1]s SET %[2]s = %[2]s", "DELETE FROM %[1]s", "TRUNCATE %[1]s CASCADE",
				"ALTER TABLE %[1]s DISABLE TRIGGER ALL", "ALTER TABLE %[1]s DROP COLUMN %[2]s", "ALTER TABLE %[1]s OWNER TO CURRENT_USER",
				"DROP TABLE %[1]s CASCADE",
				"CREATE TRIGGER undo BEFORE INSERT ON %[1]s FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
				"CREATE RULE undo AS ON INSERT TO %[1]s DO INSTEAD NOTHING", "SELECT 1 FROM %[1]s FOR UPDATE",
				"DO $$ BEGIN LOCK TABLE %[1]s IN ACCESS EXCLUSIVE MODE; END $$",
			}
			if table == "ledger_pending" && group == database.RoleSequencer {
				continue // it takes entries from there
			}
			for _, attempt := range attempts {
				sql := fmt.Sprintf(attempt, table, column)
				if got := database.Code(database.Hide(db.Read(t.Context()).Exec(sql).Error)); got != denied {
					t.Errorf("%s: %s: code %q, want %s", group, sql, got, denied)
				}
			}
		}
	}
}

// TestI19_NoRoleGainsPower tries what would make the rest possible.
func TestI19_NoRoleGainsPower(t *testing.T) {
	env := databasetest.New(t)
	var owner string
	must(t, env.Facts.Read(t.Context()).Raw("SELECT tableowner FROM pg_tables WHERE tablename = 'departures'").Scan(&owner).Error)
	for _, group := range []database.Role{database.RoleApp, database.RoleSequencer, database.RoleLedgerRetention} {
		_, db := env.Login(t, group)
		for _, sql := range []string{
			"SET session_replication_role = replica", "SET ROLE " + owner, "SET SESSION AUTHORIZATION " + owner,
			"CREATE TABLE public.mine ()", "CREATE SCHEMA mine", "CREATE ROLE mine",
			"CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
			"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
			"CREATE OR REPLACE FUNCTION lethe_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT clock_timestamp()'",
			"SELECT lethe_grant_privileges()", "GRANT lethe_ledger_retention TO CURRENT_USER WITH ADMIN OPTION",
			"UPDATE installation SET mode = mode", "UPDATE legal_transitions SET to_state = to_state",
			"INSERT INTO legal_transitions VALUES ('departures.stage', 'departed', 'pending_departure')",
			"UPDATE lethe_clock SET shift = shift", "DELETE FROM departures", "DELETE FROM employees", "TRUNCATE employees CASCADE",
			"COPY departures TO PROGRAM 'true'", "ALTER SYSTEM SET fsync = off", "SELECT pg_read_file('PG_VERSION')",
		} {
			if got := database.Code(database.Hide(db.Read(t.Context()).Exec(sql).Error)); got != denied {
				t.Errorf("%s: %s: code %q, want %s", group, sql, got, denied)
			}
		}
	}
}

// TestRoles_AppReadsEverything: no table was forgotten, and no partition is open beside its parent.
func TestRoles_AppReadsEverything(t *testing.T) {
	env := databasetest.New(t)
	if closed := tables(t, env, "NOT c.relispartition AND NOT has_table_privilege('lethe_app', c.oid, 'SELECT')"); len(closed) > 0 {
		t.Errorf("the app role cannot read %v: the migration that made them should end with SELECT lethe_grant_privileges()", closed)
	}
	if open := tables(t, env, "c.relispartition AND has_table_privilege('lethe_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')"); len(open) > 0 {
		t.Errorf("the app role has privileges on the partitions %v", open)
	}
	for _, privilege := range []string{"TRUNCATE", "TRIGGER", "REFERENCES"} {
		if open := tables(t, env, "has_table_privilege('lethe_app', c.oid, '"+privilege+"')"); len(open) > 0 {
			t.Errorf("the app role has %s on %v", privilege, open)
		}
	}
}

func TestRequireApp(t *testing.T) {
	env := databasetest.New(t)
	wantError(t, database.RequireApp(t.Context(), env.Facts), database.ErrTooPowerful)
	must(t, database.RequireOwner(t.Context(), env.Facts))

	address, app := env.Login(t, database.RoleApp)
	must(t, database.RequireApp(t.Context(), app))
	wantError(t, database.RequireOwner(t.Context(), app), database.ErrNotOwner)
	wantError(t, database.RequireSequencer(t.Context(), app), database.ErrNotMember)
	login := strings.TrimPrefix(strings.Split(address, ":")[1], "//")

	_, sequencer := env.Login(t, database.RoleSequencer)
	must(t, database.RequireSequencer(t.Context(), sequencer))
	wantError(t, database.RequireApp(t.Context(), sequencer), database.ErrTooPowerful)

	for give, take := range map[string]string{
		"GRANT UPDATE ON departure_events TO " + login:                "REVOKE UPDATE ON departure_events FROM " + login,
		"GRANT TRUNCATE ON destruction_certificates TO " + login:      "REVOKE TRUNCATE ON destruction_certificates FROM " + login,
		"GRANT lethe_sequencer TO " + login:                           "REVOKE lethe_sequencer FROM " + login,
		"GRANT pg_write_all_data TO " + login:                         "REVOKE pg_write_all_data FROM " + login,
		"ALTER ROLE " + login + " CREATEROLE":                         "ALTER ROLE " + login + " NOCREATEROLE",
		"ALTER ROLE " + login + " SUPERUSER":                          "ALTER ROLE " + login + " NOSUPERUSER",
		"CREATE TABLE stray (); ALTER TABLE stray OWNER TO " + login:  "DROP TABLE stray",
		"GRANT SET ON PARAMETER session_replication_role TO " + login: "REVOKE SET ON PARAMETER session_replication_role FROM " + login,
	} {
		must(t, env.Facts.Read(t.Context()).Exec(give).Error)
		wantError(t, database.RequireApp(t.Context(), app), database.ErrTooPowerful)
		must(t, env.Facts.Read(t.Context()).Exec(take).Error)
		must(t, database.RequireApp(t.Context(), app))
	}
}

// TestRequireKeysApp: serve and worker own neither database, and cannot bring a destroyed key back.
func TestRequireKeysApp(t *testing.T) {
	env := databasetest.New(t)
	wantError(t, database.RequireKeysApp(t.Context(), env.Keys), database.ErrTooPowerful)
	_, app := env.KeysLogin(t, database.RoleApp)
	must(t, database.RequireKeysApp(t.Context(), app))
	for _, sql := range []string{
		"ALTER TABLE data_keys DISABLE TRIGGER ALL", "DROP TABLE loose_keys", "TRUNCATE data_keys", "DELETE FROM loose_keys",
		"UPDATE installation SET mode = mode", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)",
		"CREATE TABLE public.mine ()", "CREATE TEMPORARY TABLE data_keys ()", "SET session_replication_role = replica",
		"CREATE OR REPLACE FUNCTION refuse_resurrection() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
	} {
		if got := database.Code(database.Hide(app.Read(t.Context()).Exec(sql).Error)); got != denied {
			t.Errorf("%s: code %q, want %s", sql, got, denied)
		}
	}
	must(t, app.Read(t.Context()).Exec("SELECT FROM data_keys, loose_keys, installation FOR UPDATE OF data_keys, loose_keys").Error)
}

// TestMigrate_WithoutTheRightToMakeRoles: the names are others, since the real roles exist on the
// server that all tests share.
func TestMigrate_WithoutTheRightToMakeRoles(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("migrations", "main", "00014_roles.sql"))
	must(t, err)
	block, _, found := strings.Cut(string(content), "-- +goose StatementEnd")
	if !found {
		t.Fatal("the migration does not begin with the block that makes the roles")
	}
	_, block, _ = strings.Cut(block, "DO $$")
	block = strings.ReplaceAll("DO $$"+block, "'lethe_", "'lethe_absent_")
	env := databasetest.New(t)
	_, db := env.Login(t, database.RoleApp)
	if got := database.Code(database.Hide(db.Read(t.Context()).Exec(block).Error)); got != "LT014" {
		t.Errorf("code %q, want LT014", got)
	}
}
