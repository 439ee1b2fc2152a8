-- +goose Up
-- Nobody's file is destroyed by one person's dates. Deadlines count from the end of the employment, but
-- from no earlier instant than counts_from: when the dates were entered, unless two people agreed to
-- count from the end itself (advanced).
ALTER TABLE departures
    ADD COLUMN counts_from timestamptz NOT NULL DEFAULT lethe_now(),
    ADD COLUMN advanced    boolean NOT NULL DEFAULT false;
-- 0.2 counted from the end, whenever that was entered. Those that took effect keep their deadlines, which
-- from now on want a review; the others count from their entry. What began at once was never in the past.
UPDATE departures d SET
    counts_from = CASE WHEN d.stage = 'pending_departure' AND NOT d.immediate THEN d.created_at
        ELSE least(d.created_at, d.employment_ended_at) END,
    advanced = d.stage IN ('departed', 'purging') AND NOT d.immediate AND d.employment_ended_at < d.created_at
        AND NOT (m.jurisdiction = 'DEMO' AND (SELECT i.mode FROM installation i) = 'dev')
FROM employments m WHERE m.id = d.employment_id;

ALTER TABLE retention_deadlines
    -- Two people brought it forward: its purge wants the review.
    ADD COLUMN advanced       boolean NOT NULL DEFAULT false,
    -- A reviewer refused to destroy it: without an approval it is not destroyed any more.
    ADD COLUMN refused        boolean NOT NULL DEFAULT false,
    -- Two people extended it: no rule brings it before this.
    ADD COLUMN extended_until timestamptz;
UPDATE retention_deadlines l SET advanced = true
FROM departures d WHERE d.id = l.departure_id AND d.advanced AND l.state IN ('scheduled', 'held', 'in_review');

-- The longest that a law allows to keep a category; '': the rule sets no such limit.
ALTER TABLE retention_rules ADD COLUMN ceiling text NOT NULL DEFAULT '';

ALTER TABLE purges
    ADD COLUMN rejected_by  uuid REFERENCES employees (id),
    ADD COLUMN rejected_at  timestamptz,
    -- The second one of two people who decided about a rejected purge; decided_by is the first.
    ADD COLUMN confirmed_by uuid REFERENCES employees (id),
    -- How often, and when last, it was shown that nobody decides.
    ADD COLUMN escalations  int NOT NULL DEFAULT 0,
    ADD COLUMN escalated_at timestamptz,
    DROP CONSTRAINT purges_decision_check,
    ADD CONSTRAINT purges_decision_check CHECK (decision IN ('', 'approved', 'rejected', 'extended')),
    ADD CONSTRAINT purges_rejected CHECK (state <> 'rejected' OR rejected_at IS NOT NULL AND decision = 'rejected');
INSERT INTO legal_transitions VALUES
    ('purges.state', 'in_review', 'rejected'),
    ('purges.state', 'rejected', 'in_review'),
    ('purges.state', 'rejected', 'cancelled');

-- What 0.2 has as rejected would have gone on after 30 days: it waits now, and asks again.
UPDATE purges SET rejected_by = decided_by, rejected_at = coalesce(decided_at, lethe_now()), revision = revision + 1,
    state = CASE WHEN state = 'in_review' THEN 'rejected' ELSE state END
WHERE decision = 'rejected' AND intent_at IS NULL AND state <> 'cancelled';
UPDATE retention_deadlines l SET refused = true
FROM purge_claims k JOIN purges p ON p.id = k.purge_id
WHERE k.state = 'open' AND p.rejected_at IS NOT NULL AND k.departure_id = l.departure_id AND k.category = l.category;
UPDATE purges p SET review_required = true, revision = p.revision + 1
WHERE p.state IN ('claimed', 'in_review') AND EXISTS (
    SELECT FROM purge_claims k JOIN retention_deadlines l ON l.departure_id = k.departure_id AND l.category = k.category
    WHERE k.purge_id = p.id AND k.state = 'open' AND (l.advanced OR l.refused));

-- +goose StatementBegin
-- Did people agree to a purge? One reviewer to one that nobody rejected; two, and neither of them the one
-- who had rejected it, to another. Neither the person nor who began the departure is one of them.
CREATE FUNCTION public.lethe_purge_agreed(p public.purges) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.decision = 'approved' AND p.decided_by IS NOT NULL
        AND (p.rejected_at IS NULL OR (p.confirmed_by IS NOT NULL AND p.confirmed_by <> p.decided_by
            AND p.decided_by IS DISTINCT FROM p.rejected_by AND p.confirmed_by IS DISTINCT FROM p.rejected_by))
        AND NOT EXISTS (
            SELECT FROM public.departures d
            WHERE d.id = p.departure_id
              AND (p.decided_by IN (d.employee_id, d.created_by) OR p.confirmed_by IN (d.employee_id, d.created_by)))
$$;

-- I1 in the database: may this category's fields be destroyed now? Every part is a committed fact.
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
               OR (NOT l.advanced AND NOT l.refused AND NOT r.review_required
                   AND NOT EXISTS (
                      SELECT FROM public.purge_claims k JOIN public.purges p ON p.id = k.purge_id
                      WHERE k.category_id = the_category AND k.state = 'open' AND (p.review_required OR p.rejected_at IS NOT NULL))
                   AND ((m.jurisdiction = 'DEMO' AND (SELECT i.mode FROM public.installation i) = 'dev')
                        OR d.departed_at + interval '30 days' <= public.lethe_now())))
    )
$$;

-- The purge's own row says the same as the predicate about its categories; and who rejected it stays.
CREATE FUNCTION public.refuse_unagreed_purge() RETURNS trigger
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

-- One person's dates never let deadlines count from an earlier instant than they do.
CREATE FUNCTION public.refuse_earlier_counting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.counts_from < OLD.counts_from AND NOT NEW.advanced OR OLD.advanced AND NOT NEW.advanced THEN
        RAISE EXCEPTION 'deadlines would count from an earlier day' USING ERRCODE = 'LT007';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER purges_agreed BEFORE UPDATE ON purges
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unagreed_purge();
CREATE TRIGGER departures_counting BEFORE UPDATE OF counts_from, advanced ON departures
    FOR EACH ROW EXECUTE FUNCTION public.refuse_earlier_counting();
ALTER TABLE purges ENABLE ALWAYS TRIGGER purges_agreed;
ALTER TABLE departures ENABLE ALWAYS TRIGGER departures_counting;
CREATE INDEX purges_escalated ON purges (escalated_at) WHERE escalated_at IS NOT NULL AND state IN ('in_review', 'rejected');
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TRIGGER departures_counting ON departures;
DROP TRIGGER purges_agreed ON purges;
DROP FUNCTION public.refuse_earlier_counting();
DROP FUNCTION public.refuse_unagreed_purge();
-- +goose StatementBegin
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
DROP FUNCTION public.lethe_purge_agreed(public.purges);
ALTER TABLE purges DROP CONSTRAINT purges_rejected;
-- The former version has no state for them: they wait for a reviewer there.
UPDATE purges SET state = 'in_review' WHERE state = 'rejected';
UPDATE purges SET decision = '' WHERE decision = 'extended';
DELETE FROM legal_transitions WHERE machine = 'purges.state' AND (from_state, to_state) IN (
    ('in_review', 'rejected'), ('rejected', 'in_review'), ('rejected', 'cancelled'));
DROP INDEX purges_escalated;
ALTER TABLE purges DROP CONSTRAINT purges_decision_check;
ALTER TABLE purges
    ADD CONSTRAINT purges_decision_check CHECK (decision IN ('', 'approved', 'rejected')),
    DROP COLUMN rejected_by, DROP COLUMN rejected_at, DROP COLUMN confirmed_by,
    DROP COLUMN escalations, DROP COLUMN escalated_at;
ALTER TABLE retention_rules DROP COLUMN ceiling;
ALTER TABLE retention_deadlines DROP COLUMN advanced, DROP COLUMN refused, DROP COLUMN extended_until;
ALTER TABLE departures DROP COLUMN counts_from, DROP COLUMN advanced;
