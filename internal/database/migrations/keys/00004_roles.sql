-- +goose Up
-- As in the facts: serve and worker do not own the tables, and log in as members of lethe_app, a role of
-- this cluster. They can neither switch off what keeps a destroyed key destroyed nor delete its row.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lethe_app') THEN
        CREATE ROLE lethe_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- another installation was faster
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role lethe_app is missing and may not be created' USING ERRCODE = 'LT014';
END $$;
-- +goose StatementEnd
GRANT USAGE ON SCHEMA public TO lethe_app;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, lethe_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO lethe_app;
GRANT INSERT, UPDATE ON data_keys, loose_keys TO lethe_app;
GRANT DELETE ON data_keys TO lethe_app;

-- +goose Down
-- The role stays: other databases of the cluster may use it.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM lethe_app;
REVOKE USAGE ON SCHEMA public FROM lethe_app;
