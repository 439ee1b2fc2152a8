-- +goose Up
-- Departures are listed by these days, too.
CREATE INDEX departures_last_day ON departures (last_working_day, id);
CREATE INDEX departures_cutoff ON departures (access_cutoff_at, id);

-- +goose Down
DROP INDEX departures_cutoff;
DROP INDEX departures_last_day;
