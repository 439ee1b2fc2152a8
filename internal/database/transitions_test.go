package database_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	_ "lethe/internal/ledger/evidence" // declares the states of exports
	"lethe/models"
)

// machineRows inserts one row into the table of each state machine. Foreign keys are off: only the
// column of the machine matters.
var machineRows = map[string]string{
	"employees":             "INSERT INTO employees (id, employee_no, name, department_id) VALUES (gen_random_uuid(), 'E', 'n', gen_random_uuid())",
	"employment_categories": "INSERT INTO employment_categories (id, employment_id, category) VALUES (gen_random_uuid(), gen_random_uuid(), 'identity')",
	"departures": `INSERT INTO departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day, employment_end_date,
		access_cutoff_at, employment_ended_at, time_zone)
		VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'death', '2026-01-01', '2026-01-01', '2026-01-01', '2026-01-01', '2026-01-01', 'UTC')`,
	"linked_accounts": "INSERT INTO linked_accounts (id, employment_id, system, kind) VALUES (gen_random_uuid(), gen_random_uuid(), 's', 'k')",
	"account_operations": `INSERT INTO account_operations (id, employment_id, kind, mode, origin)
		VALUES (gen_random_uuid(), gen_random_uuid(), 'unlink', 'disable', 'standalone')`,
	"account_steps": `INSERT INTO account_steps (id, operation_id, account_id, system, position, action)
		VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 's', 1, 'unlink')`,
	"support_cases": `INSERT INTO support_cases (id, operation_id, step_id, account_id, system, reason)
		VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 's', 'r')`,
	"retention_deadlines": `INSERT INTO retention_deadlines (id, departure_id, employment_id, category_id, category, rule_id, event_at, deadline, floor_at)
		VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'identity', gen_random_uuid(), '2026-01-01', '2026-01-01', '2026-01-01')`,
	"approvals": withoutChecks("approvals") + `INSERT INTO approvals (id, operation, command_hash, targets, state_digest, hash,
		requester_id, requester_role, requester_authenticated, expires_at)
		VALUES (gen_random_uuid(), 'o', '', '[]', '', '', gen_random_uuid(), 'hr_admin', 'token', '2099-01-01')`,
	"users":             withoutChecks("users") + "INSERT INTO users (id, employee_id, login) VALUES (gen_random_uuid(), gen_random_uuid(), 'l')",
	"retentions":        withoutChecks("retentions") + "INSERT INTO retentions (id, employment_id) VALUES (gen_random_uuid(), gen_random_uuid())",
	"purge_claims":      withoutChecks("purge_claims") + "INSERT INTO purge_claims (purge_id, departure_id, category_id, category) VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'identity')",
	"query_log_exports": withoutChecks("query_log_exports") + "INSERT INTO query_log_exports (id, entry_id, requested_by, role, authenticated, reason, formats) VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '', '', 'r', '')",
	"disclosures":       withoutChecks("disclosures") + "INSERT INTO disclosures (id, employee_id, employment_id, actor_id, actor_role, fields, purpose, status, state, rule, ledger_entry_id) VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '', '{}', 'p', '', 'waiting', '', gen_random_uuid())",
	"batches":           withoutChecks("batches") + "INSERT INTO batches (id, kind, state, actor_id, actor_role, user_id, authenticated, format, bytes, mapping, rows, content_until, ledger_entry_id) VALUES (gen_random_uuid(), 'import', 'mapping', gen_random_uuid(), '', gen_random_uuid(), '', 'csv', 0, '{}', 1, '2099-01-01', gen_random_uuid())",
	"messages":          withoutChecks("messages") + "INSERT INTO messages (id, employee_id, requested_by, state, ledger_entry_id) VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'waiting', gen_random_uuid())",
	"subject_requests":  withoutChecks("subject_requests") + "INSERT INTO subject_requests (id, employee_id, kind, state, form, entered_by, entered_at, answer_due_at, ledger_entry_id) VALUES (gen_random_uuid(), gen_random_uuid(), 'copy', 'open', 'own_login', gen_random_uuid(), '2026-01-01', '2026-01-01', gen_random_uuid())",
	"reconciliations":   withoutChecks("reconciliations") + "INSERT INTO reconciliations (id, ledger_entry_id) VALUES (gen_random_uuid(), gen_random_uuid())",
	"access_cuts":       withoutChecks("access_cuts") + "INSERT INTO access_cuts (id, employee_id, state, holder_of, ordered_by, ordered_role, ordered_at, confirm_due_at, ledger_entry_id) VALUES (gen_random_uuid(), gen_random_uuid(), 'unconfirmed', '{}', gen_random_uuid(), '', '2026-01-01', '2026-01-01', gen_random_uuid())",
	"emergency_calls":   withoutChecks("emergency_calls") + "INSERT INTO emergency_calls (id, caller_id, caller_role, state, on_duty, ledger_entry_id) VALUES (gen_random_uuid(), gen_random_uuid(), '', 'open', '{}', gen_random_uuid())",
	"purges":            withoutChecks("purges") + "INSERT INTO purges (id, departure_id, employment_id) VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid())",
}

// withoutChecks takes a table's constraints away for the transaction: what else a row must hold in each
// state is not what is tried here.
func withoutChecks(table string) string {
	return `DO $$ DECLARE c name; BEGIN
		FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = '` + table + `'::regclass AND contype = 'c' LOOP
			EXECUTE format('ALTER TABLE ` + table + ` DROP CONSTRAINT %I', c);
		END LOOP;
	END $$;
	`
}

// TestI11_OnlyDeclaredTransitions: what the program declares to be legal, and nothing else, is what the database
// lists, and what its triggers let pass, of every pair of states and of states that nobody knows.
func TestI11_OnlyDeclaredTransitions(t *testing.T) {
	env := databasetest.New(t)
	var listed []string
	must(t, env.Facts.Read(t.Context()).Raw("SELECT machine || ': ' || from_state || ' to ' || to_state FROM legal_transitions").Scan(&listed).Error)
	var declared []string
	for set := range closed.All() {
		if set.Column == "" {
			continue
		}
		states := append([]string{"unheard_of"}, set.Values...)
		legal := map[[2]string]bool{}
		for _, from := range states {
			for _, to := range states {
				legal[[2]string{from, to}] = from == to || slices.Contains(set.Next[from], to)
				if slices.Contains(set.Next[from], to) {
					declared = append(declared, set.Column+": "+from+" to "+to)
				}
			}
		}
		if diff := cmp.Diff(legal, tryAll(t, env, set.Column, states)); diff != "" {
			t.Errorf("%s (- declared, + accepted): %s", set.Column, diff)
		}
	}
	slices.Sort(listed)
	slices.Sort(declared)
	if diff := cmp.Diff(declared, listed); diff != "" {
		t.Errorf("(- declared, + listed): %s", diff)
	}
}

// tryAll says for each pair of states whether the machine's trigger lets it pass.
func tryAll(t *testing.T, env *databasetest.Env, machine string, states []string) map[[2]string]bool {
	t.Helper()
	table, column, _ := strings.Cut(machine, ".")
	accepted := map[[2]string]bool{}
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		run := func(sql string, args ...any) error { return database.Hide(tx.DB().Exec(sql, args...).Error) }
		// A replica checks no foreign keys and fires only the triggers that are enabled always: here
		// the machine's own, since the others have rules and tests of their own.
		must(t, run("SET LOCAL session_replication_role = replica"))
		must(t, run(unguarded(table, column)))
		must(t, run(machineRows[table]))
		for _, from := range states {
			must(t, run(fmt.Sprintf("ALTER TABLE %s ENABLE TRIGGER %s_%s", table, table, column)))
			must(t, run(fmt.Sprintf("UPDATE %s SET %s = ?", table, column), from))
			must(t, run(fmt.Sprintf("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s_%s", table, table, column)))
			for _, to := range states {
				must(t, run("SAVEPOINT before"))
				err := run(fmt.Sprintf("UPDATE %s SET %s = ?", table, column), to)
				if err != nil && database.Code(err) != database.CodeIllegalTransition {
					t.Errorf("%s from %s to %s: %v", machine, from, to, err)
				}
				accepted[[2]string{from, to}] = err == nil
				must(t, run("ROLLBACK TO SAVEPOINT before"))
			}
		}
		return nil
	}))
	return accepted
}

// unguarded switches off what else guards a row of the table whatever the session: entries of the
// ledger, who decides, what a purge may begin. Each has tests of its own.
func unguarded(table, column string) string {
	return fmt.Sprintf(`DO $$ DECLARE name text; BEGIN
		FOR name IN SELECT t.tgname FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
			WHERE t.tgrelid = '%[1]s'::regclass AND NOT t.tgisinternal AND t.tgenabled = 'A' AND f.proname LIKE 'refuse%%' AND t.tgname <> '%[1]s_%[2]s' LOOP
			EXECUTE format('ALTER TABLE %[1]s DISABLE TRIGGER %%I', name);
		END LOOP;
	END $$`, table, column)
}

func TestDeparture_BeginsPendingAndDepartsOnlyAfterItsEnd(t *testing.T) {
	env := databasetest.New(t)
	id := insertDeparture(t, env, env.Hire(t, "CN"))
	g := env.Facts.Read(t.Context())
	depart := func() error {
		return database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
			err := database.UpdateOne(tx.DB().Model(&models.Departure{}).Where("id = ?", id).Update("stage", models.StageDeparted))
			if err != nil {
				return err
			}
			return databasetest.Told(tx, id)
		})
	}
	if err := depart(); database.Code(err) != database.CodeTooEarly {
		t.Errorf("departed a day before the end: %v", err)
	}
	env.Advance(t, 24*time.Hour)
	must(t, depart())

	second, err := database.First[models.Departure](g.Where("id = ?", id))
	must(t, err)
	second.ID, second.EmploymentID = uuid.New(), env.Hire(t, "CN").ID
	if err := database.Hide(g.Create(&second).Error); database.Code(err) != database.CodeIllegalTransition {
		t.Errorf("a departure began as %s: %v", second.Stage, err)
	}
}

// TestI9_OneOpenDeparture: a second one is refused by the index until the first is taken back.
func TestI9_OneOpenDeparture(t *testing.T) {
	env := databasetest.New(t)
	g := env.Facts.Read(t.Context())
	id := insertDeparture(t, env, env.Hire(t, "CN"))
	first, err := database.First[models.Departure](g.Where("id = ?", id))
	must(t, err)
	second := first
	second.ID = uuid.New()
	if err := database.Hide(g.Create(&second).Error); !database.Violates(err, "departures_one_open") {
		t.Errorf("a second open departure: %v", err)
	}
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		must(t, databasetest.Told(tx, id))
		return database.UpdateOne(tx.DB().Model(&models.Departure{}).Where("id = ?", id).Update("stage", models.StageWithdrawn))
	}))
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		return errors.Join(tx.DB().Create(&second).Error, databasetest.Told(tx, second.ID))
	}))
}

func TestAppendOnlyTables(t *testing.T) {
	env := databasetest.New(t)
	g := env.Facts.Read(t.Context())
	insertDeparture(t, env, env.Hire(t, "CN"))
	for table, column := range map[string]string{"departure_events": "what", "account_evidence": "outcome", "destruction_certificates": "issued_at", "ledger_policies": "digest",
		"purge_rejections": "rejected_at"} {
		for _, sql := range []string{
			fmt.Sprintf("UPDATE %s SET %s = %s", table, column, column), "DELETE FROM " + table, "TRUNCATE " + table,
		} {
			if err := database.Hide(g.Exec(sql).Error); database.Code(err) != database.CodeAppendOnly {
				t.Errorf("%s: %v, want LT003", sql, err)
			}
		}
	}
}

// TestI18_AFactWithoutItsEntryIsRefused by every table of facts: no entry, and one that is not of
// this moment.
func TestI18_AFactWithoutItsEntryIsRefused(t *testing.T) {
	env := databasetest.New(t)
	var tables []string
	must(t, env.Facts.Read(t.Context()).Raw(`SELECT DISTINCT event_object_table FROM information_schema.triggers
		WHERE trigger_name LIKE '%\_recorded' AND event_manipulation = 'INSERT' ORDER BY 1`).Scan(&tables).Error)
	want := []string{
		"access_cuts", "access_links", "account_drift", "account_evidence", "account_operations", "api_tokens", "approvals", "attachments", "batches", "break_glass", "catalogue_versions", "consents", "contact_removals", "departure_events", "destruction_certificates", "disclosures", "duty_shifts", "emergency_calls",
		"enrolment_halves", "enrolments", "holds", "ledger_policies", "linked_accounts", "lost_keys", "messages", "oidc_links", "permission_versions", "privacy_policies", "purge_rejections", "purges",
		"reconciliations", "recovery_codes", "reminders", "retentions", "sessions", "subject_requests", "succession_plans", "successions", "support_cases", "user_roles", "users",
	}
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Fatal(diff)
	}
	for _, table := range tables {
		for _, entry := range []string{"NULL", "gen_random_uuid()"} {
			// The trigger comes before every constraint, so that the rest of the row does not matter.
			err := database.Hide(env.Facts.Read(t.Context()).Exec(fmt.Sprintf("INSERT INTO %s (ledger_entry_id) VALUES (%s)", table, entry)).Error)
			if database.Code(err) != database.CodeUnrecorded {
				t.Errorf("%s with entry %s: %v", table, entry, err)
			}
		}
	}
}
