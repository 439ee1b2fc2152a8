-- +goose Up
-- The rules in force and their past versions. A rule is never edited: a new version supersedes it.
CREATE TABLE retention_rules (
    id              uuid PRIMARY KEY,
    jurisdiction    text NOT NULL,
    category        text NOT NULL,
    version         int NOT NULL,
    -- ISO 8601 durations; floor is the statutory minimum, below which no period may go.
    period          text NOT NULL,
    floor           text NOT NULL,
    anchor          text NOT NULL CHECK (anchor IN ('employment_end', 'end_of_calendar_year')),
    review_required boolean NOT NULL DEFAULT false,
    basis_zh        text NOT NULL,
    basis_en        text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT lethe_now(),
    superseded_at   timestamptz,
    UNIQUE (jurisdiction, category, version)
);
CREATE UNIQUE INDEX retention_rules_in_force ON retention_rules (jurisdiction, category) WHERE superseded_at IS NULL;

-- The driven row of one departure's retention.
CREATE TABLE retentions (
    id            uuid PRIMARY KEY REFERENCES departures (id),
    employment_id uuid NOT NULL REFERENCES employments (id),
    state         text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'ended')),
    created_at    timestamptz NOT NULL DEFAULT lethe_now(),
    ended_at      timestamptz,
    revision      bigint NOT NULL DEFAULT 1,
    seen_revision bigint NOT NULL DEFAULT 0,
    wake_at       timestamptz,
    nudged_at     timestamptz DEFAULT lethe_now()
);
CREATE INDEX retentions_unseen ON retentions (nudged_at) WHERE revision > seen_revision;
CREATE INDEX retentions_wake ON retentions (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE retention_deadlines (
    id            uuid PRIMARY KEY,
    departure_id  uuid NOT NULL REFERENCES departures (id),
    employment_id uuid NOT NULL REFERENCES employments (id),
    category_id   uuid NOT NULL REFERENCES employment_categories (id),
    category      text NOT NULL,
    rule_id       uuid NOT NULL REFERENCES retention_rules (id),
    event_at      timestamptz NOT NULL,
    deadline      timestamptz NOT NULL,
    floor_at      timestamptz NOT NULL,
    state         text NOT NULL DEFAULT 'scheduled',
    updated_at    timestamptz NOT NULL DEFAULT lethe_now(),
    UNIQUE (departure_id, category),
    CHECK (deadline >= floor_at),
    CHECK (deadline >= event_at)
);
CREATE INDEX retention_deadlines_due ON retention_deadlines (deadline, id) WHERE state IN ('scheduled', 'held');
CREATE INDEX retention_deadlines_category ON retention_deadlines (category_id);
INSERT INTO legal_transitions
SELECT 'retention_deadlines.state', f, t FROM (VALUES
    ('scheduled', 'held'), ('held', 'scheduled'), ('scheduled', 'in_review'), ('in_review', 'scheduled'), ('in_review', 'held'),
    ('scheduled', 'purging'), ('in_review', 'purging'), ('purging', 'purged'),
    ('scheduled', 'cancelled'), ('held', 'cancelled'), ('in_review', 'cancelled')
) AS t (f, t);
CREATE TRIGGER retention_deadlines_state BEFORE UPDATE OF state ON retention_deadlines
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');

-- Legal holds suspend deletion while the deadlines run on. NULL categories: every category.
CREATE TABLE holds (
    id            uuid PRIMARY KEY,
    employment_id uuid NOT NULL REFERENCES employments (id),
    categories    text[],
    matter        text NOT NULL,
    placed_by     uuid REFERENCES employees (id),
    placed_at     timestamptz NOT NULL DEFAULT lethe_now(),
    released_by   uuid REFERENCES employees (id),
    released_at   timestamptz
);
CREATE INDEX holds_employment ON holds (employment_id) WHERE released_at IS NULL;

-- One purge claims the categories of one person that are due together.
CREATE TABLE purges (
    id                uuid PRIMARY KEY,
    departure_id      uuid NOT NULL REFERENCES departures (id),
    employment_id     uuid NOT NULL REFERENCES employments (id),
    state             text NOT NULL DEFAULT 'claimed',
    -- review: a reviewer must agree; until review_until if that is set, without end where a rule asks for it.
    review_required   boolean NOT NULL DEFAULT false,
    review_until      timestamptz,
    decision          text NOT NULL DEFAULT '' CHECK (decision IN ('', 'approved', 'rejected')),
    decided_by        uuid REFERENCES employees (id),
    decided_at        timestamptz,
    intent_at         timestamptz,
    tombstoned_at     timestamptz,
    keys_destroyed_at timestamptz,
    fields_cleared_at timestamptz,
    probed_at         timestamptz,
    ended_at          timestamptz,
    created_at        timestamptz NOT NULL DEFAULT lethe_now(),
    revision          bigint NOT NULL DEFAULT 1,
    seen_revision     bigint NOT NULL DEFAULT 0,
    wake_at           timestamptz,
    nudged_at         timestamptz DEFAULT lethe_now()
);
CREATE INDEX purges_departure ON purges (departure_id, id);
CREATE INDEX purges_state ON purges (state, id);
CREATE INDEX purges_unseen ON purges (nudged_at) WHERE revision > seen_revision;
CREATE INDEX purges_wake ON purges (wake_at) WHERE wake_at IS NOT NULL;
INSERT INTO legal_transitions
SELECT 'purges.state', f, t FROM (VALUES
    ('claimed', 'in_review'), ('in_review', 'claimed'), ('claimed', 'purging'), ('in_review', 'purging'),
    ('purging', 'purged'), ('claimed', 'cancelled'), ('in_review', 'cancelled')
) AS t (f, t);
CREATE TRIGGER purges_state BEFORE UPDATE OF state ON purges
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');

CREATE TABLE purge_claims (
    purge_id     uuid NOT NULL REFERENCES purges (id),
    departure_id uuid NOT NULL REFERENCES departures (id),
    category_id  uuid NOT NULL REFERENCES employment_categories (id),
    category     text NOT NULL,
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'left', 'purged')),
    PRIMARY KEY (purge_id, category)
);
CREATE UNIQUE INDEX purge_claims_one_open ON purge_claims (departure_id, category) WHERE state = 'open';

-- I1 in the database: may this category's fields be destroyed now? Every part is a committed fact.
-- +goose StatementBegin
CREATE FUNCTION lethe_purgeable(the_category uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1
        FROM retention_deadlines l
        JOIN departures d ON d.id = l.departure_id
        JOIN employments m ON m.id = l.employment_id
        JOIN employment_categories c ON c.id = l.category_id
        WHERE l.category_id = the_category
          AND l.state IN ('scheduled', 'in_review')
          AND l.deadline <= lethe_now()
          AND d.stage IN ('departed', 'purging')
          AND d.employment_ended_at <= lethe_now()
          AND NOT EXISTS (
              SELECT 1 FROM holds h WHERE h.employment_id = l.employment_id AND h.released_at IS NULL
                AND (h.categories IS NULL OR l.category = ANY (h.categories)))
          AND ((m.jurisdiction = 'DEMO' AND (SELECT i.mode FROM installation i) = 'dev')
               OR d.departed_at + interval '30 days' <= lethe_now()
               OR EXISTS (
                  SELECT 1 FROM purge_claims k JOIN purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND p.decision = 'approved'
                    AND p.decided_by IS NOT NULL))
          AND (NOT (SELECT r.review_required FROM retention_rules r WHERE r.id = l.rule_id)
               OR EXISTS (
                  SELECT 1 FROM purge_claims k JOIN purges p ON p.id = k.purge_id
                  WHERE k.category_id = the_category AND k.state = 'open' AND p.decision = 'approved'
                    AND p.decided_by IS NOT NULL))
    )
$$;
CREATE FUNCTION refuse_early_purge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'purging' AND OLD.state = 'open' AND NOT lethe_purgeable(NEW.id) THEN
        RAISE EXCEPTION 'category is not purgeable' USING ERRCODE = 'LT005';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER employment_categories_not_early BEFORE UPDATE OF state ON employment_categories
    FOR EACH ROW EXECUTE FUNCTION refuse_early_purge();

-- One certificate for each purge (I3); the statement is what its signature covers.
CREATE TABLE destruction_certificates (
    id                   uuid PRIMARY KEY,
    purge_id             uuid NOT NULL UNIQUE REFERENCES purges (id),
    departure_id         uuid NOT NULL REFERENCES departures (id),
    serial               bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    statement            jsonb NOT NULL,
    statement_sha256     bytea NOT NULL,
    unrecoverable_after  date,
    issued_at            timestamptz NOT NULL DEFAULT lethe_now()
);
CREATE INDEX destruction_certificates_departure ON destruction_certificates (departure_id, id);
CREATE TRIGGER destruction_certificates_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON destruction_certificates
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TABLE destruction_certificates;
DROP TRIGGER employment_categories_not_early ON employment_categories;
DROP FUNCTION refuse_early_purge();
DROP FUNCTION lethe_purgeable(uuid);
DROP TABLE purge_claims;
DROP TABLE purges;
DROP TABLE holds;
DROP TABLE retention_deadlines;
DROP TABLE retentions;
DROP TABLE retention_rules;
DELETE FROM legal_transitions WHERE machine IN ('retention_deadlines.state', 'purges.state');
