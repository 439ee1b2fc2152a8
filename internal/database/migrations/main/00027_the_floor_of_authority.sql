-- +goose Up
-- What gives somebody authority, and what decides when data is destroyed, changes only with an entry of
-- the ledger that the same transaction wrote; the row names the entry of its last such change. Rows from
-- before have none and stay as they are: only what changes is judged.
ALTER TABLE users ADD COLUMN ledger_entry_id uuid;
ALTER TABLE user_roles ADD COLUMN ledger_entry_id uuid;
ALTER TABLE api_tokens ADD COLUMN ledger_entry_id uuid;
ALTER TABLE oidc_links ADD COLUMN ledger_entry_id uuid;
ALTER TABLE sessions ADD COLUMN ledger_entry_id uuid;
ALTER TABLE enrolments ADD COLUMN ledger_entry_id uuid;
ALTER TABLE recovery_codes ADD COLUMN ledger_entry_id uuid;
ALTER TABLE break_glass ADD COLUMN ledger_entry_id uuid;
ALTER TABLE approvals ADD COLUMN ledger_entry_id uuid;
ALTER TABLE legal_entities ADD COLUMN ledger_entry_id uuid;
-- These began with an entry of their own, which stays.
ALTER TABLE employments ADD COLUMN basis_entry_id uuid;
ALTER TABLE purges
    ADD COLUMN decision_entry_id uuid,
    -- The approval by which two people decided about a rejected purge.
    ADD COLUMN decided_with      uuid REFERENCES approvals (id);
-- The approval by which deadlines count from an earlier instant than one person may say.
ALTER TABLE departures ADD COLUMN advanced_by uuid REFERENCES approvals (id);

-- +goose StatementBegin
-- What a row is about: another one is made instead, with an entry of its own.
CREATE FUNCTION public.refuse_another_matter() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'what a row of % is about never changes', TG_TABLE_NAME USING ERRCODE = 'LT003';
END $$;

-- When this transaction began, by the clock that counts.
CREATE FUNCTION public.lethe_began() RETURNS timestamptz LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN public.lethe_now() - (clock_timestamp() - transaction_timestamp());
END $$;

-- Did two people agree, in this very transaction, to one of these operations on somebody's matter? An
-- approval of before was for another change, and is used up.
CREATE FUNCTION public.lethe_agreed(the_approval uuid, operations text[], person uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM public.approvals a
        WHERE a.id = the_approval AND a.state = 'approved' AND a.operation = ANY (operations)
          AND person = ANY (a.subject_ids) AND public.lethe_recorded(a.ledger_entry_id));
END $$;

CREATE OR REPLACE FUNCTION public.refuse_changed_half() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'who held a half of a code stays known' USING ERRCODE = 'LT003';
    END IF;
    IF (OLD.id, OLD.user_id, OLD.given_to, OLD.given_at) IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.given_to, NEW.given_at)
       OR OLD.confirmed_at IS NOT NULL AND OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at
       OR OLD.ledger_entry_id IS DISTINCT FROM NEW.ledger_entry_id AND OLD.confirmed_at IS NOT DISTINCT FROM NEW.confirmed_at THEN
        RAISE EXCEPTION 'who held a half of a code stays known' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;

-- Deadlines are written by the thousand when a rule changes, under a few entries: judged once for each.
CREATE FUNCTION public.refuse_unrecorded_deadlines() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unrecorded boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT coalesce(bool_or(e.entry IS NULL OR NOT public.lethe_recorded(e.entry)), false) INTO unrecorded
        FROM (SELECT DISTINCT n.ledger_entry_id FROM after n) AS e (entry);
    ELSE
        SELECT coalesce(bool_or(e.entry IS NULL OR NOT public.lethe_recorded(e.entry)), false) INTO unrecorded
        FROM (
            SELECT DISTINCT n.ledger_entry_id FROM after n LEFT JOIN before o ON o.id = n.id
            WHERE o.id IS NULL
               OR (o.departure_id, o.employment_id, o.category_id, o.category, o.rule_id, o.event_at, o.deadline, o.floor_at, o.extended_until, o.ledger_entry_id)
                  IS DISTINCT FROM
                  (n.departure_id, n.employment_id, n.category_id, n.category, n.rule_id, n.event_at, n.deadline, n.floor_at, n.extended_until, n.ledger_entry_id)
               OR o.advanced AND NOT n.advanced OR o.state <> 'cancelled' AND n.state = 'cancelled'
        ) AS e (entry);
    END IF;
    IF unrecorded THEN
        RAISE EXCEPTION 'a deadline without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NULL;
END $$;

-- For rows whose ledger_entry_id stays that of their beginning.
CREATE FUNCTION public.refuse_unrecorded_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry uuid := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF entry IS NULL OR NOT public.lethe_recorded(entry) THEN
        RAISE EXCEPTION 'a row of % changed without its ledger entry', TG_TABLE_NAME USING ERRCODE = 'LT013';
    END IF;
    RETURN NEW;
END $$;

-- Two people are two only with the approval that they are the two of. It ends after what it carries out,
-- so this is judged at the end of the transaction.
CREATE FUNCTION public.refuse_unapproved_decision() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.departures d JOIN public.approvals a ON a.id = NEW.decided_with
        WHERE d.id = NEW.departure_id
          AND public.lethe_agreed(a.id, ARRAY['purge.overrule', 'purge.extend'], d.employee_id)
          AND (a.operation = 'purge.overrule') = (NEW.decision = 'approved')
          AND a.targets @> jsonb_build_array(jsonb_build_object('kind', 'purge', 'id', NEW.id))
          AND a.requester_id = NEW.decided_by AND a.decided_by = NEW.confirmed_by
    ) THEN
        RAISE EXCEPTION 'two people decided about a purge without their approval' USING ERRCODE = 'LT007';
    END IF;
    RETURN NULL;
END $$;

-- A category is claimed by the purge that was ordered for it: what people agreed to about others says
-- nothing about this one.
CREATE FUNCTION public.refuse_foreign_claim() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.purges p
        JOIN public.retention_deadlines l ON l.departure_id = p.departure_id AND l.category_id = NEW.category_id AND l.category = NEW.category
        WHERE p.id = NEW.purge_id AND p.departure_id = NEW.departure_id AND p.decision IN ('', 'rejected')
          AND p.ledger_entry_id IS NOT NULL AND public.lethe_recorded(p.ledger_entry_id)
    ) THEN
        RAISE EXCEPTION 'a category is claimed by the purge that is ordered for it' USING ERRCODE = 'LT005';
    END IF;
    RETURN NEW;
END $$;

-- What is said to have happened did not happen before this transaction, unless two people said so, or in a
-- development database's DEMO.
CREATE OR REPLACE FUNCTION public.refuse_earlier_counting() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.counts_from < OLD.counts_from AND NOT NEW.advanced OR OLD.advanced AND NOT NEW.advanced THEN
            RAISE EXCEPTION 'deadlines would count from an earlier day' USING ERRCODE = 'LT007';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.counts_from < public.lethe_began() AND NOT NEW.advanced AND NOT EXISTS (
        SELECT FROM public.employments m, public.installation i
        WHERE m.id = NEW.employment_id AND m.jurisdiction = 'DEMO' AND i.mode = 'dev'
    ) THEN
        RAISE EXCEPTION 'deadlines would count from an earlier day' USING ERRCODE = 'LT007';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.refuse_unapproved_counting() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.approvals a
        WHERE a.id = NEW.advanced_by
          AND public.lethe_agreed(a.id, ARRAY['departure.begin_immediately', 'departure.bring_forward', 'departure.earlier_dates'], NEW.employee_id)
          AND a.targets @> CASE WHEN a.operation = 'departure.begin_immediately'
                THEN jsonb_build_array(jsonb_build_object('kind', 'employee', 'id', NEW.employee_id))
                ELSE jsonb_build_array(jsonb_build_object('kind', 'departure', 'id', NEW.id)) END
          AND (a.operation = 'departure.begin_immediately') = (TG_OP = 'INSERT')
    ) THEN
        RAISE EXCEPTION 'deadlines count from an earlier day without an approval' USING ERRCODE = 'LT007';
    END IF;
    RETURN NULL;
END $$;

-- The 30 days within which a reviewer must agree run from when it took effect.
CREATE FUNCTION public.refuse_earlier_effect() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.departed_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.departed_at IS NOT NULL OR NEW.departed_at < public.lethe_began()) THEN
        RAISE EXCEPTION 'when a departure took effect is when it did' USING ERRCODE = 'LT002';
    END IF;
    RETURN NEW;
END $$;

-- Stage, kind and dates of a departure change with a line of its timeline, which names its entry. Lines come after
-- what they tell, so this is judged at the end of the transaction.
CREATE FUNCTION public.refuse_untold_departure() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.departure_events e
        WHERE e.departure_id = NEW.id AND e.ledger_entry_id IS NOT NULL AND public.lethe_recorded(e.ledger_entry_id)
    ) THEN
        RAISE EXCEPTION 'a departure changed without its ledger entry' USING ERRCODE = 'LT013';
    END IF;
    RETURN NULL;
END $$;

-- Nobody looks at the deadlines of a retention that ended.
CREATE FUNCTION public.refuse_unfinished_retention() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.retention_deadlines l WHERE l.departure_id = NEW.id AND l.state NOT IN ('purged', 'cancelled')) THEN
        RAISE EXCEPTION 'a retention ends with the last of its deadlines' USING ERRCODE = 'LT002';
    END IF;
    RETURN NEW;
END $$;

-- Without its key a category is gone: the reference goes only with a key that was given up as lost.
CREATE FUNCTION public.refuse_another_key() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.data_key_id IS NOT NULL OR NOT EXISTS (SELECT FROM public.lost_keys k WHERE k.key_id = OLD.data_key_id) THEN
        RAISE EXCEPTION 'the key of a category stays its key' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;

-- What is sealed by the keys of a category goes with the category: by its purge, not before.
CREATE FUNCTION public.refuse_early_emptying() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept jsonb := to_jsonb(OLD);
BEGIN
    IF EXISTS (
        SELECT FROM public.employment_categories c
        WHERE c.state = 'open'
          AND (c.id = (kept ->> 'category_id')::uuid
            OR TG_TABLE_NAME = 'departures' AND c.category = 'departure_file' AND c.employment_id = (kept ->> 'employment_id')::uuid)
    ) THEN
        RAISE EXCEPTION 'what is kept of a category ends with its purge' USING ERRCODE = 'LT002';
    END IF;
    RETURN NEW;
END $$;

-- A file is corrected and added to, under a hold by a filter too; what a hold keeps is not taken out of it.
CREATE FUNCTION public.refuse_held_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (TG_OP = 'DELETE' OR NEW.value_sealed IS NULL) AND EXISTS (
        SELECT FROM public.employment_categories c
        WHERE c.id = OLD.category_id AND c.state = 'open' AND public.lethe_held(c.employment_id, c.category)
    ) THEN
        RAISE EXCEPTION 'a legal hold keeps what is there' USING ERRCODE = 'LT005';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- Rules come with the program, and are installed by the owner.
CREATE FUNCTION public.refuse_foreign_rule() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER') THEN
        RAISE EXCEPTION 'retention rules are installed by their owner' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- Names sort after those of the state machines: an illegal transition is told as one. That another entry is
-- named, or none, is a change as well.
CREATE TRIGGER users_recorded BEFORE INSERT ON users
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER users_unrecorded BEFORE UPDATE OF state, login, password_hash, totp_sealed, created_by, credentials_set_by, access_ended_at, ledger_entry_id ON users
    FOR EACH ROW WHEN ((OLD.state, OLD.login, OLD.password_hash, OLD.totp_sealed, OLD.created_by, OLD.credentials_set_by, OLD.access_ended_at, OLD.ledger_entry_id)
        IS DISTINCT FROM (NEW.state, NEW.login, NEW.password_hash, NEW.totp_sealed, NEW.created_by, NEW.credentials_set_by, NEW.access_ended_at, NEW.ledger_entry_id))
    EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER users_matter BEFORE UPDATE OF id, employee_id ON users
    FOR EACH ROW WHEN ((OLD.id, OLD.employee_id) IS DISTINCT FROM (NEW.id, NEW.employee_id))
    EXECUTE FUNCTION public.refuse_another_matter();

CREATE TRIGGER user_roles_recorded BEFORE INSERT ON user_roles
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER user_roles_unrecorded BEFORE UPDATE OF revoked_at, revoked_by, ledger_entry_id ON user_roles
    FOR EACH ROW WHEN ((OLD.revoked_at, OLD.revoked_by, OLD.ledger_entry_id) IS DISTINCT FROM (NEW.revoked_at, NEW.revoked_by, NEW.ledger_entry_id))
    EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER user_roles_matter BEFORE UPDATE ON user_roles
    FOR EACH ROW WHEN ((OLD.id, OLD.user_id, OLD.role, OLD.granted_by, OLD.granted_at)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.role, NEW.granted_by, NEW.granted_at)
        OR OLD.revoked_at IS NOT NULL AND OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)
    EXECUTE FUNCTION public.refuse_another_matter();

CREATE TRIGGER api_tokens_recorded BEFORE INSERT ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER api_tokens_unrecorded BEFORE UPDATE OF revoked_at, ledger_entry_id ON api_tokens
    FOR EACH ROW WHEN ((OLD.revoked_at, OLD.ledger_entry_id) IS DISTINCT FROM (NEW.revoked_at, NEW.ledger_entry_id))
    EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER api_tokens_matter BEFORE UPDATE ON api_tokens
    FOR EACH ROW WHEN ((OLD.id, OLD.prefix, OLD.secret_hash, OLD.employee_id, OLD.user_id, OLD.role, OLD.scopes, OLD.on_host, OLD.created_at)
        IS DISTINCT FROM (NEW.id, NEW.prefix, NEW.secret_hash, NEW.employee_id, NEW.user_id, NEW.role, NEW.scopes, NEW.on_host, NEW.created_at)
        OR NEW.expires_at > OLD.expires_at
        OR OLD.revoked_at IS NOT NULL AND OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)
    EXECUTE FUNCTION public.refuse_another_matter();

CREATE TRIGGER oidc_links_recorded BEFORE INSERT ON oidc_links
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER oidc_links_unrecorded BEFORE UPDATE OF confirmed_at, unlinked_at, unlinked_by, ledger_entry_id ON oidc_links
    FOR EACH ROW WHEN ((OLD.confirmed_at, OLD.unlinked_at, OLD.unlinked_by, OLD.ledger_entry_id)
        IS DISTINCT FROM (NEW.confirmed_at, NEW.unlinked_at, NEW.unlinked_by, NEW.ledger_entry_id))
    EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER oidc_links_matter BEFORE UPDATE ON oidc_links
    FOR EACH ROW WHEN ((OLD.id, OLD.user_id, OLD.issuer, OLD.subject, OLD.linked_by, OLD.linked_at)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.issuer, NEW.subject, NEW.linked_by, NEW.linked_at)
        OR OLD.confirmed_at IS NOT NULL AND OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at
        OR OLD.unlinked_at IS NOT NULL AND OLD.unlinked_at IS DISTINCT FROM NEW.unlinked_at)
    EXECUTE FUNCTION public.refuse_another_matter();

-- That a session is used, ended, or loses what it noted of a browser needs no entry; that it begins, or its
-- bearer showed again to be there, does.
CREATE TRIGGER sessions_recorded BEFORE INSERT ON sessions
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER sessions_unrecorded BEFORE UPDATE OF token_hash, data, stepped_up_at, ledger_entry_id ON sessions
    FOR EACH ROW WHEN (NEW.token_hash IS DISTINCT FROM OLD.token_hash OR NEW.data IS DISTINCT FROM OLD.data
        OR NEW.stepped_up_at IS NOT NULL AND NEW.stepped_up_at IS DISTINCT FROM OLD.stepped_up_at
        OR NEW.ledger_entry_id IS DISTINCT FROM OLD.ledger_entry_id)
    EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER sessions_matter BEFORE UPDATE OF id, user_id, role, authenticated, break_glass, created_at, expires_at, revoked_at ON sessions
    FOR EACH ROW WHEN ((OLD.id, OLD.user_id, OLD.role, OLD.authenticated, OLD.break_glass, OLD.created_at)
        IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.role, NEW.authenticated, NEW.break_glass, NEW.created_at)
        OR NEW.expires_at > OLD.expires_at
        OR OLD.revoked_at IS NOT NULL AND OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)
    EXECUTE FUNCTION public.refuse_another_matter();

CREATE TRIGGER enrolments_recorded BEFORE INSERT OR UPDATE ON enrolments
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER enrolment_halves_unrecorded BEFORE UPDATE OF confirmed_at ON enrolment_halves
    FOR EACH ROW WHEN (OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at)
    EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER recovery_codes_recorded BEFORE INSERT ON recovery_codes
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER recovery_codes_unrecorded BEFORE UPDATE OF ledger_entry_id ON recovery_codes
    FOR EACH ROW WHEN (OLD.ledger_entry_id IS DISTINCT FROM NEW.ledger_entry_id)
    EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER recovery_codes_matter BEFORE UPDATE ON recovery_codes
    FOR EACH ROW WHEN ((OLD.id, OLD.user_id, OLD.code_hash) IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.code_hash)
        OR OLD.used_at IS NOT NULL AND OLD.used_at IS DISTINCT FROM NEW.used_at)
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER break_glass_recorded BEFORE INSERT ON break_glass
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER break_glass_unrecorded BEFORE UPDATE OF ledger_entry_id ON break_glass
    FOR EACH ROW WHEN (OLD.ledger_entry_id IS DISTINCT FROM NEW.ledger_entry_id)
    EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER break_glass_matter BEFORE UPDATE ON break_glass
    FOR EACH ROW WHEN ((OLD.id, OLD.first_hash, OLD.second_hash, OLD.created_at) IS DISTINCT FROM (NEW.id, NEW.first_hash, NEW.second_hash, NEW.created_at)
        OR OLD.superseded_at IS NOT NULL AND OLD.superseded_at IS DISTINCT FROM NEW.superseded_at
        OR OLD.used_at IS NOT NULL AND (OLD.used_at, OLD.used_by) IS DISTINCT FROM (NEW.used_at, NEW.used_by))
    EXECUTE FUNCTION public.refuse_another_matter();

CREATE TRIGGER approvals_recorded BEFORE INSERT ON approvals
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER approvals_unrecorded BEFORE UPDATE OF state, decided_by, decided_by_user_id, ledger_entry_id ON approvals
    FOR EACH ROW WHEN ((OLD.state, OLD.decided_by, OLD.decided_by_user_id, OLD.ledger_entry_id)
        IS DISTINCT FROM (NEW.state, NEW.decided_by, NEW.decided_by_user_id, NEW.ledger_entry_id))
    EXECUTE FUNCTION public.refuse_unrecorded();

CREATE TRIGGER legal_entities_recorded BEFORE UPDATE OF jurisdiction, time_zone, cutoff_time, ledger_entry_id ON legal_entities
    FOR EACH ROW WHEN ((OLD.jurisdiction, OLD.time_zone, OLD.cutoff_time, OLD.ledger_entry_id)
        IS DISTINCT FROM (NEW.jurisdiction, NEW.time_zone, NEW.cutoff_time, NEW.ledger_entry_id))
    EXECUTE FUNCTION public.refuse_unrecorded();
CREATE TRIGGER employments_recorded BEFORE UPDATE OF legal_entity_id, jurisdiction, time_zone, hired_on, ended_at, basis_entry_id ON employments
    FOR EACH ROW WHEN ((OLD.legal_entity_id, OLD.jurisdiction, OLD.time_zone, OLD.hired_on, OLD.ended_at, OLD.basis_entry_id)
        IS DISTINCT FROM (NEW.legal_entity_id, NEW.jurisdiction, NEW.time_zone, NEW.hired_on, NEW.ended_at, NEW.basis_entry_id))
    EXECUTE FUNCTION public.refuse_unrecorded_change('basis_entry_id');
CREATE TRIGGER employments_matter BEFORE UPDATE OF id, employee_id ON employments
    FOR EACH ROW WHEN ((OLD.id, OLD.employee_id) IS DISTINCT FROM (NEW.id, NEW.employee_id))
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER employment_categories_matter BEFORE UPDATE OF id, employment_id, category ON employment_categories
    FOR EACH ROW WHEN ((OLD.id, OLD.employment_id, OLD.category) IS DISTINCT FROM (NEW.id, NEW.employment_id, NEW.category))
    EXECUTE FUNCTION public.refuse_another_matter();

CREATE TRIGGER departures_matter BEFORE UPDATE OF id, employee_id, employment_id, created_by ON departures
    FOR EACH ROW WHEN ((OLD.id, OLD.employee_id, OLD.employment_id, OLD.created_by)
        IS DISTINCT FROM (NEW.id, NEW.employee_id, NEW.employment_id, NEW.created_by))
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER departures_unsaid_counting BEFORE INSERT ON departures
    FOR EACH ROW EXECUTE FUNCTION public.refuse_earlier_counting();
CREATE CONSTRAINT TRIGGER departures_begun_approved AFTER INSERT ON departures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.advanced)
    EXECUTE FUNCTION public.refuse_unapproved_counting();
CREATE CONSTRAINT TRIGGER departures_counting_approved AFTER UPDATE OF counts_from ON departures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.counts_from < OLD.counts_from)
    EXECUTE FUNCTION public.refuse_unapproved_counting();
CREATE TRIGGER departures_unsaid_effect BEFORE INSERT ON departures
    FOR EACH ROW WHEN (NEW.departed_at IS NOT NULL)
    EXECUTE FUNCTION public.refuse_earlier_effect();
CREATE TRIGGER departures_took_effect BEFORE UPDATE OF departed_at ON departures
    FOR EACH ROW WHEN (OLD.departed_at IS DISTINCT FROM NEW.departed_at)
    EXECUTE FUNCTION public.refuse_earlier_effect();
CREATE CONSTRAINT TRIGGER departures_told AFTER UPDATE OF stage, kind, employment_end_date, access_cutoff_at, employment_ended_at, time_zone,
        counts_from, advanced, advanced_by ON departures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.stage, OLD.kind, OLD.employment_end_date, OLD.access_cutoff_at, OLD.employment_ended_at, OLD.time_zone,
            OLD.counts_from, OLD.advanced, OLD.advanced_by)
        IS DISTINCT FROM (NEW.stage, NEW.kind, NEW.employment_end_date, NEW.access_cutoff_at, NEW.employment_ended_at, NEW.time_zone,
            NEW.counts_from, NEW.advanced, NEW.advanced_by))
    EXECUTE FUNCTION public.refuse_untold_departure();

CREATE TRIGGER retention_rules_owner BEFORE INSERT ON retention_rules
    FOR EACH ROW EXECUTE FUNCTION public.refuse_foreign_rule();
CREATE TRIGGER retention_deadlines_computed AFTER INSERT ON retention_deadlines
    REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_unrecorded_deadlines();
CREATE TRIGGER retention_deadlines_unrecorded AFTER UPDATE ON retention_deadlines
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_unrecorded_deadlines();

CREATE TRIGGER retentions_finished BEFORE UPDATE OF state ON retentions
    FOR EACH ROW WHEN (OLD.state <> 'ended' AND NEW.state = 'ended')
    EXECUTE FUNCTION public.refuse_unfinished_retention();
CREATE TRIGGER employment_categories_key BEFORE UPDATE OF data_key_id ON employment_categories
    FOR EACH ROW WHEN (OLD.data_key_id IS NOT NULL AND OLD.data_key_id IS DISTINCT FROM NEW.data_key_id)
    EXECUTE FUNCTION public.refuse_another_key();

CREATE TRIGGER field_values_held BEFORE DELETE OR UPDATE OF value_sealed ON field_values
    FOR EACH ROW EXECUTE FUNCTION public.refuse_held_change();
CREATE TRIGGER field_values_matter BEFORE UPDATE OF id, employment_id, category_id, field_key ON field_values
    FOR EACH ROW WHEN ((OLD.id, OLD.employment_id, OLD.category_id, OLD.field_key)
        IS DISTINCT FROM (NEW.id, NEW.employment_id, NEW.category_id, NEW.field_key))
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER account_snapshots_emptied BEFORE UPDATE OF snapshot_sealed ON account_snapshots
    FOR EACH ROW WHEN (OLD.snapshot_sealed IS NOT NULL AND NEW.snapshot_sealed IS NULL)
    EXECUTE FUNCTION public.refuse_early_emptying();
CREATE TRIGGER account_snapshots_matter BEFORE UPDATE OF id, category_id ON account_snapshots
    FOR EACH ROW WHEN ((OLD.id, OLD.category_id) IS DISTINCT FROM (NEW.id, NEW.category_id))
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER departures_emptied BEFORE UPDATE OF note_sealed, withdrawal_reason_sealed, legal_ground_sealed, reason_code_sealed ON departures
    FOR EACH ROW WHEN (OLD.note_sealed IS NOT NULL AND NEW.note_sealed IS NULL
        OR OLD.withdrawal_reason_sealed IS NOT NULL AND NEW.withdrawal_reason_sealed IS NULL
        OR OLD.legal_ground_sealed IS NOT NULL AND NEW.legal_ground_sealed IS NULL
        OR OLD.reason_code_sealed IS NOT NULL AND NEW.reason_code_sealed IS NULL)
    EXECUTE FUNCTION public.refuse_early_emptying();

CREATE TRIGGER purges_decided BEFORE UPDATE OF decision, decided_by, confirmed_by, decided_at, decided_with, extended_until, decision_entry_id, review_required ON purges
    FOR EACH ROW WHEN ((OLD.decision, OLD.decided_by, OLD.confirmed_by, OLD.decided_at, OLD.decided_with, OLD.extended_until, OLD.decision_entry_id)
        IS DISTINCT FROM (NEW.decision, NEW.decided_by, NEW.confirmed_by, NEW.decided_at, NEW.decided_with, NEW.extended_until, NEW.decision_entry_id)
        OR OLD.review_required AND NOT NEW.review_required)
    EXECUTE FUNCTION public.refuse_unrecorded_change('decision_entry_id');
CREATE TRIGGER purges_undecided BEFORE INSERT ON purges
    FOR EACH ROW WHEN (NEW.decision NOT IN ('', 'rejected') OR NEW.confirmed_by IS NOT NULL)
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE CONSTRAINT TRIGGER purges_decided_by_two AFTER UPDATE OF decision, decided_by, confirmed_by, decided_with ON purges
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((NEW.confirmed_by IS NOT NULL OR NEW.decided_with IS NOT NULL) AND (OLD.decision, OLD.decided_by, OLD.confirmed_by, OLD.decided_with)
        IS DISTINCT FROM (NEW.decision, NEW.decided_by, NEW.confirmed_by, NEW.decided_with))
    EXECUTE FUNCTION public.refuse_unapproved_decision();
CREATE TRIGGER purges_matter BEFORE UPDATE OF id, departure_id, employment_id, ledger_entry_id ON purges
    FOR EACH ROW WHEN ((OLD.id, OLD.departure_id, OLD.employment_id, OLD.ledger_entry_id)
        IS DISTINCT FROM (NEW.id, NEW.departure_id, NEW.employment_id, NEW.ledger_entry_id))
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER purge_claims_ordered BEFORE INSERT ON purge_claims
    FOR EACH ROW EXECUTE FUNCTION public.refuse_foreign_claim();
CREATE TRIGGER purge_claims_matter BEFORE UPDATE ON purge_claims
    FOR EACH ROW WHEN ((OLD.purge_id, OLD.departure_id, OLD.category_id, OLD.category)
        IS DISTINCT FROM (NEW.purge_id, NEW.departure_id, NEW.category_id, NEW.category) OR OLD.state <> 'open' AND NEW.state = 'open')
    EXECUTE FUNCTION public.refuse_another_matter();

-- +goose StatementBegin
-- Under session_replication_role = replica too.
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT t.tgname, t.tgrelid::regclass AS guarded FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND t.tgenabled <> 'A' AND f.pronamespace = 'public'::regnamespace
          AND f.proname IN ('refuse_unrecorded', 'refuse_another_matter', 'refuse_unrecorded_deadlines', 'refuse_unrecorded_change',
            'refuse_unapproved_decision', 'refuse_foreign_claim', 'refuse_earlier_counting', 'refuse_unapproved_counting',
            'refuse_unfinished_retention', 'refuse_another_key', 'refuse_early_emptying', 'refuse_held_change',
            'refuse_earlier_effect', 'refuse_untold_departure', 'refuse_foreign_rule') LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', it.guarded, it.tgname);
    END LOOP;
END $$;
-- +goose StatementEnd
SELECT public.lethe_grant_privileges();

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT t.tgname, t.tgrelid::regclass AS guarded FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND f.pronamespace = 'public'::regnamespace
          AND (f.proname IN ('refuse_another_matter', 'refuse_unrecorded_deadlines', 'refuse_unrecorded_change',
            'refuse_unapproved_decision', 'refuse_foreign_claim', 'refuse_unapproved_counting',
            'refuse_unfinished_retention', 'refuse_another_key', 'refuse_early_emptying', 'refuse_held_change',
            'refuse_earlier_effect', 'refuse_untold_departure', 'refuse_foreign_rule')
            OR t.tgname IN ('users_recorded', 'users_unrecorded', 'user_roles_recorded', 'user_roles_unrecorded', 'api_tokens_recorded',
                'api_tokens_unrecorded', 'oidc_links_recorded', 'oidc_links_unrecorded', 'sessions_recorded', 'sessions_unrecorded',
                'enrolments_recorded', 'enrolment_halves_unrecorded', 'recovery_codes_recorded', 'recovery_codes_unrecorded',
                'break_glass_recorded', 'break_glass_unrecorded',
                'approvals_recorded', 'approvals_unrecorded', 'legal_entities_recorded', 'departures_unsaid_counting')) LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', it.tgname, it.guarded);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_earlier_counting() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.counts_from < OLD.counts_from AND NOT NEW.advanced OR OLD.advanced AND NOT NEW.advanced THEN
        RAISE EXCEPTION 'deadlines would count from an earlier day' USING ERRCODE = 'LT007';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_changed_half() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
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
DROP FUNCTION public.refuse_foreign_rule();
DROP FUNCTION public.refuse_held_change();
DROP FUNCTION public.refuse_early_emptying();
DROP FUNCTION public.refuse_another_key();
DROP FUNCTION public.refuse_unfinished_retention();
DROP FUNCTION public.refuse_untold_departure();
DROP FUNCTION public.refuse_earlier_effect();
DROP FUNCTION public.refuse_unapproved_counting();
DROP FUNCTION public.refuse_foreign_claim();
DROP FUNCTION public.refuse_unapproved_decision();
DROP FUNCTION public.refuse_unrecorded_change();
DROP FUNCTION public.refuse_unrecorded_deadlines();
DROP FUNCTION public.lethe_agreed(uuid, text[], uuid);
DROP FUNCTION public.lethe_began();
DROP FUNCTION public.refuse_another_matter();
ALTER TABLE departures DROP COLUMN advanced_by;
ALTER TABLE employments DROP COLUMN basis_entry_id;
ALTER TABLE purges DROP COLUMN decision_entry_id, DROP COLUMN decided_with;
ALTER TABLE legal_entities DROP COLUMN ledger_entry_id;
ALTER TABLE approvals DROP COLUMN ledger_entry_id;
ALTER TABLE break_glass DROP COLUMN ledger_entry_id;
ALTER TABLE recovery_codes DROP COLUMN ledger_entry_id;
ALTER TABLE enrolments DROP COLUMN ledger_entry_id;
ALTER TABLE sessions DROP COLUMN ledger_entry_id;
ALTER TABLE oidc_links DROP COLUMN ledger_entry_id;
ALTER TABLE api_tokens DROP COLUMN ledger_entry_id;
ALTER TABLE user_roles DROP COLUMN ledger_entry_id;
ALTER TABLE users DROP COLUMN ledger_entry_id;
SELECT public.lethe_grant_privileges();
