-- +goose Up
-- What people write for the record (why somebody asked, what was said to it, why the log was exported and
-- what was searched for, which matter a hold is for) is sealed by a key of its month, which ends with the
-- log (internal/reasons). What is there in plain is sealed by `lethe migrate`, row by row; it then rewrites
-- the tables and adds the constraints that refuse plain text. Until then this does.
ALTER TABLE public.approvals ADD COLUMN reason_sealed sealed, ADD COLUMN comment_sealed sealed;
ALTER TABLE public.holds ADD COLUMN matter_sealed sealed, ALTER COLUMN matter SET DEFAULT '';
ALTER TABLE public.query_log_exports
    ADD COLUMN reason_sealed sealed, ADD COLUMN filters_sealed sealed, ALTER COLUMN reason SET DEFAULT '',
    DROP CONSTRAINT query_log_exports_reason_check,
    ADD CONSTRAINT query_log_exports_reasoned CHECK (reason <> '' OR reason_sealed IS NOT NULL);

-- NULL: the request was about somebody whose data is being destroyed; a repeat is refused.
ALTER TABLE public.idempotency_keys ALTER COLUMN request_hash DROP NOT NULL;
CREATE INDEX idempotency_keys_location ON public.idempotency_keys (right(location, 36));

-- +goose StatementBegin
CREATE FUNCTION public.refuse_plain_reason() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) END;
    written text;
BEGIN
    FOREACH written IN ARRAY TG_ARGV LOOP
        IF to_jsonb(NEW) ->> written NOT IN ('', '{}') AND to_jsonb(NEW) -> written IS DISTINCT FROM before -> written THEN
            RAISE EXCEPTION 'what people write for the record is sealed' USING ERRCODE = '23514';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

-- Has nothing happened to a row but that each of the texts which was plain is sealed? That is what the
-- upgrade does, to rows that never change otherwise, too.
CREATE FUNCTION public.lethe_only_sealed(before jsonb, after jsonb, VARIADIC texts text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT before - texts - array_agg(t || '_sealed') = after - texts - array_agg(t || '_sealed')
        AND bool_or(before ->> t NOT IN ('', '{}'))
        AND bool_and(CASE WHEN before ->> t IN ('', '{}')
            THEN before -> t = after -> t AND before -> (t || '_sealed') = after -> (t || '_sealed')
            ELSE after ->> t IN ('', '{}') AND before ->> (t || '_sealed') IS NULL AND after ->> (t || '_sealed') IS NOT NULL END)
    FROM unnest(texts) t
$$;

CREATE OR REPLACE FUNCTION public.refuse_unfit_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF public.lethe_only_sealed(to_jsonb(OLD), to_jsonb(NEW), 'reason', 'comment') THEN
        RETURN NEW;
    END IF;
    IF OLD.state <> 'pending' THEN
        RAISE EXCEPTION 'an ended approval never changes' USING ERRCODE = 'LT003';
    END IF;
    IF (OLD.id, OLD.operation, OLD.command_hash, OLD.targets, OLD.state_digest, OLD.file_hash, OLD.rule_versions, OLD.hash,
        OLD.subject_ids, OLD.requester_id, OLD.requester_user_id, OLD.requester_role, OLD.requester_authenticated,
        OLD.reason, OLD.reason_sealed, OLD.requested_at, OLD.expires_at)
        IS DISTINCT FROM
       (NEW.id, NEW.operation, NEW.command_hash, NEW.targets, NEW.state_digest, NEW.file_hash, NEW.rule_versions, NEW.hash,
        NEW.subject_ids, NEW.requester_id, NEW.requester_user_id, NEW.requester_role, NEW.requester_authenticated,
        NEW.reason, NEW.reason_sealed, NEW.requested_at, NEW.expires_at)
    THEN
        RAISE EXCEPTION 'what was asked for never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.state = 'approved' AND NEW.expires_at <= public.lethe_now() THEN
        RAISE EXCEPTION 'approved after its expiry' USING ERRCODE = 'LT007';
    END IF;
    IF NEW.state = 'expired' AND NEW.expires_at > public.lethe_now() THEN
        RAISE EXCEPTION 'expired before its time' USING ERRCODE = 'LT007';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_other_hold() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['released_by', 'released_at', 'release_entry_id'];
BEGIN
    IF public.lethe_only_sealed(to_jsonb(OLD), to_jsonb(NEW), 'matter') THEN
        RETURN NEW;
    END IF;
    IF OLD.released_at IS NOT NULL OR to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'a hold changes by its release only' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER approvals_reasons_sealed BEFORE INSERT OR UPDATE ON public.approvals
    FOR EACH ROW EXECUTE FUNCTION public.refuse_plain_reason('reason', 'comment');
CREATE TRIGGER holds_matter_sealed BEFORE INSERT OR UPDATE ON public.holds
    FOR EACH ROW EXECUTE FUNCTION public.refuse_plain_reason('matter');
CREATE TRIGGER query_log_exports_reasons_sealed BEFORE INSERT OR UPDATE ON public.query_log_exports
    FOR EACH ROW EXECUTE FUNCTION public.refuse_plain_reason('reason', 'filters');
ALTER TABLE public.approvals ENABLE ALWAYS TRIGGER approvals_reasons_sealed;
ALTER TABLE public.holds ENABLE ALWAYS TRIGGER holds_matter_sealed;
ALTER TABLE public.query_log_exports ENABLE ALWAYS TRIGGER query_log_exports_reasons_sealed;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TRIGGER query_log_exports_reasons_sealed ON public.query_log_exports;
DROP TRIGGER holds_matter_sealed ON public.holds;
DROP TRIGGER approvals_reasons_sealed ON public.approvals;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.refuse_other_hold() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free constant text[] := ARRAY['released_by', 'released_at', 'release_entry_id'];
BEGIN
    IF OLD.released_at IS NOT NULL OR to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
        RAISE EXCEPTION 'a hold changes by its release only' USING ERRCODE = 'LT003';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION public.refuse_unfit_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.state <> 'pending' THEN
        RAISE EXCEPTION 'an ended approval never changes' USING ERRCODE = 'LT003';
    END IF;
    IF (OLD.id, OLD.operation, OLD.command_hash, OLD.targets, OLD.state_digest, OLD.file_hash, OLD.rule_versions, OLD.hash,
        OLD.subject_ids, OLD.requester_id, OLD.requester_user_id, OLD.requester_role, OLD.requester_authenticated,
        OLD.reason, OLD.requested_at, OLD.expires_at)
        IS DISTINCT FROM
       (NEW.id, NEW.operation, NEW.command_hash, NEW.targets, NEW.state_digest, NEW.file_hash, NEW.rule_versions, NEW.hash,
        NEW.subject_ids, NEW.requester_id, NEW.requester_user_id, NEW.requester_role, NEW.requester_authenticated,
        NEW.reason, NEW.requested_at, NEW.expires_at)
    THEN
        RAISE EXCEPTION 'what was asked for never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.state = 'approved' AND NEW.expires_at <= public.lethe_now() THEN
        RAISE EXCEPTION 'approved after its expiry' USING ERRCODE = 'LT007';
    END IF;
    IF NEW.state = 'expired' AND NEW.expires_at > public.lethe_now() THEN
        RAISE EXCEPTION 'expired before its time' USING ERRCODE = 'LT007';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP FUNCTION public.lethe_only_sealed(jsonb, jsonb, text[]);
DROP FUNCTION public.refuse_plain_reason();
DELETE FROM public.idempotency_keys WHERE request_hash IS NULL;
DROP INDEX public.idempotency_keys_location;
ALTER TABLE public.idempotency_keys ALTER COLUMN request_hash SET NOT NULL;
-- What is sealed stays unreadable to the version before; its texts are lost to it.
ALTER TABLE public.approvals DROP CONSTRAINT IF EXISTS approvals_reasons_sealed, DROP COLUMN reason_sealed, DROP COLUMN comment_sealed;
ALTER TABLE public.holds DROP CONSTRAINT IF EXISTS holds_matter_sealed, DROP COLUMN matter_sealed, ALTER COLUMN matter DROP DEFAULT;
ALTER TABLE public.query_log_exports
    DROP CONSTRAINT query_log_exports_reasoned, DROP CONSTRAINT IF EXISTS query_log_exports_reasons_sealed,
    DROP COLUMN reason_sealed, DROP COLUMN filters_sealed, ALTER COLUMN reason DROP DEFAULT;
UPDATE public.query_log_exports SET reason = '—' WHERE reason = '';
ALTER TABLE public.query_log_exports ADD CONSTRAINT query_log_exports_reason_check CHECK (length(reason) BETWEEN 1 AND 1000);
