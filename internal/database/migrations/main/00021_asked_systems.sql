-- +goose Up
-- No account registered is not the same as no access: an order that takes access away asks every
-- connected system by employee number, and settles on what each of them was found to have.

-- Looked for, not registered by anybody; and what the look-up came to.
ALTER TABLE public.linked_accounts
    ADD COLUMN registered boolean NOT NULL DEFAULT true,
    ADD COLUMN finding text NOT NULL DEFAULT ''
        CHECK (finding IN ('', 'nothing', 'known', 'found', 'detached', 'another_employment', 'transfer')),
    ADD CHECK (finding = '' OR NOT registered);

-- The systems that had to be asked, a fact of the order: connected when it was given or later, and those
-- of the accounts that it took. NULL: a relink, a detachment, or from before systems were asked.
ALTER TABLE public.account_operations ADD COLUMN asked text[];

-- What such a step finds in use is for people to decide: the order was over when the system was asked.
ALTER TABLE public.account_steps ADD COLUMN cautious boolean NOT NULL DEFAULT false;

-- How far a system was asked about departures whose orders did not ask it: all of those from before this
-- migration, or from before the system was connected.
CREATE TABLE public.system_askings (
    system      text PRIMARY KEY,
    -- The last departure that was looked at, by id.
    after       uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    finished_at timestamptz
);

INSERT INTO public.legal_transitions VALUES
    ('account_operations.state', 'settled', 'running'),          -- a further system is asked
    ('departures.accounts_state', 'settled', 'unlinking'),
    ('departures.accounts_state', 'linked', 'needs_attention');  -- no system is connected: nothing can be asked

-- The systems of an order that have no finding yet: a step that was waived, or one that ended with a
-- look-up by number in its newest attempt.
-- +goose StatementBegin
CREATE FUNCTION public.lethe_unanswered(operation uuid) RETURNS text[] LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(asked.system), '{}')
    FROM (SELECT unnest(o.asked) AS system FROM public.account_operations o WHERE o.id = operation) AS asked
    WHERE NOT EXISTS (
        SELECT 1 FROM public.account_steps s
        WHERE s.operation_id = operation AND s.system = asked.system
          AND (s.state = 'waived' OR (s.state = 'done' AND EXISTS (
              SELECT 1 FROM public.account_evidence e
              WHERE e.step_id = s.id AND e.substep = 'find'
                AND e.outcome IN ('not_found', 'confirmed', 'known', 'further', 'detached', 'another_employment', 'transfer')
                AND e.attempt = (SELECT max(n.attempt) FROM public.account_evidence n WHERE n.step_id = s.id)))))
$$;

CREATE FUNCTION public.refuse_unasked_order() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.origin = 'departure' AND NEW.kind = 'unlink' AND NEW.asked IS NULL THEN
            RAISE EXCEPTION 'a departure order that asks no system' USING ERRCODE = 'LT004';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.asked IS NOT NULL AND (NEW.asked IS NULL OR NOT NEW.asked @> OLD.asked) THEN
        RAISE EXCEPTION 'a system that was to be asked is left out' USING ERRCODE = 'LT004';
    END IF;
    IF NEW.state = 'settled' AND OLD.state <> 'settled' AND cardinality(public.lethe_unanswered(NEW.id)) > 0 THEN
        RAISE EXCEPTION 'settled before every system was asked' USING ERRCODE = 'LT004';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_unsettled_departure() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    latest public.account_operations;
BEGIN
    IF NEW.accounts_state <> 'settled' OR OLD.accounts_state = 'settled' THEN
        RETURN NEW;
    END IF;
    IF EXISTS (
        SELECT 1 FROM public.linked_accounts a WHERE a.employment_id = NEW.employment_id
          AND a.state NOT IN ('disabled', 'detached', 'not_found', 'waived')
    ) THEN
        RAISE EXCEPTION 'settled while accounts are open' USING ERRCODE = 'LT004';
    END IF;
    SELECT * INTO latest FROM public.account_operations o
        WHERE o.departure_id = NEW.id AND o.kind = 'unlink' AND o.state <> 'superseded' ORDER BY o.id DESC LIMIT 1;
    -- No order, one from before systems were asked, or one that had none to ask: nothing is known.
    IF latest.asked IS NULL OR cardinality(latest.asked) = 0 OR cardinality(public.lethe_unanswered(latest.id)) > 0 THEN
        RAISE EXCEPTION 'settled before every system was asked' USING ERRCODE = 'LT004';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_unproven_account() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NEW.state IN ('disabled', 'detached', 'not_found') AND NOT EXISTS (
        SELECT 1 FROM public.account_evidence e JOIN public.account_steps s ON s.id = e.step_id
        WHERE s.account_id = NEW.id AND s.operation_id = NEW.operation_id AND e.attempt = NEW.attempt
          AND ((NEW.state = 'disabled' AND e.substep = 'read_back' AND e.outcome IN ('confirmed', 'not_found'))
            OR (NEW.state = 'detached' AND e.substep IN ('detach', 'read_back') AND e.outcome IN ('confirmed', 'not_found'))
            OR (NEW.state = 'not_found' AND e.substep IN ('find', 'read_back') AND e.outcome = 'not_found')
            -- What nobody registered and is left as it is, since it is not this employment's to take.
            OR (NOT NEW.registered AND NEW.state = 'not_found' AND e.substep = 'find' AND e.outcome IN ('known', 'further'))
            OR (NOT NEW.registered AND NEW.state = 'detached' AND e.substep = 'find'
                AND e.outcome IN ('detached', 'another_employment', 'transfer')))
    ) THEN
        RAISE EXCEPTION 'account state % without evidence', NEW.state USING ERRCODE = 'LT004';
    END IF;
    IF NEW.state = 'waived' AND NOT EXISTS (
        SELECT 1 FROM public.support_cases c WHERE c.account_id = NEW.id AND c.resolution = 'waive'
          AND c.asked_by IS NOT NULL AND c.confirmed_by IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'account waived without two people' USING ERRCODE = 'LT004';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER account_operations_asked BEFORE INSERT OR UPDATE OF state, asked ON public.account_operations
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unasked_order();
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TRIGGER account_operations_asked ON public.account_operations;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_unsettled_departure() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.accounts_state = 'settled' AND OLD.accounts_state <> 'settled' AND EXISTS (
        SELECT 1 FROM public.linked_accounts a WHERE a.employment_id = NEW.employment_id
          AND a.state NOT IN ('disabled', 'detached', 'not_found', 'waived')
    ) THEN
        RAISE EXCEPTION 'settled while accounts are open' USING ERRCODE = 'LT004';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION public.refuse_unproven_account() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NEW.state IN ('disabled', 'detached', 'not_found') AND NOT EXISTS (
        SELECT 1 FROM public.account_evidence e JOIN public.account_steps s ON s.id = e.step_id
        WHERE s.account_id = NEW.id AND s.operation_id = NEW.operation_id AND e.attempt = NEW.attempt
          AND ((NEW.state = 'disabled' AND e.substep = 'read_back' AND e.outcome IN ('confirmed', 'not_found'))
            OR (NEW.state = 'detached' AND e.substep IN ('detach', 'read_back') AND e.outcome IN ('confirmed', 'not_found'))
            OR (NEW.state = 'not_found' AND e.substep IN ('find', 'read_back') AND e.outcome = 'not_found'))
    ) THEN
        RAISE EXCEPTION 'account state % without evidence', NEW.state USING ERRCODE = 'LT004';
    END IF;
    IF NEW.state = 'waived' AND NOT EXISTS (
        SELECT 1 FROM public.support_cases c WHERE c.account_id = NEW.id AND c.resolution = 'waive'
          AND c.asked_by IS NOT NULL AND c.confirmed_by IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'account waived without two people' USING ERRCODE = 'LT004';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP FUNCTION public.refuse_unasked_order();
DROP FUNCTION public.lethe_unanswered(uuid);
DELETE FROM public.legal_transitions WHERE (machine, from_state, to_state) IN (
    ('account_operations.state', 'settled', 'running'),
    ('departures.accounts_state', 'settled', 'unlinking'),
    ('departures.accounts_state', 'linked', 'needs_attention'));
DROP TABLE public.system_askings;
ALTER TABLE public.account_steps DROP COLUMN cautious;
ALTER TABLE public.account_operations DROP COLUMN asked;
ALTER TABLE public.linked_accounts DROP COLUMN finding, DROP COLUMN registered;
