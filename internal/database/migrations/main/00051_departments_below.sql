-- +goose Up
-- Departments below departments, of one legal entity: who heads one reaches, where the permissions say so, those below.
ALTER TABLE departments ADD COLUMN parent_id uuid REFERENCES departments (id) CHECK (parent_id <> id);
CREATE INDEX departments_below ON departments (parent_id) WHERE parent_id IS NOT NULL;
SELECT public.lethe_grant_privileges();

-- +goose Down
ALTER TABLE departments DROP COLUMN parent_id;
SELECT public.lethe_grant_privileges();
