-- +goose Up
-- People who left long ago come in with a file: their deadlines count from the end that it names, by the approval of the
-- file, and each purge of what is due wants its review.
ALTER TABLE departures ADD COLUMN batch_id uuid REFERENCES batches (id);
-- Whose accounts nobody was asked about yet: systems are asked at a set rate.
CREATE INDEX departures_unasked ON departures (wake_at) WHERE stage = 'departed' AND accounts_state = 'linked';
CREATE TRIGGER departures_entered BEFORE UPDATE OF batch_id ON departures
    FOR EACH ROW WHEN (OLD.batch_id IS DISTINCT FROM NEW.batch_id)
    EXECUTE FUNCTION public.refuse_another_matter();
ALTER TABLE departures ENABLE ALWAYS TRIGGER departures_entered;

-- How many of a file's people left, between which days, and what would be due at once: counts, days and categories.
ALTER TABLE batch_parts ADD COLUMN leaving jsonb;
ALTER TABLE batches ADD COLUMN departed int NOT NULL DEFAULT 0,
    ADD CONSTRAINT batches_departed_check CHECK (departed BETWEEN 0 AND created);

-- +goose StatementBegin
-- A file's approval speaks for those alone whom the file enters, in the transaction in which it does.
CREATE OR REPLACE FUNCTION public.refuse_unapproved_counting() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.batch_id IS NOT NULL THEN
        IF NOT EXISTS (
            SELECT FROM public.batches b JOIN public.approvals a ON a.id = b.approval_id
            JOIN public.employments m ON m.id = NEW.employment_id
            WHERE b.id = NEW.batch_id AND b.state = 'running' AND a.id = NEW.advanced_by
              AND a.state = 'approved' AND a.operation = 'employee_import.run'
              AND a.targets @> jsonb_build_array(jsonb_build_object('kind', 'employee_import', 'id', b.id))
              AND a.requester_id = b.actor_id AND a.decided_by = b.approver_id
              AND public.lethe_recorded(m.ledger_entry_id)
        ) THEN
            RAISE EXCEPTION 'deadlines count from an earlier day without the approval of the file' USING ERRCODE = 'LT007';
        END IF;
        RETURN NULL;
    END IF;
    IF NOT EXISTS (
        SELECT FROM public.approvals a
        WHERE a.id = NEW.advanced_by
          AND public.lethe_agreed(a.id, ARRAY['departure.begin_immediately', 'departure.bring_forward', 'departure.earlier_dates'], NEW.employee_id)
          AND a.targets @> CASE WHEN a.operation = 'departure.begin_immediately'
                THEN jsonb_build_array(jsonb_build_object('kind', 'employee', 'id', NEW.employee_id))
                ELSE jsonb_build_array(jsonb_build_object('kind', 'departure', 'id', NEW.id)) END
          AND (a.operation = 'departure.begin_immediately') = (TG_OP = 'INSERT')
    ) THEN
        RAISE EXCEPTION 'deadlines count from an earlier day without an approval' USING ERRCODE = 'LT007';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
SELECT public.lethe_grant_privileges();

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_unapproved_counting() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.approvals a
        WHERE a.id = NEW.advanced_by
          AND public.lethe_agreed(a.id, ARRAY['departure.begin_immediately', 'departure.bring_forward', 'departure.earlier_dates'], NEW.employee_id)
          AND a.targets @> CASE WHEN a.operation = 'departure.begin_immediately'
                THEN jsonb_build_array(jsonb_build_object('kind', 'employee', 'id', NEW.employee_id))
                ELSE jsonb_build_array(jsonb_build_object('kind', 'departure', 'id', NEW.id)) END
          AND (a.operation = 'departure.begin_immediately') = (TG_OP = 'INSERT')
    ) THEN
        RAISE EXCEPTION 'deadlines count from an earlier day without an approval' USING ERRCODE = 'LT007';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
ALTER TABLE batches DROP COLUMN departed;
ALTER TABLE batch_parts DROP COLUMN leaving;
DROP TRIGGER departures_entered ON departures;
DROP INDEX departures_unasked;
ALTER TABLE departures DROP COLUMN batch_id;
