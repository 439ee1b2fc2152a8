-- +goose Up
-- Judged looks at what the archive hides: who asked for which fields of whom, for which purpose, and what became of
-- it. Values are never here. What was written (the reason, the evidence, who came with it) is sealed as a reason: it
-- ends with the log. Without fields nothing was asked for: what somebody wanted was registered.
CREATE TABLE disclosures (
    id                  uuid PRIMARY KEY,
    employee_id         uuid NOT NULL REFERENCES employees (id),
    employment_id       uuid NOT NULL REFERENCES employments (id),
    actor_id            uuid NOT NULL REFERENCES employees (id),
    actor_role          text NOT NULL,
    fields              text[] NOT NULL,
    purpose             text NOT NULL CHECK (purpose <> ''),
    status              text NOT NULL,
    state               text NOT NULL CHECK (state IN ('refused', 'waiting', 'granted', 'declined', 'lapsed', 'shown', 'closed')),
    rule                text NOT NULL,
    flags               text[] NOT NULL DEFAULT '{}',
    matter              text NOT NULL DEFAULT '',
    statement_sealed    sealed,
    requested_by        uuid REFERENCES employees (id),
    asked_at            timestamptz NOT NULL DEFAULT lethe_now(),
    open_until          timestamptz,
    shown_at            timestamptz,
    shown_times         int NOT NULL DEFAULT 0,
    review_due_at       timestamptz,
    reviewed_at         timestamptz,
    reviewed_by         uuid REFERENCES employees (id),
    review              text NOT NULL DEFAULT '' CHECK (review IN ('', 'proper', 'improper')),
    review_note_sealed  sealed,
    outcome             text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'not_passed_on', 'person_contacted', 'family_contacted', 'passed_on')),
    outcome_note_sealed sealed,
    pressed             boolean NOT NULL DEFAULT false,
    closed_at           timestamptz,
    ledger_entry_id     uuid NOT NULL,
    CHECK (cardinality(fields) > 0 OR state = 'refused'),
    CHECK (cardinality(fields) = 0 OR statement_sealed IS NOT NULL),
    CHECK (state NOT IN ('shown', 'closed') OR shown_at IS NOT NULL AND shown_times > 0),
    CHECK ((state = 'closed') = (outcome <> '') AND (state = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((review <> '') = (reviewed_by IS NOT NULL) AND (review <> '') = (reviewed_at IS NOT NULL)),
    CHECK (reviewed_by IS NULL OR reviewed_by <> actor_id AND reviewed_by <> employee_id),
    CHECK (actor_id <> employee_id OR state = 'refused')
);
CREATE INDEX disclosures_of_a_person ON disclosures (employee_id, id);
CREATE INDEX disclosures_of_an_actor ON disclosures (actor_id, asked_at);
CREATE INDEX disclosures_open ON disclosures (state, id) WHERE state IN ('waiting', 'granted', 'shown');
CREATE INDEX disclosures_due ON disclosures (review_due_at) WHERE review_due_at IS NOT NULL AND reviewed_at IS NULL;

CREATE TRIGGER disclosures_recorded BEFORE INSERT ON disclosures FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE disclosures ENABLE ALWAYS TRIGGER disclosures_recorded;

INSERT INTO legal_transitions VALUES
    ('disclosures.state', 'waiting', 'granted'),
    ('disclosures.state', 'waiting', 'declined'),
    ('disclosures.state', 'waiting', 'lapsed'),
    ('disclosures.state', 'granted', 'shown'),
    ('disclosures.state', 'granted', 'lapsed'),
    ('disclosures.state', 'shown', 'closed');
CREATE TRIGGER disclosures_state BEFORE UPDATE OF state ON disclosures
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');
CREATE TRIGGER disclosures_start BEFORE INSERT ON disclosures
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'refused,waiting,shown');

-- What was asked for and how it was judged never changes; it is shown no less often than it was.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_other_look() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['state', 'open_until', 'shown_at', 'shown_times', 'review_due_at', 'reviewed_at',
        'reviewed_by', 'review', 'review_note_sealed', 'outcome', 'outcome_note_sealed', 'pressed', 'closed_at', 'ledger_entry_id'];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free OR NEW.shown_times < OLD.shown_times
        OR OLD.reviewed_at IS NOT NULL AND (NEW.review, NEW.reviewed_by, NEW.reviewed_at) IS DISTINCT FROM (OLD.review, OLD.reviewed_by, OLD.reviewed_at)
        OR OLD.shown_at IS NOT NULL AND NEW.shown_at IS DISTINCT FROM OLD.shown_at
        OR OLD.state = 'closed' AND (NEW.outcome, NEW.closed_at, NEW.pressed) IS DISTINCT FROM (OLD.outcome, OLD.closed_at, OLD.pressed) THEN
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
CREATE TRIGGER disclosures_unchanged BEFORE UPDATE ON disclosures FOR EACH ROW EXECUTE FUNCTION refuse_other_look();
ALTER TABLE disclosures ENABLE ALWAYS TRIGGER disclosures_unchanged;

SELECT lethe_grant_privileges();

-- +goose Down
DROP TABLE disclosures;
DROP FUNCTION public.refuse_other_look();
DELETE FROM legal_transitions WHERE machine = 'disclosures.state';
