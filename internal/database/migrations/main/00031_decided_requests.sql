-- +goose Up
-- What people decided about, as they were shown it: kept with the request until data of the person whom it was
-- about is destroyed. What was sealed once is only ever emptied.
CREATE TABLE approval_records (
    id          uuid PRIMARY KEY REFERENCES approvals (id),
    told_sealed sealed
);
CREATE TRIGGER approval_records_written BEFORE UPDATE ON approval_records
    FOR EACH ROW WHEN (NEW.told_sealed IS NOT NULL OR NEW.id <> OLD.id)
    EXECUTE FUNCTION public.refuse_another_matter();
ALTER TABLE approval_records ENABLE ALWAYS TRIGGER approval_records_written;
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP TABLE approval_records;
SELECT public.lethe_grant_privileges();
