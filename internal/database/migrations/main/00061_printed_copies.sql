-- +goose Up
-- A look for the copy that HR prints for somebody who asked for one on paper: it is printed once, and shown no other way.
ALTER TABLE disclosures ADD COLUMN subject_request_id uuid REFERENCES subject_requests (id);
CREATE INDEX disclosures_of_a_request ON disclosures (subject_request_id) WHERE subject_request_id IS NOT NULL;
SELECT public.lethe_grant_privileges();

-- +goose Down
ALTER TABLE disclosures DROP COLUMN subject_request_id;
SELECT public.lethe_grant_privileges();
