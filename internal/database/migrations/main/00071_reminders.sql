-- +goose Up
-- How people who work here are told by mail what waits for them: at an address that they gave for it, which is sealed. The row
-- ends with the user.
CREATE TABLE reminders (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL UNIQUE REFERENCES users (id),
    address_sealed  sealed NOT NULL,
    digest          text NOT NULL CHECK (digest IN ('daily', 'weekly', 'never')),
    urgent          boolean NOT NULL,
    language        text NOT NULL CHECK (language IN ('zh', 'en')),
    set_at          timestamptz NOT NULL,
    ledger_entry_id uuid NOT NULL
);
COMMENT ON TABLE reminders IS 'erasable';
CREATE TRIGGER reminders_recorded BEFORE INSERT OR UPDATE ON reminders FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE reminders ENABLE ALWAYS TRIGGER reminders_recorded;

-- Such a mail is a message of its own kind: of a day, or of the instant of something urgent, once.
ALTER TABLE messages
    ADD COLUMN reminder text NOT NULL DEFAULT '' CHECK (reminder IN ('', 'digest', 'urgent')),
    ADD COLUMN reminder_of text CHECK ((reminder = '') = (reminder_of IS NULL)),
    DROP CONSTRAINT messages_requested,
    ADD CONSTRAINT messages_requested CHECK ((link OR reminder <> '') = (requested_by IS NULL) AND NOT (link AND reminder <> '')
        AND (requested_by IS NOT NULL OR asker_id IS NULL AND call_id IS NULL));
CREATE UNIQUE INDEX messages_told_once ON messages (employee_id, reminder, reminder_of) WHERE reminder <> '';
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE reminders;
ALTER TABLE messages DISABLE TRIGGER USER;
DELETE FROM messages WHERE reminder <> '';
ALTER TABLE messages ENABLE TRIGGER USER;
ALTER TABLE messages
    DROP CONSTRAINT messages_requested,
    DROP COLUMN reminder,
    DROP COLUMN reminder_of,
    ADD CONSTRAINT messages_requested CHECK (link = (requested_by IS NULL) AND (NOT link OR asker_id IS NULL AND call_id IS NULL));
ALTER TABLE messages ENABLE ALWAYS TRIGGER messages_recorded;
ALTER TABLE messages ENABLE ALWAYS TRIGGER messages_unchanged;
SELECT public.lethe_grant_privileges();
