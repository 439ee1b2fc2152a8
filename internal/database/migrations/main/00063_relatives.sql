-- +goose Up
-- Near relatives of somebody who died ask for the data (PIPL Art. 49). Who asks, by which proof and for which interest is sealed and
-- ends like what was written; a second person has to have seen the proof before anything is granted.
ALTER TABLE subject_requests
    ADD COLUMN by_relative boolean NOT NULL DEFAULT false,
    ADD COLUMN objected boolean NOT NULL DEFAULT false,
    ADD COLUMN relative_sealed sealed,
    ADD COLUMN proof_seen_by uuid REFERENCES employees (id),
    ADD COLUMN proof_seen_at timestamptz,
    ADD CONSTRAINT subject_requests_relative CHECK (NOT by_relative OR form = 'written'),
    ADD CONSTRAINT subject_requests_objected CHECK (NOT objected OR by_relative AND answer IN ('', 'refused')),
    ADD CONSTRAINT subject_requests_proof CHECK ((proof_seen_by IS NULL) = (proof_seen_at IS NULL) AND proof_seen_by <> entered_by AND proof_seen_by <> employee_id
        AND (by_relative OR proof_seen_by IS NULL)),
    ADD CONSTRAINT subject_requests_two CHECK (NOT by_relative OR answer IN ('', 'refused') OR proof_seen_by IS NOT NULL);
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_other_request() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['state', 'answer_due_at', 'extended_at', 'escalated_at', 'answer', 'answered_by', 'finished_at', 'ledger_entry_id',
        'text_sealed', 'evidence_sealed', 'extension_sealed', 'answer_sealed', 'basis_sealed', 'relative_sealed', 'proof_seen_by', 'proof_seen_at'];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free
        OR NEW.answer_due_at < OLD.answer_due_at OR NEW.extended_at IS NULL AND NEW.answer_due_at <> OLD.answer_due_at
        OR OLD.extended_at IS NOT NULL AND (NEW.extended_at, NEW.answer_due_at) IS DISTINCT FROM (OLD.extended_at, OLD.answer_due_at)
        OR OLD.finished_at IS NOT NULL AND (NEW.finished_at, NEW.answer, NEW.answered_by, NEW.answer_due_at) IS DISTINCT FROM (OLD.finished_at, OLD.answer, OLD.answered_by, OLD.answer_due_at)
        OR NEW.text_sealed IS NOT NULL AND NEW.text_sealed IS DISTINCT FROM OLD.text_sealed
        OR NEW.evidence_sealed IS NOT NULL AND NEW.evidence_sealed IS DISTINCT FROM OLD.evidence_sealed
        OR NEW.relative_sealed IS NOT NULL AND NEW.relative_sealed IS DISTINCT FROM OLD.relative_sealed
        OR OLD.proof_seen_at IS NOT NULL AND (NEW.proof_seen_by, NEW.proof_seen_at) IS DISTINCT FROM (OLD.proof_seen_by, OLD.proof_seen_at)
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
SELECT public.lethe_grant_privileges();

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_other_request() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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
ALTER TABLE subject_requests
    DROP CONSTRAINT subject_requests_two,
    DROP CONSTRAINT subject_requests_proof,
    DROP CONSTRAINT subject_requests_objected,
    DROP CONSTRAINT subject_requests_relative,
    DROP COLUMN proof_seen_at,
    DROP COLUMN proof_seen_by,
    DROP COLUMN relative_sealed,
    DROP COLUMN objected,
    DROP COLUMN by_relative;
SELECT public.lethe_grant_privileges();
