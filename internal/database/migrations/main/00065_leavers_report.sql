-- +goose Up
-- The report on leavers tells of each what was out of the ordinary: closed cases of an account, steps that two people agreed
-- to about a person, and cuts of theirs, lifted ones too.
CREATE INDEX support_cases_account ON support_cases (account_id);
CREATE INDEX approvals_approved_subjects ON approvals USING gin (subject_ids) WHERE state = 'approved';
CREATE INDEX access_cuts_employee ON access_cuts (employee_id);

-- +goose Down
DROP INDEX access_cuts_employee;
DROP INDEX approvals_approved_subjects;
DROP INDEX support_cases_account;
