-- +goose Up
-- Emergency cuts: somebody's access is taken away at once, here and in the connected systems.
CREATE TABLE access_cuts (
    id              uuid PRIMARY KEY,
    employee_id     uuid NOT NULL REFERENCES employees (id),
    state           text NOT NULL CHECK (state IN ('unconfirmed', 'confirmed', 'lifted')),
    systems         text[] CHECK (systems <> '{}'),
    holder_of       text[] NOT NULL,
    ordered_by      uuid NOT NULL REFERENCES employees (id),
    ordered_role    text NOT NULL,
    ordered_at      timestamptz NOT NULL,
    reason_sealed   sealed,
    confirm_due_at  timestamptz NOT NULL,
    told_at         timestamptz,
    told_by         uuid REFERENCES employees (id),
    confirmed_at    timestamptz,
    confirmed_by    uuid REFERENCES employees (id),
    escalations     integer NOT NULL DEFAULT 0 CHECK (escalations BETWEEN 0 AND 2),
    escalated_at    timestamptz,
    lifted_at       timestamptz,
    lifted_by       uuid REFERENCES employees (id),
    lifted_with     uuid REFERENCES employees (id),
    ledger_entry_id uuid NOT NULL,
    CHECK (ordered_by <> employee_id),
    CHECK ((told_at IS NULL) = (told_by IS NULL)),
    CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL) AND (state <> 'confirmed' OR confirmed_by IS NOT NULL) AND (state <> 'unconfirmed' OR confirmed_by IS NULL)),
    CHECK (confirmed_by NOT IN (ordered_by, employee_id)),
    CHECK ((escalations = 0) = (escalated_at IS NULL)),
    CHECK ((state = 'lifted') = (lifted_at IS NOT NULL) AND (lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lifted_with IS NULL)),
    CHECK (lifted_by <> lifted_with AND employee_id NOT IN (lifted_by, lifted_with))
);
CREATE UNIQUE INDEX access_cuts_one ON access_cuts (employee_id) WHERE state <> 'lifted';
CREATE INDEX access_cuts_of_an_actor ON access_cuts (ordered_by, ordered_at);
CREATE INDEX access_cuts_unconfirmed ON access_cuts (ordered_at) WHERE state = 'unconfirmed';
CREATE TRIGGER access_cuts_recorded BEFORE INSERT ON access_cuts FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE access_cuts ENABLE ALWAYS TRIGGER access_cuts_recorded;
INSERT INTO legal_transitions VALUES
    ('access_cuts.state', 'unconfirmed', 'confirmed'),
    ('access_cuts.state', 'unconfirmed', 'lifted'),
    ('access_cuts.state', 'confirmed', 'lifted'),
    ('users.state', 'active', 'suspended'),
    ('users.state', 'suspended', 'active'),
    ('users.state', 'suspended', 'disabled');
CREATE TRIGGER access_cuts_state BEFORE UPDATE OF state ON access_cuts
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');
CREATE TRIGGER access_cuts_start BEFORE INSERT ON access_cuts
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'unconfirmed');

-- Who cut whom, and what was said and when, never changes; each change names the entry that says so.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_other_cut() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['state', 'told_at', 'told_by', 'confirmed_at', 'confirmed_by', 'escalations', 'escalated_at', 'lifted_at', 'lifted_by', 'lifted_with', 'ledger_entry_id'];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free
        OR OLD.told_at IS NOT NULL AND (NEW.told_at, NEW.told_by) IS DISTINCT FROM (OLD.told_at, OLD.told_by)
        OR OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_at, NEW.confirmed_by) IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by)
        OR OLD.lifted_at IS NOT NULL AND (NEW.lifted_at, NEW.lifted_by, NEW.lifted_with) IS DISTINCT FROM (OLD.lifted_at, OLD.lifted_by, OLD.lifted_with)
        OR NEW.escalations < OLD.escalations THEN
        RAISE EXCEPTION 'who cut whose access, and what came of it, never changes' USING ERRCODE = 'LT003';
    END IF;
    IF to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)
        AND (NEW.ledger_entry_id = OLD.ledger_entry_id OR NOT public.lethe_recorded(NEW.ledger_entry_id)) THEN
        RAISE EXCEPTION 'a cut changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER access_cuts_unchanged BEFORE UPDATE ON access_cuts FOR EACH ROW EXECUTE FUNCTION refuse_other_cut();
ALTER TABLE access_cuts ENABLE ALWAYS TRIGGER access_cuts_unchanged;

-- What a cut closes and opens again are stand-alone operations of its own.
ALTER TABLE account_operations ADD COLUMN cut_id uuid REFERENCES access_cuts (id);
ALTER TABLE account_operations ADD CONSTRAINT account_operations_cut CHECK (cut_id IS NULL OR departure_id IS NULL);
CREATE INDEX account_operations_of_a_cut ON account_operations (cut_id) WHERE cut_id IS NOT NULL;

-- A suspended user keeps its credentials: a cut that is lifted gives it back.
ALTER TABLE users DROP CONSTRAINT users_state_check;
ALTER TABLE users ADD CONSTRAINT users_state_check CHECK (state IN ('enrolling', 'active', 'suspended', 'disabled'));

-- What is for those who hold a role; without one it is for everybody.
ALTER TABLE notices ADD COLUMN roles text[] NOT NULL DEFAULT '{}';
SELECT public.lethe_grant_privileges();

-- +goose Down
ALTER TABLE notices DROP COLUMN roles;
DELETE FROM legal_transitions WHERE machine = 'access_cuts.state' OR machine = 'users.state' AND 'suspended' IN (from_state, to_state);
ALTER TABLE users DROP CONSTRAINT users_state_check;
ALTER TABLE users ADD CONSTRAINT users_state_check CHECK (state IN ('enrolling', 'active', 'disabled'));
ALTER TABLE account_operations DROP COLUMN cut_id;
DROP TABLE access_cuts;
DROP FUNCTION public.refuse_other_cut();
SELECT public.lethe_grant_privileges();
