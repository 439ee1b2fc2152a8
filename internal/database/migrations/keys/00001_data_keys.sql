-- +goose Up
CREATE TABLE installation (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    id         uuid NOT NULL,
    mode       text NOT NULL CHECK (mode IN ('production', 'dev')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One data key for each employment and category, wrapped by a key-encryption key. Destroying nulls the
-- wrapped key and keeps the row, so that the key is never created again.
CREATE TABLE data_keys (
    id             uuid PRIMARY KEY,
    employment_id  uuid NOT NULL,
    category       text NOT NULL,
    category_id    uuid NOT NULL,
    kek_generation int NOT NULL,
    wrapped        bytea,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    rewrapped_at   timestamptz,
    destroyed_at   timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE INDEX data_keys_category ON data_keys (category_id);
-- +goose StatementBegin
CREATE FUNCTION refuse_resurrection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.destroyed_at IS NOT NULL THEN
            RAISE EXCEPTION 'a destroyed key keeps its row' USING ERRCODE = 'LT006';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.destroyed_at IS NOT NULL AND (NEW.wrapped IS NOT NULL OR NEW.destroyed_at IS DISTINCT FROM OLD.destroyed_at) THEN
        RAISE EXCEPTION 'a destroyed key stays destroyed' USING ERRCODE = 'LT006';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER data_keys_stay_destroyed BEFORE UPDATE OR DELETE ON data_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_resurrection();

-- +goose Down
DROP TABLE data_keys;
DROP FUNCTION refuse_resurrection();
DROP TABLE installation;
