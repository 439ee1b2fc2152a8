-- +goose Up
-- A login of the company's OpenID provider that opens a user here. It is found by issuer and subject
-- alone; an e-mail address is nobody's identity.
CREATE TABLE oidc_links (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id),
    issuer       text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
    subject      text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    linked_by    uuid REFERENCES employees (id),
    linked_at    timestamptz NOT NULL DEFAULT lethe_now(),
    -- When the owner, logged in by password, showed that this login is theirs too (I21).
    confirmed_at timestamptz,
    unlinked_by  uuid REFERENCES employees (id),
    unlinked_at  timestamptz
);
CREATE UNIQUE INDEX oidc_links_login ON oidc_links (issuer, subject) WHERE unlinked_at IS NULL;
CREATE UNIQUE INDEX oidc_links_user ON oidc_links (user_id, issuer) WHERE unlinked_at IS NULL;

-- A browser that was sent to the provider, until it comes back, once. Nothing in here is enough to
-- finish the login: nonce and PKCE verifier are derived from the browser's cookie.
CREATE TABLE oidc_flows (
    id           uuid PRIMARY KEY,
    state_hash   bytea NOT NULL UNIQUE CHECK (octet_length(state_hash) = 32),
    browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
    -- The role that the login shall have; empty: the user's usual one.
    role         text NOT NULL DEFAULT '',
    -- The session that shall be stepped up; NULL: a login.
    session_id   uuid REFERENCES sessions (id),
    created_at   timestamptz NOT NULL DEFAULT lethe_now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX oidc_flows_expiry ON oidc_flows (expires_at);

-- +goose Down
DROP TABLE oidc_flows;
DROP TABLE oidc_links;
