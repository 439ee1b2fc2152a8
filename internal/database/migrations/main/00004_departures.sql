-- +goose Up
CREATE TABLE departures (
    id                   uuid PRIMARY KEY,
    employee_id          uuid NOT NULL REFERENCES employees (id),
    employment_id        uuid NOT NULL REFERENCES employments (id),
    kind                 text NOT NULL CHECK (kind IN ('resignation', 'mutual_agreement', 'dismissal', 'contract_end',
                             'retirement', 'death', 'group_transfer', 'assignment_end')),
    legal_ground         text NOT NULL DEFAULT '',
    initiator            text NOT NULL DEFAULT '' CHECK (initiator IN ('', 'employee', 'employer', 'both', 'law')),
    reason_code          text NOT NULL DEFAULT '',
    stage                text NOT NULL DEFAULT 'pending_departure',
    accounts_state       text NOT NULL DEFAULT 'linked',
    notice_received_on   date NOT NULL,
    last_working_day     date NOT NULL,
    employment_end_date  date NOT NULL,
    access_cutoff_at     timestamptz NOT NULL,
    employment_ended_at  timestamptz NOT NULL,
    time_zone            text NOT NULL,
    immediate            boolean NOT NULL DEFAULT false,
    -- Free text can hold anything, so it is sealed in the category departure_file.
    note_sealed          sealed,
    withdrawal_reason_sealed sealed,
    annulment_reason_sealed  sealed,
    company_consent      boolean NOT NULL DEFAULT false,
    departed_at          timestamptz,
    withdrawn_at         timestamptz,
    annulment_asked_at   timestamptz,
    annulment_asked_by   uuid REFERENCES employees (id),
    annulled_at          timestamptz,
    annulled_by          uuid REFERENCES employees (id),
    accounts_settled_at  timestamptz,
    purged_at            timestamptz,
    created_by           uuid REFERENCES employees (id),
    created_at           timestamptz NOT NULL DEFAULT lethe_now(),
    revision             bigint NOT NULL DEFAULT 1,
    seen_revision        bigint NOT NULL DEFAULT 0,
    wake_at              timestamptz,
    nudged_at            timestamptz DEFAULT lethe_now(),
    CHECK (last_working_day <= employment_end_date),
    CHECK (access_cutoff_at <= employment_ended_at),
    CHECK (annulled_by IS NULL OR annulled_by <> annulment_asked_by)
);
-- I9: one open departure per employment.
CREATE UNIQUE INDEX departures_one_open ON departures (employment_id) WHERE stage NOT IN ('withdrawn', 'annulled');
CREATE INDEX departures_employee ON departures (employee_id, created_at DESC);
CREATE INDEX departures_stage ON departures (stage, id);
CREATE INDEX departures_end ON departures (employment_ended_at, id);
CREATE INDEX departures_unseen ON departures (nudged_at) WHERE revision > seen_revision;
CREATE INDEX departures_wake ON departures (wake_at) WHERE wake_at IS NOT NULL;

INSERT INTO legal_transitions VALUES
    ('departures.stage', 'pending_departure', 'departed'),
    ('departures.stage', 'pending_departure', 'withdrawn'),
    ('departures.stage', 'pending_departure', 'annulled'),
    ('departures.stage', 'departed', 'purging'),
    ('departures.stage', 'departed', 'annulled'),
    ('departures.stage', 'purging', 'purged'),
    ('departures.accounts_state', 'linked', 'unlinking'),
    ('departures.accounts_state', 'linked', 'settled'),
    ('departures.accounts_state', 'linked', 'relinked'),
    ('departures.accounts_state', 'unlinking', 'settled'),
    ('departures.accounts_state', 'unlinking', 'needs_attention'),
    ('departures.accounts_state', 'unlinking', 'relinking'),
    ('departures.accounts_state', 'unlinking', 'relinked'),
    ('departures.accounts_state', 'settled', 'relinked'),
    ('departures.accounts_state', 'needs_attention', 'unlinking'),
    ('departures.accounts_state', 'needs_attention', 'settled'),
    ('departures.accounts_state', 'needs_attention', 'relinking'),
    ('departures.accounts_state', 'needs_attention', 'relinked'),
    ('departures.accounts_state', 'settled', 'relinking'),
    ('departures.accounts_state', 'settled', 'needs_attention'),
    ('departures.accounts_state', 'relinking', 'relinked'),
    ('departures.accounts_state', 'relinking', 'needs_attention');
CREATE TRIGGER departures_stage BEFORE UPDATE OF stage ON departures
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('stage');
CREATE TRIGGER departures_accounts_state BEFORE UPDATE OF accounts_state ON departures
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('accounts_state');
CREATE TRIGGER departures_start BEFORE INSERT ON departures
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('stage', 'pending_departure');

-- The stage may turn departed only once the employment has ended by the database's clock.
-- +goose StatementBegin
CREATE FUNCTION refuse_early_departed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stage = 'departed' AND OLD.stage <> 'departed' AND NEW.employment_ended_at > lethe_now() THEN
        RAISE EXCEPTION 'departed before the employment ended' USING ERRCODE = 'LT002';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER departures_not_early BEFORE UPDATE OF stage ON departures
    FOR EACH ROW EXECUTE FUNCTION refuse_early_departed();

-- The timeline: what happened, when, by whom; codes and identifiers only. Append-only.
CREATE TABLE departure_events (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    departure_id uuid NOT NULL REFERENCES departures (id),
    at           timestamptz NOT NULL DEFAULT lethe_now(),
    what         text NOT NULL,
    actor_role   text NOT NULL DEFAULT 'system',
    actor_id     uuid REFERENCES employees (id),
    system       text NOT NULL DEFAULT '',
    category     text NOT NULL DEFAULT '',
    reference    uuid
);
CREATE INDEX departure_events_departure ON departure_events (departure_id, id);
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'LT003';
END $$;
-- +goose StatementEnd
CREATE TRIGGER departure_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON departure_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TABLE departure_events;
DROP FUNCTION refuse_change();
DROP TABLE departures;
DROP FUNCTION refuse_early_departed();
DELETE FROM legal_transitions WHERE machine LIKE 'departures.%';
