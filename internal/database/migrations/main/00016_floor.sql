-- +goose Up
-- A function is run with the search path of whoever caused it, and pg_temp comes first in that unless it
-- is named: a temporary table called like one of ours would answer in its place. Every function pins its
-- path, with pg_temp last, and writes public before each name of ours; and nobody but the owner may make
-- anything, temporary or not, in this database. lethe_now() and query_log_text() are bound to what they
-- name when they are created, and stay free to be inlined.

-- Whoever is not the database's owner cannot take this back; processes refuse to start then, and say so.
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY, CREATE ON DATABASE %I FROM PUBLIC', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- A development database keeps its movable clock.
DO $$
BEGIN
    IF to_regclass('public.lethe_clock') IS NULL THEN
        EXECUTE 'CREATE OR REPLACE FUNCTION public.lethe_now() RETURNS timestamptz LANGUAGE sql VOLATILE RETURN pg_catalog.clock_timestamp()';
    ELSE
        EXECUTE 'CREATE OR REPLACE FUNCTION public.lethe_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE
            SET search_path = pg_catalog, pg_temp AS
            ''BEGIN RETURN clock_timestamp() + (SELECT shift FROM public.lethe_clock); END''';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_illegal_transition() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old_state text := to_jsonb(OLD) ->> TG_ARGV[0];
    new_state text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF old_state IS DISTINCT FROM new_state AND NOT EXISTS (
        SELECT 1 FROM public.legal_transitions
        WHERE machine = TG_TABLE_NAME || '.' || TG_ARGV[0] AND from_state = old_state AND to_state = new_state
    ) THEN
        RAISE EXCEPTION 'illegal transition of %.%: % to %', TG_TABLE_NAME, TG_ARGV[0], old_state, new_state
            USING ERRCODE = 'LT001';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_illegal_start() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT (to_jsonb(NEW) ->> TG_ARGV[0] = ANY (string_to_array(TG_ARGV[1], ','))) THEN
        RAISE EXCEPTION 'illegal first state of %.%: %', TG_TABLE_NAME, TG_ARGV[0], to_jsonb(NEW) ->> TG_ARGV[0]
            USING ERRCODE = 'LT001';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_early_departed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.stage = 'departed' AND OLD.stage <> 'departed' AND NEW.employment_ended_at > public.lethe_now() THEN
        RAISE EXCEPTION 'departed before the employment ended' USING ERRCODE = 'LT002';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'LT003';
END $$;

CREATE OR REPLACE FUNCTION public.refuse_unproven_account() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NEW.state IN ('disabled', 'detached', 'not_found') AND NOT EXISTS (
        SELECT 1 FROM public.account_evidence e JOIN public.account_steps s ON s.id = e.step_id
        WHERE s.account_id = NEW.id AND s.operation_id = NEW.operation_id AND e.attempt = NEW.attempt
          AND ((NEW.state = 'disabled' AND e.substep = 'read_back' AND e.outcome IN ('confirmed', 'not_found'))
            OR (NEW.state = 'detached' AND e.substep IN ('detach', 'read_back') AND e.outcome IN ('confirmed', 'not_found'))
            OR (NEW.state = 'not_found' AND e.substep IN ('find', 'read_back') AND e.outcome = 'not_found'))
    ) THEN
        RAISE EXCEPTION 'account state % without evidence', NEW.state USING ERRCODE = 'LT004';
    END IF;
    IF NEW.state = 'waived' AND NOT EXISTS (
        SELECT 1 FROM public.support_cases c WHERE c.account_id = NEW.id AND c.resolution = 'waive'
          AND c.asked_by IS NOT NULL AND c.confirmed_by IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'account waived without two people' USING ERRCODE = 'LT004';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_unsettled_departure() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.accounts_state = 'settled' AND OLD.accounts_state <> 'settled' AND EXISTS (
        SELECT 1 FROM public.linked_accounts a WHERE a.employment_id = NEW.employment_id
          AND a.state NOT IN ('disabled', 'detached', 'not_found', 'waived')
    ) THEN
        RAISE EXCEPTION 'settled while accounts are open' USING ERRCODE = 'LT004';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.lethe_purgeable(the_category uuid) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1
        FROM public.retention_deadlines l
        JOIN public.departures d ON d.id = l.departure_id
        JOIN public.employments m ON m.id = l.employment_id
        JOIN public.employment_categories c ON c.id = l.category_id
        WHERE l.category_id = the_category
          AND l.state IN ('scheduled', 'in_review')
          AND l.deadline <= public.lethe_now()
          AND d.stage IN ('departed', 'purging')
          AND d.employment_ended_at <= public.lethe_now()
          AND NOT EXISTS (
              SELECT 1 FROM public.holds h WHERE h.employment_id = l.employment_id AND h.released_at IS NULL
                AND (h.categories IS NULL OR l.category = ANY (h.categories)))
          AND ((m.jurisdiction = 'DEMO' AND (SELECT i.mode FROM public.installation i) = 'dev')
               OR d.departed_at + interval '30 days' <= public.lethe_now()
               OR EXISTS (
                  SELECT 1 FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND p.decision = 'approved'
                    AND p.decided_by IS NOT NULL))
          AND (NOT (SELECT r.review_required FROM public.retention_rules r WHERE r.id = l.rule_id)
               OR EXISTS (
                  SELECT 1 FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND p.decision = 'approved'
                    AND p.decided_by IS NOT NULL))
    )
$$;

CREATE OR REPLACE FUNCTION public.refuse_early_purge() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state = 'purging' AND OLD.state = 'open' AND NOT public.lethe_purgeable(NEW.id) THEN
        RAISE EXCEPTION 'category is not purgeable' USING ERRCODE = 'LT005';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_shrinking_head() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT (NEW.epoch = OLD.epoch AND NEW.size >= OLD.size OR NEW.epoch > OLD.epoch AND NEW.size = 0) THEN
        RAISE EXCEPTION 'the ledger only grows' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.ledger_guard(guarded regclass) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', guarded);
    EXECUTE format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER append_only', guarded);
END $$;

CREATE OR REPLACE FUNCTION public.ledger_make_partitions(months_ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent text;
    part   text;
    start  timestamp;
    made   int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(x'4c4c5041'::int); -- "LLPA": one at a time
    FOREACH parent IN ARRAY ARRAY['ledger_entries', 'ledger_content'] LOOP
        FOR month IN 0 .. least(greatest(months_ahead, 0), 24) LOOP
            start := date_trunc('month', public.lethe_now() AT TIME ZONE 'UTC') + make_interval(months => month);
            part := format('%s_%s', parent, to_char(start, 'YYYY_MM'));
            CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
                EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', parent, part,
                    start AT TIME ZONE 'UTC', (start + interval '1 month') AT TIME ZONE 'UTC');
                PERFORM public.ledger_guard(format('public.%I', part)::regclass);
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                NULL; -- the default partition has rows of this month
            END;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

CREATE OR REPLACE FUNCTION public.ledger_drop_content(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := format('ledger_content_%s', to_char(month, 'YYYY_MM'));
    held bigint;
BEGIN
    IF (date_trunc('month', month::timestamp) + interval '1 month 10 years') AT TIME ZONE 'UTC' > public.lethe_now() THEN
        RAISE EXCEPTION 'the content of % is younger than ten years', part USING ERRCODE = 'LT002';
    END IF;
    IF to_regclass('public.' || part) IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('SELECT count(*) FROM public.%I', part) INTO held;
    EXECUTE format('DROP TABLE public.%I', part);
    RETURN held;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_unfit_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.state <> 'pending' THEN
        RAISE EXCEPTION 'an ended approval never changes' USING ERRCODE = 'LT003';
    END IF;
    IF (OLD.id, OLD.operation, OLD.command_hash, OLD.targets, OLD.state_digest, OLD.file_hash, OLD.rule_versions, OLD.hash,
        OLD.subject_ids, OLD.requester_id, OLD.requester_user_id, OLD.requester_role, OLD.requester_authenticated,
        OLD.reason, OLD.requested_at, OLD.expires_at)
        IS DISTINCT FROM
       (NEW.id, NEW.operation, NEW.command_hash, NEW.targets, NEW.state_digest, NEW.file_hash, NEW.rule_versions, NEW.hash,
        NEW.subject_ids, NEW.requester_id, NEW.requester_user_id, NEW.requester_role, NEW.requester_authenticated,
        NEW.reason, NEW.requested_at, NEW.expires_at)
    THEN
        RAISE EXCEPTION 'what was asked for never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.state = 'approved' AND NEW.expires_at <= public.lethe_now() THEN
        RAISE EXCEPTION 'approved after its expiry' USING ERRCODE = 'LT007';
    END IF;
    IF NEW.state = 'expired' AND NEW.expires_at > public.lethe_now() THEN
        RAISE EXCEPTION 'expired before its time' USING ERRCODE = 'LT007';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.query_log_grams(reason text, requested_by text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t     text := public.query_log_text(reason, requested_by);
    ascii text := regexp_replace(t, '[^\x01-\x7f]+', E'\x1f', 'g');
    grams text := regexp_replace(t, '(..)', E'\\1\x1f', 'g') || E'\x1f' || regexp_replace(substr(t, 2), '(..)', E'\\1\x1f', 'g');
BEGIN
    IF length(ascii) > 3 THEN
        grams := grams || E'\x1f' || regexp_replace(ascii, '(...)', E'\\1\x1f', 'g') || E'\x1f' ||
            regexp_replace(substr(ascii, 2), '(...)', E'\\1\x1f', 'g') || E'\x1f' ||
            regexp_replace(substr(ascii, 3), '(...)', E'\\1\x1f', 'g');
    END IF;
    RETURN string_to_array(grams, E'\x1f');
END $$;

CREATE OR REPLACE FUNCTION public.query_log_sort_in() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(gin_clean_pending_list(i.indexrelid)), 0)::bigint
    FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
    WHERE h.inhparent = to_regclass('public.ledger_content_grams')
        AND c.relname IN ('ledger_content_default', 'ledger_content_' || to_char(public.lethe_now() AT TIME ZONE 'UTC', 'YYYY_MM'))
$$;

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

CREATE OR REPLACE FUNCTION public.refuse_adoption() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.number > 1 AND NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER')
        OR NEW.number <> (SELECT count(*) + 1 FROM public.ledger_policies) THEN
        RAISE EXCEPTION 'a policy of the ledger is adopted by its owner, one after the other' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose Down
-- The functions stay pinned, which the older schema does not notice; what was granted to everybody stays
-- taken back.
SELECT 1;
