-- +goose Up
-- Which part of its country a legal entity works in, where public holidays differ by it. Whether it exists the program knows.
ALTER TABLE legal_entities ADD COLUMN region text NOT NULL DEFAULT '' CHECK (region ~ '^[A-Z0-9-]{0,8}$');
SELECT public.lethe_grant_privileges();

-- +goose Down
ALTER TABLE legal_entities DROP COLUMN region;
SELECT public.lethe_grant_privileges();
