-- +goose Up
-- Who may look at which group of fields for which purpose: each change is a version, which two people agreed to, and
-- the last one holds. Without one the program's own holds.
CREATE TABLE permission_versions (
    version         int PRIMARY KEY CHECK (version > 0),
    document        jsonb NOT NULL,
    changed_by      uuid NOT NULL REFERENCES employees (id),
    approved_by     uuid NOT NULL REFERENCES employees (id) CHECK (approved_by <> changed_by),
    changed_at      timestamptz NOT NULL DEFAULT lethe_now(),
    ledger_entry_id uuid NOT NULL
);
CREATE TRIGGER permission_versions_recorded BEFORE INSERT ON permission_versions FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE permission_versions ENABLE ALWAYS TRIGGER permission_versions_recorded;
CREATE TRIGGER permission_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON permission_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE permission_versions ENABLE ALWAYS TRIGGER permission_versions_append_only;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE permission_versions;
SELECT public.lethe_grant_privileges();
