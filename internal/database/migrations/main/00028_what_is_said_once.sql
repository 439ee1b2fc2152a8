-- +goose Up
-- Whoever is employed, and a departure that begins, name their entry from the first; that somebody gives up
-- an account's access is an entry of its own; what was written once is not written over.
ALTER TABLE support_cases ADD COLUMN decision_entry_id uuid;

-- +goose StatementBegin
-- An account is waived by the case that two people closed so, in this very transaction.
CREATE FUNCTION public.refuse_unsaid_waiver() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.support_cases c
        WHERE c.account_id = NEW.id AND c.state = 'closed' AND c.resolution = 'waive' AND public.lethe_recorded(c.decision_entry_id)
    ) THEN
        RAISE EXCEPTION 'an account is waived by two people' USING ERRCODE = 'LT007';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER employments_hired BEFORE INSERT ON employments
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded();
CREATE CONSTRAINT TRIGGER departures_begun_told AFTER INSERT ON departures
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION public.refuse_untold_departure();

CREATE TRIGGER support_cases_decided BEFORE UPDATE OF resolution, asked_by, confirmed_by, decision_entry_id ON support_cases
    FOR EACH ROW WHEN ((OLD.asked_by, OLD.confirmed_by, OLD.decision_entry_id) IS DISTINCT FROM (NEW.asked_by, NEW.confirmed_by, NEW.decision_entry_id)
        OR NEW.resolution = 'waive' AND OLD.resolution <> 'waive')
    EXECUTE FUNCTION public.refuse_unrecorded_change('decision_entry_id');
CREATE TRIGGER linked_accounts_waived BEFORE UPDATE OF state ON linked_accounts
    FOR EACH ROW WHEN (OLD.state <> 'waived' AND NEW.state = 'waived')
    EXECUTE FUNCTION public.refuse_unsaid_waiver();

-- The entry that says how a row began stays.
CREATE TRIGGER employments_begun BEFORE UPDATE OF ledger_entry_id ON employments
    FOR EACH ROW WHEN (OLD.ledger_entry_id IS DISTINCT FROM NEW.ledger_entry_id)
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER linked_accounts_begun BEFORE UPDATE OF ledger_entry_id, employment_id, system ON linked_accounts
    FOR EACH ROW WHEN ((OLD.ledger_entry_id, OLD.employment_id, OLD.system) IS DISTINCT FROM (NEW.ledger_entry_id, NEW.employment_id, NEW.system))
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER account_operations_begun BEFORE UPDATE OF ledger_entry_id, employment_id ON account_operations
    FOR EACH ROW WHEN ((OLD.ledger_entry_id, OLD.employment_id) IS DISTINCT FROM (NEW.ledger_entry_id, NEW.employment_id))
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER support_cases_begun BEFORE UPDATE OF ledger_entry_id, account_id ON support_cases
    FOR EACH ROW WHEN ((OLD.ledger_entry_id, OLD.account_id) IS DISTINCT FROM (NEW.ledger_entry_id, NEW.account_id))
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER retentions_begun BEFORE UPDATE OF ledger_entry_id, employment_id ON retentions
    FOR EACH ROW WHEN ((OLD.ledger_entry_id, OLD.employment_id) IS DISTINCT FROM (NEW.ledger_entry_id, NEW.employment_id))
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER employment_categories_begun BEFORE INSERT ON employment_categories
    FOR EACH ROW WHEN (NEW.state <> 'open')
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER query_log_exports_asked BEFORE INSERT ON query_log_exports
    FOR EACH ROW EXECUTE FUNCTION public.refuse_unrecorded_change('entry_id');

-- What was sealed once is only ever emptied.
CREATE TRIGGER departures_written BEFORE UPDATE OF note_sealed, withdrawal_reason_sealed, legal_ground_sealed, reason_code_sealed ON departures
    FOR EACH ROW WHEN (OLD.note_sealed IS NOT NULL AND NEW.note_sealed IS NOT NULL AND OLD.note_sealed::bytea <> NEW.note_sealed::bytea
        OR OLD.withdrawal_reason_sealed IS NOT NULL AND NEW.withdrawal_reason_sealed IS NOT NULL
            AND OLD.withdrawal_reason_sealed::bytea <> NEW.withdrawal_reason_sealed::bytea
        OR OLD.legal_ground_sealed IS NOT NULL AND NEW.legal_ground_sealed IS NOT NULL AND OLD.legal_ground_sealed::bytea <> NEW.legal_ground_sealed::bytea
        OR OLD.reason_code_sealed IS NOT NULL AND NEW.reason_code_sealed IS NOT NULL AND OLD.reason_code_sealed::bytea <> NEW.reason_code_sealed::bytea)
    EXECUTE FUNCTION public.refuse_another_matter();
CREATE TRIGGER approvals_command BEFORE UPDATE OF command_sealed, fingerprint ON approvals
    FOR EACH ROW WHEN (NEW.command_sealed IS NOT NULL AND OLD.command_sealed::bytea IS DISTINCT FROM NEW.command_sealed::bytea
        OR NEW.fingerprint IS NOT NULL AND OLD.fingerprint IS DISTINCT FROM NEW.fingerprint)
    EXECUTE FUNCTION public.refuse_another_matter();

-- +goose StatementBegin
-- Under session_replication_role = replica too.
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT t.tgname, t.tgrelid::regclass AS guarded FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND t.tgenabled <> 'A' AND f.pronamespace = 'public'::regnamespace
          AND f.proname IN ('refuse_unrecorded', 'refuse_another_matter', 'refuse_unrecorded_change', 'refuse_untold_departure', 'refuse_unsaid_waiver') LOOP
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
    FOR it IN SELECT t.tgname, t.tgrelid::regclass AS guarded FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgname IN (
        'employments_hired', 'departures_begun_told', 'support_cases_decided', 'linked_accounts_waived', 'employments_begun', 'linked_accounts_begun',
        'account_operations_begun', 'support_cases_begun', 'retentions_begun', 'employment_categories_begun', 'query_log_exports_asked',
        'departures_written', 'approvals_command') LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', it.tgname, it.guarded);
    END LOOP;
END $$;
-- +goose StatementEnd
DROP FUNCTION public.refuse_unsaid_waiver();
ALTER TABLE support_cases DROP COLUMN decision_entry_id;
SELECT public.lethe_grant_privileges();
