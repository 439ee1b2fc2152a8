-- +goose Up
-- That an emergency contact was removed on their own request: of whose file, when, how they asked and who did it, and
-- nothing of whom it was. An import writes no contacts of the person any more.
CREATE TABLE contact_removals (
    id              uuid PRIMARY KEY,
    employee_id     uuid NOT NULL REFERENCES employees (id),
    employment_id   uuid NOT NULL REFERENCES employments (id),
    contact         int NOT NULL CHECK (contact BETWEEN 1 AND 5),
    form            text NOT NULL CHECK (form IN ('written', 'called_back', 'in_person')),
    received_on     date NOT NULL,
    evidence_sealed sealed NOT NULL,
    removed_by      uuid NOT NULL REFERENCES employees (id) CHECK (removed_by <> employee_id),
    removed_at      timestamptz NOT NULL,
    ledger_entry_id uuid NOT NULL
);
CREATE INDEX contact_removals_of_a_person ON contact_removals (employee_id, removed_at);
CREATE TRIGGER contact_removals_recorded BEFORE INSERT ON contact_removals FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE contact_removals ENABLE ALWAYS TRIGGER contact_removals_recorded;
CREATE TRIGGER contact_removals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON contact_removals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE contact_removals ENABLE ALWAYS TRIGGER contact_removals_append_only;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE contact_removals;
SELECT public.lethe_grant_privileges();
