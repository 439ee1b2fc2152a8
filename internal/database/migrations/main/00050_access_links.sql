-- +goose Up
-- One-time links by which people who have left reach their own data. That one was asked for is kept alike whoever has the
-- login; a worker looks afterwards whose it is. The code is made when the mail is handed over, and kept as a digest.
CREATE TABLE access_links (
    id              uuid PRIMARY KEY,
    login_sealed    sealed,
    asked_at        timestamptz NOT NULL,
    resolved_at     timestamptz,
    user_id         uuid REFERENCES users (id),
    message_id      uuid UNIQUE REFERENCES messages (id),
    code_hash       bytea UNIQUE CHECK (octet_length(code_hash) = 32),
    expires_at      timestamptz,
    tries           int NOT NULL DEFAULT 0,
    used_at         timestamptz,
    ledger_entry_id uuid NOT NULL,
    CHECK (resolved_at IS NULL OR login_sealed IS NULL),
    CHECK ((user_id IS NULL) = (message_id IS NULL) AND (code_hash IS NULL) = (expires_at IS NULL) AND (code_hash IS NULL OR user_id IS NOT NULL))
);
CREATE INDEX access_links_asked ON access_links (asked_at);
CREATE INDEX access_links_of_a_user ON access_links (user_id) WHERE user_id IS NOT NULL;
COMMENT ON TABLE access_links IS 'erasable';
CREATE TRIGGER access_links_recorded BEFORE INSERT ON access_links FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE access_links ENABLE ALWAYS TRIGGER access_links_recorded;

-- A used link is never used again.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_used_link() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.used_at IS NOT NULL AND NEW IS DISTINCT FROM OLD OR NEW.tries < OLD.tries AND NEW.code_hash = OLD.code_hash
        OR OLD.user_id IS NOT NULL AND NEW.user_id IS DISTINCT FROM OLD.user_id THEN
        RAISE EXCEPTION 'a link is used once, by whom it was made for' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER access_links_unchanged BEFORE UPDATE ON access_links FOR EACH ROW EXECUTE FUNCTION refuse_used_link();
ALTER TABLE access_links ENABLE ALWAYS TRIGGER access_links_unchanged;

ALTER TABLE messages
    ADD COLUMN link boolean NOT NULL DEFAULT false,
    ALTER COLUMN requested_by DROP NOT NULL,
    ADD CONSTRAINT messages_requested CHECK (link = (requested_by IS NULL) AND (NOT link OR asker_id IS NULL AND call_id IS NULL));
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE access_links;
DROP FUNCTION public.refuse_used_link();
ALTER TABLE messages DISABLE TRIGGER USER;
DELETE FROM messages WHERE link;
ALTER TABLE messages ENABLE TRIGGER USER;
ALTER TABLE messages
    DROP CONSTRAINT messages_requested,
    DROP COLUMN link,
    ALTER COLUMN requested_by SET NOT NULL;
ALTER TABLE messages ENABLE ALWAYS TRIGGER messages_recorded;
ALTER TABLE messages ENABLE ALWAYS TRIGGER messages_unchanged;
SELECT public.lethe_grant_privileges();
