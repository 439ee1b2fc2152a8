-- +goose Up
-- Every fact names the ledger entry that was written in its own transaction. Several rows may name one
-- entry: what one transition wrote together is told by one entry. There is no foreign key: the ledger
-- is partitioned by month, and its content is dropped after ten years while these rows may stay.
-- Rows from before the ledger have no entry.
ALTER TABLE departure_events ADD COLUMN ledger_entry_id uuid;
ALTER TABLE linked_accounts ADD COLUMN ledger_entry_id uuid;
ALTER TABLE account_operations ADD COLUMN ledger_entry_id uuid;
ALTER TABLE account_evidence ADD COLUMN ledger_entry_id uuid;
ALTER TABLE support_cases ADD COLUMN ledger_entry_id uuid;
ALTER TABLE retentions ADD COLUMN ledger_entry_id uuid;
ALTER TABLE purges ADD COLUMN ledger_entry_id uuid;
ALTER TABLE destruction_certificates ADD COLUMN ledger_entry_id uuid;
ALTER TABLE holds ADD COLUMN ledger_entry_id uuid, ADD COLUMN release_entry_id uuid;
-- The entry that computed the deadline last: the scheduling, or a rule that moved it.
ALTER TABLE retention_deadlines ADD COLUMN ledger_entry_id uuid;
-- Rules and people are put there by fixtures and imports too: named, not enforced.
ALTER TABLE retention_rules ADD COLUMN ledger_entry_id uuid;
ALTER TABLE employments ADD COLUMN ledger_entry_id uuid;

-- A fact without an entry is refused. The entry of this very transaction has not been sequenced yet, so
-- it is still pending: an old entry, of something else, cannot be named in its place.
-- +goose StatementBegin
CREATE FUNCTION refuse_unrecorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ledger_entry_id IS NULL OR NOT EXISTS (
        SELECT FROM ledger_pending p WHERE p.entry_id = NEW.ledger_entry_id
    ) THEN
        RAISE EXCEPTION 'a row of % without its ledger entry', TG_TABLE_NAME USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION refuse_unrecorded_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.released_at IS NOT NULL AND OLD.released_at IS NULL AND NOT EXISTS (
        SELECT FROM ledger_pending p WHERE p.entry_id = NEW.release_entry_id
    ) THEN
        RAISE EXCEPTION 'a hold released without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER departure_events_recorded BEFORE INSERT ON departure_events
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER linked_accounts_recorded BEFORE INSERT ON linked_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER account_operations_recorded BEFORE INSERT ON account_operations
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER account_evidence_recorded BEFORE INSERT ON account_evidence
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER support_cases_recorded BEFORE INSERT ON support_cases
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER retentions_recorded BEFORE INSERT ON retentions
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER purges_recorded BEFORE INSERT ON purges
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER destruction_certificates_recorded BEFORE INSERT ON destruction_certificates
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER holds_recorded BEFORE INSERT ON holds
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER holds_release_recorded BEFORE UPDATE OF released_at ON holds
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded_release();

-- What the ledger was last told about each part of the configuration: a process that starts with
-- another one records the change, and one that starts with the same records nothing.
CREATE TABLE recorded_configuration (
    name            text PRIMARY KEY,
    digest          text NOT NULL,
    ledger_entry_id uuid NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT lethe_now()
);

-- The policies of the ledger that counted, in their order; the newest one counts. Processes adopt the
-- first one; any other is adopted by two people, and that program is the owner's: a process that serves
-- requests can neither change what was adopted nor adopt.
CREATE TABLE ledger_policies (
    number          int PRIMARY KEY CHECK (number > 0),
    digest          text NOT NULL,
    ledger_entry_id uuid NOT NULL,
    adopted_at      timestamptz NOT NULL DEFAULT lethe_now()
);
-- +goose StatementBegin
CREATE FUNCTION refuse_adoption() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.number > 1 AND NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER')
        OR NEW.number <> (SELECT count(*) + 1 FROM ledger_policies) THEN
        RAISE EXCEPTION 'a policy of the ledger is adopted by its owner, one after the other' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_policies_adopted BEFORE INSERT ON ledger_policies
    FOR EACH ROW EXECUTE FUNCTION refuse_adoption();
CREATE TRIGGER ledger_policies_recorded BEFORE INSERT ON ledger_policies
    FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
CREATE TRIGGER ledger_policies_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_policies
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TABLE ledger_policies;
DROP FUNCTION refuse_adoption();
DROP TABLE recorded_configuration;
DROP TRIGGER holds_release_recorded ON holds;
DROP TRIGGER holds_recorded ON holds;
DROP TRIGGER destruction_certificates_recorded ON destruction_certificates;
DROP TRIGGER purges_recorded ON purges;
DROP TRIGGER retentions_recorded ON retentions;
DROP TRIGGER support_cases_recorded ON support_cases;
DROP TRIGGER account_evidence_recorded ON account_evidence;
DROP TRIGGER account_operations_recorded ON account_operations;
DROP TRIGGER linked_accounts_recorded ON linked_accounts;
DROP TRIGGER departure_events_recorded ON departure_events;
DROP FUNCTION refuse_unrecorded_release();
DROP FUNCTION refuse_unrecorded();
ALTER TABLE employments DROP COLUMN ledger_entry_id;
ALTER TABLE retention_rules DROP COLUMN ledger_entry_id;
ALTER TABLE retention_deadlines DROP COLUMN ledger_entry_id;
ALTER TABLE holds DROP COLUMN ledger_entry_id, DROP COLUMN release_entry_id;
ALTER TABLE destruction_certificates DROP COLUMN ledger_entry_id;
ALTER TABLE purges DROP COLUMN ledger_entry_id;
ALTER TABLE retentions DROP COLUMN ledger_entry_id;
ALTER TABLE support_cases DROP COLUMN ledger_entry_id;
ALTER TABLE account_evidence DROP COLUMN ledger_entry_id;
ALTER TABLE account_operations DROP COLUMN ledger_entry_id;
ALTER TABLE linked_accounts DROP COLUMN ledger_entry_id;
ALTER TABLE departure_events DROP COLUMN ledger_entry_id;
