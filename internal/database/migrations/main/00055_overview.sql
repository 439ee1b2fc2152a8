-- +goose Up
-- What the overview counts: who left by month with how long the accounts took, refused looks by reason.
CREATE INDEX departures_left ON departures (employment_end_date) INCLUDE (access_cutoff_at, accounts_settled_at, batch_id)
    WHERE stage IN ('departed', 'purging', 'purged');
CREATE INDEX disclosures_refused ON disclosures (asked_at) INCLUDE (rule, matter, employee_id) WHERE state = 'refused';

-- +goose Down
DROP INDEX disclosures_refused;
DROP INDEX departures_left;
