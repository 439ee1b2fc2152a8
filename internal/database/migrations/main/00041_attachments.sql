-- +goose Up
-- Which tables the program may delete rows from stands at the tables: one more needs no other version of the
-- function that grants privileges, of which all else stays.
COMMENT ON TABLE field_values IS 'erasable';
COMMENT ON TABLE idempotency_keys IS 'erasable';
COMMENT ON TABLE enrolments IS 'erasable';
COMMENT ON TABLE recovery_codes IS 'erasable';
COMMENT ON TABLE login_lanes IS 'erasable';
COMMENT ON TABLE known_places IS 'erasable';
COMMENT ON TABLE oidc_flows IS 'erasable';
-- +goose StatementBegin
DO $do$
DECLARE
    former constant text := pg_get_functiondef('public.lethe_grant_privileges()'::regprocedure);
    marked constant text := replace(former, 'it.relname = ANY (erasable)', $new$obj_description(it.oid, 'pg_class') = 'erasable'$new$);
BEGIN
    IF marked = former THEN
        RAISE EXCEPTION 'lethe_grant_privileges is not as expected';
    END IF;
    EXECUTE marked;
END $do$;
-- +goose StatementEnd

ALTER TABLE field_definitions DROP CONSTRAINT field_definitions_type_check;
ALTER TABLE field_definitions ADD CONSTRAINT field_definitions_type_check
    CHECK (type IN ('text', 'number', 'money', 'date', 'choice', 'phone', 'document_number', 'bank_account', 'address', 'attachment'));

-- Documents of a file. The content comes in pieces, each sealed and committed by itself, so that a slow upload holds no
-- lock and no memory. The row here follows once all of it is there, with its entry in the ledger: pieces without it are
-- of an upload that goes on, or that was broken off.
CREATE TABLE attachments (
    id              uuid PRIMARY KEY,
    employment_id   uuid NOT NULL REFERENCES employments (id),
    category_id     uuid NOT NULL REFERENCES employment_categories (id),
    field_key       text NOT NULL REFERENCES field_definitions (key),
    type            text NOT NULL CHECK (type IN ('pdf', 'jpeg', 'png')),
    size            bigint NOT NULL CHECK (size > 0),
    chunks          int NOT NULL CHECK (chunks > 0),
    name_sealed     sealed,
    uploaded_at     timestamptz NOT NULL DEFAULT lethe_now(),
    uploaded_by     uuid NOT NULL REFERENCES employees (id),
    ledger_entry_id uuid NOT NULL
);
CREATE INDEX attachments_of_an_employment ON attachments (employment_id, field_key, id);
CREATE INDEX attachments_category ON attachments (category_id);
CREATE TABLE attachment_chunks (
    attachment_id  uuid NOT NULL,
    n              int NOT NULL,
    category_id    uuid NOT NULL REFERENCES employment_categories (id),
    content_sealed sealed NOT NULL,
    uploaded_at    timestamptz NOT NULL DEFAULT lethe_now(),
    PRIMARY KEY (attachment_id, n)
);
CREATE INDEX attachment_chunks_category ON attachment_chunks (category_id);
CREATE INDEX attachment_chunks_first ON attachment_chunks (uploaded_at) WHERE n = 0;
ALTER TABLE attachment_chunks ALTER COLUMN content_sealed SET STORAGE EXTERNAL; -- what is sealed cannot be compressed

COMMENT ON TABLE attachments IS 'erasable';
COMMENT ON TABLE attachment_chunks IS 'erasable';

CREATE TRIGGER attachments_recorded BEFORE INSERT ON attachments FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE attachments ENABLE ALWAYS TRIGGER attachments_recorded;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE attachment_chunks;
DROP TABLE attachments;
-- +goose StatementBegin
DO $do$
BEGIN
    EXECUTE replace(pg_get_functiondef('public.lethe_grant_privileges()'::regprocedure),
        $new$obj_description(it.oid, 'pg_class') = 'erasable'$new$, 'it.relname = ANY (erasable)');
END $do$;
-- +goose StatementEnd
COMMENT ON TABLE oidc_flows IS NULL;
COMMENT ON TABLE known_places IS NULL;
COMMENT ON TABLE login_lanes IS NULL;
COMMENT ON TABLE recovery_codes IS NULL;
COMMENT ON TABLE enrolments IS NULL;
COMMENT ON TABLE idempotency_keys IS NULL;
COMMENT ON TABLE field_values IS NULL;
DELETE FROM field_definitions WHERE type = 'attachment';
ALTER TABLE field_definitions DROP CONSTRAINT field_definitions_type_check;
ALTER TABLE field_definitions ADD CONSTRAINT field_definitions_type_check
    CHECK (type IN ('text', 'number', 'money', 'date', 'choice', 'phone', 'document_number', 'bank_account', 'address'));
SELECT public.lethe_grant_privileges();
