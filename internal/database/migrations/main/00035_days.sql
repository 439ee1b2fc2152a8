-- +goose Up
-- A list of a range of ends in the order of last days looks at its first rows in the index alone.
DROP INDEX departures_last_day;
CREATE INDEX departures_last_day ON departures (last_working_day, id) INCLUDE (employment_end_date);

-- +goose Down
DROP INDEX departures_last_day;
CREATE INDEX departures_last_day ON departures (last_working_day, id);
