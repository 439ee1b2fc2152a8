-- +goose Up
-- Who of HR is on duty, and when. By which number they are called stands in their files.
CREATE TABLE duty_shifts (
    id              uuid PRIMARY KEY,
    employee_id     uuid NOT NULL REFERENCES employees (id),
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    time_zone       text NOT NULL CHECK (time_zone <> ''),
    planned_by      uuid NOT NULL REFERENCES employees (id),
    planned_at      timestamptz NOT NULL DEFAULT lethe_now(),
    removed_at      timestamptz,
    removed_by      uuid REFERENCES employees (id),
    ledger_entry_id uuid NOT NULL,
    CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '26 hours'),
    CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);
CREATE INDEX duty_shifts_at ON duty_shifts (ends_at, id) WHERE removed_at IS NULL;
CREATE INDEX duty_shifts_of_a_person ON duty_shifts (employee_id, ends_at);
CREATE TRIGGER duty_shifts_recorded BEFORE INSERT ON duty_shifts FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE duty_shifts ENABLE ALWAYS TRIGGER duty_shifts_recorded;

-- A shift is taken out once, and never changes otherwise.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_other_shift() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_jsonb(NEW) - ARRAY['removed_at', 'removed_by', 'ledger_entry_id'] IS DISTINCT FROM to_jsonb(OLD) - ARRAY['removed_at', 'removed_by', 'ledger_entry_id']
        OR OLD.removed_at IS NOT NULL AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD) THEN
        RAISE EXCEPTION 'who was on duty, and when, never changes' USING ERRCODE = 'LT003';
    END IF;
    IF to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)
        AND (NEW.ledger_entry_id = OLD.ledger_entry_id OR NOT public.lethe_recorded(NEW.ledger_entry_id)) THEN
        RAISE EXCEPTION 'a shift changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER duty_shifts_unchanged BEFORE UPDATE ON duty_shifts FOR EACH ROW EXECUTE FUNCTION refuse_other_shift();
ALTER TABLE duty_shifts ENABLE ALWAYS TRIGGER duty_shifts_unchanged;

-- Emergency calls: who called HR about whom. What was said is sealed as a reason; no number is ever here.
CREATE TABLE emergency_calls (
    id               uuid PRIMARY KEY,
    caller_id        uuid NOT NULL REFERENCES employees (id),
    caller_role      text NOT NULL,
    employee_id      uuid REFERENCES employees (id),
    statement_sealed sealed,
    state            text NOT NULL CHECK (state IN ('open', 'taken', 'closed')),
    called_at        timestamptz NOT NULL DEFAULT lethe_now(),
    on_duty          uuid[] NOT NULL,
    taken_by         uuid REFERENCES employees (id),
    taken_at         timestamptz,
    escalated_at     timestamptz,
    outcome          text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'looked', 'handled', 'false_alarm')),
    disclosure_id    uuid REFERENCES disclosures (id),
    note_sealed      sealed,
    closed_by        uuid REFERENCES employees (id),
    closed_at        timestamptz,
    ledger_entry_id  uuid NOT NULL,
    CHECK ((taken_by IS NULL) = (taken_at IS NULL) AND (state = 'open') = (taken_by IS NULL)),
    CHECK ((state = 'closed') = (outcome <> '') AND (state = 'closed') = (closed_at IS NOT NULL) AND (state = 'closed') = (closed_by IS NOT NULL)),
    CHECK ((outcome = 'looked') = (disclosure_id IS NOT NULL))
);
CREATE INDEX emergency_calls_of_a_caller ON emergency_calls (caller_id, called_at);
CREATE INDEX emergency_calls_of_a_person ON emergency_calls (employee_id, id) WHERE employee_id IS NOT NULL;
CREATE INDEX emergency_calls_open ON emergency_calls (called_at) WHERE state <> 'closed';
CREATE TRIGGER emergency_calls_recorded BEFORE INSERT ON emergency_calls FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE emergency_calls ENABLE ALWAYS TRIGGER emergency_calls_recorded;
INSERT INTO legal_transitions VALUES
    ('emergency_calls.state', 'open', 'taken'),
    ('emergency_calls.state', 'taken', 'open'),
    ('emergency_calls.state', 'taken', 'closed');
CREATE TRIGGER emergency_calls_state BEFORE UPDATE OF state ON emergency_calls
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');
CREATE TRIGGER emergency_calls_start BEFORE INSERT ON emergency_calls
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'open');

-- Who called about whom, and what was said, never changes; each change names the entry that says so.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_other_call() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['state', 'taken_by', 'taken_at', 'escalated_at', 'outcome', 'disclosure_id', 'note_sealed', 'closed_by', 'closed_at', 'ledger_entry_id'];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free
        OR OLD.state = 'closed' AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD) THEN
        RAISE EXCEPTION 'who called about whom, and what came of it, never changes' USING ERRCODE = 'LT003';
    END IF;
    IF to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)
        AND (NEW.ledger_entry_id = OLD.ledger_entry_id OR NOT public.lethe_recorded(NEW.ledger_entry_id)) THEN
        RAISE EXCEPTION 'an emergency call changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER emergency_calls_unchanged BEFORE UPDATE ON emergency_calls FOR EACH ROW EXECUTE FUNCTION refuse_other_call();
ALTER TABLE emergency_calls ENABLE ALWAYS TRIGGER emergency_calls_unchanged;

-- A mail to who is on duty says that there is such a call, and nothing of it: one to each of them.
ALTER TABLE messages ADD COLUMN call_id uuid REFERENCES emergency_calls (id);
ALTER TABLE messages ADD CONSTRAINT messages_alert CHECK (call_id IS NULL OR asker_id IS NULL);
CREATE UNIQUE INDEX messages_of_a_call ON messages (call_id, employee_id) WHERE call_id IS NOT NULL;
SELECT public.lethe_grant_privileges();

-- +goose Down
DELETE FROM messages WHERE call_id IS NOT NULL;
ALTER TABLE messages DROP COLUMN call_id;
DROP TABLE emergency_calls;
DROP TABLE duty_shifts;
DROP FUNCTION public.refuse_other_call();
DROP FUNCTION public.refuse_other_shift();
DELETE FROM legal_transitions WHERE machine = 'emergency_calls.state';
SELECT public.lethe_grant_privileges();
