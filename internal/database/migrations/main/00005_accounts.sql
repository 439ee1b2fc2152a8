-- +goose Up
CREATE TABLE linked_accounts (
    id               uuid PRIMARY KEY,
    employment_id    uuid NOT NULL REFERENCES employments (id),
    system           text NOT NULL,
    kind             text NOT NULL,
    -- The target system's id. NULL until looked up, and again once purged and settled.
    external_id      text,
    -- When the external id was last read at the target: a 404 on an id seen before is success.
    seen_at          timestamptz,
    state            text NOT NULL DEFAULT 'linked',
    -- The fence: every remote attempt raises it and re-checks it right before each call.
    attempt          bigint NOT NULL DEFAULT 0,
    -- Until then the running attempt may still act (start-to-close plus the HTTP limit); NULL: none runs.
    attempt_open_until timestamptz,
    -- The operation that last took the account over; a later one supersedes it.
    operation_id     uuid,
    confirmed_at     timestamptz,
    created_at       timestamptz NOT NULL DEFAULT lethe_now()
);
CREATE UNIQUE INDEX linked_accounts_one ON linked_accounts (employment_id, system, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX linked_accounts_external ON linked_accounts (system, external_id);
INSERT INTO legal_transitions
SELECT 'linked_accounts.state', f, t FROM (VALUES
    ('linked', 'unlinking'), ('relinked', 'unlinking'), ('stuck', 'unlinking'), ('waived', 'unlinking'),
    ('not_found', 'unlinking'), ('relinking', 'unlinking'), ('disabled', 'unlinking'), ('detached', 'unlinking'), ('accepted', 'unlinking'),
    ('unlinking', 'accepted'), ('unlinking', 'disabled'), ('unlinking', 'detached'), ('unlinking', 'not_found'), ('unlinking', 'stuck'),
    ('accepted', 'disabled'), ('accepted', 'detached'), ('accepted', 'not_found'), ('accepted', 'stuck'),
    ('stuck', 'waived'), ('stuck', 'disabled'), ('stuck', 'detached'), ('stuck', 'not_found'), ('stuck', 'linked'),
    ('disabled', 'stuck'), ('detached', 'stuck'), ('not_found', 'stuck'), ('waived', 'stuck'),
    ('unlinking', 'relinking'), ('accepted', 'relinking'), ('disabled', 'relinking'), ('detached', 'relinking'),
    ('not_found', 'relinking'), ('stuck', 'relinking'), ('waived', 'relinking'),
    ('relinking', 'relinked'), ('relinking', 'stuck'), ('relinking', 'not_found'), ('unlinking', 'linked'), ('stuck', 'relinked')
) AS t (f, t);
CREATE TRIGGER linked_accounts_state BEFORE UPDATE OF state ON linked_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');

-- One order to unlink or relink the accounts of one employment: a departure's, a withdrawal's, or stand-alone.
CREATE TABLE account_operations (
    id             uuid PRIMARY KEY,
    employment_id  uuid NOT NULL REFERENCES employments (id),
    departure_id   uuid REFERENCES departures (id),
    kind           text NOT NULL CHECK (kind IN ('unlink', 'relink')),
    mode           text NOT NULL CHECK (mode IN ('disable', 'detach')),
    origin         text NOT NULL CHECK (origin IN ('departure', 'standalone', 'withdrawal', 'annulment')),
    all_or_nothing boolean NOT NULL DEFAULT false,
    -- For a relink: the unlink operation it undoes.
    undoes_id      uuid REFERENCES account_operations (id),
    state          text NOT NULL DEFAULT 'running',
    created_by     uuid REFERENCES employees (id),
    created_at     timestamptz NOT NULL DEFAULT lethe_now(),
    ended_at       timestamptz,
    revision       bigint NOT NULL DEFAULT 1,
    seen_revision  bigint NOT NULL DEFAULT 0,
    wake_at        timestamptz,
    nudged_at      timestamptz DEFAULT lethe_now()
);
CREATE UNIQUE INDEX account_operations_one_departure ON account_operations (departure_id, kind)
    WHERE departure_id IS NOT NULL AND state <> 'superseded';
CREATE INDEX account_operations_employment ON account_operations (employment_id, id);
CREATE INDEX account_operations_unseen ON account_operations (nudged_at) WHERE revision > seen_revision;
CREATE INDEX account_operations_wake ON account_operations (wake_at) WHERE wake_at IS NOT NULL;
INSERT INTO legal_transitions VALUES
    ('account_operations.state', 'running', 'settled'),
    ('account_operations.state', 'running', 'needs_attention'),
    ('account_operations.state', 'needs_attention', 'running'),
    ('account_operations.state', 'needs_attention', 'settled'),
    ('account_operations.state', 'running', 'compensating'),
    ('account_operations.state', 'needs_attention', 'compensating'),
    ('account_operations.state', 'compensating', 'compensated'),
    ('account_operations.state', 'running', 'aborted'),
    ('account_operations.state', 'needs_attention', 'aborted'),
    ('account_operations.state', 'compensating', 'superseded'),
    ('account_operations.state', 'settled', 'superseded'),
    ('account_operations.state', 'running', 'superseded'),
    ('account_operations.state', 'needs_attention', 'superseded');
CREATE TRIGGER account_operations_state BEFORE UPDATE OF state ON account_operations
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');

-- One account's part in an operation.
CREATE TABLE account_steps (
    id           uuid PRIMARY KEY,
    operation_id uuid NOT NULL REFERENCES account_operations (id),
    account_id   uuid NOT NULL REFERENCES linked_accounts (id),
    system       text NOT NULL,
    position     int NOT NULL,
    -- What is to be done now: unlink, or (a relink, or compensation of an all-or-nothing unlink) relink.
    action       text NOT NULL CHECK (action IN ('unlink', 'relink')),
    state        text NOT NULL DEFAULT 'pending',
    -- Failed tries of the current round; a retry asked for by a person starts at zero again.
    tries        int NOT NULL DEFAULT 0,
    check_at     timestamptz,
    stuck_reason text NOT NULL DEFAULT '',
    started_at   timestamptz,
    ended_at     timestamptz,
    UNIQUE (operation_id, account_id)
);
CREATE INDEX account_steps_account ON account_steps (account_id);
INSERT INTO legal_transitions
SELECT 'account_steps.state', f, t FROM (VALUES
    ('pending', 'running'), ('running', 'accepted'), ('running', 'done'), ('running', 'stuck'), ('running', 'pending'),
    ('accepted', 'running'), ('accepted', 'done'), ('accepted', 'stuck'), ('accepted', 'pending'),
    ('stuck', 'pending'), ('stuck', 'done'), ('stuck', 'waived'), ('stuck', 'aborted'), ('done', 'pending'), ('done', 'stuck'),
    ('waived', 'pending'), ('pending', 'stuck'), ('pending', 'done'),
    ('pending', 'superseded'), ('running', 'superseded'), ('accepted', 'superseded'), ('stuck', 'superseded'),
    ('pending', 'aborted'), ('running', 'aborted'), ('accepted', 'aborted')
) AS t (f, t);
CREATE TRIGGER account_steps_state BEFORE UPDATE OF state ON account_steps
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');

-- The evidence: one row for each sub-step that was tried, with what came of it. Codes only.
CREATE TABLE account_evidence (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step_id  uuid NOT NULL REFERENCES account_steps (id),
    attempt  bigint NOT NULL,
    at       timestamptz NOT NULL DEFAULT lethe_now(),
    substep  text NOT NULL CHECK (substep IN ('find', 'snapshot', 'disable', 'detach', 'revoke_sessions', 'read_back', 'residue', 'restore', 'by_hand')),
    outcome  text NOT NULL,
    detail   text NOT NULL DEFAULT ''
);
CREATE INDEX account_evidence_step ON account_evidence (step_id, id);
CREATE TRIGGER account_evidence_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_evidence
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An account's state from before it was unlinked; what a relink restores. A category of its own.
CREATE TABLE account_snapshots (
    id              uuid PRIMARY KEY,
    employment_id   uuid NOT NULL REFERENCES employments (id),
    category_id     uuid NOT NULL REFERENCES employment_categories (id),
    account_id      uuid NOT NULL REFERENCES linked_accounts (id),
    operation_id    uuid NOT NULL REFERENCES account_operations (id),
    snapshot_sealed sealed,
    taken_at        timestamptz NOT NULL DEFAULT lethe_now(),
    UNIQUE (operation_id, account_id)
);
CREATE INDEX account_snapshots_category ON account_snapshots (category_id);

-- What people must solve.
CREATE TABLE support_cases (
    id           uuid PRIMARY KEY,
    operation_id uuid NOT NULL REFERENCES account_operations (id),
    step_id      uuid NOT NULL REFERENCES account_steps (id),
    account_id   uuid NOT NULL REFERENCES linked_accounts (id),
    departure_id uuid REFERENCES departures (id),
    system       text NOT NULL,
    reason       text NOT NULL,
    state        text NOT NULL DEFAULT 'open',
    resolution   text NOT NULL DEFAULT '' CHECK (resolution IN ('', 'retry', 'resolved_by_hand', 'waive', 'abort', 'superseded')),
    asked_by     uuid REFERENCES employees (id),
    confirmed_by uuid REFERENCES employees (id),
    opened_at    timestamptz NOT NULL DEFAULT lethe_now(),
    asked_at     timestamptz,
    closed_at    timestamptz,
    CHECK (confirmed_by IS NULL OR confirmed_by <> asked_by)
);
CREATE UNIQUE INDEX support_cases_one_open ON support_cases (step_id) WHERE state <> 'closed';
CREATE INDEX support_cases_state ON support_cases (state, id);
CREATE INDEX support_cases_departure ON support_cases (departure_id) WHERE state <> 'closed';
INSERT INTO legal_transitions VALUES
    ('support_cases.state', 'open', 'waiver_requested'),
    ('support_cases.state', 'open', 'closed'),
    ('support_cases.state', 'waiver_requested', 'closed'),
    ('support_cases.state', 'waiver_requested', 'open');
CREATE TRIGGER support_cases_state BEFORE UPDATE OF state ON support_cases
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');

-- An account settles only on evidence: read back as off, found nowhere, or waived by two people.
-- +goose StatementBegin
CREATE FUNCTION refuse_unproven_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NEW.state IN ('disabled', 'detached', 'not_found') AND NOT EXISTS (
        SELECT 1 FROM account_evidence e JOIN account_steps s ON s.id = e.step_id
        WHERE s.account_id = NEW.id AND s.operation_id = NEW.operation_id AND e.attempt = NEW.attempt
          AND ((NEW.state = 'disabled' AND e.substep = 'read_back' AND e.outcome IN ('confirmed', 'not_found'))
            OR (NEW.state = 'detached' AND e.substep IN ('detach', 'read_back') AND e.outcome IN ('confirmed', 'not_found'))
            OR (NEW.state = 'not_found' AND e.substep IN ('find', 'read_back') AND e.outcome = 'not_found'))
    ) THEN
        RAISE EXCEPTION 'account state % without evidence', NEW.state USING ERRCODE = 'LT004';
    END IF;
    IF NEW.state = 'waived' AND NOT EXISTS (
        SELECT 1 FROM support_cases c WHERE c.account_id = NEW.id AND c.resolution = 'waive'
          AND c.asked_by IS NOT NULL AND c.confirmed_by IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'account waived without two people' USING ERRCODE = 'LT004';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION refuse_unsettled_departure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.accounts_state = 'settled' AND OLD.accounts_state <> 'settled' AND EXISTS (
        SELECT 1 FROM linked_accounts a WHERE a.employment_id = NEW.employment_id
          AND a.state NOT IN ('disabled', 'detached', 'not_found', 'waived')
    ) THEN
        RAISE EXCEPTION 'settled while accounts are open' USING ERRCODE = 'LT004';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER linked_accounts_proven BEFORE UPDATE OF state ON linked_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_unproven_account();
CREATE TRIGGER departures_settled BEFORE UPDATE OF accounts_state ON departures
    FOR EACH ROW EXECUTE FUNCTION refuse_unsettled_departure();

-- +goose Down
DROP TRIGGER departures_settled ON departures;
DROP FUNCTION refuse_unsettled_departure();
DROP TABLE support_cases;
DROP TABLE account_snapshots;
DROP TABLE account_evidence;
DROP TABLE account_steps;
DROP TABLE account_operations;
DROP TABLE linked_accounts;
DROP FUNCTION refuse_unproven_account();
DELETE FROM legal_transitions WHERE machine IN ('linked_accounts.state', 'account_operations.state', 'account_steps.state', 'support_cases.state');
