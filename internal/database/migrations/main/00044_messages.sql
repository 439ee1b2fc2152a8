-- +goose Up
-- Messages to people who have left: that somebody would like to hear from them, and nothing else. The private address is
-- never here; the colleague's contact is sealed, and goes once the message is sent or ended.
CREATE TABLE messages (
    id              uuid PRIMARY KEY,
    employee_id     uuid NOT NULL REFERENCES employees (id),
    requested_by    uuid NOT NULL REFERENCES employees (id),
    asker_id        uuid REFERENCES employees (id),
    state           text NOT NULL CHECK (state IN ('waiting', 'queued', 'sending', 'sent', 'unsure', 'ended')),
    ended_as        text NOT NULL DEFAULT '',
    requested_at    timestamptz NOT NULL DEFAULT lethe_now(),
    confirm_until   timestamptz,
    confirmed_at    timestamptz,
    contact_sealed  sealed,
    attempts        int NOT NULL DEFAULT 0,
    next_at         timestamptz,
    finished_at     timestamptz,
    ledger_entry_id uuid NOT NULL,
    CHECK (requested_by <> employee_id AND asker_id IS DISTINCT FROM employee_id),
    CHECK ((state = 'ended') = (ended_as <> '')),
    CHECK ((state IN ('sent', 'unsure', 'ended')) = (finished_at IS NOT NULL)),
    CHECK ((asker_id IS NULL) = (confirm_until IS NULL) AND (state <> 'waiting' OR asker_id IS NOT NULL AND confirmed_at IS NULL)),
    CHECK (state NOT IN ('queued', 'sending', 'sent', 'unsure') OR asker_id IS NULL OR confirmed_at IS NOT NULL),
    CHECK (contact_sealed IS NULL OR state IN ('queued', 'sending'))
);
CREATE INDEX messages_to_a_person ON messages (employee_id, requested_at);
CREATE INDEX messages_of_an_asker ON messages (asker_id, id) WHERE asker_id IS NOT NULL;
CREATE INDEX messages_open ON messages (next_at) WHERE state IN ('waiting', 'queued', 'sending');

CREATE TRIGGER messages_recorded BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE messages ENABLE ALWAYS TRIGGER messages_recorded;
INSERT INTO legal_transitions VALUES
    ('messages.state', 'waiting', 'queued'),
    ('messages.state', 'waiting', 'ended'),
    ('messages.state', 'queued', 'sending'),
    ('messages.state', 'queued', 'ended'),
    ('messages.state', 'sending', 'queued'),
    ('messages.state', 'sending', 'sent'),
    ('messages.state', 'sending', 'unsure'),
    ('messages.state', 'sending', 'ended');
CREATE TRIGGER messages_state BEFORE UPDATE OF state ON messages
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');
CREATE TRIGGER messages_start BEFORE INSERT ON messages
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'waiting,queued');

-- To whom, by whom and for whom never changes; each change of its state names the entry that says so.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_other_message() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['state', 'ended_as', 'confirmed_at', 'contact_sealed', 'attempts', 'next_at', 'finished_at', 'ledger_entry_id'];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free
        OR OLD.confirmed_at IS NOT NULL AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at
        OR OLD.finished_at IS NOT NULL AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD) THEN
        RAISE EXCEPTION 'to whom a message goes, and what became of it, never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.ledger_entry_id = OLD.ledger_entry_id AND NEW.state IS DISTINCT FROM OLD.state
        OR NEW.ledger_entry_id <> OLD.ledger_entry_id AND NOT public.lethe_recorded(NEW.ledger_entry_id) THEN
        RAISE EXCEPTION 'a message changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER messages_unchanged BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION refuse_other_message();
ALTER TABLE messages ENABLE ALWAYS TRIGGER messages_unchanged;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE messages;
DROP FUNCTION public.refuse_other_message();
DELETE FROM legal_transitions WHERE machine = 'messages.state';
SELECT public.lethe_grant_privileges();
