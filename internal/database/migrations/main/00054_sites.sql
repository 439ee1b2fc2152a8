-- +goose Up
-- Places of work: somebody is at one, or at none that matters, and the permissions may reach those who are at one's own.
CREATE TABLE sites (
    id         uuid PRIMARY KEY,
    code       text NOT NULL CHECK (code <> ''),
    name_zh    text NOT NULL,
    name_en    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT lethe_now(),
    CONSTRAINT sites_code_key UNIQUE (code)
);
ALTER TABLE employees ADD COLUMN site_id uuid REFERENCES sites (id);
CREATE INDEX employees_site ON employees (site_id) WHERE site_id IS NOT NULL;
SELECT public.lethe_grant_privileges();

-- +goose Down
ALTER TABLE employees DROP COLUMN site_id;
DROP TABLE sites;
SELECT public.lethe_grant_privileges();
