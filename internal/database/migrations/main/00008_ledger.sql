-- +goose Up
-- The ledger: what happened, in entries that nobody can change, put into one Merkle tree. The tables
-- hold the data, docs/ledger-format.md says how it is proven. Nothing here is trusted by a verifier.

-- One row for each entry, for ever. The leaf is what goes into the tree: commitments, no personal
-- data. An entry's time stands in its id (UUIDv7), to the millisecond, and nowhere else in clear.
CREATE TABLE ledger_entries (
    id             uuid NOT NULL,
    at             timestamptz NOT NULL,
    kind           text NOT NULL,
    format         smallint NOT NULL,
    epoch          int NOT NULL,
    leaf           bytea NOT NULL,
    -- By a key that is not in the database, over the leaf: it holds until the entry is sequenced.
    mac            bytea NOT NULL CHECK (octet_length(mac) = 32),
    mac_generation int NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

-- What the commitments of an entry are of, and their salts. It may go after ten years, a month at a
-- time; the leaf stays.
CREATE TABLE ledger_content (
    entry_id      uuid NOT NULL,
    at            timestamptz NOT NULL,
    kind          text NOT NULL,
    action        text NOT NULL,
    actor_id      uuid,
    actor_role    text NOT NULL,
    authenticated text NOT NULL,
    user_id       uuid,
    subject_id    uuid,
    object        text NOT NULL,
    requested_by  text NOT NULL,
    purpose       text NOT NULL,
    reason        text NOT NULL,
    result        text NOT NULL,
    rule          text NOT NULL,
    request_id    text NOT NULL,
    details       jsonb NOT NULL,
    salts         bytea NOT NULL,
    PRIMARY KEY (entry_id, at)
) PARTITION BY RANGE (at);

-- What waits for its place in the tree: a queue that is empty most of the time, and so cheap to
-- vacuum that it should be vacuumed all the time.
CREATE TABLE ledger_pending (
    entry_id uuid PRIMARY KEY,
    at       timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0, fillfactor = 50);

-- The place of each entry, without gaps, from 0 in each epoch.
CREATE TABLE ledger_sequence (
    epoch     int NOT NULL,
    index     bigint NOT NULL CHECK (index >= 0),
    entry_id  uuid NOT NULL UNIQUE,
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    PRIMARY KEY (epoch, index)
);

-- An epoch is one tree. A new one begins when a restored backup has lost for good what the last one
-- held and signed.
CREATE TABLE ledger_epochs (
    epoch         int PRIMARY KEY CHECK (epoch > 0),
    started_at    timestamptz NOT NULL DEFAULT lethe_now(),
    -- Of every epoch but the first: the entry that it begins with,
    entry_id      uuid,
    -- the last signed checkpoint of the epoch before, and how much of it this database still has.
    previous_size bigint,
    previous_root bytea,
    kept_size     bigint,
    CHECK ((epoch = 1) = (entry_id IS NULL))
);

-- The tree that is growing. Whoever holds the lock on this row sequences.
CREATE TABLE ledger_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    epoch     int NOT NULL REFERENCES ledger_epochs (epoch) DEFERRABLE INITIALLY DEFERRED,
    size      bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
    root      bytea NOT NULL CHECK (octet_length(root) = 32),
    -- The roots of the complete subtrees that make up the tree, from the left, 32 bytes each.
    frontier  bytea NOT NULL DEFAULT '',
    at        timestamptz NOT NULL DEFAULT lethe_now()
) WITH (fillfactor = 10);

-- +goose StatementBegin
-- The tree only grows, except that a new epoch begins an empty one.
CREATE FUNCTION refuse_shrinking_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (NEW.epoch = OLD.epoch AND NEW.size >= OLD.size OR NEW.epoch > OLD.epoch AND NEW.size = 0) THEN
        RAISE EXCEPTION 'the ledger only grows' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;

-- Triggers of statements reach neither the partitions of a table nor those that come later: each
-- partition gets its own. ALWAYS: they fire under session_replication_role = replica too.
CREATE FUNCTION ledger_guard(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', guarded);
    EXECUTE format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER append_only', guarded);
END $$;

-- Makes the monthly partitions (UTC) from the current month on that are still missing. A month whose
-- first entries already went to the default partition stays there: an insert never fails for want
-- of a partition. Attaching takes no lock that inserts wait for, but on the default partition.
CREATE FUNCTION ledger_make_partitions(months_ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    parent text;
    part   text;
    start  timestamp;
    made   int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(x'4c4c5041'::int); -- "LLPA": one at a time
    FOREACH parent IN ARRAY ARRAY['ledger_entries', 'ledger_content'] LOOP
        FOR month IN 0 .. least(greatest(months_ahead, 0), 24) LOOP
            start := date_trunc('month', lethe_now() AT TIME ZONE 'UTC') + make_interval(months => month);
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

-- Drops the content of one month that ended ten years ago or earlier, and says how many entries lost
-- theirs. The entry that names what is dropped is written, after its approval, before.
CREATE FUNCTION ledger_drop_content(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part text := format('ledger_content_%s', to_char(month, 'YYYY_MM'));
    held bigint;
BEGIN
    IF (date_trunc('month', month::timestamp) + interval '1 month 10 years') AT TIME ZONE 'UTC' > lethe_now() THEN
        RAISE EXCEPTION 'the content of % is younger than ten years', part USING ERRCODE = 'LT002';
    END IF;
    IF to_regclass('public.' || part) IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('SELECT count(*) FROM public.%I', part) INTO held;
    EXECUTE format('DROP TABLE public.%I', part);
    RETURN held;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION ledger_make_partitions(int), ledger_drop_content(date), ledger_guard(regclass) FROM PUBLIC;

CREATE TABLE ledger_entries_default PARTITION OF ledger_entries DEFAULT;
CREATE TABLE ledger_content_default PARTITION OF ledger_content DEFAULT;
SELECT ledger_guard(t::regclass) FROM unnest(ARRAY['ledger_entries', 'ledger_entries_default', 'ledger_content',
    'ledger_content_default', 'ledger_sequence', 'ledger_epochs']) AS t;
SELECT ledger_make_partitions(3);
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON ledger_pending FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE ledger_pending ENABLE ALWAYS TRIGGER append_only;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON ledger_head FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE ledger_head ENABLE ALWAYS TRIGGER append_only;
CREATE TRIGGER grows BEFORE UPDATE ON ledger_head FOR EACH ROW EXECUTE FUNCTION refuse_shrinking_head();
ALTER TABLE ledger_head ENABLE ALWAYS TRIGGER grows;
INSERT INTO ledger_epochs (epoch) VALUES (1);
INSERT INTO ledger_head (epoch, root) VALUES (1, sha256(''));

-- +goose Down
DROP FUNCTION ledger_drop_content(date);
DROP FUNCTION ledger_make_partitions(int);
DROP TABLE ledger_head, ledger_epochs, ledger_sequence, ledger_pending, ledger_content, ledger_entries;
DROP FUNCTION ledger_guard(regclass);
DROP FUNCTION refuse_shrinking_head();
