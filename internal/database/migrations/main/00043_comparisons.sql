-- +goose Up
-- A number that somebody names is compared with the one in the file: a look that shows no value, and ends at once.
ALTER TABLE disclosures
    ADD COLUMN compares boolean NOT NULL DEFAULT false,
    ADD COLUMN matched boolean,
    DROP CONSTRAINT disclosures_state_check,
    ADD CONSTRAINT disclosures_state_check CHECK (state IN ('refused', 'waiting', 'granted', 'declined', 'lapsed', 'shown', 'closed', 'compared')),
    ADD CONSTRAINT disclosures_compared CHECK ((state = 'compared') = (matched IS NOT NULL)
        AND (NOT compares OR state IN ('refused', 'compared')) AND (compares OR matched IS NULL)
        AND (NOT compares OR cardinality(fields) = 1 AND shown_at IS NULL));
DROP TRIGGER disclosures_start ON disclosures;
CREATE TRIGGER disclosures_start BEFORE INSERT ON disclosures
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'refused,waiting,shown,compared');
SELECT public.lethe_grant_privileges();

-- +goose Down
DELETE FROM disclosures WHERE state = 'compared';
DROP TRIGGER disclosures_start ON disclosures;
CREATE TRIGGER disclosures_start BEFORE INSERT ON disclosures
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'refused,waiting,shown');
ALTER TABLE disclosures
    DROP CONSTRAINT disclosures_compared,
    DROP CONSTRAINT disclosures_state_check,
    ADD CONSTRAINT disclosures_state_check CHECK (state IN ('refused', 'waiting', 'granted', 'declined', 'lapsed', 'shown', 'closed')),
    DROP COLUMN matched,
    DROP COLUMN compares;
SELECT public.lethe_grant_privileges();
