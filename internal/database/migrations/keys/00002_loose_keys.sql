-- +goose Up
-- One data key for each sealed value that belongs to no employment: a TOTP secret, a stored command.
-- Destroying nulls the wrapped key and keeps the row.
CREATE TABLE loose_keys (
    id             uuid PRIMARY KEY,
    place          text NOT NULL,
    kek_generation int NOT NULL,
    wrapped        bytea,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    rewrapped_at   timestamptz,
    destroyed_at   timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE TRIGGER loose_keys_stay_destroyed BEFORE UPDATE OR DELETE ON loose_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_resurrection();

-- +goose Down
DROP TABLE loose_keys;
