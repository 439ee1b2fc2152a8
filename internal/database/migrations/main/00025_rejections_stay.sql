-- +goose Up
-- Who rejected that a category be destroyed stands against it for good: through a hold and its release, an
-- extension, an annulment and a later departure, whichever purge claims it next. It takes two others.
CREATE TABLE purge_rejections (
    category_id     uuid NOT NULL REFERENCES employment_categories (id),
    purge_id        uuid NOT NULL REFERENCES purges (id),
    rejected_by     uuid REFERENCES employees (id),
    rejected_at     timestamptz NOT NULL DEFAULT lethe_now(),
    ledger_entry_id uuid, -- of the decision; none from before this table
    PRIMARY KEY (category_id, purge_id)
);
-- What left a rejected purge before that was rejected cannot be told any more from what left it afterwards:
-- both keep the rejection. 0.2 cancelled rejected purges whose categories came under a hold.
INSERT INTO purge_rejections (category_id, purge_id, rejected_by, rejected_at)
SELECT k.category_id, p.id, coalesce(p.rejected_by, p.decided_by), coalesce(p.rejected_at, p.decided_at, lethe_now())
FROM purges p JOIN purge_claims k ON k.purge_id = p.id
WHERE p.rejected_at IS NOT NULL OR p.decision = 'rejected';
CREATE TRIGGER purge_rejections_recorded BEFORE INSERT ON purge_rejections
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER purge_rejections_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON purge_rejections
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE purge_rejections ENABLE ALWAYS TRIGGER purge_rejections_recorded;
ALTER TABLE purge_rejections ENABLE ALWAYS TRIGGER purge_rejections_append_only;
-- Purges that claim what was rejected before let go of it at their next look: it gets one of its own.
UPDATE purges p SET revision = revision + 1
WHERE p.state IN ('claimed', 'in_review') AND p.rejected_at IS NULL AND EXISTS (
    SELECT FROM purge_claims k JOIN purge_rejections x ON x.category_id = k.category_id WHERE k.purge_id = p.id AND k.state = 'open');

ALTER TABLE purges ADD COLUMN extended_until date; -- the last day to which two people kept what it claimed

-- +goose StatementBegin
-- Did anybody reject the purge, or before it one of what it claims?
CREATE FUNCTION public.lethe_purge_rejected(p public.purges) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.rejected_at IS NOT NULL OR EXISTS (
        SELECT FROM public.purge_claims k JOIN public.purge_rejections x ON x.category_id = k.category_id
        WHERE k.purge_id = p.id AND k.state <> 'left')
$$;

-- Did people agree to a purge? One reviewer to what nobody rejected; two, and neither of them one who
-- rejected any of it, to another. Neither the person nor who began the departure is one of them.
CREATE OR REPLACE FUNCTION public.lethe_purge_agreed(p public.purges) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.decision = 'approved' AND p.decided_by IS NOT NULL
        AND (NOT public.lethe_purge_rejected(p) OR (p.confirmed_by IS NOT NULL AND p.confirmed_by <> p.decided_by
            AND p.decided_by IS DISTINCT FROM p.rejected_by AND p.confirmed_by IS DISTINCT FROM p.rejected_by
            AND NOT EXISTS (
                SELECT FROM public.purge_claims k JOIN public.purge_rejections x ON x.category_id = k.category_id
                WHERE k.purge_id = p.id AND k.state <> 'left' AND x.rejected_by IN (p.decided_by, p.confirmed_by))))
        AND NOT EXISTS (
            SELECT FROM public.departures d
            WHERE d.id = p.departure_id
              AND (p.decided_by IN (d.employee_id, d.created_by) OR p.confirmed_by IN (d.employee_id, d.created_by)))
$$;

CREATE OR REPLACE FUNCTION public.lethe_purgeable(the_category uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1
        FROM public.retention_deadlines l
        JOIN public.departures d ON d.id = l.departure_id
        JOIN public.employments m ON m.id = l.employment_id
        JOIN public.employment_categories c ON c.id = l.category_id
        JOIN public.retention_rules r ON r.id = l.rule_id
        WHERE l.category_id = the_category
          AND l.state IN ('scheduled', 'in_review')
          AND l.deadline <= public.lethe_now()
          AND l.event_at >= d.counts_from
          AND d.stage IN ('departed', 'purging')
          AND d.employment_ended_at <= public.lethe_now()
          AND NOT public.lethe_held(l.employment_id, l.category)
          AND (EXISTS (
                  SELECT FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND public.lethe_purge_agreed(p))
               OR (NOT l.advanced AND NOT EXISTS (SELECT FROM public.purge_rejections x WHERE x.category_id = the_category) AND NOT r.review_required
                   AND NOT EXISTS (
                      SELECT FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                      WHERE k.category_id = the_category AND k.state = 'open' AND (p.review_required OR p.rejected_at IS NOT NULL))
                   AND ((m.jurisdiction = 'DEMO' AND (SELECT i.mode FROM public.installation i) = 'dev')
                        OR d.departed_at + interval '30 days' <= public.lethe_now())))
    )
$$;

-- The purge's own row says the same as the predicate about its categories; who rejected it stays, and is kept
-- with each category.
CREATE OR REPLACE FUNCTION public.refuse_unagreed_purge() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.rejected_at IS NOT NULL AND (NEW.rejected_at, NEW.rejected_by) IS DISTINCT FROM (OLD.rejected_at, OLD.rejected_by) THEN
        RAISE EXCEPTION 'the rejection of a purge stays' USING ERRCODE = 'LT003';
    END IF;
    IF (OLD.state = 'rejected' AND NEW.state NOT IN ('rejected', 'cancelled')
        OR NEW.state = 'purging' AND OLD.state <> 'purging' AND (public.lethe_purge_rejected(NEW) OR NEW.review_required))
        AND NOT public.lethe_purge_agreed(NEW) THEN
        RAISE EXCEPTION 'nobody agreed to this purge' USING ERRCODE = 'LT005';
    END IF;
    IF NEW.state = 'rejected' AND OLD.state <> 'rejected' AND EXISTS (
        SELECT FROM public.purge_claims k
        WHERE k.purge_id = NEW.id AND k.state = 'open' AND NOT EXISTS (
            SELECT FROM public.purge_rejections x
            WHERE x.category_id = k.category_id AND x.purge_id = NEW.id AND x.rejected_by IS NOT DISTINCT FROM NEW.rejected_by)) THEN
        RAISE EXCEPTION 'a purge rejected without the rejection of its categories' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
ALTER TABLE retention_deadlines DROP COLUMN refused; -- the rejections say it
SELECT public.lethe_grant_privileges();

-- +goose Down
ALTER TABLE retention_deadlines ADD COLUMN refused boolean NOT NULL DEFAULT false;
UPDATE retention_deadlines l SET refused = true FROM purge_rejections x WHERE x.category_id = l.category_id AND l.extended_until IS NULL;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_unagreed_purge() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.rejected_at IS NOT NULL AND (NEW.rejected_at, NEW.rejected_by) IS DISTINCT FROM (OLD.rejected_at, OLD.rejected_by) THEN
        RAISE EXCEPTION 'the rejection of a purge stays' USING ERRCODE = 'LT003';
    END IF;
    IF (OLD.state = 'rejected' AND NEW.state NOT IN ('rejected', 'cancelled')
        OR NEW.state = 'purging' AND OLD.state <> 'purging' AND (NEW.rejected_at IS NOT NULL OR NEW.review_required))
        AND NOT public.lethe_purge_agreed(NEW) THEN
        RAISE EXCEPTION 'nobody agreed to this purge' USING ERRCODE = 'LT005';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.lethe_purgeable(the_category uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1
        FROM public.retention_deadlines l
        JOIN public.departures d ON d.id = l.departure_id
        JOIN public.employments m ON m.id = l.employment_id
        JOIN public.employment_categories c ON c.id = l.category_id
        JOIN public.retention_rules r ON r.id = l.rule_id
        WHERE l.category_id = the_category
          AND l.state IN ('scheduled', 'in_review')
          AND l.deadline <= public.lethe_now()
          AND d.counts_from <= l.event_at
          AND d.stage IN ('departed', 'purging')
          AND d.employment_ended_at <= public.lethe_now()
          AND NOT public.lethe_held(l.employment_id, l.category)
          AND (EXISTS (
                  SELECT FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND public.lethe_purge_agreed(p))
               OR (NOT l.advanced AND NOT l.refused AND NOT r.review_required
                   AND NOT EXISTS (
                      SELECT FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                      WHERE k.category_id = the_category AND k.state = 'open' AND (p.review_required OR p.rejected_at IS NOT NULL))
                   AND ((m.jurisdiction = 'DEMO' AND (SELECT i.mode FROM public.installation i) = 'dev')
                        OR d.departed_at + interval '30 days' <= public.lethe_now())))
    )
$$;

CREATE OR REPLACE FUNCTION public.lethe_purge_agreed(p public.purges) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.decision = 'approved' AND p.decided_by IS NOT NULL
        AND (p.rejected_at IS NULL OR (p.confirmed_by IS NOT NULL AND p.confirmed_by <> p.decided_by
            AND p.decided_by IS DISTINCT FROM p.rejected_by AND p.confirmed_by IS DISTINCT FROM p.rejected_by))
        AND NOT EXISTS (
            SELECT FROM public.departures d
            WHERE d.id = p.departure_id
              AND (p.decided_by IN (d.employee_id, d.created_by) OR p.confirmed_by IN (d.employee_id, d.created_by)))
$$;
-- +goose StatementEnd
DROP FUNCTION public.lethe_purge_rejected(public.purges);
ALTER TABLE purges DROP COLUMN extended_until;
DROP TABLE purge_rejections;
