package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// attempt is one thing that the application's role must not be able to do, whatever stands in front of
// our tables. Forge prepares the copies; %s in it is their schema.
type attempt struct {
	name, forge, do string
	// refused is the SQLSTATE of the trigger that must say no.
	refused string
}

// attempts is what each trigger that reads a table would let through if it read the copy.
var attempts = []attempt{
	{"a departure turns purged", "INSERT INTO %s.legal_transitions VALUES ('departures.stage', 'pending_departure', 'purged')",
		"UPDATE public.departures SET stage = 'purged' WHERE id = @departure", "LT001"},
	{"a departure turns departed before its end", "INSERT INTO %s.legal_transitions VALUES ('departures.stage', 'pending_departure', 'departed')",
		"UPDATE public.departures SET stage = 'departed' WHERE id = @departure", "LT002"},
	{"a person turns purged", "INSERT INTO %s.legal_transitions VALUES ('employees.status', 'active', 'purged')",
		"UPDATE public.employees SET status = 'purged' WHERE id = @employee", "LT001"},
	{"a category due in years turns purging", `
		INSERT INTO %[1]s.legal_transitions VALUES ('employment_categories.state', 'open', 'purging');
		INSERT INTO %[1]s.installation SELECT * FROM public.installation; UPDATE %[1]s.installation SET mode = 'dev';
		INSERT INTO %[1]s.employments SELECT * FROM public.employments WHERE id = @employment; UPDATE %[1]s.employments SET jurisdiction = 'DEMO';
		INSERT INTO %[1]s.employment_categories SELECT * FROM public.employment_categories WHERE id = @category;
		INSERT INTO %[1]s.departures SELECT * FROM public.departures WHERE id = @departure;
		UPDATE %[1]s.departures SET stage = 'departed', employment_ended_at = '2020-01-01', departed_at = '2020-01-01';
		INSERT INTO %[1]s.retention_rules SELECT * FROM public.retention_rules WHERE id = @rule; UPDATE %[1]s.retention_rules SET review_required = false;
		INSERT INTO %[1]s.retention_deadlines SELECT * FROM public.retention_deadlines WHERE category_id = @category;
		UPDATE %[1]s.retention_deadlines SET deadline = '2020-02-01'`,
		"UPDATE public.employment_categories SET state = 'purging' WHERE id = @category", "LT005"},
	{"a line of the timeline with an invented entry", forgedEntry,
		"INSERT INTO public.departure_events (departure_id, what, ledger_entry_id) VALUES (@departure, 'purged', @invented)", "LT013"},
	{"a hold with an invented entry", forgedEntry,
		"INSERT INTO public.holds (id, employee_id, ledger_entry_id) VALUES (gen_random_uuid(), @employee, @invented)", "LT013"},
	{"a hold released with an invented entry", forgedEntry,
		"UPDATE public.holds SET released_at = public.lethe_now(), release_entry_id = @invented WHERE id = @hold", "LT013"},
	{"an account disabled without evidence", `
		INSERT INTO %[1]s.legal_transitions VALUES ('linked_accounts.state', 'unlinking', 'disabled');
		INSERT INTO %[1]s.account_steps SELECT * FROM public.account_steps WHERE id = @step;
		INSERT INTO %[1]s.account_evidence (id, step_id, attempt, at, substep, outcome, detail) VALUES (1, @step, 0, '2026-01-01', 'read_back', 'confirmed', '')`,
		"UPDATE public.linked_accounts SET state = 'disabled' WHERE id = @account", "LT004"},
	{"an account waived by nobody", `
		INSERT INTO %[1]s.legal_transitions VALUES ('linked_accounts.state', 'unlinking', 'stuck'), ('linked_accounts.state', 'stuck', 'waived');
		INSERT INTO %[1]s.support_cases (id, operation_id, step_id, account_id, system, reason, state, resolution, opened_at, asked_by, confirmed_by)
		SELECT gen_random_uuid(), @operation, @step, @account, 's', 'r', 'closed', 'waive', '2026-01-01', @employee, gen_random_uuid()`,
		"UPDATE public.linked_accounts SET state = 'stuck' WHERE id = @account; UPDATE public.linked_accounts SET state = 'waived' WHERE id = @account", "LT004"},
	{"accounts settled while one is open", "INSERT INTO %s.legal_transitions VALUES ('departures.accounts_state', 'linked', 'settled')",
		"UPDATE public.departures SET accounts_state = 'settled' WHERE id = @departure", "LT004"},
	{"an ended approval changes", "INSERT INTO %s.legal_transitions VALUES ('approvals.state', 'pending', 'withdrawn'), ('approvals.state', 'withdrawn', 'approved')",
		"UPDATE public.approvals SET state = 'withdrawn', ended_at = public.lethe_now(), command_sealed = NULL, fingerprint = NULL WHERE id = @approval; " +
			"UPDATE public.approvals SET state = 'approved' WHERE id = @approval", "LT003"},
}

const forgedEntry = "INSERT INTO %[1]s.ledger_pending (entry_id, at) VALUES (@invented, '2026-01-01')"

// world is what there is to attack, made by the attacker's own transaction, which is rolled back.
const world = `
	INSERT INTO public.legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (@entity, @entity::text, '', '', 'CN', 'Asia/Shanghai');
	INSERT INTO public.departments (id, legal_entity_id, code, name_zh, name_en) VALUES (@department, @entity, @department::text, '', '');
	INSERT INTO public.employees (id, employee_no, name, department_id) VALUES (@employee, @employee::text, 'n', @department);
	INSERT INTO public.ledger_entries (id, at, kind, format, epoch, leaf, mac, mac_generation)
		VALUES (@entry, @at, 'departure', 1, 1, '', decode(repeat('00', 32), 'hex'), 1);
	INSERT INTO public.ledger_pending (entry_id, at) VALUES (@entry, @at);
	INSERT INTO public.employments (id, employee_id, legal_entity_id, department_id, jurisdiction, time_zone, hired_on, ledger_entry_id)
		VALUES (@employment, @employee, @entity, @department, 'CN', 'Asia/Shanghai', '2020-01-01', @entry);
	INSERT INTO public.employment_categories (id, employment_id, category) VALUES (@category, @employment, 'identity');
	INSERT INTO public.departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day, employment_end_date,
		access_cutoff_at, employment_ended_at, time_zone)
		VALUES (@departure, @employee, @employment, 'death', '2029-01-01', '2029-01-01', '2029-01-01', '2099-01-01', '2099-01-01', 'UTC');
	INSERT INTO public.departure_events (departure_id, what, ledger_entry_id) VALUES (@departure, 'started', @entry);
	INSERT INTO public.retention_deadlines (id, departure_id, employment_id, category_id, category, rule_id, event_at, deadline, floor_at, ledger_entry_id)
		VALUES (gen_random_uuid(), @departure, @employment, @category, 'identity', @rule, '2099-01-01', '2099-02-01', '2099-02-01', @entry);
	INSERT INTO public.linked_accounts (id, employment_id, system, kind, ledger_entry_id) VALUES (@account, @employment, 's', 'k', @entry);
	INSERT INTO public.account_operations (id, employment_id, kind, mode, origin, ledger_entry_id)
		VALUES (@operation, @employment, 'unlink', 'disable', 'standalone', @entry);
	INSERT INTO public.account_steps (id, operation_id, account_id, system, position, action) VALUES (@step, @operation, @account, 's', 1, 'unlink');
	UPDATE public.linked_accounts SET state = 'unlinking', operation_id = @operation WHERE id = @account;
	INSERT INTO public.holds (id, employee_id, ledger_entry_id) VALUES (@hold, @employee, @entry);
	INSERT INTO public.approvals (id, operation, command_sealed, fingerprint, command_hash, targets, state_digest, hash,
		requester_id, requester_role, requester_authenticated, expires_at, ledger_entry_id)
		SELECT @approval, 'o', decode('4c534c31' || repeat('00', 44), 'hex'), h, h, '[]', h, h, @employee, 'hr_admin', 'session', '2099-01-01', @entry
		FROM (SELECT sha256(@approval::text::bytea)) AS s (h)`

// copies puts a table of each name of ours into the schema, and, where functions can be made there,
// functions that say yes.
const copies = `
	DO $$ DECLARE name text; BEGIN
		FOR name IN SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace
			AND relkind IN ('r', 'p') AND NOT relispartition AND pg_catalog.has_table_privilege(oid, 'SELECT') LOOP
			EXECUTE pg_catalog.format('CREATE TABLE %[1]s.%%I (LIKE public.%%I)', name, name);
		END LOOP;
	END $$;
	CREATE FUNCTION %[1]s.lethe_now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2199-01-01'::timestamptz $$;
	CREATE FUNCTION %[1]s.lethe_purgeable(uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
	CREATE FUNCTION %[1]s.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$`

// attack tries everything as the login of conn, which may make objects in the database, and names what
// was let through, or refused for another reason than it should. Nothing stays.
func attack(ctx context.Context, conn *pgx.Conn) (failed []string, err error) {
	for _, schema := range []string{"pg_temp", "in_front"} {
		found, err := attackFrom(ctx, conn, schema)
		failed = append(failed, found...)
		if err != nil {
			return failed, fmt.Errorf("by copies in %s: %w", schema, err)
		}
	}
	return failed, nil
}

// attackFrom makes the copies in schema and tries everything, each in a savepoint.
func attackFrom(ctx context.Context, conn *pgx.Conn, schema string) (failed []string, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("beginning: %w", err)
	}
	defer func() { err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx))) }()
	args := arguments()
	prepare := []string{world, fmt.Sprintf(copies, schema)}
	if schema != "pg_temp" {
		prepare = []string{world, "CREATE SCHEMA " + schema, "SET LOCAL search_path = " + schema + ", pg_catalog, public", fmt.Sprintf(copies, schema)}
	}
	for _, sql := range prepare {
		if _, err := tx.Exec(ctx, bind(sql, args)); err != nil {
			return nil, fmt.Errorf("preparing: %w", err)
		}
	}
	for _, a := range attempts {
		got, err := a.try(ctx, tx, schema, args)
		if err != nil {
			return failed, fmt.Errorf("%s: %w", a.name, err)
		}
		if got != a.refused {
			failed = append(failed, fmt.Sprintf("%s, by copies in %s: code %q, want %s", a.name, schema, got, a.refused))
		}
	}
	return failed, nil
}

// try says with which SQLSTATE an attempt ended; what it did is taken back.
func (a attempt) try(ctx context.Context, outer pgx.Tx, schema string, args map[string]string) (code string, err error) {
	tx, err := outer.Begin(ctx)
	if err != nil {
		return "", fmt.Errorf("beginning: %w", err)
	}
	defer func() { err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx))) }()
	if _, err := tx.Exec(ctx, bind(fmt.Sprintf(a.forge, schema), args)); err != nil {
		return "", fmt.Errorf("forging: %w", err)
	}
	_, err = tx.Exec(ctx, bind(a.do, args))
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code, nil
	}
	return "", err
}

// arguments are ids for one attempt.
func arguments() map[string]string {
	args := map[string]string{}
	for _, name := range []string{"entity", "department", "employee", "employment", "category", "departure",
		"account", "operation", "step", "hold", "approval", "invented"} {
		args[name] = "'" + uuid.NewString() + "'::uuid"
	}
	args["rule"] = "(SELECT r.id FROM public.retention_rules r ORDER BY r.id LIMIT 1)" // an installation has some
	id := uuid.Must(uuid.NewV7())
	seconds, nanoseconds := id.Time().UnixTime()
	args["entry"] = "'" + id.String() + "'::uuid"
	args["at"] = fmt.Sprintf("pg_catalog.to_timestamp(%d) + interval '%d ms'", seconds, nanoseconds/1e6)
	return args
}
