-- +goose Up
CREATE TABLE legal_entities (
    id           uuid PRIMARY KEY,
    code         text NOT NULL UNIQUE,
    name_zh      text NOT NULL,
    name_en      text NOT NULL,
    jurisdiction text NOT NULL,
    time_zone    text NOT NULL,
    -- Local time of day on the last working day at which access ends unless the departure says otherwise.
    cutoff_time  time NOT NULL DEFAULT '18:00',
    created_at   timestamptz NOT NULL DEFAULT lethe_now()
);

CREATE TABLE departments (
    id               uuid PRIMARY KEY,
    legal_entity_id  uuid NOT NULL REFERENCES legal_entities (id),
    code             text NOT NULL UNIQUE,
    name_zh          text NOT NULL,
    name_en          text NOT NULL,
    head_employee_id uuid,
    created_at       timestamptz NOT NULL DEFAULT lethe_now()
);

-- The person. Name and number are the skeleton that certificates need and are kept.
CREATE TABLE employees (
    id            uuid PRIMARY KEY,
    employee_no   text NOT NULL UNIQUE CHECK (employee_no ~ '^[A-Za-z0-9._-]{1,64}$'),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    department_id uuid NOT NULL REFERENCES departments (id),
    status        text NOT NULL DEFAULT 'active',
    revision      bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT lethe_now(),
    updated_at    timestamptz NOT NULL DEFAULT lethe_now()
);
CREATE INDEX employees_department ON employees (department_id, id);
CREATE INDEX employees_status ON employees (status, id);
ALTER TABLE departments ADD FOREIGN KEY (head_employee_id) REFERENCES employees (id);

-- One period of employment with one legal entity. A rehire is a new row.
CREATE TABLE employments (
    id              uuid PRIMARY KEY,
    employee_id     uuid NOT NULL REFERENCES employees (id),
    legal_entity_id uuid NOT NULL REFERENCES legal_entities (id),
    department_id   uuid NOT NULL REFERENCES departments (id),
    post            text NOT NULL DEFAULT '',
    jurisdiction    text NOT NULL,
    time_zone       text NOT NULL,
    hired_on        date NOT NULL,
    -- Set when the departure turns departed; cleared again by an annulment.
    ended_at        timestamptz,
    created_at      timestamptz NOT NULL DEFAULT lethe_now()
);
CREATE UNIQUE INDEX employments_one_current ON employments (employee_id) WHERE ended_at IS NULL;
CREATE INDEX employments_employee ON employments (employee_id, hired_on DESC);

INSERT INTO legal_transitions VALUES
    ('employees.status', 'active', 'pending_departure'),
    ('employees.status', 'pending_departure', 'active'),
    ('employees.status', 'pending_departure', 'departed'),
    ('employees.status', 'departed', 'active'),
    ('employees.status', 'departed', 'purged'),
    ('employees.status', 'purged', 'active');
CREATE TRIGGER employees_status BEFORE UPDATE OF status ON employees
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('status');

-- +goose Down
DROP TABLE employments;
ALTER TABLE departments DROP COLUMN head_employee_id;
DROP TABLE employees;
DROP TABLE departments;
DROP TABLE legal_entities;
DELETE FROM legal_transitions WHERE machine = 'employees.status';
