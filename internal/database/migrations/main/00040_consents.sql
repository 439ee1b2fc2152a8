-- +goose Up
-- What people are asked to agree to: versions of the privacy policy, which two people agreed to. The first one is the
-- program's own. A version is never changed: whoever answered it has to be able to read what was asked.
CREATE TABLE privacy_policies (
    id              uuid PRIMARY KEY,
    version         int NOT NULL UNIQUE CHECK (version > 1),
    document        jsonb NOT NULL,
    changed_by      uuid NOT NULL REFERENCES employees (id),
    approved_by     uuid NOT NULL REFERENCES employees (id) CHECK (approved_by <> changed_by),
    changed_at      timestamptz NOT NULL DEFAULT lethe_now(),
    ledger_entry_id uuid NOT NULL
);
CREATE TRIGGER privacy_policies_recorded BEFORE INSERT ON privacy_policies FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE privacy_policies ENABLE ALWAYS TRIGGER privacy_policies_recorded;
CREATE TRIGGER privacy_policies_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON privacy_policies
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE privacy_policies ENABLE ALWAYS TRIGGER privacy_policies_append_only;

-- Each answer of a person is a row, and the last one about a purpose (by seq) counts. The person answers by the own login, or HR
-- records a paper that the person signed, never for itself. What was said ends with the person's data.
CREATE TABLE consents (
    id              uuid PRIMARY KEY,
    seq             bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    employee_id     uuid NOT NULL REFERENCES employees (id),
    purpose         text NOT NULL CHECK (purpose <> ''),
    answer          text NOT NULL CHECK (answer IN ('given', 'declined', 'withdrawn', 'ended')),
    form            text NOT NULL CHECK (form IN ('own_login', 'written', 'deletion')),
    policy_version  int NOT NULL CHECK (policy_version > 0),
    asked_since     int NOT NULL CHECK (asked_since > 0 AND asked_since <= policy_version),
    answered_at     timestamptz NOT NULL DEFAULT lethe_now(),
    recorded_by     uuid REFERENCES employees (id),
    signed_on       date,
    evidence_sealed sealed,
    ledger_entry_id uuid NOT NULL,
    CHECK ((form = 'own_login') = coalesce(recorded_by = employee_id, false)),
    CHECK ((form = 'deletion') = (recorded_by IS NULL) AND (form = 'deletion') = (answer = 'ended')),
    CHECK ((form = 'written') = (signed_on IS NOT NULL) AND (form = 'written') = (evidence_sealed IS NOT NULL))
);
CREATE INDEX consents_of_a_person ON consents (employee_id, purpose, seq DESC);
CREATE TRIGGER consents_recorded BEFORE INSERT ON consents FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE consents ENABLE ALWAYS TRIGGER consents_recorded;
CREATE TRIGGER consents_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consents
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE consents ENABLE ALWAYS TRIGGER consents_append_only;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE consents;
DROP TABLE privacy_policies;
SELECT public.lethe_grant_privileges();
