-- +goose Up
-- As in the facts: functions pin their search path, and nobody but the owner may make anything here.
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY, CREATE ON DATABASE %I FROM PUBLIC', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$;
DO $$
BEGIN
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_resurrection() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
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

-- +goose Down
-- The function stays pinned, and what was granted to everybody stays taken back.
SELECT 1;
