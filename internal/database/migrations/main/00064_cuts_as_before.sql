-- +goose Up
-- How an operation of an emergency cut found an account: until the person was told, heads and the person see it like that.
ALTER TABLE public.account_steps ADD COLUMN before jsonb;

-- +goose Down
ALTER TABLE public.account_steps DROP COLUMN before;
