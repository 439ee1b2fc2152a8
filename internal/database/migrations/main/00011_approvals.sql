-- +goose Up
-- A request for a step that needs two people (I21). It is bound to one command and to the state that
-- the command was judged on; whatever differs at the decision makes it void.
CREATE TABLE approvals (
    id                   uuid PRIMARY KEY,
    operation            text NOT NULL,
    -- The decoded command with its defaults, what the approver is shown, and a salt, sealed. Cleared
    -- when the request ends.
    command_sealed       sealed,
    -- Of operation and command, without salt, so that the same request is not open twice. Cleared with it.
    fingerprint          bytea CHECK (octet_length(fingerprint) = 32),
    -- With the salt that is sealed beside the command: it stays, and tells nobody what the command was.
    command_hash         bytea NOT NULL CHECK (octet_length(command_hash) = 32),
    -- [{"kind", "id", "version"}]: the rows that it is about, as they were.
    targets              jsonb NOT NULL,
    state_digest         bytea NOT NULL CHECK (octet_length(state_digest) = 32),
    file_hash            bytea CHECK (octet_length(file_hash) = 32),
    rule_versions        jsonb NOT NULL DEFAULT '[]',
    -- Over all of the above.
    hash                 bytea NOT NULL CHECK (octet_length(hash) = 32),
    -- Whose matter it is: none of them decides about it.
    subject_ids          uuid[] NOT NULL DEFAULT '{}',
    requester_id         uuid NOT NULL REFERENCES employees (id),
    requester_user_id    uuid,
    requester_role       text NOT NULL,
    requester_authenticated text NOT NULL,
    reason               text NOT NULL DEFAULT '',
    state                text NOT NULL DEFAULT 'pending',
    requested_at         timestamptz NOT NULL DEFAULT lethe_now(),
    expires_at           timestamptz NOT NULL,
    decided_by           uuid REFERENCES employees (id),
    decided_by_user_id   uuid,
    comment              text NOT NULL DEFAULT '',
    -- Of a void request: what did not fit any more.
    void_reason          text NOT NULL DEFAULT '' CHECK (void_reason IN ('', 'changed', 'gone', 'unreadable')),
    ended_at             timestamptz,
    -- Where what it led to is to be found.
    result_location      text NOT NULL DEFAULT '',
    CHECK (expires_at > requested_at),
    CHECK ((state = 'pending') = (command_sealed IS NOT NULL)),
    CHECK ((state = 'pending') = (fingerprint IS NOT NULL)),
    CHECK ((state = 'pending') = (ended_at IS NULL)),
    CHECK ((state = 'void') = (void_reason <> '')),
    CHECK ((state IN ('approved', 'rejected')) = (decided_by IS NOT NULL)),
    CHECK (decided_by <> requester_id),
    CHECK (decided_by IS NULL OR NOT decided_by = ANY (subject_ids)),
    CHECK (decided_by_user_id <> requester_user_id)
);
CREATE UNIQUE INDEX approvals_one_open ON approvals (fingerprint) WHERE state = 'pending';
CREATE INDEX approvals_state ON approvals (state, id);
CREATE INDEX approvals_requester ON approvals (requester_id, id);
CREATE INDEX approvals_expiry ON approvals (expires_at) WHERE state = 'pending';
CREATE INDEX approvals_targets ON approvals USING gin (targets jsonb_path_ops) WHERE state = 'pending';
INSERT INTO legal_transitions VALUES
    ('approvals.state', 'pending', 'approved'),
    ('approvals.state', 'pending', 'rejected'),
    ('approvals.state', 'pending', 'withdrawn'),
    ('approvals.state', 'pending', 'expired'),
    ('approvals.state', 'pending', 'void');
CREATE TRIGGER approvals_state BEFORE UPDATE OF state ON approvals
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition('state');
CREATE TRIGGER approvals_start BEFORE INSERT ON approvals
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_start('state', 'pending');

-- What was asked for never changes, an ended request never changes at all, and no request is
-- approved after its expiry, or expires before, by the database's clock.
-- +goose StatementBegin
CREATE FUNCTION refuse_unfit_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'pending' THEN
        RAISE EXCEPTION 'an ended approval never changes' USING ERRCODE = 'LT003';
    END IF;
    IF (OLD.id, OLD.operation, OLD.command_hash, OLD.targets, OLD.state_digest, OLD.file_hash, OLD.rule_versions, OLD.hash,
        OLD.subject_ids, OLD.requester_id, OLD.requester_user_id, OLD.requester_role, OLD.requester_authenticated,
        OLD.reason, OLD.requested_at, OLD.expires_at)
        IS DISTINCT FROM
       (NEW.id, NEW.operation, NEW.command_hash, NEW.targets, NEW.state_digest, NEW.file_hash, NEW.rule_versions, NEW.hash,
        NEW.subject_ids, NEW.requester_id, NEW.requester_user_id, NEW.requester_role, NEW.requester_authenticated,
        NEW.reason, NEW.requested_at, NEW.expires_at)
    THEN
        RAISE EXCEPTION 'what was asked for never changes' USING ERRCODE = 'LT003';
    END IF;
    IF NEW.state = 'approved' AND NEW.expires_at <= lethe_now() THEN
        RAISE EXCEPTION 'approved after its expiry' USING ERRCODE = 'LT007';
    END IF;
    IF NEW.state = 'expired' AND NEW.expires_at > lethe_now() THEN
        RAISE EXCEPTION 'expired before its time' USING ERRCODE = 'LT007';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER approvals_fit BEFORE UPDATE ON approvals
    FOR EACH ROW EXECUTE FUNCTION refuse_unfit_approval();
CREATE TRIGGER approvals_stay BEFORE DELETE OR TRUNCATE ON approvals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TABLE approvals;
DROP FUNCTION refuse_unfit_approval();
DELETE FROM legal_transitions WHERE machine = 'approvals.state';
