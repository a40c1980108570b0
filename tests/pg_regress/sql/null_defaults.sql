\i head.sql
\pset null '·'
-- NULL for an argument with a default means the default, in every function.
CREATE TEMP TABLE calls (function text PRIMARY KEY, required text NOT NULL);
-- The required arguments of every function that has a default other than NULL.
INSERT INTO calls VALUES
    ('activate_prompt',           '''coder'', ''1.2.3'''),
    ('active_prompt',             '''coder'''),
    ('begin_step',                '(SELECT id FROM orchestrator.tasks WHERE status = ''running''), ''key'', ''tool'''),
    ('claim_knowledge',           ''),
    ('claim_tasks',               '''w2'''),
    ('create_task',               '''build'', ''new'''),
    ('deactivate_stale_sessions', ''),
    ('enum_duplicates',           ''),
    ('estimate_cost',             '''m'', 1, 1'),
    ('fail_task',                 '(SELECT id FROM orchestrator.tasks WHERE status = ''running''), ''w'', ''e'', ''1 hour'''),
    ('llm_cost',                  '''m'', 1000000, 1'),
    ('model_price',               '''m'''),
    ('next_prompt_version',       '''coder'''),
    ('open_gate',                 'orchestrator.uuidv7(), ''a'', ''manual'', ''r'''),
    ('publish_prompt',            '''coder'', ''9.0.0'', ''p'''),
    ('purge_knowledge',           ''),
    ('record_event',              '''e'', ''r'', orchestrator.uuidv7()'),
    ('record_llm_call',           '''m'', 1, 2'),
    ('record_run_progress',       '''t'''),
    ('record_safety',             '''t'', 0.5'),
    ('record_token_usage',        '''m'', 1, 2'),
    ('release_task',              '(SELECT id FROM orchestrator.tasks WHERE status = ''running''), ''w'''),
    ('renew_claim',               '(SELECT id FROM orchestrator.tasks WHERE status = ''running''), ''w'''),
    ('request_approval',          '(SELECT id FROM orchestrator.tasks WHERE status = ''running''), ''boss'''),
    ('request_collaboration',     '''requirements'', ''a'', ''b'', ''what is it about?'''),
    ('request_review',            '''t'', ''safety'', ''r'''),
    ('restage_knowledge',         '''m'''),
    ('route_task',                '''routing'', ''d'', ''a'', ''b'''),
    ('save_run_state',            '''t'', ''{"n": 2}'''),
    ('schedule_maintenance',      ''),
    ('set_budget',                '1::numeric, ''day'''),
    ('stage_knowledge',           '''collaboration'', ''c'''),
    ('start_tool_execution',      '(SELECT id FROM orchestrator.tasks WHERE status = ''running''), ''tool'''),
    ('v7_issue_task',             '1, ''n'', ''p'''),
    ('v7_record_enum_duplicates', '');
-- Rows on both sides of each default.
CREATE TYPE public.status_kind AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j');
CREATE TYPE public.other_kind AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i');
CREATE TYPE public.third_kind AS ENUM ('a', 'b', 'c', 'd', 'e', 'x', 'y');
SELECT count(*) FROM orchestrator.v7_load_plan();
SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's') IS NOT NULL;
SELECT state FROM orchestrator.save_run_state('t', '{"m": 1}');
SELECT (orchestrator.create_task('build', 'one', max_attempts => 3)).created FROM generate_series(1, 3);
SELECT status FROM orchestrator.claim_tasks('w');
SELECT orchestrator.publish_prompt('coder', '1.2.3', 'p', activate => true) IS NOT NULL;
SELECT model FROM orchestrator.set_price('m', 1, 1, '2024-01-01'), orchestrator.set_price('m', 2, 2);
INSERT INTO orchestrator.sessions (role, client_id, last_heartbeat) VALUES ('r', 'c', now() - interval '55 seconds'), ('r', 'd', now() - interval '1 hour');
INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, created_at, embedded, embedded_at)
VALUES ('collaboration', 'old', now() - interval '900 days', true, now() - interval '366 days'), ('collaboration', 'young', now() - interval '900 days', true, now() - interval '364 days');
INSERT INTO orchestrator.knowledge_staging (knowledge_type, content) SELECT 'collaboration', n FROM generate_series(1, 60) AS n;
-- The effect of a call: its result and every row, without ids, and with times in minutes from now. Nothing of it stays.
CREATE FUNCTION pg_temp.plain(value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    value := regexp_replace(value, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g');
    FOR found IN SELECT DISTINCT m[1] FROM regexp_matches(value, '\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.0-9]*[-+][0-9:]{2,5}', 'g') AS m LOOP
        value := replace(value, found, format('<%s>', round(extract(epoch FROM found::timestamptz - now()) / 60)));
    END LOOP;
    RETURN value;
END $$;
CREATE FUNCTION pg_temp.effect(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; part text; name text;
BEGIN
    EXECUTE format('SELECT string_agg(to_jsonb(r)::text, E''\n'') FROM orchestrator.%s AS r', call) INTO result;
    FOR name IN SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'orchestrator'::regnamespace AND relkind = 'r' ORDER BY relname LOOP
        EXECUTE format('SELECT string_agg(to_jsonb(r)::text, E''\n'' ORDER BY to_jsonb(r)::text) FROM %s AS r', name) INTO part;
        result := concat_ws(E'\n', result, part);
    END LOOP;
    RAISE EXCEPTION USING MESSAGE = 'rolled back', DETAIL = result;
EXCEPTION WHEN raise_exception THEN
    GET STACKED DIAGNOSTICS result = PG_EXCEPTION_DETAIL;
    RETURN (SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM string_to_table(pg_temp.plain(result), E'\n') AS line);
WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS part = RETURNED_SQLSTATE, result = MESSAGE_TEXT;
    RETURN format('%s: %s', part, result);
END $$;
CREATE TEMP VIEW defaults AS
SELECT DISTINCT p.proname::text AS function, p.proargnames[n] AS argument, pg_get_function_arg_default(p.oid, n) AS value
FROM pg_proc AS p, generate_series(1, p.pronargs) AS n
WHERE p.pronamespace = 'orchestrator'::regnamespace AND pg_get_function_arg_default(p.oid, n) !~ '^NULL::';
-- No function is missing in the list, none is strict, and no default has another value when it is NULL.
SELECT function FROM defaults WHERE function NOT IN (SELECT function FROM calls) UNION SELECT function FROM calls WHERE function NOT IN (SELECT function FROM defaults);
SELECT DISTINCT d.function FROM defaults AS d JOIN pg_proc AS p ON p.proname = d.function AND p.pronamespace = 'orchestrator'::regnamespace WHERE p.proisstrict;
-- schedule_maintenance needs pg_cron; tests/operations/schedule.rs calls it.
SELECT d.function, d.argument, d.value,
       CASE WHEN e.omitted IS NULL THEN 'no effect' WHEN e.omitted <> e.null_given THEN 'differs: ' || e.null_given WHEN e.omitted ~ '^[0-9A-Z]{5}: ' THEN e.omitted ELSE 'the same' END
FROM defaults AS d JOIN calls AS c USING (function),
     LATERAL (SELECT pg_temp.effect(format('%s(%s)', d.function, c.required)) AS omitted,
                     pg_temp.effect(format('%s(%s%I => NULL)', d.function, c.required || CASE WHEN c.required <> '' THEN ', ' ELSE '' END, d.argument)) AS null_given) AS e
ORDER BY 1, 2;
-- The comparison finds a difference.
SELECT pg_temp.effect('create_task(''build'', ''new'')') = pg_temp.effect('create_task(''build'', ''new'', priority => 1::smallint)'),
       pg_temp.effect('claim_tasks(''w2'')') = pg_temp.effect('claim_tasks(''w2'', lease => ''6 minutes'')'),
       pg_temp.effect('purge_knowledge()') = pg_temp.effect('purge_knowledge(''363 days'')'),
       pg_temp.effect('enum_duplicates()') = pg_temp.effect('enum_duplicates(0.3)');
-- All of them at once.
SELECT created FROM orchestrator.create_task('build', 'null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT count(*) FROM orchestrator.claim_tasks('w3', NULL, NULL, NULL, NULL);
-- NULL for a required argument stays an error.
SELECT pg_temp.refusal('SELECT orchestrator.create_task(NULL, ''t'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t'', NULL)');
\set ECHO none
