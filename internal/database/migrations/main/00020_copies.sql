-- +goose Up
-- What was purged must not be left in copies (I25).

-- Digests without a key gave back what they were of: a body's last digits, a login, an address. Those
-- that are made from now on are keyed by keys outside this database (internal/keyed). The old ones go,
-- with the files that they lay in. What they were for begins anew: a request that is repeated across the
-- upgrade is carried out again, browsers and addresses count as strange until the next login.
TRUNCATE idempotency_keys, login_lanes, known_places;
COMMENT ON COLUMN idempotency_keys.key_hash IS 'HMAC-SHA256 by a key outside this database';
COMMENT ON COLUMN idempotency_keys.request_hash IS 'HMAC-SHA256 by a key outside this database';
COMMENT ON COLUMN login_lanes.key_hash IS 'HMAC-SHA256 by a key outside this database';
COMMENT ON COLUMN known_places.key_hash IS 'HMAC-SHA256 by a key outside this database';

-- An open request for approval goes on: what it is bound to is hashed with a salt that is sealed beside
-- its command. Its fingerprint, of the command alone, becomes a random one, so that the same may be asked
-- for once more; the versions of its targets, digests of what people judge rows by, are covered by its
-- hash and are not needed in clear. Both are changed by rewriting the table: no old version of a row stays.
-- +goose StatementBegin
CREATE FUNCTION lethe_targets_named(targets jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(t.value - 'version' ORDER BY t.ordinality), '[]') FROM jsonb_array_elements(targets) WITH ORDINALITY t
$$;
-- +goose StatementEnd
ALTER TABLE approvals
    ALTER COLUMN fingerprint TYPE bytea USING CASE WHEN fingerprint IS NOT NULL
        THEN pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) END,
    ALTER COLUMN targets TYPE jsonb USING public.lethe_targets_named(targets);
DROP FUNCTION lethe_targets_named(jsonb);
COMMENT ON COLUMN approvals.fingerprint IS 'HMAC-SHA256 over operation and command by a key outside this database, while the request is open';

-- Why an employment ends is sealed with the departure's file from now on. What is there in plain is
-- sealed by `lethe migrate`, which has the vault: departure by departure, in transactions of their own.
-- It then rewrites the table and adds the constraint that refuses plain text; until then this does.
ALTER TABLE departures ADD COLUMN legal_ground_sealed sealed, ADD COLUMN reason_code_sealed sealed;
-- +goose StatementBegin
CREATE FUNCTION refuse_plain_codes() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.legal_ground <> '' AND (TG_OP = 'INSERT' OR NEW.legal_ground <> OLD.legal_ground)
        OR NEW.reason_code <> '' AND (TG_OP = 'INSERT' OR NEW.reason_code <> OLD.reason_code) THEN
        RAISE EXCEPTION 'a legal ground and a reason code are sealed' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER departures_codes_sealed BEFORE INSERT OR UPDATE ON departures
    FOR EACH ROW EXECUTE FUNCTION refuse_plain_codes();
ALTER TABLE departures ENABLE ALWAYS TRIGGER departures_codes_sealed;

-- A pack that shows the name of somebody who is purged since ends: it is signed, so that nothing is cut
-- out of it. Whom a pack of version 0.2 shows is not known (NULL): it ends with the next purge.
ALTER TABLE query_log_exports ADD COLUMN people uuid[];
ALTER TABLE query_log_exports DROP CONSTRAINT query_log_exports_state_check;
ALTER TABLE query_log_exports ADD CONSTRAINT query_log_exports_state_check
    CHECK (state IN ('queued', 'running', 'done', 'failed', 'expired', 'purged'));

-- +goose Down
UPDATE query_log_exports SET state = 'expired' WHERE state = 'purged';
ALTER TABLE query_log_exports DROP CONSTRAINT query_log_exports_state_check;
ALTER TABLE query_log_exports ADD CONSTRAINT query_log_exports_state_check
    CHECK (state IN ('queued', 'running', 'done', 'failed', 'expired'));
ALTER TABLE query_log_exports DROP COLUMN people;
-- What is sealed stays unreadable to the version before; its texts are lost to it.
ALTER TABLE departures DROP CONSTRAINT IF EXISTS departures_codes_sealed;
DROP TRIGGER departures_codes_sealed ON departures;
DROP FUNCTION refuse_plain_codes();
ALTER TABLE departures DROP COLUMN legal_ground_sealed, DROP COLUMN reason_code_sealed;
COMMENT ON COLUMN approvals.fingerprint IS NULL;
COMMENT ON COLUMN known_places.key_hash IS NULL;
COMMENT ON COLUMN login_lanes.key_hash IS NULL;
COMMENT ON COLUMN idempotency_keys.request_hash IS NULL;
COMMENT ON COLUMN idempotency_keys.key_hash IS NULL;
-- Keyed digests mean nothing to the version before.
TRUNCATE idempotency_keys, login_lanes, known_places;
