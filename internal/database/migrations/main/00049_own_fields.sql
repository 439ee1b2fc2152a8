-- +goose Up
-- What a company adds to the field catalogue: sections and fields of its own, and texts for the notices of the program's
-- fields. Each change is a version, which two people agreed to; the last one holds.
CREATE TABLE catalogue_versions (
    version         int PRIMARY KEY CHECK (version > 0),
    document        jsonb NOT NULL,
    changed_by      uuid NOT NULL REFERENCES employees (id),
    approved_by     uuid NOT NULL REFERENCES employees (id) CHECK (approved_by <> changed_by),
    changed_at      timestamptz NOT NULL DEFAULT lethe_now(),
    ledger_entry_id uuid NOT NULL
);
CREATE TRIGGER catalogue_versions_recorded BEFORE INSERT ON catalogue_versions FOR EACH ROW EXECUTE FUNCTION refuse_unrecorded();
ALTER TABLE catalogue_versions ENABLE ALWAYS TRIGGER catalogue_versions_recorded;
CREATE TRIGGER catalogue_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalogue_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE catalogue_versions ENABLE ALWAYS TRIGGER catalogue_versions_append_only;

-- The company's own fields stand beside the program's, so that values, documents, looks and purges reach them alike. A key
-- that begins with custom_ is the company's, and no other one: only such a row says for which purposes it is opened.
ALTER TABLE field_definitions
    ADD COLUMN section_zh    text NOT NULL DEFAULT '',
    ADD COLUMN section_en    text NOT NULL DEFAULT '',
    ADD COLUMN basis_zh      text NOT NULL DEFAULT '',
    ADD COLUMN basis_en      text NOT NULL DEFAULT '',
    ADD COLUMN purposes      text[],
    ADD COLUMN retired       boolean NOT NULL DEFAULT false,
    ADD COLUMN own_notice_zh text NOT NULL DEFAULT '',
    ADD COLUMN own_notice_en text NOT NULL DEFAULT '',
    ADD CONSTRAINT field_definitions_own CHECK (CASE WHEN purposes IS NULL THEN key !~ '^custom_' AND NOT retired
        ELSE key ~ '^custom_[a-z0-9_]+$' AND section ~ '^custom_[a-z0-9_]+$' AND category <> '' AND sensitivity = 'sensitive' END);

-- The application adds versions; what they say of fields the database writes, so that nobody who serves requests can touch
-- the program's own rows, or what a field is once it is there.
-- +goose StatementBegin
CREATE FUNCTION public.apply_catalogue_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.version <> 1 + (SELECT count(*) FROM public.catalogue_versions v WHERE v.version <> NEW.version) THEN
        RAISE EXCEPTION 'version % of the field catalogue does not follow the last one', NEW.version USING ERRCODE = 'LT001';
    END IF;
    IF EXISTS (SELECT FROM public.field_definitions f LEFT JOIN jsonb_array_elements(NEW.document -> 'fields') d ON d ->> 'key' = f.key
        WHERE f.purposes IS NOT NULL AND (d IS NULL OR (f.section, f.category, f.type) IS DISTINCT FROM (d ->> 'section', d ->> 'category', d ->> 'type'))) THEN
        RAISE EXCEPTION 'a field stays, in its section, with its category and its type' USING ERRCODE = 'LT001';
    END IF;
    INSERT INTO public.field_definitions AS f (key, section, position, category, sensitivity, type, choices, label_zh, label_en, notice_zh, notice_en,
        section_zh, section_en, basis_zh, basis_en, purposes, retired)
    SELECT x.d ->> 'key', x.d ->> 'section', 100000 + 1000 * s.n + x.n, x.d ->> 'category', 'sensitive', x.d ->> 'type', nullif(x.d -> 'choices', 'null'),
        x.d ->> 'label_zh', x.d ->> 'label_en', x.d ->> 'notice_zh', x.d ->> 'notice_en', s.d ->> 'label_zh', s.d ->> 'label_en',
        x.d ->> 'basis_zh', x.d ->> 'basis_en', ARRAY(SELECT jsonb_array_elements_text(x.d -> 'purposes')), coalesce((x.d ->> 'retired')::boolean, false)
    FROM jsonb_array_elements(NEW.document -> 'fields') WITH ORDINALITY x (d, n)
    LEFT JOIN jsonb_array_elements(NEW.document -> 'sections') WITH ORDINALITY s (d, n) ON s.d ->> 'key' = x.d ->> 'section'
    ON CONFLICT (key) DO UPDATE SET position = excluded.position, choices = excluded.choices, label_zh = excluded.label_zh, label_en = excluded.label_en,
        notice_zh = excluded.notice_zh, notice_en = excluded.notice_en, section_zh = excluded.section_zh, section_en = excluded.section_en,
        basis_zh = excluded.basis_zh, basis_en = excluded.basis_en, purposes = excluded.purposes, retired = excluded.retired;
    UPDATE public.field_definitions f SET own_notice_zh = coalesce(n.d ->> 'zh', ''), own_notice_en = coalesce(n.d ->> 'en', '')
    FROM public.field_definitions o LEFT JOIN jsonb_array_elements(NEW.document -> 'notices') n (d) ON n.d ->> 'field' = o.key
    WHERE f.key = o.key AND f.purposes IS NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER catalogue_versions_applied AFTER INSERT ON catalogue_versions FOR EACH ROW EXECUTE FUNCTION apply_catalogue_version();
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE catalogue_versions;
DROP FUNCTION apply_catalogue_version();
DELETE FROM field_definitions WHERE purposes IS NOT NULL;
ALTER TABLE field_definitions DROP CONSTRAINT field_definitions_own, DROP COLUMN section_zh, DROP COLUMN section_en, DROP COLUMN basis_zh,
    DROP COLUMN basis_en, DROP COLUMN purposes, DROP COLUMN retired, DROP COLUMN own_notice_zh, DROP COLUMN own_notice_en;
SELECT public.lethe_grant_privileges();
