-- +goose Up
-- What people say about the screens that they work with. It is about the program; what was written is sealed all the same,
-- and ends after two years, or with the data of who wrote.
CREATE TABLE feedback (
    id            uuid PRIMARY KEY,
    employee_id   uuid NOT NULL REFERENCES employees (id),
    role          text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('bad', 'good', 'wish')),
    screen        text NOT NULL CHECK (screen ~ '^[a-z]{1,40}$'),
    version       text NOT NULL,
    doing_sealed  sealed,
    text_sealed   sealed NOT NULL,
    said_at       timestamptz NOT NULL,
    answered_by   uuid REFERENCES employees (id),
    answered_at   timestamptz,
    answer_sealed sealed,
    CHECK ((answered_at IS NULL) = (answered_by IS NULL) AND (answered_at IS NULL) = (answer_sealed IS NULL))
);
CREATE INDEX feedback_of_a_person ON feedback (employee_id, id);
CREATE INDEX feedback_by_time ON feedback (said_at);
COMMENT ON TABLE feedback IS 'erasable';
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE feedback;
SELECT public.lethe_grant_privileges();
