-- +goose Up
-- Whoever serves requests must not be able to rewrite what the ledger says. The owner of the tables
-- only migrates; processes log in as members of these group roles. They belong to the whole cluster,
-- so several installations (and many test databases) find or make the same ones at the same time.
-- +goose StatementBegin
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['lethe_app', 'lethe_sequencer', 'lethe_ledger_retention'] LOOP
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            CONTINUE;
        END IF;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- another installation was faster
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the role % is missing and may not be created', wanted USING ERRCODE = 'LT014';
        END;
    END LOOP;
END $$;
-- +goose StatementEnd

-- Gives every role what it needs, and takes back everything else. It may be repeated: a migration
-- that adds a table or a partition ends with calling it. What a table allows follows from what it is:
--   append-only (refuse_change guards it against UPDATE, bit 16): the app reads and inserts;
--   a partition: nothing, since privileges on the parent suffice;
--   kept by migrations, or by the sequencer: the app reads;
--   anything else: the app reads, inserts and updates, and deletes where the product deletes.
-- +goose StatementBegin
CREATE FUNCTION lethe_grant_privileges() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    groups   constant text := 'lethe_app, lethe_sequencer, lethe_ledger_retention';
    readable constant text[] := ARRAY['installation', 'goose_db_version', 'legal_transitions', 'lethe_clock',
        'field_definitions', 'ledger_epochs', 'ledger_head', 'ledger_sequence'];
    insertable constant text[] := ARRAY['retention_rules']; -- never inserted by it: whoever schedules by rules locks them
    erasable constant text[] := ARRAY['field_values', 'idempotency_keys',
        'enrolments', 'recovery_codes', 'login_lanes', 'known_places', 'oidc_flows'];
    it record;
BEGIN
    EXECUTE 'GRANT USAGE ON SCHEMA public TO ' || groups;
    EXECUTE 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, ' || groups;
    EXECUTE 'REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, ' || groups;
    EXECUTE 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO lethe_app';
    FOR it IN
        SELECT c.oid, c.oid::regclass AS name, c.relname, EXISTS (
                   SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
                   WHERE t.tgrelid = c.oid AND t.tgtype & 16 <> 0 AND f.proname = 'refuse_change') AS append_only
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO lethe_app', it.name);
        IF it.relname = ANY (readable) THEN
            CONTINUE;
        END IF;
        EXECUTE format('GRANT INSERT ON %s TO lethe_app', it.name);
        IF it.append_only OR it.relname = ANY (insertable) THEN
            CONTINUE;
        END IF;
        EXECUTE format('GRANT UPDATE ON %s TO lethe_app', it.name);
        IF it.relname = ANY (erasable) THEN
            EXECUTE format('GRANT DELETE ON %s TO lethe_app', it.name);
        END IF;
    END LOOP;
    -- The other two get table by table what they need. All read a development database's clock.
    FOR it IN
        SELECT c.oid::regclass AS name, g.privileges, g.role
        FROM (VALUES
            ('installation', 'SELECT', 'lethe_sequencer, lethe_ledger_retention'),
            ('lethe_clock', 'SELECT', 'lethe_sequencer, lethe_ledger_retention'),
            ('ledger_epochs', 'SELECT', 'lethe_sequencer'),
            ('ledger_entries', 'SELECT', 'lethe_sequencer'),
            ('ledger_pending', 'SELECT, DELETE', 'lethe_sequencer'),
            ('ledger_sequence', 'SELECT, INSERT', 'lethe_sequencer'),
            ('ledger_head', 'SELECT, UPDATE', 'lethe_sequencer')
        ) AS g (relname, privileges, role)
        JOIN pg_class c ON c.relnamespace = 'public'::regnamespace AND c.relname = g.relname
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s', it.privileges, it.name, it.role);
    END LOOP;
    -- A function that runs as the owner is for nobody who is not named.
    FOR it IN SELECT f.oid::regprocedure AS name FROM pg_proc f
        WHERE f.pronamespace = 'public'::regnamespace AND (f.prosecdef OR f.proname = 'lethe_grant_privileges') LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, %s', it.name, groups);
    END LOOP;
    FOR it IN
        SELECT f.oid::regprocedure AS name, g.role
        FROM (VALUES
            ('ledger_make_partitions', 'lethe_sequencer'),
            ('query_log_sort_in', 'lethe_app'),
            ('ledger_drop_content', 'lethe_ledger_retention')
        ) AS g (proname, role)
        JOIN pg_proc f ON f.pronamespace = 'public'::regnamespace AND f.proname = g.proname
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', it.name, it.role);
    END LOOP;
END $$;
-- +goose StatementEnd
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SELECT lethe_grant_privileges();

-- +goose Down
-- The roles stay: other databases of the cluster may use them.
-- +goose StatementBegin
DO $$
DECLARE
    groups constant text := 'lethe_app, lethe_sequencer, lethe_ledger_retention';
BEGIN
    EXECUTE 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ' || groups;
    EXECUTE 'REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM ' || groups;
    EXECUTE 'REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM ' || groups;
    EXECUTE 'REVOKE ALL ON SCHEMA public FROM ' || groups;
END $$;
-- +goose StatementEnd
DROP FUNCTION lethe_grant_privileges();
