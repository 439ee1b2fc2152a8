-- +goose Up
-- An account of a person here. A person may have several; login is stored in lower case.
CREATE TABLE users (
    id                  uuid PRIMARY KEY,
    employee_id         uuid NOT NULL REFERENCES employees (id),
    login               text NOT NULL UNIQUE CHECK (login ~ '^[a-z0-9._-][a-z0-9._@+-]{0,127}$'),
    state               text NOT NULL DEFAULT 'enrolling' CHECK (state IN ('enrolling', 'active', 'disabled')),
    -- A PHC string: its parameters are stored with it and raised at a login.
    password_hash       text CHECK (password_hash LIKE '$argon2id$%'),
    password_set_at     timestamptz,
    totp_sealed         sealed,
    -- Enrolled anew, but not confirmed by a first code: the old secret holds until then.
    totp_pending_sealed sealed,
    -- RFC 6238, 5.2: a code is accepted once. The newest time step that was used.
    totp_last_step      bigint NOT NULL DEFAULT 0,
    created_by          uuid REFERENCES employees (id),
    -- Who created the user or reset its credentials last, until its owner has enrolled (I21).
    credentials_set_by  uuid REFERENCES employees (id),
    created_at          timestamptz NOT NULL DEFAULT lethe_now()
);
CREATE INDEX users_employee ON users (employee_id);

INSERT INTO legal_transitions VALUES
    ('users.state', 'enrolling', 'active'),
    ('users.state', 'enrolling', 'disabled'),
    ('users.state', 'active', 'enrolling'),
    ('users.state', 'active', 'disabled'),
    ('users.state', 'disabled', 'enrolling');
CREATE TRIGGER users_state BEFORE UPDATE OF state ON users
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');

CREATE TABLE user_roles (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (id),
    role       text NOT NULL CHECK (role IN ('hr_admin', 'department_head', 'employee', 'reviewer', 'auditor', 'it_ops')),
    granted_by uuid REFERENCES employees (id),
    granted_at timestamptz NOT NULL DEFAULT lethe_now(),
    revoked_by uuid REFERENCES employees (id),
    revoked_at timestamptz
);
CREATE UNIQUE INDEX user_roles_held ON user_roles (user_id, role) WHERE revoked_at IS NULL;

-- The code with which an owner sets the credentials. Where two people made or reset the user, each
-- of them is given one half, so that neither can enrol in the owner's place.
CREATE TABLE enrolments (
    user_id     uuid PRIMARY KEY REFERENCES users (id),
    first_by    uuid REFERENCES employees (id),
    first_hash  bytea CHECK (octet_length(first_hash) = 32),
    second_by   uuid REFERENCES employees (id),
    second_hash bytea CHECK (octet_length(second_hash) = 32),
    expires_at  timestamptz NOT NULL,
    CHECK (second_by IS NULL OR second_by <> first_by)
);

CREATE TABLE recovery_codes (
    id        uuid PRIMARY KEY,
    user_id   uuid NOT NULL REFERENCES users (id),
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    used_at   timestamptz
);
CREATE UNIQUE INDEX recovery_codes_code ON recovery_codes (user_id, code_hash);

-- A login. The id stays when the token is rotated; only a hash of the token is stored, and none
-- for the moment between an old token and the next.
CREATE TABLE sessions (
    id              uuid PRIMARY KEY,
    token_hash      text UNIQUE,
    data            bytea NOT NULL,
    user_id         uuid NOT NULL REFERENCES users (id),
    role            text NOT NULL CHECK (role IN ('hr_admin', 'department_head', 'employee', 'reviewer', 'auditor', 'it_ops')),
    authenticated   text NOT NULL,
    stepped_up_at   timestamptz,
    break_glass     boolean NOT NULL DEFAULT false,
    address         text NOT NULL DEFAULT '',
    agent           text NOT NULL DEFAULT '' CHECK (length(agent) <= 200),
    created_at      timestamptz NOT NULL DEFAULT lethe_now(),
    seen_at         timestamptz NOT NULL DEFAULT lethe_now(),
    idle_expires_at timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_traces ON sessions (expires_at) WHERE address <> '' OR agent <> '';

-- What failed logins have used up, as the time at which a lane would be empty again (GCRA). Keys
-- are hashes: of a login that nobody has, and of an address.
CREATE TABLE login_lanes (
    lane     text NOT NULL,
    key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    empty_at timestamptz NOT NULL,
    PRIMARY KEY (lane, key_hash)
);
CREATE INDEX login_lanes_empty ON login_lanes (empty_at);

-- From where an account was used successfully: by a cookie that the browser keeps, by address.
CREATE TABLE known_places (
    user_id  uuid NOT NULL REFERENCES users (id),
    kind     text NOT NULL CHECK (kind IN ('device', 'address')),
    key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    used_at  timestamptz NOT NULL DEFAULT lethe_now(),
    PRIMARY KEY (user_id, kind, key_hash)
);
CREATE INDEX known_places_used ON known_places (used_at);

-- The sealed codes for the day on which nobody can log in. Both of a pair are needed, once.
CREATE TABLE break_glass (
    id            uuid PRIMARY KEY,
    first_hash    bytea NOT NULL CHECK (octet_length(first_hash) = 32),
    second_hash   bytea NOT NULL CHECK (octet_length(second_hash) = 32),
    created_at    timestamptz NOT NULL DEFAULT lethe_now(),
    superseded_at timestamptz,
    used_at       timestamptz,
    used_by       uuid REFERENCES users (id)
);

-- What everybody must get to know, until they say that they have read it.
CREATE TABLE notices (
    id         uuid PRIMARY KEY,
    kind       text NOT NULL,
    user_id    uuid REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT lethe_now()
);
CREATE TABLE notice_acknowledgements (
    notice_id uuid NOT NULL REFERENCES notices (id),
    user_id   uuid NOT NULL REFERENCES users (id),
    at        timestamptz NOT NULL DEFAULT lethe_now(),
    PRIMARY KEY (notice_id, user_id)
);

-- A token now belongs to a user who holds its role, and may be limited to groups of routes.
ALTER TABLE api_tokens ADD COLUMN user_id uuid REFERENCES users (id);
ALTER TABLE api_tokens ADD COLUMN scopes text NOT NULL DEFAULT '';
INSERT INTO users (id, employee_id, login, state)
SELECT gen_random_uuid(), e.id, lower(e.employee_no) || CASE WHEN n.same > 1 THEN '@' || e.id ELSE '' END, 'active'
FROM employees e
JOIN (SELECT lower(employee_no) AS no, count(*) AS same FROM employees GROUP BY 1) n ON n.no = lower(e.employee_no)
WHERE e.id IN (SELECT employee_id FROM api_tokens);
INSERT INTO user_roles (id, user_id, role)
SELECT gen_random_uuid(), u.id, t.role
FROM (SELECT DISTINCT employee_id, role FROM api_tokens WHERE revoked_at IS NULL) t
JOIN users u ON u.employee_id = t.employee_id;
UPDATE api_tokens t SET user_id = u.id FROM users u WHERE u.employee_id = t.employee_id;
ALTER TABLE api_tokens ALTER COLUMN user_id SET NOT NULL;
CREATE INDEX api_tokens_user ON api_tokens (user_id);

-- +goose Down
ALTER TABLE api_tokens DROP COLUMN scopes;
ALTER TABLE api_tokens DROP COLUMN user_id;
DROP TABLE notice_acknowledgements;
DROP TABLE notices;
DROP TABLE break_glass;
DROP TABLE known_places;
DROP TABLE login_lanes;
DROP TABLE sessions;
DROP TABLE recovery_codes;
DROP TABLE enrolments;
DROP TABLE user_roles;
DROP TABLE users;
DELETE FROM legal_transitions WHERE machine = 'users.state';
