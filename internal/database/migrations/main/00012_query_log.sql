-- +goose Up
-- How the query log is searched. Each index is one of the partitioned table, so every month has it
-- from the day it is made, and it goes with the month's content.
--
-- Words are found by grams: each run of two characters, which is what a Chinese name or word often
-- has, and each run of three of ASCII, of which there are too few characters for two to be rare.
-- Extensions are not needed: a database that the company's own administrators run may not have them.

-- What of an entry is searched for words: width, case and composed forms do not matter. Asking whether
-- a text is in its form already takes a quarter of bringing it there, and most texts are.
-- +goose StatementBegin
CREATE FUNCTION query_log_text(reason text, requested_by text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100
RETURN pg_catalog.lower(CASE WHEN (reason || E'\n' || requested_by) IS NFKC NORMALIZED THEN reason || E'\n' || requested_by
    ELSE pg_catalog.normalize(reason || E'\n' || requested_by, 'NFKC') END);

-- Runs of two start at every other character, so two passes find all; three for those of three.
-- Passing over the text with an expression takes a third of the time of a query over its characters.
-- The cost keeps the planner from computing what the index has.
CREATE FUNCTION query_log_grams(reason text, requested_by text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
DECLARE
    t     text := public.query_log_text(reason, requested_by);
    ascii text := pg_catalog.regexp_replace(t, '[^\x01-\x7f]+', E'\x1f', 'g');
    grams text := pg_catalog.regexp_replace(t, '(..)', E'\\1\x1f', 'g') || E'\x1f' ||
        pg_catalog.regexp_replace(pg_catalog.substr(t, 2), '(..)', E'\\1\x1f', 'g');
BEGIN
    IF pg_catalog.length(ascii) > 3 THEN
        grams := grams || E'\x1f' || pg_catalog.regexp_replace(ascii, '(...)', E'\\1\x1f', 'g') || E'\x1f' ||
            pg_catalog.regexp_replace(pg_catalog.substr(ascii, 2), '(...)', E'\\1\x1f', 'g') || E'\x1f' ||
            pg_catalog.regexp_replace(pg_catalog.substr(ascii, 3), '(...)', E'\\1\x1f', 'g');
    END IF;
    RETURN pg_catalog.string_to_array(grams, E'\x1f');
END $$;

-- New words wait in a list, which a search reads from end to end, and whoever makes it longer than
-- its limit sorts in. A process calls this each second, so that nobody has to who has something to do.
CREATE FUNCTION query_log_sort_in() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(gin_clean_pending_list(i.indexrelid)), 0)::bigint
    FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
    WHERE h.inhparent = to_regclass('public.ledger_content_grams')
        AND c.relname IN ('ledger_content_default', 'ledger_content_' || to_char(public.lethe_now() AT TIME ZONE 'UTC', 'YYYY_MM'))
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION query_log_sort_in() FROM PUBLIC;

-- Most entries have neither reason nor asker: they cost this index nothing.
CREATE INDEX ledger_content_grams ON ledger_content USING gin (query_log_grams(reason, requested_by))
    WITH (fastupdate = on, gin_pending_list_limit = 2048)
    WHERE reason <> '' OR requested_by <> '';
-- Newest first within what a filter or a matching person chooses, without sorting.
CREATE INDEX ledger_content_actor ON ledger_content (actor_id, entry_id);
CREATE INDEX ledger_content_subject ON ledger_content (subject_id, entry_id) WHERE subject_id IS NOT NULL;
CREATE INDEX ledger_content_action ON ledger_content (action, entry_id);
CREATE INDEX ledger_content_kind ON ledger_content (kind, entry_id);
-- An object is a kind of row and an id; people look for the id.
CREATE INDEX ledger_content_object ON ledger_content (right(object, 36), entry_id) WHERE object <> '';
CREATE INDEX ledger_content_purpose ON ledger_content (purpose, entry_id) WHERE purpose <> '';
CREATE INDEX ledger_content_result ON ledger_content (result, entry_id) WHERE result <> 'done';

-- Names and numbers are found by part, as the words of an entry are.
CREATE INDEX employees_grams ON employees USING gin (query_log_grams(name, employee_no));

-- An evidence pack: asked for, made in the background, kept for a few days outside the database.
CREATE TABLE query_log_exports (
    id            uuid PRIMARY KEY,
    -- The entry that records the request. Everything with a lower index is in reach of the export.
    entry_id      uuid NOT NULL,
    requested_by  uuid NOT NULL REFERENCES employees (id),
    role          text NOT NULL,
    -- How whoever asked proved who they are, also where a second person agreed to it since.
    authenticated text NOT NULL,
    approval_id   uuid, -- the request that two people agreed to
    reason        text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    -- Either filters, or the entries of one epoch from first_index up to, and without, end_index.
    filters       jsonb NOT NULL DEFAULT '{}',
    formats       text NOT NULL,
    epoch         int,
    first_index   bigint CHECK (first_index >= 0),
    end_index     bigint CHECK (end_index > first_index),
    state         text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'expired')),
    -- The fence: whoever raised it last works on the pack; everybody else has stopped.
    attempt       int NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    total         bigint,
    written       bigint NOT NULL DEFAULT 0,
    failure       text NOT NULL DEFAULT '',
    -- What was made.
    file          text NOT NULL DEFAULT '',
    bytes         bigint,
    sha256        bytea CHECK (octet_length(sha256) = 32),
    tampered      bigint,
    created_at    timestamptz NOT NULL DEFAULT lethe_now(),
    finished_at   timestamptz,
    expires_at    timestamptz,
    CHECK ((first_index IS NULL) = (end_index IS NULL)),
    CHECK (state <> 'done' OR file <> '' AND bytes IS NOT NULL AND sha256 IS NOT NULL AND expires_at IS NOT NULL)
);
CREATE INDEX query_log_exports_open ON query_log_exports (created_at) WHERE state IN ('queued', 'running');
CREATE INDEX query_log_exports_kept ON query_log_exports (expires_at) WHERE state = 'done';

-- +goose Down
DROP TABLE query_log_exports;
DROP INDEX employees_grams;
DROP INDEX ledger_content_grams, ledger_content_actor, ledger_content_subject, ledger_content_action,
    ledger_content_kind, ledger_content_object, ledger_content_purpose, ledger_content_result;
DROP FUNCTION query_log_sort_in();
DROP FUNCTION query_log_grams(text, text);
DROP FUNCTION query_log_text(text, text);
