-- +goose Up
-- Leaving the groups is a sub-step of its own: a group that refuses keeps sessions and tokens alive no more.
ALTER TABLE account_evidence DROP CONSTRAINT account_evidence_substep_check;
ALTER TABLE account_evidence ADD CONSTRAINT account_evidence_substep_check
    CHECK (substep IN ('find', 'snapshot', 'disable', 'detach', 'revoke_sessions', 'leave_groups', 'read_back', 'residue', 'restore', 'by_hand')) NOT VALID;

-- +goose Down
ALTER TABLE account_evidence DROP CONSTRAINT account_evidence_substep_check;
ALTER TABLE account_evidence ADD CONSTRAINT account_evidence_substep_check
    CHECK (substep IN ('find', 'snapshot', 'disable', 'detach', 'revoke_sessions', 'read_back', 'residue', 'restore', 'by_hand')) NOT VALID;
