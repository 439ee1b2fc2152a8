-- +goose Up
-- What a field of the file may hold: its type and, where it is a choice, the codes with their texts.
ALTER TABLE field_definitions
    ADD COLUMN type text NOT NULL DEFAULT 'text'
        CHECK (type IN ('text', 'number', 'money', 'date', 'choice', 'phone', 'document_number', 'bank_account', 'address')),
    ADD COLUMN choices jsonb CHECK (jsonb_typeof(choices) = 'array');

-- What else people are found by: how a name sounds, and former names. The program writes it, since the database
-- knows no pinyin; NULL is what it has not written yet. It stands beside search_text, by which the query log finds
-- people: what that finds stays as it was.
ALTER TABLE employees
    ADD COLUMN former_names text[] NOT NULL DEFAULT '{}' CHECK (cardinality(former_names) <= 10),
    ADD COLUMN search_names text;
CREATE INDEX employees_names_grams ON employees USING gin (person_grams(search_names));
ALTER TABLE departures ADD COLUMN search_names text;
CREATE INDEX departures_names_grams ON departures USING gin (person_grams(search_names));

-- A name that changes is kept, the last ten of them. What is found by it follows in the same transaction; should
-- the program that changes it know nothing of that, it is NULL, and the next migration writes it. Of somebody whose
-- data is deleted neither stays.
-- +goose StatementBegin
CREATE FUNCTION keep_former_name() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.former_names := OLD.former_names;
    IF NEW.name <> OLD.name THEN
        NEW.former_names := array_remove(array_remove(OLD.former_names, OLD.name), NEW.name) || OLD.name;
        NEW.former_names := NEW.former_names[greatest(1, cardinality(NEW.former_names) - 9):];
        NEW.search_names := NULL;
    END IF;
    IF NEW.status = 'purged' THEN
        NEW.former_names := '{}';
        NEW.search_names := '';
    ELSIF OLD.status = 'purged' THEN
        NEW.search_names := NULL;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER employees_former_name BEFORE UPDATE OF name, former_names, status, search_names ON employees
    FOR EACH ROW EXECUTE FUNCTION keep_former_name();
ALTER TABLE employees ENABLE ALWAYS TRIGGER employees_former_name;

-- Departures are found by the same as their people.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION departure_search_text() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT e.search_text, e.search_names INTO NEW.search_text, NEW.search_names FROM public.employees e WHERE e.id = NEW.employee_id FOR SHARE;
    NEW.search_text := coalesce(NEW.search_text, ''); -- of nobody: the reference refuses it
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP TRIGGER departures_search_text ON departures;
CREATE TRIGGER departures_search_text BEFORE INSERT OR UPDATE OF search_text, search_names ON departures
    FOR EACH ROW EXECUTE FUNCTION departure_search_text();
ALTER TABLE departures ENABLE ALWAYS TRIGGER departures_search_text;
DROP TRIGGER employees_search_text ON employees;
CREATE TRIGGER employees_search_text AFTER UPDATE ON employees FOR EACH ROW
    WHEN (OLD.search_text IS DISTINCT FROM NEW.search_text OR OLD.search_names IS DISTINCT FROM NEW.search_names)
    EXECUTE FUNCTION employee_search_text();
ALTER TABLE employees ENABLE ALWAYS TRIGGER employees_search_text;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TRIGGER employees_search_text ON employees;
CREATE TRIGGER employees_search_text AFTER UPDATE ON employees
    FOR EACH ROW WHEN (OLD.search_text IS DISTINCT FROM NEW.search_text) EXECUTE FUNCTION employee_search_text();
ALTER TABLE employees ENABLE ALWAYS TRIGGER employees_search_text;
DROP TRIGGER departures_search_text ON departures;
CREATE TRIGGER departures_search_text BEFORE INSERT OR UPDATE OF search_text ON departures
    FOR EACH ROW EXECUTE FUNCTION departure_search_text();
ALTER TABLE departures ENABLE ALWAYS TRIGGER departures_search_text;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION departure_search_text() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT e.search_text INTO NEW.search_text FROM public.employees e WHERE e.id = NEW.employee_id FOR SHARE;
    NEW.search_text := coalesce(NEW.search_text, ''); -- of nobody: the reference refuses it
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP TRIGGER employees_former_name ON employees;
DROP FUNCTION keep_former_name();
DROP INDEX departures_names_grams;
ALTER TABLE departures DROP COLUMN search_names;
DROP INDEX employees_names_grams;
ALTER TABLE employees DROP COLUMN search_names, DROP COLUMN former_names;
ALTER TABLE field_definitions DROP COLUMN choices, DROP COLUMN type;
SELECT public.lethe_grant_privileges();
