-- +goose Up
-- Reconciliation: what the connected systems have is compared with the facts.

-- One run. Nobody began it: the schedule did.
CREATE TABLE reconciliations (
    id              uuid PRIMARY KEY,
    state           text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'stopped')),
    revision        bigint NOT NULL DEFAULT 1,
    seen_revision   bigint NOT NULL DEFAULT 0,
    wake_at         timestamptz,
    nudged_at       timestamptz DEFAULT lethe_now(),
    started_at      timestamptz NOT NULL DEFAULT lethe_now(),
    started_by      uuid REFERENCES employees (id),
    -- Whoever began it says that listings which became much smaller are right.
    accept_smaller  boolean NOT NULL DEFAULT false,
    ended_at        timestamptz,
    stopped_by      uuid REFERENCES employees (id),
    ledger_entry_id uuid NOT NULL,
    CHECK ((state = 'running') = (ended_at IS NULL)),
    CHECK ((state = 'stopped') = (stopped_by IS NOT NULL)),
    CHECK (started_by IS NOT NULL OR NOT accept_smaller)
);
-- One at a time, whoever begins it.
CREATE UNIQUE INDEX reconciliations_one_runs ON reconciliations (state) WHERE state = 'running';
CREATE INDEX reconciliations_unseen ON reconciliations (nudged_at) WHERE revision > seen_revision;
CREATE INDEX reconciliations_due ON reconciliations (wake_at) WHERE wake_at IS NOT NULL;
CREATE TRIGGER reconciliations_recorded BEFORE INSERT ON reconciliations FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE reconciliations ENABLE ALWAYS TRIGGER reconciliations_recorded;
INSERT INTO legal_transitions VALUES
    ('reconciliations.state', 'running', 'done'),
    ('reconciliations.state', 'running', 'stopped');
CREATE TRIGGER reconciliations_state BEFORE UPDATE OF state ON reconciliations
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');
CREATE TRIGGER reconciliations_start BEFORE INSERT ON reconciliations
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'running');

-- One system in a run; no outcome yet: it is to be compared, or is being compared.
CREATE TABLE reconciliation_systems (
    reconciliation_id uuid NOT NULL REFERENCES reconciliations (id),
    system            text NOT NULL,
    kind              text NOT NULL,
    outcome           text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'compared', 'alarm', 'no_list', 'stopped')),
    -- Why nothing was concluded from the listing.
    alarm             text NOT NULL DEFAULT '',
    -- Since when it is so without a run in between that was not.
    alarm_since       timestamptz,
    -- How many accounts the last whole listing had, or we know of.
    expected          int NOT NULL DEFAULT 0,
    listed            int,
    found             int NOT NULL DEFAULT 0,
    still             int NOT NULL DEFAULT 0,
    ended             int NOT NULL DEFAULT 0,
    started_at        timestamptz,
    ended_at          timestamptz,
    ledger_entry_id   uuid,
    PRIMARY KEY (reconciliation_id, system),
    CHECK ((outcome = '') = (ended_at IS NULL)),
    CHECK ((outcome = 'alarm') = (alarm <> '') AND (alarm = '') = (alarm_since IS NULL))
);
CREATE INDEX reconciliation_systems_last ON reconciliation_systems (system, reconciliation_id);
-- What came of it has an entry of its own, and never changes.
-- +goose StatementBegin
CREATE FUNCTION public.refuse_other_comparison() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.outcome <> '' OR (NEW.reconciliation_id, NEW.system, NEW.kind) IS DISTINCT FROM (OLD.reconciliation_id, OLD.system, OLD.kind) THEN
        RAISE EXCEPTION 'what came of a comparison never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.outcome <> '' AND NOT public.lethe_recorded(NEW.ledger_entry_id) THEN
        RAISE EXCEPTION 'a comparison ended without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER reconciliation_systems_unchanged BEFORE UPDATE ON reconciliation_systems FOR EACH ROW EXECUTE FUNCTION refuse_other_comparison();
ALTER TABLE reconciliation_systems ENABLE ALWAYS TRIGGER reconciliation_systems_unchanged;

-- A listing while it is read and compared; nothing is left of it afterwards.
CREATE TABLE reconciliation_listing (
    reconciliation_id uuid NOT NULL REFERENCES reconciliations (id),
    system            text NOT NULL,
    external_id       text NOT NULL,
    employee_no       text NOT NULL,
    active            boolean NOT NULL,
    last_sign_in_at   timestamptz,
    PRIMARY KEY (reconciliation_id, system, external_id)
);
COMMENT ON TABLE reconciliation_listing IS 'erasable';

-- What a system has otherwise than the facts say. One row from when it was first seen until it is seen no more.
CREATE TABLE account_drift (
    id              uuid PRIMARY KEY,
    system          text NOT NULL,
    system_kind     text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('active_after_cutoff', 'switched_on', 'orphan', 'gone', 'two_people', 'other_owner', 'no_sign_in')),
    -- The system's id, until it has ended.
    external_id     text,
    -- Whom it concerns, and our account; NULL: nobody known, and none.
    employee_id     uuid REFERENCES employees (id),
    account_id      uuid REFERENCES linked_accounts (id),
    active          boolean NOT NULL,
    last_sign_in_at timestamptz,
    support_case_id uuid REFERENCES support_cases (id),
    first_seen_at   timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    first_run_id    uuid NOT NULL REFERENCES reconciliations (id),
    last_run_id     uuid NOT NULL REFERENCES reconciliations (id),
    ended_at        timestamptz,
    ledger_entry_id uuid NOT NULL,
    CHECK ((ended_at IS NULL) = (external_id IS NOT NULL)),
    CHECK (last_seen_at >= first_seen_at)
);
CREATE UNIQUE INDEX account_drift_one_open ON account_drift (system, external_id, kind) WHERE ended_at IS NULL;
CREATE INDEX account_drift_open ON account_drift (id) WHERE ended_at IS NULL;
CREATE INDEX account_drift_employee ON account_drift (employee_id, id) WHERE employee_id IS NOT NULL;
CREATE TRIGGER account_drift_recorded BEFORE INSERT ON account_drift FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE account_drift ENABLE ALWAYS TRIGGER account_drift_recorded;
-- +goose StatementBegin
CREATE FUNCTION public.refuse_other_drift() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['external_id', 'active', 'last_sign_in_at', 'support_case_id', 'last_seen_at', 'last_run_id', 'ended_at'];
BEGIN
    IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free OR OLD.ended_at IS NOT NULL
        OR NEW.ended_at IS NULL AND NEW.external_id IS DISTINCT FROM OLD.external_id THEN
        RAISE EXCEPTION 'what was found in a system never changes' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER account_drift_unchanged BEFORE UPDATE ON account_drift FOR EACH ROW EXECUTE FUNCTION refuse_other_drift();
ALTER TABLE account_drift ENABLE ALWAYS TRIGGER account_drift_unchanged;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE account_drift;
DROP TABLE reconciliation_listing;
DROP TABLE reconciliation_systems;
DROP TABLE reconciliations;
DROP FUNCTION public.refuse_other_drift();
DROP FUNCTION public.refuse_other_comparison();
DELETE FROM legal_transitions WHERE machine = 'reconciliations.state';
SELECT public.lethe_grant_privileges();
