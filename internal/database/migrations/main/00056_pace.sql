-- +goose Up
-- When a part of a file was last walked: how fast an import goes is told by those of the last minute.
ALTER TABLE batch_parts ADD COLUMN walked_at timestamptz;
SELECT lethe_grant_privileges();

-- +goose Down
ALTER TABLE batch_parts DROP COLUMN walked_at;
SELECT lethe_grant_privileges();
