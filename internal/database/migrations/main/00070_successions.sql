-- +goose Up
-- Succession: who takes over what somebody looks after here who leaves, is disabled or loses the role. Who was named is
-- written as versions, what passed on as one row for each time; neither is ever changed.
CREATE TABLE succession_plans (
    id              uuid PRIMARY KEY,
    employee_id     uuid NOT NULL REFERENCES employees (id),
    version         int NOT NULL CHECK (version > 0),
    named_by        uuid NOT NULL REFERENCES employees (id) CHECK (named_by <> employee_id),
    named_at        timestamptz NOT NULL DEFAULT lethe_now(),
    ledger_entry_id uuid NOT NULL,
    UNIQUE (employee_id, version)
);
CREATE TRIGGER succession_plans_recorded BEFORE INSERT ON succession_plans FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE succession_plans ENABLE ALWAYS TRIGGER succession_plans_recorded;
CREATE TRIGGER succession_plans_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON succession_plans
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE succession_plans ENABLE ALWAYS TRIGGER succession_plans_append_only;

-- The successors that a version names: for one kind of thing, or, where the kind is empty, for all others.
CREATE TABLE succession_choices (
    plan_id      uuid NOT NULL REFERENCES succession_plans (id),
    kind         text NOT NULL,
    successor_id uuid NOT NULL REFERENCES employees (id),
    PRIMARY KEY (plan_id, kind)
);
CREATE TRIGGER succession_choices_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON succession_choices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE succession_choices ENABLE ALWAYS TRIGGER succession_choices_append_only;

-- What passed from somebody: to a person, or to a role, where somebody of it has to take it. The last turn of a thing counts.
CREATE TABLE successions (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind <> ''),
    thing_id        uuid NOT NULL,
    turn            int NOT NULL CHECK (turn > 0),
    from_id         uuid REFERENCES employees (id),
    to_id           uuid REFERENCES employees (id) CHECK (to_id <> from_id),
    role            text NOT NULL CHECK (role <> ''),
    cause           text NOT NULL CHECK (cause IN ('left', 'cut', 'disabled', 'role_lost', 'taken')),
    passed_by       uuid REFERENCES employees (id),
    at              timestamptz NOT NULL DEFAULT lethe_now(),
    ledger_entry_id uuid NOT NULL,
    UNIQUE (kind, thing_id, turn),
    CHECK ((cause = 'taken') = (from_id IS NULL) AND (cause = 'taken') = (passed_by IS NOT NULL) AND (cause <> 'taken' OR to_id IS NOT NULL))
);
CREATE INDEX successions_from ON successions (from_id, id);
CREATE INDEX successions_to ON successions (to_id, id);
CREATE TRIGGER successions_recorded BEFORE INSERT ON successions FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE successions ENABLE ALWAYS TRIGGER successions_recorded;
CREATE TRIGGER successions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON successions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE successions ENABLE ALWAYS TRIGGER successions_append_only;

-- +goose StatementBegin
-- Whether somebody can look after something here: employed, the own access not ended, and in use with the role that it
-- needs, if it needs one. Of what needs none an emergency cut that the person was not told of changes nothing that others see.
CREATE FUNCTION public.lethe_can_hold(person uuid, need text) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.employees e JOIN public.employments m ON m.employee_id = e.id AND m.ended_at IS NULL
        WHERE e.id = person AND e.status IN ('active', 'pending_departure')
          AND NOT EXISTS (SELECT FROM public.departures d WHERE d.employment_id = m.id AND d.stage = 'pending_departure' AND d.access_cutoff_at <= public.lethe_now())
          AND CASE WHEN need <> '' THEN EXISTS (
                SELECT FROM public.users u JOIN public.user_roles r ON r.user_id = u.id
                WHERE u.employee_id = e.id AND u.state IN ('active', 'enrolling') AND r.role = need AND r.revoked_at IS NULL)
            ELSE NOT EXISTS (SELECT FROM public.access_cuts c WHERE c.employee_id = e.id AND c.state IN ('unconfirmed', 'confirmed') AND c.told_at IS NOT NULL)
                AND (EXISTS (SELECT FROM public.users u WHERE u.employee_id = e.id AND u.state <> 'disabled')
                    OR NOT EXISTS (SELECT FROM public.users u WHERE u.employee_id = e.id AND u.access_ended_at >= m.created_at)) END)
$$;
-- +goose StatementEnd
CREATE INDEX departments_headed ON departments (head_employee_id) WHERE head_employee_id IS NOT NULL;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP INDEX departments_headed;
DROP FUNCTION public.lethe_can_hold(uuid, text);
DROP TABLE successions;
DROP TABLE succession_choices;
DROP TABLE succession_plans;
SELECT public.lethe_grant_privileges();
