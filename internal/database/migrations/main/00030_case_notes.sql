-- +goose Up
-- What whoever decided a support case wrote about it, sealed as every text for the record; once written it is
-- only ever emptied.
ALTER TABLE public.support_cases ADD COLUMN note_sealed sealed;
CREATE TRIGGER support_cases_written BEFORE UPDATE OF note_sealed ON public.support_cases
    FOR EACH ROW WHEN (OLD.note_sealed IS NOT NULL AND NEW.note_sealed IS NOT NULL AND OLD.note_sealed::bytea <> NEW.note_sealed::bytea)
    EXECUTE FUNCTION public.refuse_another_matter();
ALTER TABLE public.support_cases ENABLE ALWAYS TRIGGER support_cases_written;
CREATE INDEX support_cases_system ON public.support_cases (system, id);
SELECT public.lethe_grant_privileges();

-- +goose Down
DROP INDEX public.support_cases_system;
DROP TRIGGER support_cases_written ON public.support_cases;
ALTER TABLE public.support_cases DROP COLUMN note_sealed;
