-- +goose Up
-- A hold is about a person and so reaches every employment of theirs, also one that begins later; or
-- about whoever matches a filter; or about everybody. 0.2 bound it to one employment: the data of the
-- former ones were destroyed beside it. What it was placed on is in its ledger entry.
ALTER TABLE holds
    ADD COLUMN employee_id     uuid REFERENCES employees (id),
    ADD COLUMN everybody       boolean NOT NULL DEFAULT false,
    -- The filter: every column that is given must fit one and the same employment.
    ADD COLUMN legal_entity_id uuid REFERENCES legal_entities (id),
    ADD COLUMN department_id   uuid REFERENCES departments (id),
    ADD COLUMN left_from       date,
    ADD COLUMN left_to         date;
UPDATE holds h SET employee_id = m.employee_id FROM employments m WHERE m.id = h.employment_id;
ALTER TABLE holds
    DROP COLUMN employment_id,
    ADD CONSTRAINT holds_left_in_order CHECK (left_from <= left_to),
    ADD CONSTRAINT holds_one_scope CHECK (1 = (employee_id IS NOT NULL)::int + everybody::int
        + (legal_entity_id IS NOT NULL OR department_id IS NOT NULL OR left_from IS NOT NULL OR left_to IS NOT NULL)::int);
CREATE INDEX holds_person ON holds (employee_id) WHERE released_at IS NULL AND employee_id IS NOT NULL;
CREATE INDEX holds_wide ON holds (id) WHERE released_at IS NULL AND employee_id IS NULL;

-- Who matched the filter of a hold while it was active and does not any more: what one person changes
-- (the department) must not release them, so they stay covered. Whoever matches now needs no row.
CREATE TABLE hold_people (
    hold_id     uuid NOT NULL REFERENCES holds (id),
    employee_id uuid NOT NULL REFERENCES employees (id),
    since       timestamptz NOT NULL DEFAULT lethe_now(),
    PRIMARY KEY (hold_id, employee_id)
);

-- +goose StatementBegin
-- Is a hold, active or not, about a person? The end that counts is that of a departure that took effect.
CREATE FUNCTION public.lethe_hold_covers(h public.holds, the_person uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT h.everybody
        OR coalesce(h.employee_id = the_person, false)
        OR EXISTS (SELECT FROM public.hold_people p WHERE p.hold_id = h.id AND p.employee_id = the_person)
        OR (h.employee_id IS NULL AND EXISTS (
            SELECT FROM public.employments m
            WHERE m.employee_id = the_person
              AND (h.legal_entity_id IS NULL OR m.legal_entity_id = h.legal_entity_id)
              AND (h.department_id IS NULL OR m.department_id = h.department_id)
              AND (h.left_from IS NULL AND h.left_to IS NULL OR EXISTS (
                  SELECT FROM public.departures d
                  WHERE d.employment_id = m.id AND d.stage IN ('departed', 'purging', 'purged')
                    AND (h.left_from IS NULL OR d.employment_end_date >= h.left_from)
                    AND (h.left_to IS NULL OR d.employment_end_date <= h.left_to)))))
$$;

-- Does any active hold keep a category of an employment? This is the one place that judges it.
CREATE FUNCTION public.lethe_held(the_employment uuid, the_category text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
            SELECT FROM public.employments m JOIN public.holds h ON h.employee_id = m.employee_id
            WHERE m.id = the_employment AND h.released_at IS NULL
              AND (h.categories IS NULL OR the_category = ANY (h.categories)))
        OR EXISTS (
            SELECT FROM public.holds h
            WHERE h.employee_id IS NULL AND h.released_at IS NULL
              AND (h.categories IS NULL OR the_category = ANY (h.categories))
              AND public.lethe_hold_covers(h, (SELECT m.employee_id FROM public.employments m WHERE m.id = the_employment)))
$$;

-- Runs before the change, so that the table still says what was.
CREATE FUNCTION public.keep_under_holds() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.hold_people (hold_id, employee_id)
    SELECT h.id, OLD.employee_id FROM public.holds h
    WHERE h.employee_id IS NULL AND NOT h.everybody AND h.released_at IS NULL
      AND public.lethe_hold_covers(h, OLD.employee_id)
    ON CONFLICT DO NOTHING;
    RETURN NEW;
END $$;

-- What a hold keeps never changes, and its release is not taken back: that would be another hold.
CREATE FUNCTION public.refuse_other_hold() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['released_by', 'released_at', 'release_entry_id'];
BEGIN
    IF OLD.released_at IS NOT NULL OR to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'a hold changes by its release only' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;

-- I1 in the database: may this category's fields be destroyed now? Every part is a committed fact.
CREATE OR REPLACE FUNCTION public.lethe_purgeable(the_category uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1
        FROM public.retention_deadlines l
        JOIN public.departures d ON d.id = l.departure_id
        JOIN public.employments m ON m.id = l.employment_id
        JOIN public.employment_categories c ON c.id = l.category_id
        WHERE l.category_id = the_category
          AND l.state IN ('scheduled', 'in_review')
          AND l.deadline <= public.lethe_now()
          AND d.stage IN ('departed', 'purging')
          AND d.employment_ended_at <= public.lethe_now()
          AND NOT public.lethe_held(l.employment_id, l.category)
          AND ((m.jurisdiction = 'DEMO' AND (SELECT i.mode FROM public.installation i) = 'dev')
               OR d.departed_at + interval '30 days' <= public.lethe_now()
               OR EXISTS (
                  SELECT 1 FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND p.decision = 'approved'
                    AND p.decided_by IS NOT NULL))
          AND (NOT (SELECT r.review_required FROM public.retention_rules r WHERE r.id = l.rule_id)
               OR EXISTS (
                  SELECT 1 FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND p.decision = 'approved'
                    AND p.decided_by IS NOT NULL))
    )
$$;
-- +goose StatementEnd

CREATE TRIGGER employments_under_holds BEFORE UPDATE OF employee_id, legal_entity_id, department_id ON employments
    FOR EACH ROW EXECUTE FUNCTION public.keep_under_holds();
CREATE TRIGGER departures_under_holds BEFORE UPDATE OF employment_id, stage, employment_end_date ON departures
    FOR EACH ROW EXECUTE FUNCTION public.keep_under_holds();
CREATE TRIGGER holds_fixed BEFORE UPDATE ON holds FOR EACH ROW EXECUTE FUNCTION public.refuse_other_hold();
CREATE TRIGGER hold_people_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON hold_people
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER holds_kept BEFORE DELETE OR TRUNCATE ON holds FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE employments ENABLE ALWAYS TRIGGER employments_under_holds;
ALTER TABLE departures ENABLE ALWAYS TRIGGER departures_under_holds;
ALTER TABLE holds ENABLE ALWAYS TRIGGER holds_fixed;
ALTER TABLE holds ENABLE ALWAYS TRIGGER holds_kept;
ALTER TABLE hold_people ENABLE ALWAYS TRIGGER hold_people_append_only;

-- The retentions and purges of the other employments look again at what now keeps their data.
UPDATE retentions r SET revision = r.revision + 1
WHERE r.state = 'running' AND EXISTS (
    SELECT FROM employments m JOIN holds h ON h.employee_id = m.employee_id
    WHERE m.id = r.employment_id AND h.released_at IS NULL);
UPDATE purges p SET revision = p.revision + 1
WHERE p.state IN ('claimed', 'in_review') AND EXISTS (
    SELECT FROM employments m JOIN holds h ON h.employee_id = m.employee_id
    WHERE m.id = p.employment_id AND h.released_at IS NULL);
SELECT public.lethe_grant_privileges();

-- +goose Down
-- A hold by a filter, or on everybody, has no employment: with one there is no way back.
ALTER TABLE holds ADD COLUMN employment_id uuid REFERENCES employments (id);
ALTER TABLE holds DISABLE TRIGGER holds_fixed;
UPDATE holds h SET employment_id = (SELECT m.id FROM employments m WHERE m.employee_id = h.employee_id
    ORDER BY m.ended_at IS NULL DESC, m.hired_on DESC, m.id DESC LIMIT 1);
ALTER TABLE holds ALTER COLUMN employment_id SET NOT NULL;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.lethe_purgeable(the_category uuid) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1
        FROM public.retention_deadlines l
        JOIN public.departures d ON d.id = l.departure_id
        JOIN public.employments m ON m.id = l.employment_id
        JOIN public.employment_categories c ON c.id = l.category_id
        WHERE l.category_id = the_category
          AND l.state IN ('scheduled', 'in_review')
          AND l.deadline <= public.lethe_now()
          AND d.stage IN ('departed', 'purging')
          AND d.employment_ended_at <= public.lethe_now()
          AND NOT EXISTS (
              SELECT 1 FROM public.holds h WHERE h.employment_id = l.employment_id AND h.released_at IS NULL
                AND (h.categories IS NULL OR l.category = ANY (h.categories)))
          AND ((m.jurisdiction = 'DEMO' AND (SELECT i.mode FROM public.installation i) = 'dev')
               OR d.departed_at + interval '30 days' <= public.lethe_now()
               OR EXISTS (
                  SELECT 1 FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND p.decision = 'approved'
                    AND p.decided_by IS NOT NULL))
          AND (NOT (SELECT r.review_required FROM public.retention_rules r WHERE r.id = l.rule_id)
               OR EXISTS (
                  SELECT 1 FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND p.decision = 'approved'
                    AND p.decided_by IS NOT NULL))
    )
$$;
-- +goose StatementEnd
DROP TRIGGER departures_under_holds ON departures;
DROP TRIGGER employments_under_holds ON employments;
DROP TRIGGER holds_kept ON holds;
DROP TRIGGER holds_fixed ON holds;
DROP FUNCTION public.lethe_held(uuid, text);
DROP FUNCTION public.keep_under_holds();
DROP FUNCTION public.refuse_other_hold();
DROP FUNCTION public.lethe_hold_covers(public.holds, uuid);
DROP TABLE hold_people;
ALTER TABLE holds DROP COLUMN employee_id, DROP COLUMN everybody, DROP COLUMN legal_entity_id, DROP COLUMN department_id,
    DROP COLUMN left_from, DROP COLUMN left_to;
CREATE INDEX holds_employment ON holds (employment_id) WHERE released_at IS NULL;
