-- +goose Up
-- The machines that had no list yet: what becomes of a departure's retention, of a claim on a category, and of
-- an evidence pack.
INSERT INTO public.legal_transitions VALUES
    ('retentions.state', 'running', 'ended'),
    ('purge_claims.state', 'open', 'left'),
    ('purge_claims.state', 'open', 'purged'),
    ('query_log_exports.state', 'queued', 'running'),
    ('query_log_exports.state', 'running', 'done'),
    ('query_log_exports.state', 'running', 'failed'),
    ('query_log_exports.state', 'done', 'expired'),
    ('query_log_exports.state', 'done', 'purged');
CREATE TRIGGER retentions_state BEFORE UPDATE OF state ON public.retentions
    FOR EACH ROW EXECUTE FUNCTION public.refuse_illegal_transition('state');
CREATE TRIGGER purge_claims_state BEFORE UPDATE OF state ON public.purge_claims
    FOR EACH ROW EXECUTE FUNCTION public.refuse_illegal_transition('state');
CREATE TRIGGER query_log_exports_state BEFORE UPDATE OF state ON public.query_log_exports
    FOR EACH ROW EXECUTE FUNCTION public.refuse_illegal_transition('state');
ALTER TABLE public.retentions ENABLE ALWAYS TRIGGER retentions_state;
ALTER TABLE public.purge_claims ENABLE ALWAYS TRIGGER purge_claims_state;
ALTER TABLE public.query_log_exports ENABLE ALWAYS TRIGGER query_log_exports_state;

-- +goose Down
DROP TRIGGER query_log_exports_state ON public.query_log_exports;
DROP TRIGGER purge_claims_state ON public.purge_claims;
DROP TRIGGER retentions_state ON public.retentions;
DELETE FROM public.legal_transitions WHERE machine IN ('retentions.state', 'purge_claims.state', 'query_log_exports.state');
