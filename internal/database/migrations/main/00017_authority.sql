-- +goose Up
-- Who was given a half of the code with which a user's owner enrols. Whoever holds one may have come to
-- hold the other, and enrolled in the owner's place: between holder and user there is no approval, in
-- either direction, until the owner has shown to be there (I21): by a login of the company's provider that
-- the holder did not link, or by two people on the host. Users who are active at the upgrade, and the first
-- two, whose codes the host gave out, have no rows here.
CREATE TABLE public.enrolment_halves (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES public.users (id),
    given_to        uuid NOT NULL REFERENCES public.employees (id),
    given_at        timestamptz NOT NULL DEFAULT public.lethe_now(),
    confirmed_at    timestamptz,
    ledger_entry_id uuid
);
CREATE INDEX enrolment_halves_unconfirmed ON public.enrolment_halves (user_id, given_to) WHERE confirmed_at IS NULL;
INSERT INTO public.enrolment_halves (id, user_id, given_to)
SELECT gen_random_uuid(), e.user_id, h.given_to
FROM public.enrolments e
CROSS JOIN LATERAL (VALUES (e.first_by, e.first_hash), (e.second_by, e.second_hash)) AS h (given_to, hash)
WHERE h.given_to IS NOT NULL AND h.hash IS NOT NULL;
CREATE TRIGGER enrolment_halves_recorded BEFORE INSERT ON public.enrolment_halves
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
ALTER TABLE public.enrolment_halves ENABLE ALWAYS TRIGGER enrolment_halves_recorded;

-- A half is confirmed once, and nothing else of it changes.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_changed_half() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'who held a half of a code stays known' USING ERRCODE = 'LT003';
    END IF;
    IF (OLD.id, OLD.user_id, OLD.given_to, OLD.given_at, OLD.ledger_entry_id) IS DISTINCT FROM
       (NEW.id, NEW.user_id, NEW.given_to, NEW.given_at, NEW.ledger_entry_id)
       OR OLD.confirmed_at IS NOT NULL AND OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at THEN
        RAISE EXCEPTION 'who held a half of a code stays known' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER enrolment_halves_change BEFORE UPDATE OR DELETE ON public.enrolment_halves
    FOR EACH ROW EXECUTE FUNCTION public.refuse_changed_half();
ALTER TABLE public.enrolment_halves ENABLE ALWAYS TRIGGER enrolment_halves_change;

-- When a user was disabled or reset last: what was asked for before ends, also if the person is back by
-- the time that somebody looks at it.
ALTER TABLE public.users ADD COLUMN access_ended_at timestamptz;
UPDATE public.users SET access_ended_at = public.lethe_now() WHERE state <> 'active';

-- Whether whoever asked for something then could still ask for it: the same user of the same person, in
-- use and in that role without a break since. The program, the sweep and the trigger below ask here.
-- +goose StatementBegin
CREATE FUNCTION public.lethe_requester_stands(asker uuid, person uuid, as_role text, since timestamptz) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.users u JOIN public.user_roles r ON r.user_id = u.id
        WHERE u.id = asker AND u.employee_id = person AND u.state = 'active'
          AND (u.access_ended_at IS NULL OR u.access_ended_at < since)
          AND r.role = as_role AND r.revoked_at IS NULL AND r.granted_at <= since)
$$;
-- +goose StatementEnd

ALTER TABLE public.approvals DROP CONSTRAINT approvals_void_reason_check;
ALTER TABLE public.approvals ADD CONSTRAINT approvals_void_reason_check
    CHECK (void_reason IN ('', 'changed', 'gone', 'unreadable', 'requester_ended'));

-- The second lock behind the program's: nobody decides whose user is not in use, nothing is approved that
-- its requester could not ask for any more, or between a user and who held a half of its code.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_unauthorised_decision() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.state <> 'pending' OR NEW.state NOT IN ('approved', 'rejected') THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT FROM public.users u WHERE u.id = NEW.decided_by_user_id AND u.employee_id = NEW.decided_by AND u.state = 'active'
    ) THEN
        RAISE EXCEPTION 'decided by a user that is not in use' USING ERRCODE = 'LT017';
    END IF;
    IF NEW.state = 'rejected' THEN
        RETURN NEW;
    END IF;
    IF NOT public.lethe_requester_stands(NEW.requester_user_id, NEW.requester_id, NEW.requester_role, NEW.requested_at) THEN
        RAISE EXCEPTION 'approved for somebody who could not ask any more' USING ERRCODE = 'LT017';
    END IF;
    IF EXISTS (
        SELECT FROM public.enrolment_halves h
        WHERE h.confirmed_at IS NULL
          AND (h.user_id = NEW.decided_by_user_id AND h.given_to = NEW.requester_id
               OR h.user_id = NEW.requester_user_id AND h.given_to = NEW.decided_by)
    ) THEN
        RAISE EXCEPTION 'approved between a user and who held a half of its code' USING ERRCODE = 'LT017';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER approvals_authority BEFORE UPDATE OF state ON public.approvals
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unauthorised_decision();
ALTER TABLE public.approvals ENABLE ALWAYS TRIGGER approvals_authority;

SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TRIGGER approvals_authority ON public.approvals;
DROP FUNCTION public.refuse_unauthorised_decision();
ALTER TABLE public.approvals DROP CONSTRAINT approvals_void_reason_check;
-- An ended request never changes; the former version knows the nearest of its reasons.
ALTER TABLE public.approvals DISABLE TRIGGER USER;
UPDATE public.approvals SET void_reason = 'gone' WHERE void_reason = 'requester_ended';
ALTER TABLE public.approvals ENABLE TRIGGER USER;
ALTER TABLE public.approvals ADD CONSTRAINT approvals_void_reason_check
    CHECK (void_reason IN ('', 'changed', 'gone', 'unreadable'));
DROP FUNCTION public.lethe_requester_stands(uuid, uuid, text, timestamptz);
ALTER TABLE public.users DROP COLUMN access_ended_at;
DROP TABLE public.enrolment_halves;
DROP FUNCTION public.refuse_changed_half();
SELECT public.lethe_grant_privileges();
