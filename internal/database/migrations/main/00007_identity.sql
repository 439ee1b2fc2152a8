-- +goose Up
-- A token binds its bearer to one person and one role. Only a hash of the secret is stored.
CREATE TABLE api_tokens (
    id          uuid PRIMARY KEY,
    prefix      text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    employee_id uuid NOT NULL REFERENCES employees (id),
    role        text NOT NULL CHECK (role IN ('hr_admin', 'department_head', 'employee', 'reviewer', 'auditor', 'it_ops')),
    label       text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT lethe_now(),
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);
CREATE INDEX api_tokens_employee ON api_tokens (employee_id);

-- What a repeated request is answered with: status and Location, never a body (I26).
CREATE TABLE idempotency_keys (
    employee_id  uuid NOT NULL REFERENCES employees (id),
    key_hash     bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    route        text NOT NULL,
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    status       int NOT NULL,
    location     text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT lethe_now(),
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (employee_id, key_hash)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

-- +goose Down
DROP TABLE idempotency_keys;
DROP TABLE api_tokens;
