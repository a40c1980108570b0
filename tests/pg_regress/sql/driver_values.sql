\i head.sql
\pset null '·'
-- Every number finds its function, whatever type a driver gives it, and the decimal that was written is stored. A real is widened by the server.
SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's') IS NOT NULL;
CREATE FUNCTION pg_temp.stored(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    EXECUTE 'SELECT ' || call INTO found;
    RAISE EXCEPTION USING MESSAGE = coalesce(found, '·'), ERRCODE = 'RB000';
EXCEPTION WHEN SQLSTATE 'RB000' THEN RETURN SQLERRM;
WHEN datatype_mismatch THEN RETURN SQLSTATE;
WHEN OTHERS THEN RETURN format('%s: %s', SQLSTATE, SQLERRM);
END $$;
CREATE TEMP TABLE calls (place integer, call text);
INSERT INTO calls VALUES
    (1, '(orchestrator.record_safety(''t'', %s)).safety_score'),
    (2, '(orchestrator.record_safety(thread_id => ''t''::text, score => %s, violations => ''{a}'')).safety_score'),
    (3, '(orchestrator.record_run_progress(''t'', cost => %s)).cost_usd'),
    (4, '(orchestrator.record_run_progress(thread_id => ''t'', phase => ''development'', current_agent => ''a'', tokens => 1, cost => %s, files => ''{f}'', error => ''e'')).cost_usd'),
    (5, '(orchestrator.record_run_progress(''t'', ''development'', ''a'', 1, %s)).cost_usd'),
    (6, '(orchestrator.record_run_progress(''t'', NULL, NULL, ''1'', %s, ''{f}'', ''e'')).cost_usd'),
    (7, '(orchestrator.set_price(''m'', %1$s, %1$s)).input_cost_per_million'),
    (8, '(orchestrator.set_price(model => ''m'', input_cost_per_million => 1, output_cost_per_million => %s)).output_cost_per_million'),
    (9, 'public.score_of(orchestrator.request_review(''t'', ''safety'', ''r'', %s))'),
    (12, '(orchestrator.set_budget(%s, ''day'')).limit_usd'),
    (13, '(SELECT trim_scale(r.available) FROM orchestrator.reserve_budget(%s) AS r)'),
    (14, '(orchestrator.settle_budget(''0198c5a0-0000-7000-8000-000000000007'', %s)).actual'),
    (15, '(SELECT (orchestrator.raise_budget(b.id, ''-infinity'', %s, ''ada'')).raised FROM orchestrator.budgets AS b WHERE b.period = ''total'')'),
    (11, 'public.reported_of(orchestrator.record_llm_call(model => ''m'', input_tokens => 1, output_tokens => 1, reported_cost => %s))'),
    (10, 'public.score_of(orchestrator.request_review(thread_id => ''t'', review_type => ''safety'', reason => ''r'', request_key => ''k'', safety_score => %s))');
SELECT admitted FROM orchestrator.set_budget(10, 'total'), LATERAL orchestrator.reserve_budget(1, reservation_id => '0198c5a0-0000-7000-8000-000000000007');
-- Reviews are read by a later statement than the one that requests them.
CREATE FUNCTION public.reported_of(call uuid) RETURNS numeric LANGUAGE sql VOLATILE AS 'SELECT reported_cost FROM orchestrator.llm_token_usage WHERE id = call';
CREATE FUNCTION public.score_of(review uuid) RETURNS numeric LANGUAGE sql VOLATILE AS 'SELECT safety_score FROM orchestrator.human_review_queue WHERE id = review';
SELECT value, string_agg(pg_temp.stored(format(call, value)), '|' ORDER BY place)
FROM unnest(ARRAY['0.1', '''0.1''', '0.1::float4', '0.1::float8', '0.1::numeric', '1', '''1''', '1::smallint', '1::bigint', '0.29::float8', '0.29::float4', '0.1::float8 + 0.2', '1e-6::float8', '1e-6::float4']) WITH ORDINALITY AS v (value, n), calls
GROUP BY n, value ORDER BY n;
SELECT value, string_agg(pg_temp.stored(format(call, value)), '|' ORDER BY place)
FROM unnest(ARRAY['NULL', 'NULL::float8', 'NULL::numeric']) WITH ORDINALITY AS v (value, n), calls WHERE place IN (3, 4, 5, 6, 9, 10)
GROUP BY n, value ORDER BY n;
SELECT place, value, pg_temp.stored(format(call, value))
FROM unnest(ARRAY['NULL', 'NULL::float8', '''NaN''::float8', '''-Infinity''::float4', '1e300::float8', '''x''', 'true', '''0.1''::text', '0.1::money']) WITH ORDINALITY AS v (value, n), calls WHERE place IN (1, 3, 5, 7, 9) ORDER BY place, n;
-- Without the number, a call finds the form for numeric.
SELECT place, pg_temp.stored(call) FROM (VALUES
    (1, '(orchestrator.record_run_progress(''t'')).cost_usd'),
    (2, '(orchestrator.record_run_progress(''t'', ''development'')).phase'),
    (3, '(orchestrator.record_run_progress(''t'', ''development'', ''a'')).current_agent'),
    (4, '(orchestrator.record_run_progress(''t'', ''development'', ''a'', ''7'')).tokens_used'),
    (5, '(orchestrator.record_run_progress(''t'', NULL, NULL, 7::smallint)).tokens_used'),
    (6, '(orchestrator.record_run_progress(''t'', error => ''e'', files => ''{f}'', tokens => 7)).tokens_used'),
    (7, 'public.score_of(orchestrator.request_review(''t'', ''safety'', ''r''))'),
    (8, 'public.score_of(orchestrator.request_review(''t'', ''safety'', ''r'', request_key => ''k'', context => ''{}''))'),
    (9, '(orchestrator.record_safety(''t'')).safety_score'),
    (10, '(orchestrator.set_price(''m'', 1)).model')) AS c (place, call) ORDER BY place;
-- The form for calls by name in a call by place; a number at the place of the phase.
SELECT place, pg_temp.stored(call) FROM (VALUES
    (1, '(orchestrator.record_run_progress(''t'', 0.1, ''development'', 7, NULL, ''{f}'', ''a'', ''e'')).cost_usd'),
    (2, '(orchestrator.record_run_progress(''t'', 0.1, ''development'', 7, 0.2)).cost_usd'),
    (3, '(orchestrator.record_run_progress(''t'', cost => 0.1, unused => 1)).cost_usd'),
    (4, '(orchestrator.record_run_progress(''t'', ''development'', cost => 0.1)).cost_usd'),
    (5, '(orchestrator.record_run_progress(''t'', ''development'', cost => 0.1::float8)).cost_usd')) AS c (place, call) ORDER BY place;
-- More digits than a float has, from a number, from a text, and from a text with a cast.
SELECT value, pg_temp.stored(format('(orchestrator.record_run_progress(''t'', cost => %s)).cost_usd', value))
FROM unnest(ARRAY['12345678.1234567891', '''12345678.1234567891''', '''12345678.1234567891''::numeric']) WITH ORDINALITY AS v (value, n) ORDER BY n;
-- Parameters without types.
PREPARE safety AS SELECT safety_score FROM orchestrator.record_safety($1, $2);
PREPARE safety_named AS SELECT safety_score FROM orchestrator.record_safety(thread_id => $1, score => $2, violations => $3);
PREPARE price AS SELECT input_cost_per_million, output_cost_per_million FROM orchestrator.set_price($1, $2, $3);
PREPARE price_all AS SELECT input_cost_per_million FROM orchestrator.set_price($1, $2, $3, $4, $5, $6);
PREPARE price_named AS SELECT output_cost_per_million FROM orchestrator.set_price(model => $1, output_cost_per_million => $2, input_cost_per_million => $3);
PREPARE review AS SELECT orchestrator.request_review($1, $2, $3, $4) AS id;
PREPARE review_all AS SELECT orchestrator.request_review($1, $2, $3, $4, $5, $6) AS id;
PREPARE review_named AS SELECT orchestrator.request_review(thread_id => $1, review_type => $2, reason => $3, safety_score => $4, request_key => $5) AS id;
PREPARE review_without AS SELECT orchestrator.request_review($1, $2, $3) AS id;
PREPARE progress_1 AS SELECT cost_usd FROM orchestrator.record_run_progress($1);
PREPARE progress_2 AS SELECT cost_usd FROM orchestrator.record_run_progress($1, $2);
PREPARE progress_3 AS SELECT cost_usd FROM orchestrator.record_run_progress($1, $2, $3);
PREPARE progress_4 AS SELECT cost_usd FROM orchestrator.record_run_progress($1, $2, $3, $4);
PREPARE progress_5 AS SELECT cost_usd FROM orchestrator.record_run_progress($1, $2, $3, $4, $5);
PREPARE progress_6 AS SELECT cost_usd FROM orchestrator.record_run_progress($1, $2, $3, $4, $5, $6);
PREPARE progress_7 AS SELECT cost_usd FROM orchestrator.record_run_progress($1, $2, $3, $4, $5, $6, $7);
PREPARE progress_named AS SELECT cost_usd FROM orchestrator.record_run_progress($1, cost => $2);
PREPARE progress_all_named AS SELECT cost_usd FROM orchestrator.record_run_progress(thread_id => $1, phase => $2, current_agent => $3, tokens => $4, cost => $5, files => $6, error => $7);
PREPARE progress_by_place_and_name AS SELECT cost_usd FROM orchestrator.record_run_progress($1, $2, $3, cost => $4);
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name COLLATE "C";
BEGIN;
EXECUTE safety('t', '0.88');
EXECUTE safety_named('t', '0.87', NULL);
EXECUTE price('m', '0.1', '0.2');
EXECUTE price_all('m', '0.1', '0.2', NULL, NULL, NULL);
EXECUTE price_named('m', '0.3', '0.2');
EXECUTE progress_1('t');
EXECUTE progress_2('t', NULL);
EXECUTE progress_3('t', NULL, NULL);
EXECUTE progress_4('t', 'development', 'a', '7');
EXECUTE progress_5('t', 'development', 'a', '7', '0.1');
EXECUTE progress_6('t', 'development', 'a', '7', '0.1', '{f}');
EXECUTE progress_7('t', 'development', 'a', '7', '0.1', '{f}', NULL);
EXECUTE progress_named('t', '0.1');
EXECUTE progress_all_named('t', NULL, NULL, NULL, NULL, NULL, NULL);
EXECUTE progress_by_place_and_name('t', 'development', 'a', '0.1');
ROLLBACK;
-- The forms have the grants of the form for numeric, those of a level and those of a user.
CREATE ROLE regress_scorer;
CREATE ROLE regress_worker;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.2';
GRANT EXECUTE ON FUNCTION orchestrator.record_safety TO regress_scorer;
SELECT orchestrator.grant_access('regress_worker', 'worker') > 0;
SELECT split_part(pg_temp.refusal('SELECT orchestrator.record_safety(''t'', 0.1::float8)'), E'\n', 1);
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT p.oid::regprocedure, has_function_privilege('regress_scorer', p.oid, 'EXECUTE') AS scorer, has_function_privilege('regress_worker', p.oid, 'EXECUTE') AS worker, has_function_privilege('public', p.oid, 'EXECUTE') AS everybody
FROM pg_proc AS p WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname IN ('record_safety', 'request_review', 'set_price', 'record_run_progress') ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT * FROM orchestrator.verify();
-- Help lists a function once, and shows its forms with one example.
SELECT line FROM orchestrator.help() AS line WHERE line ~ '^  (record_safety|request_review|set_price|record_run_progress)\(';
SELECT line FROM orchestrator.help('record_safety') AS line;
-- No function has a decimal without a form for a float, but for those that views call.
SELECT p.proname, bool_or('float8'::regtype = ANY (p.proargtypes::oid[])) AS takes_floats
FROM pg_proc AS p WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname <> ALL ('{llm_special_call,llm_cost_line,llm_call_cost,is_valid_llm_call}') GROUP BY p.proname HAVING bool_or('numeric'::regtype = ANY (p.proargtypes::oid[])) ORDER BY p.proname COLLATE "C";
\set ECHO none
DROP OWNED BY regress_scorer, regress_worker;
DROP ROLE regress_scorer, regress_worker;
