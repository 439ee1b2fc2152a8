-- +goose Up
-- Attaching a partition locks the default partition of its table against readers. A call that held the
-- lock of one table and waited for the other's met readers that had them the other way round, and one of
-- the two was ended as a deadlock: each call now sees to one table, and whoever calls calls again until
-- nothing was made.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.ledger_make_partitions(months_ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent text;
    part   text;
    start  timestamp;
    made   int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(x'4c4c5041'::int); -- "LLPA": one at a time
    FOREACH parent IN ARRAY ARRAY['ledger_entries', 'ledger_content'] LOOP
        FOR month IN 0 .. least(greatest(months_ahead, 0), 24) LOOP
            start := date_trunc('month', public.lethe_now() AT TIME ZONE 'UTC') + make_interval(months => month);
            part := format('%s_%s', parent, to_char(start, 'YYYY_MM'));
            CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
                EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', parent, part,
                    start AT TIME ZONE 'UTC', (start + interval '1 month') AT TIME ZONE 'UTC');
                PERFORM public.ledger_guard(format('public.%I', part)::regclass);
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                NULL; -- the default partition has rows of this month
            END;
        END LOOP;
        EXIT WHEN made > 0;
    END LOOP;
    RETURN made;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION public.ledger_make_partitions(months_ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent text;
    part   text;
    start  timestamp;
    made   int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(x'4c4c5041'::int); -- "LLPA": one at a time
    FOREACH parent IN ARRAY ARRAY['ledger_entries', 'ledger_content'] LOOP
        FOR month IN 0 .. least(greatest(months_ahead, 0), 24) LOOP
            start := date_trunc('month', public.lethe_now() AT TIME ZONE 'UTC') + make_interval(months => month);
            part := format('%s_%s', parent, to_char(start, 'YYYY_MM'));
            CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
                EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', parent, part,
                    start AT TIME ZONE 'UTC', (start + interval '1 month') AT TIME ZONE 'UTC');
                PERFORM public.ledger_guard(format('public.%I', part)::regclass);
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                NULL; -- the default partition has rows of this month
            END;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
-- +goose StatementEnd
