-- +goose Up
-- Codes of legal entities, departments and sites that differ by case only are one: S1 and s1 cannot both be given out. Those
-- that were stay two, told apart by exact spelling; only the oldest is found by another one.
-- +goose StatementBegin
CREATE FUNCTION key_code() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.code <> OLD.code THEN
        NEW.code_key := pg_catalog.lower(NEW.code);
    ELSE
        NEW.code_key := OLD.code_key;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
DECLARE
    organised text;
BEGIN
    FOREACH organised IN ARRAY ARRAY['legal_entities', 'departments', 'sites'] LOOP
        EXECUTE pg_catalog.format('ALTER TABLE public.%I ADD COLUMN code_key text', organised);
        EXECUTE pg_catalog.format('UPDATE public.%1$I r SET code_key = pg_catalog.lower(r.code) || CASE WHEN r.id = o.id THEN '''' ELSE ''@'' || r.id::text END
            FROM (SELECT DISTINCT ON (pg_catalog.lower(code)) pg_catalog.lower(code) AS code, id FROM public.%1$I ORDER BY pg_catalog.lower(code), id) o
            WHERE o.code = pg_catalog.lower(r.code)', organised);
        EXECUTE pg_catalog.format('ALTER TABLE public.%1$I ALTER COLUMN code_key SET NOT NULL, ADD CONSTRAINT %2$I UNIQUE (code_key)',
            organised, organised || '_code_once');
        EXECUTE pg_catalog.format('CREATE TRIGGER %2$I BEFORE INSERT OR UPDATE OF code, code_key ON public.%1$I FOR EACH ROW EXECUTE FUNCTION public.key_code()',
            organised, organised || '_key_code');
        EXECUTE pg_catalog.format('ALTER TABLE public.%1$I ENABLE ALWAYS TRIGGER %2$I', organised, organised || '_key_code');
    END LOOP;
END $$;
-- +goose StatementEnd
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TRIGGER legal_entities_key_code ON legal_entities;
DROP TRIGGER departments_key_code ON departments;
DROP TRIGGER sites_key_code ON sites;
ALTER TABLE legal_entities DROP COLUMN code_key;
ALTER TABLE departments DROP COLUMN code_key;
ALTER TABLE sites DROP COLUMN code_key;
DROP FUNCTION key_code();
SELECT public.lethe_grant_privileges();
