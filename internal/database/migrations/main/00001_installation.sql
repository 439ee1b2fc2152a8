-- +goose Up
-- One row says what this database is: its installation id (part of the associated data of
-- everything sealed) and whether it is a development database. A dev database is refused by
-- production processes and the other way round.
CREATE TABLE installation (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    id         uuid NOT NULL,
    mode       text NOT NULL CHECK (mode IN ('production', 'dev')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The one clock of every predicate. Marking a database as dev replaces the function by one that
-- adds the offset of lethe_clock, so that tests can move time; production has no such table.
-- +goose StatementBegin
CREATE FUNCTION lethe_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT clock_timestamp() $$;
-- +goose StatementEnd

-- Refuses an update of column TG_ARGV[0] whose (old, new) pair is not listed in
-- legal_transitions under the table's name. The domain checks first; this is the second lock.
CREATE TABLE legal_transitions (
    machine    text NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (machine, from_state, to_state)
);
-- +goose StatementBegin
CREATE FUNCTION refuse_illegal_transition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_state text := to_jsonb(OLD) ->> TG_ARGV[0];
    new_state text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF old_state IS DISTINCT FROM new_state AND NOT EXISTS (
        SELECT 1 FROM legal_transitions
        WHERE machine = TG_TABLE_NAME || '.' || TG_ARGV[0] AND from_state = old_state AND to_state = new_state
    ) THEN
        RAISE EXCEPTION 'illegal transition of %.%: % to %', TG_TABLE_NAME, TG_ARGV[0], old_state, new_state
            USING ERRCODE = 'LT001';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION refuse_illegal_start() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (to_jsonb(NEW) ->> TG_ARGV[0] = ANY (string_to_array(TG_ARGV[1], ','))) THEN
        RAISE EXCEPTION 'illegal first state of %.%: %', TG_TABLE_NAME, TG_ARGV[0], to_jsonb(NEW) ->> TG_ARGV[0]
            USING ERRCODE = 'LT001';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION refuse_illegal_start();
DROP FUNCTION refuse_illegal_transition();
DROP TABLE legal_transitions;
DROP FUNCTION lethe_now();
DROP TABLE installation;
