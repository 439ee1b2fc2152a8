-- +goose Up
-- An emergency cut ends with the employment, or with the data, of its person.
ALTER TABLE public.access_cuts ADD COLUMN ended_at timestamptz;
ALTER TABLE public.access_cuts DROP CONSTRAINT access_cuts_state_check;
ALTER TABLE public.access_cuts ADD CONSTRAINT access_cuts_state_check CHECK (state IN ('unconfirmed', 'confirmed', 'lifted', 'ended'));
ALTER TABLE public.access_cuts ADD CONSTRAINT access_cuts_ended CHECK ((state = 'ended') = (ended_at IS NOT NULL));
DROP INDEX public.access_cuts_one;
CREATE UNIQUE INDEX access_cuts_one ON public.access_cuts (employee_id) WHERE state IN ('unconfirmed', 'confirmed');
INSERT INTO public.legal_transitions VALUES
    ('access_cuts.state', 'unconfirmed', 'ended'),
    ('access_cuts.state', 'confirmed', 'ended');
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_other_cut() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['state', 'told_at', 'told_by', 'confirmed_at', 'confirmed_by', 'escalations', 'escalated_at', 'lifted_at', 'lifted_by', 'lifted_with', 'ended_at', 'ledger_entry_id'];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free
        OR OLD.told_at IS NOT NULL AND (NEW.told_at, NEW.told_by) IS DISTINCT FROM (OLD.told_at, OLD.told_by)
        OR OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_at, NEW.confirmed_by) IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by)
        OR OLD.lifted_at IS NOT NULL AND (NEW.lifted_at, NEW.lifted_by, NEW.lifted_with) IS DISTINCT FROM (OLD.lifted_at, OLD.lifted_by, OLD.lifted_with)
        OR OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at
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

-- +goose Down
-- What has ended is the nearest to lifted that the former version knows: by whoever ordered it, with whoever is neither.
ALTER TABLE public.access_cuts DISABLE TRIGGER USER;
ALTER TABLE public.access_cuts DROP CONSTRAINT access_cuts_ended;
UPDATE public.access_cuts c SET state = 'lifted', lifted_at = ended_at, lifted_by = ordered_by,
    lifted_with = (SELECT e.id FROM public.employees e WHERE e.id NOT IN (c.ordered_by, c.employee_id) ORDER BY e.id LIMIT 1) WHERE state = 'ended';
ALTER TABLE public.access_cuts ENABLE TRIGGER USER;
ALTER TABLE public.access_cuts ENABLE ALWAYS TRIGGER access_cuts_recorded;
ALTER TABLE public.access_cuts ENABLE ALWAYS TRIGGER access_cuts_unchanged;
ALTER TABLE public.access_cuts DROP CONSTRAINT access_cuts_state_check;
ALTER TABLE public.access_cuts ADD CONSTRAINT access_cuts_state_check CHECK (state IN ('unconfirmed', 'confirmed', 'lifted'));
DROP INDEX public.access_cuts_one;
CREATE UNIQUE INDEX access_cuts_one ON public.access_cuts (employee_id) WHERE state <> 'lifted';
ALTER TABLE public.access_cuts DROP COLUMN ended_at;
DELETE FROM public.legal_transitions WHERE machine = 'access_cuts.state' AND to_state = 'ended';
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_other_cut() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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
