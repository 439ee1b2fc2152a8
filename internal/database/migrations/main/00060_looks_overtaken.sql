-- +goose Up
-- A look that waits for a reviewer is refused once it is permitted no more, by the rule that says so.
INSERT INTO legal_transitions VALUES ('disclosures.state', 'waiting', 'refused');
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_other_look() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free text[] := ARRAY['state', 'open_until', 'shown_at', 'shown_times', 'review_due_at', 'reviewed_at',
        'reviewed_by', 'review', 'review_note_sealed', 'outcome', 'outcome_note_sealed', 'pressed', 'closed_at', 'ledger_entry_id',
        'escalated_at', 'objected_at', 'objection_sealed', 'answer_due_at', 'answered_at', 'answered_by', 'answer_sealed'];
BEGIN
    -- The rule that one waits by becomes the one that refuses it.
    IF OLD.state = 'waiting' AND NEW.state = 'refused' THEN
        free := free || 'rule'::text;
    END IF;
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free OR NEW.shown_times < OLD.shown_times
        OR OLD.reviewed_at IS NOT NULL AND (NEW.review, NEW.reviewed_by, NEW.reviewed_at) IS DISTINCT FROM (OLD.review, OLD.reviewed_by, OLD.reviewed_at)
        OR OLD.shown_at IS NOT NULL AND NEW.shown_at IS DISTINCT FROM OLD.shown_at
        OR OLD.state = 'closed' AND (NEW.outcome, NEW.closed_at, NEW.pressed) IS DISTINCT FROM (OLD.outcome, OLD.closed_at, OLD.pressed)
        OR OLD.objected_at IS NOT NULL AND (NEW.objected_at, NEW.objection_sealed, NEW.answer_due_at) IS DISTINCT FROM (OLD.objected_at, OLD.objection_sealed, OLD.answer_due_at)
        OR OLD.answered_at IS NOT NULL AND (NEW.answered_at, NEW.answered_by, NEW.answer_sealed) IS DISTINCT FROM (OLD.answered_at, OLD.answered_by, OLD.answer_sealed) THEN
        RAISE EXCEPTION 'how a look was judged never changes' USING ERRCODE = 'LT003';
    END IF;
    -- Each change names the entry that says so.
    IF NEW.ledger_entry_id = OLD.ledger_entry_id AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)
        OR NEW.ledger_entry_id <> OLD.ledger_entry_id AND NOT public.lethe_recorded(NEW.ledger_entry_id) THEN
        RAISE EXCEPTION 'a look changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose Down
DELETE FROM legal_transitions WHERE machine = 'disclosures.state' AND from_state = 'waiting' AND to_state = 'refused';
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_other_look() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['state', 'open_until', 'shown_at', 'shown_times', 'review_due_at', 'reviewed_at',
        'reviewed_by', 'review', 'review_note_sealed', 'outcome', 'outcome_note_sealed', 'pressed', 'closed_at', 'ledger_entry_id',
        'escalated_at', 'objected_at', 'objection_sealed', 'answer_due_at', 'answered_at', 'answered_by', 'answer_sealed'];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free OR NEW.shown_times < OLD.shown_times
        OR OLD.reviewed_at IS NOT NULL AND (NEW.review, NEW.reviewed_by, NEW.reviewed_at) IS DISTINCT FROM (OLD.review, OLD.reviewed_by, OLD.reviewed_at)
        OR OLD.shown_at IS NOT NULL AND NEW.shown_at IS DISTINCT FROM OLD.shown_at
        OR OLD.state = 'closed' AND (NEW.outcome, NEW.closed_at, NEW.pressed) IS DISTINCT FROM (OLD.outcome, OLD.closed_at, OLD.pressed)
        OR OLD.objected_at IS NOT NULL AND (NEW.objected_at, NEW.objection_sealed, NEW.answer_due_at) IS DISTINCT FROM (OLD.objected_at, OLD.objection_sealed, OLD.answer_due_at)
        OR OLD.answered_at IS NOT NULL AND (NEW.answered_at, NEW.answered_by, NEW.answer_sealed) IS DISTINCT FROM (OLD.answered_at, OLD.answered_by, OLD.answer_sealed) THEN
        RAISE EXCEPTION 'how a look was judged never changes' USING ERRCODE = 'LT003';
    END IF;
    -- Each change names the entry that says so.
    IF NEW.ledger_entry_id = OLD.ledger_entry_id AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)
        OR NEW.ledger_entry_id <> OLD.ledger_entry_id AND NOT public.lethe_recorded(NEW.ledger_entry_id) THEN
        RAISE EXCEPTION 'a look changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
