-- +goose Up
-- The life of one category of one employment's fields. This row is the lock on which sealing,
-- opening, holds and purges meet: seal and open take FOR SHARE, a purge FOR UPDATE.
CREATE TABLE employment_categories (
    id            uuid PRIMARY KEY,
    employment_id uuid NOT NULL REFERENCES employments (id),
    category      text NOT NULL,
    state         text NOT NULL DEFAULT 'open',
    data_key_id   uuid,
    purging_at    timestamptz,
    purged_at     timestamptz,
    created_at    timestamptz NOT NULL DEFAULT lethe_now(),
    UNIQUE (employment_id, category)
);
INSERT INTO legal_transitions VALUES
    ('employment_categories.state', 'open', 'purging'),
    ('employment_categories.state', 'purging', 'purged');
CREATE TRIGGER employment_categories_state BEFORE UPDATE OF state ON employment_categories
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');

CREATE TABLE field_definitions (
    key         text PRIMARY KEY,
    section     text NOT NULL,
    position    int NOT NULL,
    category    text NOT NULL,
    sensitivity text NOT NULL CHECK (sensitivity IN ('basic', 'sensitive')),
    label_zh    text NOT NULL,
    label_en    text NOT NULL,
    notice_zh   text NOT NULL,
    notice_en   text NOT NULL
);

-- What is sealed starts with the magic bytes LSL1, a data key id and a nonce; the check refuses plain text.
CREATE DOMAIN sealed AS bytea CHECK (
    VALUE IS NULL OR (substring(VALUE FROM 1 FOR 4) = '\x4c534c31'::bytea AND octet_length(VALUE) >= 48)
);

CREATE TABLE field_values (
    id            uuid PRIMARY KEY,
    employment_id uuid NOT NULL REFERENCES employments (id),
    category_id   uuid NOT NULL REFERENCES employment_categories (id),
    field_key     text NOT NULL REFERENCES field_definitions (key),
    value_sealed  sealed,
    updated_at    timestamptz NOT NULL DEFAULT lethe_now(),
    UNIQUE (employment_id, field_key)
);
CREATE INDEX field_values_category ON field_values (category_id);

-- +goose Down
DROP TABLE field_values;
DROP DOMAIN sealed;
DROP TABLE field_definitions;
DROP TABLE employment_categories;
DELETE FROM legal_transitions WHERE machine = 'employment_categories.state';
