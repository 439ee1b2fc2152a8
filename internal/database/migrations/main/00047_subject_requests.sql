-- +goose Up
-- What people ask for of the own data: a correction, an erasure, a copy. What was written is sealed by the key of its
-- month, and cleared once the person's data is gone.
CREATE TABLE subject_requests (
    id               uuid PRIMARY KEY,
    employee_id      uuid NOT NULL REFERENCES employees (id),
    kind             text NOT NULL CHECK (kind IN ('correction', 'erasure', 'copy')),
    fields           text[] NOT NULL DEFAULT '{}',
    state            text NOT NULL CHECK (state IN ('open', 'answered', 'withdrawn', 'ended')),
    form             text NOT NULL CHECK (form IN ('own_login', 'written')),
    entered_by       uuid NOT NULL REFERENCES employees (id),
    entered_at       timestamptz NOT NULL,
    received_on      date,
    text_sealed      sealed,
    evidence_sealed  sealed,
    answer_due_at    timestamptz NOT NULL,
    extended_at      timestamptz,
    extension_sealed sealed,
    escalated_at     timestamptz,
    answer           text NOT NULL DEFAULT '' CHECK (answer IN ('', 'granted', 'partly', 'refused')),
    answered_by      uuid REFERENCES employees (id),
    answer_sealed    sealed,
    basis_sealed     sealed,
    finished_at      timestamptz,
    ledger_entry_id  uuid NOT NULL,
    CHECK ((form = 'written') = (received_on IS NOT NULL)),
    CHECK ((form = 'own_login') = (entered_by = employee_id)),
    CHECK ((state = 'answered') = (answer <> '') AND (answer <> '') = (answered_by IS NOT NULL)),
    CHECK (answered_by <> employee_id),
    CHECK ((state = 'open') = (finished_at IS NULL))
);
CREATE INDEX subject_requests_of_a_person ON subject_requests (employee_id, id);
CREATE INDEX subject_requests_open ON subject_requests (answer_due_at) WHERE state = 'open';

CREATE TRIGGER subject_requests_recorded BEFORE INSERT ON subject_requests FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE subject_requests ENABLE ALWAYS TRIGGER subject_requests_recorded;
INSERT INTO legal_transitions VALUES
    ('subject_requests.state', 'open', 'answered'),
    ('subject_requests.state', 'open', 'withdrawn'),
    ('subject_requests.state', 'open', 'ended');
CREATE TRIGGER subject_requests_state BEFORE UPDATE OF state ON subject_requests
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');
CREATE TRIGGER subject_requests_start BEFORE INSERT ON subject_requests
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'open');

-- Who asked for what, and what was answered, never changes; what was written is cleared, never written over; each change
-- names the entry that says so.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_other_request() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['state', 'answer_due_at', 'extended_at', 'escalated_at', 'answer', 'answered_by', 'finished_at', 'ledger_entry_id',
        'text_sealed', 'evidence_sealed', 'extension_sealed', 'answer_sealed', 'basis_sealed'];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free
        OR NEW.answer_due_at < OLD.answer_due_at OR NEW.extended_at IS NULL AND NEW.answer_due_at <> OLD.answer_due_at
        OR OLD.extended_at IS NOT NULL AND (NEW.extended_at, NEW.answer_due_at) IS DISTINCT FROM (OLD.extended_at, OLD.answer_due_at)
        OR OLD.finished_at IS NOT NULL AND (NEW.finished_at, NEW.answer, NEW.answered_by, NEW.answer_due_at) IS DISTINCT FROM (OLD.finished_at, OLD.answer, OLD.answered_by, OLD.answer_due_at)
        OR NEW.text_sealed IS NOT NULL AND NEW.text_sealed IS DISTINCT FROM OLD.text_sealed
        OR NEW.evidence_sealed IS NOT NULL AND NEW.evidence_sealed IS DISTINCT FROM OLD.evidence_sealed
        OR NEW.extension_sealed IS NOT NULL AND OLD.extended_at IS NOT NULL AND NEW.extension_sealed IS DISTINCT FROM OLD.extension_sealed
        OR NEW.answer_sealed IS NOT NULL AND OLD.finished_at IS NOT NULL AND NEW.answer_sealed IS DISTINCT FROM OLD.answer_sealed
        OR NEW.basis_sealed IS NOT NULL AND OLD.finished_at IS NOT NULL AND NEW.basis_sealed IS DISTINCT FROM OLD.basis_sealed THEN
        RAISE EXCEPTION 'what somebody asked for, and what was answered, never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.ledger_entry_id = OLD.ledger_entry_id AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)
        OR NEW.ledger_entry_id <> OLD.ledger_entry_id AND NOT public.lethe_recorded(NEW.ledger_entry_id) THEN
        RAISE EXCEPTION 'a request changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER subject_requests_unchanged BEFORE UPDATE ON subject_requests FOR EACH ROW EXECUTE FUNCTION refuse_other_request();
ALTER TABLE subject_requests ENABLE ALWAYS TRIGGER subject_requests_unchanged;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE subject_requests;
DROP FUNCTION public.refuse_other_request();
DELETE FROM legal_transitions WHERE machine = 'subject_requests.state';
SELECT public.lethe_grant_privileges();
