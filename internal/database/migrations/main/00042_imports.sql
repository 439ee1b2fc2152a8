-- +goose Up
-- A batch is a file that is walked in parts by its workflow. What the file holds is sealed, each part under a key of
-- its own, and gone after some days; what stays are counts, codes and who did it.
CREATE TABLE batches (
    id               uuid PRIMARY KEY,
    kind             text NOT NULL CHECK (kind IN ('import')),
    state            text NOT NULL,
    revision         bigint NOT NULL DEFAULT 1,
    seen_revision    bigint NOT NULL DEFAULT 0,
    wake_at          timestamptz,
    nudged_at        timestamptz DEFAULT lethe_now(),
    actor_id         uuid NOT NULL REFERENCES employees (id),
    actor_role       text NOT NULL,
    user_id          uuid NOT NULL REFERENCES users (id),
    authenticated    text NOT NULL,
    format           text NOT NULL CHECK (format IN ('csv', 'xlsx')),
    bytes            bigint NOT NULL,
    mapping          text[] NOT NULL,
    headers_sealed   sealed,
    rows             int NOT NULL,
    checked          int NOT NULL DEFAULT 0,
    ran              int NOT NULL DEFAULT 0,
    to_create        int NOT NULL DEFAULT 0,
    to_change        int NOT NULL DEFAULT 0,
    same             int NOT NULL DEFAULT 0,
    faulty           int NOT NULL DEFAULT 0,
    created          int NOT NULL DEFAULT 0,
    changed          int NOT NULL DEFAULT 0,
    unchanged        int NOT NULL DEFAULT 0,
    refused          int NOT NULL DEFAULT 0,
    approval_id      uuid,
    approver_id      uuid REFERENCES employees (id),
    ended_by         text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL DEFAULT lethe_now(),
    ended_at         timestamptz,
    content_until    timestamptz NOT NULL,
    content_ended_at timestamptz,
    ledger_entry_id  uuid NOT NULL,
    CHECK (checked BETWEEN 0 AND rows AND ran BETWEEN 0 AND rows),
    CHECK (created + changed + unchanged + refused = ran),
    CHECK (state <> 'done' OR ran = rows),
    CHECK ((state IN ('done', 'cancelled', 'expired')) = (ended_at IS NOT NULL)),
    CHECK (content_ended_at IS NULL OR headers_sealed IS NULL)
);
CREATE INDEX batches_unseen ON batches (nudged_at) WHERE revision > seen_revision;
CREATE INDEX batches_due ON batches (wake_at) WHERE wake_at IS NOT NULL;

CREATE TRIGGER batches_recorded BEFORE INSERT ON batches FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE batches ENABLE ALWAYS TRIGGER batches_recorded;
INSERT INTO legal_transitions VALUES
    ('batches.state', 'mapping', 'checking'),
    ('batches.state', 'mapping', 'cancelled'),
    ('batches.state', 'mapping', 'expired'),
    ('batches.state', 'checking', 'checked'),
    ('batches.state', 'checking', 'cancelled'),
    ('batches.state', 'checking', 'expired'),
    ('batches.state', 'checked', 'checking'),
    ('batches.state', 'checked', 'awaiting_approval'),
    ('batches.state', 'checked', 'running'),
    ('batches.state', 'checked', 'cancelled'),
    ('batches.state', 'checked', 'expired'),
    ('batches.state', 'awaiting_approval', 'checked'),
    ('batches.state', 'awaiting_approval', 'running'),
    ('batches.state', 'awaiting_approval', 'cancelled'),
    ('batches.state', 'awaiting_approval', 'expired'),
    ('batches.state', 'running', 'done'),
    ('batches.state', 'running', 'cancelled'),
    ('batches.state', 'running', 'expired');
CREATE TRIGGER batches_state BEFORE UPDATE OF state ON batches
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');
CREATE TRIGGER batches_start BEFORE INSERT ON batches
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'mapping,checking');

-- +goose StatementBegin
-- Whose file it is never changes; a run goes forward only, by a state that has an entry of its own.
CREATE FUNCTION public.refuse_other_batch() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.kind, NEW.actor_id, NEW.actor_role, NEW.user_id, NEW.rows, NEW.created_at, NEW.content_until)
        IS DISTINCT FROM (OLD.id, OLD.kind, OLD.actor_id, OLD.actor_role, OLD.user_id, OLD.rows, OLD.created_at, OLD.content_until)
        OR NEW.ran < OLD.ran OR OLD.state IN ('running', 'done') AND NEW.mapping IS DISTINCT FROM OLD.mapping THEN
        RAISE EXCEPTION 'whose batch it is, and what was done, never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.state <> OLD.state AND NEW.state IN ('running', 'done', 'cancelled', 'expired')
        AND (NEW.ledger_entry_id = OLD.ledger_entry_id OR NOT public.lethe_recorded(NEW.ledger_entry_id)) THEN
        RAISE EXCEPTION 'a batch changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER batches_unchanged BEFORE UPDATE ON batches FOR EACH ROW EXECUTE FUNCTION refuse_other_batch();
ALTER TABLE batches ENABLE ALWAYS TRIGGER batches_unchanged;

-- Some hundred rows of a file. people are those whom they are about, as far as they are known.
CREATE TABLE batch_parts (
    id          uuid PRIMARY KEY,
    batch_id    uuid NOT NULL REFERENCES batches (id),
    position    int NOT NULL,
    rows        int NOT NULL,
    rows_sealed sealed,
    people      uuid[] NOT NULL DEFAULT '{}',
    problems    jsonb NOT NULL DEFAULT '[]',
    checked     boolean NOT NULL DEFAULT false,
    ran         boolean NOT NULL DEFAULT false,
    removed     boolean NOT NULL DEFAULT false,
    UNIQUE (batch_id, position)
);
CREATE INDEX batch_parts_people ON batch_parts USING gin (people) WHERE rows_sealed IS NOT NULL;

-- What was imported last for an employment, as a keyed digest: the same again changes nothing.
CREATE TABLE imported_rows (
    employment_id uuid PRIMARY KEY REFERENCES employments (id),
    batch_id      uuid NOT NULL REFERENCES batches (id),
    revision      bigint NOT NULL,
    digest        bytea NOT NULL CHECK (octet_length(digest) = 32)
);

-- Which fields the columns of a file were, by a keyed digest of its header.
CREATE TABLE import_mappings (
    header_digest bytea PRIMARY KEY CHECK (octet_length(header_digest) = 32),
    mapping       text[] NOT NULL,
    used_at       timestamptz NOT NULL DEFAULT lethe_now()
);

SELECT lethe_grant_privileges();

-- +goose Down
DROP TABLE import_mappings;
DROP TABLE imported_rows;
DROP TABLE batch_parts;
DROP TABLE batches;
DROP FUNCTION public.refuse_other_batch();
DELETE FROM legal_transitions WHERE machine = 'batches.state';
