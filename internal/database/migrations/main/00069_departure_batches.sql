-- +goose Up
-- A file of departures is walked as a file of people is: kept in parts, checked, released, run. Its run can be paused.
ALTER TABLE batches DROP CONSTRAINT batches_kind_check, ADD CONSTRAINT batches_kind_check CHECK (kind IN ('import', 'departures'));
INSERT INTO legal_transitions VALUES
    ('batches.state', 'running', 'paused'),
    ('batches.state', 'paused', 'running'),
    ('batches.state', 'paused', 'cancelled'),
    ('batches.state', 'paused', 'expired');
-- Of each row of departures: whose it is, with which dates, and what became of it. It goes with the file.
ALTER TABLE batch_parts ADD COLUMN planned jsonb;
-- By which file a departure was begun, with others. (batch_id is by which file somebody came in who had left before.)
ALTER TABLE departures ADD COLUMN begun_batch_id uuid REFERENCES batches (id);
CREATE INDEX departures_begun_batch ON departures (begun_batch_id) WHERE begun_batch_id IS NOT NULL;
CREATE INDEX departures_creator ON departures (created_by, created_at);
CREATE TRIGGER departures_begun_by BEFORE UPDATE OF begun_batch_id ON departures
    FOR EACH ROW WHEN (OLD.begun_batch_id IS DISTINCT FROM NEW.begun_batch_id)
    EXECUTE FUNCTION public.refuse_another_matter();
ALTER TABLE departures ENABLE ALWAYS TRIGGER departures_begun_by;
-- +goose StatementBegin
CREATE FUNCTION public.refuse_unreleased_departure() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.batches b WHERE b.id = NEW.begun_batch_id AND b.kind = 'departures' AND b.state = 'running' AND b.actor_id = NEW.created_by) THEN
        RAISE EXCEPTION 'a departure is begun by a file that runs' USING ERRCODE = 'LT002';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER departures_released BEFORE INSERT ON departures
    FOR EACH ROW WHEN (NEW.begun_batch_id IS NOT NULL) EXECUTE FUNCTION public.refuse_unreleased_departure();
ALTER TABLE departures ENABLE ALWAYS TRIGGER departures_released;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_other_batch() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.kind, NEW.actor_id, NEW.actor_role, NEW.user_id, NEW.rows, NEW.created_at, NEW.content_until)
        IS DISTINCT FROM (OLD.id, OLD.kind, OLD.actor_id, OLD.actor_role, OLD.user_id, OLD.rows, OLD.created_at, OLD.content_until)
        OR NEW.ran < OLD.ran OR OLD.state IN ('running', 'paused', 'done') AND NEW.mapping IS DISTINCT FROM OLD.mapping THEN
        RAISE EXCEPTION 'whose batch it is, and what was done, never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.state <> OLD.state AND NEW.state IN ('running', 'paused', 'done', 'cancelled', 'expired')
        AND (NEW.ledger_entry_id = OLD.ledger_entry_id OR NOT public.lethe_recorded(NEW.ledger_entry_id)) THEN
        RAISE EXCEPTION 'a batch changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
SELECT public.lethe_grant_privileges();

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_other_batch() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.kind, NEW.actor_id, NEW.actor_role, NEW.user_id, NEW.rows, NEW.created_at, NEW.content_until)
        IS DISTINCT FROM (OLD.id, OLD.kind, OLD.actor_id, OLD.actor_role, OLD.user_id, OLD.rows, OLD.created_at, OLD.content_until)
        OR NEW.ran < OLD.ran OR OLD.state IN ('running', 'done') AND NEW.mapping IS DISTINCT FROM OLD.mapping THEN
        RAISE EXCEPTION 'whose batch it is, and what was done, never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.state <> OLD.state AND NEW.state IN ('running', 'done', 'cancelled', 'expired')
        AND (NEW.ledger_entry_id = OLD.ledger_entry_id OR NOT public.lethe_recorded(NEW.ledger_entry_id)) THEN
        RAISE EXCEPTION 'a batch changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP TRIGGER departures_released ON departures;
DROP FUNCTION public.refuse_unreleased_departure();
DROP TRIGGER departures_begun_by ON departures;
DROP INDEX departures_creator;
DROP INDEX departures_begun_batch;
ALTER TABLE departures DROP COLUMN begun_batch_id;
ALTER TABLE batch_parts DROP COLUMN planned;
DELETE FROM legal_transitions WHERE machine = 'batches.state' AND 'paused' IN (from_state, to_state);
ALTER TABLE batches DROP CONSTRAINT batches_kind_check, ADD CONSTRAINT batches_kind_check CHECK (kind IN ('import'));
SELECT public.lethe_grant_privileges();
