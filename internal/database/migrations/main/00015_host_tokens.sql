-- +goose Up
-- A token that was issued on the host was not asked for by the person it stands for: it may not ask for
-- what needs two people (I21). Whose idea those of before were is not known, so they count as such; those
-- of development databases do not.
ALTER TABLE api_tokens ADD COLUMN on_host boolean NOT NULL DEFAULT false;
UPDATE api_tokens SET on_host = true WHERE prefix NOT LIKE 'lethe\_dev\_%';

-- +goose Down
ALTER TABLE api_tokens DROP COLUMN on_host;
