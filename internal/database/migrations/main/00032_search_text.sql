-- +goose Up
-- What people are found by is kept beside it: folding it anew for each row that a search looks at takes
-- longer than all the rest. The column follows the name, when that is deleted, too. A table of a million
-- people is written anew for it, in some minutes.
ALTER TABLE employees ADD COLUMN search_text text GENERATED ALWAYS AS (public.person_text(name, employee_no)) STORED;

-- The runs of characters by which people are found, single ones too: many look for a family name.
-- +goose StatementBegin
CREATE FUNCTION person_grams(search_text text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20 SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.query_log_grams(search_text, '') || pg_catalog.string_to_array(search_text, NULL)
$$;
-- +goose StatementEnd
DROP INDEX employees_grams;
CREATE INDEX employees_grams ON employees USING gin (person_grams(search_text));
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP INDEX employees_grams;
DROP FUNCTION person_grams(text);
ALTER TABLE employees DROP COLUMN search_text;
CREATE INDEX employees_grams ON employees USING gin (query_log_grams(person_text(name, employee_no), ''));
SELECT public.lethe_grant_privileges();
