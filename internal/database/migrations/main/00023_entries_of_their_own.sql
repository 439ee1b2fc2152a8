-- +goose Up
-- A row that must name an entry of the ledger names one of its own transaction, and the two databases
-- know each other.

-- The transaction that wrote an entry: the row of an old one has none.
ALTER TABLE ledger_entries ADD COLUMN written_in xid8;
ALTER TABLE ledger_entries ALTER COLUMN written_in SET DEFAULT pg_current_xact_id();

-- +goose StatementBegin
-- An entry counts for a row only if this very transaction wrote it and it waits for its place in the tree:
-- an id in the queue that is nobody's entry proves nothing, nor does an entry of something else, older.
CREATE FUNCTION public.lethe_recorded(entry uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written timestamptz;
BEGIN
    SELECT p.at INTO written FROM public.ledger_pending p WHERE p.entry_id = entry;
    RETURN FOUND
        AND EXISTS (SELECT FROM public.ledger_entries e WHERE e.id = entry AND e.at = written AND e.written_in = pg_current_xact_id())
        AND NOT EXISTS (SELECT FROM public.ledger_sequence s WHERE s.entry_id = entry);
END $$;

CREATE OR REPLACE FUNCTION public.refuse_unrecorded() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.ledger_entry_id IS NULL OR NOT public.lethe_recorded(NEW.ledger_entry_id) THEN
        RAISE EXCEPTION 'a row of % without its ledger entry', TG_TABLE_NAME USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;

-- A hold that ends, or begins again, names the entry that says so.
CREATE OR REPLACE FUNCTION public.refuse_unrecorded_release() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.released_at IS DISTINCT FROM OLD.released_at
        AND (NEW.release_entry_id IS NULL OR NOT public.lethe_recorded(NEW.release_entry_id)) THEN
        RAISE EXCEPTION 'a hold released without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- A value that was sealed when the two databases were bound to each other, by the keys that were verified
-- then; whoever cannot open it has other keys.
ALTER TABLE installation ADD COLUMN probe bytea;

-- Keys that a restored keys database lacked, and that two people gave up.
CREATE TABLE lost_keys (
    key_id          uuid PRIMARY KEY,
    place           text NOT NULL, -- the table that refers to it
    row_id          uuid NOT NULL, -- and the row
    ledger_entry_id uuid NOT NULL,
    accepted_at     timestamptz NOT NULL DEFAULT lethe_now()
);
CREATE TRIGGER lost_keys_recorded BEFORE INSERT ON lost_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER lost_keys_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lost_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE lost_keys ENABLE ALWAYS TRIGGER lost_keys_append_only;

-- What must be recorded is so under session_replication_role = replica too.
-- +goose StatementBegin
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT t.tgname, t.tgrelid::regclass AS guarded FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
        WHERE f.proname IN ('refuse_unrecorded', 'refuse_unrecorded_release') LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', it.guarded, it.tgname);
    END LOOP;
END $$;
-- +goose StatementEnd

-- As before, and: the application binds the databases to each other, reads what was given up, and cannot
-- say in which transaction an entry was written.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.lethe_grant_privileges() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    groups   constant text := 'lethe_app, lethe_sequencer, lethe_ledger_retention';
    readable constant text[] := ARRAY['installation', 'goose_db_version', 'legal_transitions', 'lethe_clock',
        'field_definitions', 'ledger_epochs', 'ledger_head', 'ledger_sequence', 'lost_keys'];
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
    EXECUTE 'GRANT UPDATE (probe) ON public.installation TO lethe_app';
    -- In which transaction an entry was written is the database's to say.
    EXECUTE 'REVOKE INSERT ON public.ledger_entries FROM lethe_app';
    EXECUTE format('GRANT INSERT (%s) ON public.ledger_entries TO lethe_app', (
        SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a
        WHERE a.attrelid = 'public.ledger_entries'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'written_in'));
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
SELECT public.lethe_grant_privileges();

-- +goose Down
-- An entry counts by its place in the queue again.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_unrecorded() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.ledger_entry_id IS NULL OR NOT EXISTS (
        SELECT FROM public.ledger_pending p WHERE p.entry_id = NEW.ledger_entry_id
    ) THEN
        RAISE EXCEPTION 'a row of % without its ledger entry', TG_TABLE_NAME USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_unrecorded_release() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.released_at IS NOT NULL AND OLD.released_at IS NULL AND NOT EXISTS (
        SELECT FROM public.ledger_pending p WHERE p.entry_id = NEW.release_entry_id
    ) THEN
        RAISE EXCEPTION 'a hold released without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.lethe_grant_privileges() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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
DROP TABLE lost_keys;
ALTER TABLE installation DROP COLUMN probe;
DROP FUNCTION public.lethe_recorded(uuid);
ALTER TABLE ledger_entries DROP COLUMN written_in;
SELECT lethe_grant_privileges();
