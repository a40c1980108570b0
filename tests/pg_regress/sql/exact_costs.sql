\i head.sql
SET timezone = 'America/New_York';
-- The cost of a call by the price in force at its time, by function, in the view, and in the report of its day.
CREATE FUNCTION pg_temp.cost_of(call uuid) RETURNS numeric LANGUAGE sql AS $$ SELECT c.cost FROM orchestrator.llm_usage_costs AS c WHERE c.id = call $$;
-- Inclusive: 27,147 tokens of which 27,146 were read from the cache.
SELECT input_cost_per_million, effective_at, replaced_at, replaces FROM orchestrator.set_price('cached', 1.4, 4.4, '2026-01-01', components => '[{"component": "cache_read", "per_million": 0.26}]');
SELECT pg_temp.cost_of(orchestrator.record_llm_call('cached', 27147, 351, 27146, inclusive => true, at => '2026-01-02')) = 0.00860376;
-- Written for five minutes, and for an hour.
SELECT model FROM orchestrator.set_price('written', 3, 15, '2026-01-01', components => '[{"component": "cache_write", "per_million": 3.75}, {"component": "cache_write_1h", "per_million": 6}, {"component": "cache_read", "per_million": 0.3}]');
SELECT pg_temp.cost_of(orchestrator.record_llm_call('written', 3, 550, cache_write_tokens => 12304, at => '2026-01-02')) = 0.054399;
SELECT pg_temp.cost_of(orchestrator.record_llm_call('written', 1000, 500, 4000, 2000, 3000, at => '2026-01-02')) = 0.0372;
-- A step above 200,000 tokens of input.
SELECT model FROM orchestrator.set_price('long', 3, 15, '2026-01-01', components => '[{"component": "input", "above_input": 200000, "per_million": 6}, {"component": "output", "above_input": 200000, "per_million": 22.5}]');
SELECT n, pg_temp.cost_of(orchestrator.record_llm_call('long', n, 1000, at => '2026-01-02')) FROM unnest(ARRAY[200000, 200001]) AS n;
-- Cached tokens and those of audio count for the step; those of the output do not.
SELECT c.n, c.cost FROM orchestrator.llm_usage_costs AS c WHERE c.id = orchestrator.record_llm_call('long', 1, 1, 199999, units => '{"audio_input": 1, "audio_output": 1000}', at => '2026-01-02');
-- Reasoning without a price of its own costs as much as other output.
SELECT model FROM orchestrator.set_price('reasoning', 2, 12, '2026-01-01');
SELECT pg_temp.cost_of(orchestrator.record_llm_call('reasoning', 324, 1364, reasoning_tokens => 495, inclusive => true, at => '2026-01-02')) = 324 * 0.000002 + 1364 * 0.000012;
SELECT pg_temp.cost_of(orchestrator.record_llm_call('reasoning', 324, 1364, reasoning_tokens => 495, at => '2026-01-02')) = 0.022956;
-- The cost that the provider reports, also without a price.
SELECT pg_temp.cost_of(orchestrator.record_llm_call('unheard-of', 1, 1, reported_cost => 0.000001979964)) = 0.000001979964;
-- A price from a moment on.
SELECT effective_date, effective_at FROM orchestrator.set_price('moment', 0.435, 0, '2026-01-01');
SELECT effective_date, effective_at FROM orchestrator.set_price('moment', 0.66, 0, effective_at => '2026-08-16 16:00+00');
SELECT at, pg_temp.cost_of(orchestrator.record_llm_call('moment', 1000000, 0, at => at)), orchestrator.llm_cost('moment', 1000000, 0, at) FROM unnest(ARRAY['2026-08-16 15:59:59+00', '2026-08-16 16:00+00']::timestamptz[]) AS at;
SELECT day, calls, cost FROM orchestrator.llm_cost_by_day WHERE model = 'moment';
SELECT valid_from, valid_until, begins, ends FROM orchestrator.llm_price_periods WHERE model = 'moment' ORDER BY begins;
-- The beginning of the day is no moment of its own.
SELECT effective_date, effective_at FROM orchestrator.set_price('moment', 0.7, 0, effective_at => '2026-09-01 00:00+00');
-- The same call twice: one row. Another one with its id is refused.
SELECT model FROM orchestrator.set_price('again', 2.5, 10, '2026-01-01');
SELECT count(DISTINCT orchestrator.record_llm_call('again', 121, 400, call_id => 'resp_1', at => '2026-01-02')) FROM generate_series(1, 2);
SELECT count(*), sum(cost) = 0.0043025 FROM orchestrator.llm_usage_costs WHERE model = 'again';
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('again', 121, 400, 1, units => '{"image": 1}', service_tier => 'batch', subject => 'ada', reported_cost => 1, call_id => 'resp_1')$$);
-- Tiers: a tier that the price does not have costs as much as the standard one.
SELECT model FROM orchestrator.set_price('tiers', 4, 8, '2026-01-01', components => '[{"component": "input", "service_tier": "flex", "per_million": 2}, {"component": "output", "service_tier": "flex", "per_million": 5}, {"component": "cache_read", "per_million": 1}, {"component": "web_search", "per_unit": 0.01}, {"component": "web_search", "service_tier": "flex", "per_unit": 0.005}]');
SELECT tier, pg_temp.cost_of(orchestrator.record_llm_call('tiers', 1000000, 1000000, 1000000, reasoning_tokens => 1000000, units => '{"web_search": 3}', service_tier => tier, at => '2026-01-02')) FROM unnest(ARRAY['standard', 'flex', 'eu-west-1']) AS tier;
-- A unit without a price: the call has no cost, and the report says which unit it is.
SELECT pg_temp.cost_of(orchestrator.record_llm_call('tiers', 1, 1, units => '{"image": 2, "second": 0.5, "web_search": 1}', at => '2026-01-02')) IS NULL;
SELECT orchestrator.record_llm_call('tiers-2026-01-01', 1, 1, at => '2026-01-02') IS NOT NULL, orchestrator.record_llm_call('vendor/tiers', 1, 1, at => '2026-01-02') IS NOT NULL;
SELECT model, calls, tokens, unit, suggested_model FROM orchestrator.unpriced_usage ORDER BY model, unit;
-- A human decides that two names are one model, also for calls of before. The price of the name itself goes first.
SELECT alias, model FROM orchestrator.set_model_alias('tiers-2026-01-01', ' tiers ');
SELECT model, calls, unit FROM orchestrator.unpriced_usage ORDER BY model, unit;
SELECT model, begins, ends, jsonb_array_length(components) FROM orchestrator.model_price('tiers-2026-01-01');
SELECT model FROM orchestrator.set_price('tiers-2026-01-01', 100, 100, '2026-06-01');
SELECT orchestrator.llm_cost('tiers-2026-01-01', 1000000, 0, at) FROM unnest(ARRAY['2025-12-31', '2026-05-31', '2026-06-02']::timestamptz[]) AS at;
SELECT pg_temp.refusal($$SELECT orchestrator.set_model_alias('a', 'tiers-2026-01-01')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_model_alias('tiers', 'long')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_model_alias('a', 'a')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_model_alias('a', 'unheard-of')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_model_alias('a', NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_model_alias(' ', 'long')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_model_alias(NULL, 'long')$$);
SELECT alias FROM orchestrator.set_model_alias('tiers-2026-01-01', NULL);
SELECT count(*) FROM orchestrator.model_price('nobody');
-- A price that has begun is never overwritten: the report of before stays.
SELECT count(*) FROM orchestrator.llm_cost_by_day_as_of(now());
SELECT (SELECT count(*) FROM (SELECT * FROM orchestrator.llm_cost_by_day EXCEPT SELECT * FROM orchestrator.llm_cost_by_day_as_of(now())) AS d), (SELECT count(*) FROM (SELECT * FROM orchestrator.llm_cost_by_day_as_of(now()) EXCEPT SELECT * FROM orchestrator.llm_cost_by_day) AS d);
SELECT now() AS before \gset
SELECT input_cost_per_million, replaces IS NOT NULL FROM orchestrator.set_price('cached', 2.8, 4.4, '2026-01-01');
SELECT input_cost_per_million, replaces IS NOT NULL, notes FROM orchestrator.set_price('cached', 2.8, 4.4, '2026-01-01', notes => 'corrected');
SELECT p.input_cost_per_million, p.replaced_at IS NOT NULL, p.replaces IS NOT NULL, c.unit_cost FROM orchestrator.llm_pricing AS p JOIN orchestrator.llm_price_components AS c ON c.price_id = p.id WHERE p.model = 'cached' ORDER BY p.created_at;
SELECT cost FROM orchestrator.llm_cost_by_day WHERE model = 'cached' UNION ALL SELECT cost FROM orchestrator.llm_cost_by_day_as_of(:'before') WHERE model = 'cached';
SELECT metadata - 'price_id' - 'replaces' - 'role' - 'session_user' FROM orchestrator.audit_events WHERE event_type = 'price_set' AND metadata ->> 'model' = 'cached' ORDER BY id;
-- A price of the future is changed in its place.
SELECT model FROM orchestrator.set_price('future', 1, 1, '2999-01-01', components => '[{"component": "cache_read", "per_million": 0.1}]');
SELECT input_cost_per_million, replaces FROM orchestrator.set_price('future', 2, 2, '2999-01-01', components => '[]');
SELECT count(*), (SELECT count(*) FROM orchestrator.llm_price_components AS c JOIN orchestrator.llm_pricing AS p ON p.id = c.price_id WHERE p.model = 'future') FROM orchestrator.llm_pricing WHERE model = 'future';
-- A direct INSERT never rounds a price.
INSERT INTO orchestrator.llm_pricing (model, input_cost_per_million, output_cost_per_million) VALUES ('exact', 0.00000012345678901, 1) RETURNING input_cost_per_million;
-- Runs: the cost of a call is added, and a corrected price shows as a difference.
SELECT created FROM orchestrator.ensure_run('t-90', '0198c5a0-0000-7000-8000-000000000090', 'S-90');
SELECT orchestrator.record_llm_call('again', 1000000, 0, thread_id => 't-90', at => '2026-01-02') IS NOT NULL, orchestrator.record_llm_call('unheard-of', 5, 5, 5, 5, 5, 5, thread_id => 't-90') IS NOT NULL;
SELECT tokens_used, cost_usd FROM orchestrator.orchestrator_runs WHERE thread_id = 't-90';
SELECT thread_id, calls, cost, unpriced_calls FROM orchestrator.llm_cost_by_run;
SELECT * FROM orchestrator.run_costs;
SELECT count(*) FROM orchestrator.run_cost_differences;
SELECT model FROM orchestrator.set_price('again', 5, 10, '2026-01-01');
SELECT thread_id, run_cost, calls_cost, difference, calls, unpriced_calls FROM orchestrator.run_cost_differences;
-- A run has the cost of each call with ten decimals: that is no difference.
SELECT created FROM orchestrator.ensure_run('t-91', '0198c5a0-0000-7000-8000-000000000090', 'S-91');
SELECT count(orchestrator.record_llm_call('again', 1, 1, reported_cost => 0.000001979964, thread_id => 't-91')) FROM generate_series(1, 3);
SELECT thread_id FROM orchestrator.run_cost_differences;
-- Prompts.
SELECT orchestrator.publish_prompt('coder', '1.0.0', 'write') IS NOT NULL;
SELECT id AS prompt FROM orchestrator.prompts WHERE agent_type = 'coder' \gset
SELECT count(orchestrator.record_llm_call('again', n, 0, prompt_id => :'prompt', at => '2026-01-02')) FROM unnest(ARRAY[1000000, 2000000]) AS n;
SELECT agent_type, version, calls, cost, round(cost_per_call, 6), unpriced_calls FROM orchestrator.llm_cost_by_prompt;
-- List prices have those of cached tokens.
SELECT orchestrator.load_default_prices(), orchestrator.load_default_prices();
SELECT p.model, c.component, c.unit_cost FROM orchestrator.llm_pricing AS p JOIN orchestrator.llm_price_components AS c ON c.price_id = p.id WHERE p.notes = 'list price' ORDER BY p.model;
-- Prices from a file.
SELECT * FROM orchestrator.import_prices('{"sample_spec": {}, "f-1": {"input_cost_per_token": 2.4999999999999998e-06, "output_cost_per_token": 1e-05, "cache_read_input_token_cost": 2.5e-07, "input_cost_per_token_above_200k_tokens": 5e-06, "input_cost_per_token_priority": 4e-06}, "f-2": {"alias_of": "f-1"}, "f-3": {"mode": "chat"}, "f-4": {"input_cost_per_token": -1}, "f-5": 5, "f-6": {"alias_of": "nobody"}, " ": {"input_cost_per_token": 1}}', '2026-01-01');
SELECT model, outcome FROM orchestrator.import_prices('{"f-1": {"input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05, "cache_read_input_token_cost": 2.5e-07, "input_cost_per_token_above_200k_tokens": 5e-06, "input_cost_per_token_priority": 4e-06}, "f-2": {"alias_of": "f-1"}}');
SELECT model, outcome FROM orchestrator.import_prices('{"f-1": {"input_cost_per_token": 3e-06}}', '2026-02-01');
SELECT p.input_cost_per_million, p.effective_date, c.component, c.service_tier, c.above_input, c.unit_cost FROM orchestrator.llm_pricing AS p LEFT JOIN orchestrator.llm_price_components AS c ON c.price_id = p.id WHERE p.model = 'f-1' ORDER BY p.effective_date, c.component, c.service_tier, c.above_input;
SELECT metadata - 'role' - 'session_user' FROM orchestrator.audit_events WHERE event_type = 'prices_imported' ORDER BY id;
-- One odd entry keeps nobody from the others.
SELECT * FROM orchestrator.import_prices('{"o-1": {"input_cost_per_token": 200}, "o-2": {"input_cost_per_token": 1e-6, "cost_per_": 1, "_cost_per_1k_calls": 1}, "o-3": {"input_cost_per_token": 1e-6, "x": 1e309}, "o-4": {"input_cost_per_token": 1e-400}, " o-2": {"input_cost_per_token": 5e-6}}', '2026-01-01');
SELECT pg_temp.refusal($$SELECT orchestrator.import_prices(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.import_prices('[]')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.import_prices('{}', 'infinity')$$);
-- Reports add up calls before they price them; call by call, the same comes out: for every kind of token, tier, step and unit, for
-- reported costs, before and after a moment at which a price begins, for sums beyond a bigint, and in parallel workers.
INSERT INTO orchestrator.llm_token_usage ("timestamp", project_id, agent_id, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, units, service_tier, reported_cost, prompt_id, thread_id)
SELECT '2026-08-16 15:00+00'::timestamptz + i * interval '1 minute', NULL, 'agent ' || i % 2, (ARRAY['cached', 'written', 'long', 'moment', 'tiers', 'unheard-of'])[1 + i % 6],
       CASE WHEN i % 100 = 0 THEN 9000000000000000000 WHEN i % 13 = 0 THEN 199990 + i % 25 ELSE i % 1000 END, i % 77, i % 3 * 1000, i % 5, i % 2, i % 11,
       (ARRAY['{}', '{"web_search": 2}', '{"web_search": 1.25, "audio_input": 7}', '{"page": 1}', '{"web_search": 0}'])[1 + i / 7 % 5]::jsonb,
       (ARRAY['standard', 'flex', 'batch'])[1 + i / 6 % 3], CASE WHEN i % 29 = 0 THEN i * 0.000000001 END,
       CASE WHEN i % 4 = 0 THEN :'prompt'::uuid END, CASE WHEN i % 3 > 0 THEN 'run ' || i % 3 END
FROM generate_series(1, 6000) AS i;
CREATE TEMPORARY VIEW added_up AS
SELECT u.day, u.project_id, u.agent_id, u.model, count(*) AS calls, sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,
       sum(u.input_tokens + u.output_tokens::numeric + u.cache_read_tokens + u.cache_write_tokens + u.cache_write_1h_tokens + u.reasoning_tokens) AS tokens, sum(u.cost) AS cost,
       count(*) FILTER (WHERE u.cost IS NULL) AS unpriced_calls, sum(u.cache_read_tokens) AS cache_read_tokens, sum(u.cache_write_tokens) AS cache_write_tokens,
       sum(u.cache_write_1h_tokens) AS cache_write_1h_tokens, sum(u.reasoning_tokens) AS reasoning_tokens
FROM orchestrator.llm_usage_costs AS u GROUP BY u.day, u.project_id, u.agent_id, u.model;
CREATE TEMPORARY VIEW differences AS
SELECT 'day' AS report, (SELECT count(*) FROM (TABLE pg_temp.added_up EXCEPT TABLE orchestrator.llm_cost_by_day) AS d) AS missing,
       (SELECT count(*) FROM (TABLE orchestrator.llm_cost_by_day EXCEPT TABLE pg_temp.added_up) AS d) AS added
UNION ALL
SELECT 'as of', (SELECT count(*) FROM (TABLE pg_temp.added_up EXCEPT SELECT * FROM orchestrator.llm_cost_by_day_as_of(now())) AS d),
       (SELECT count(*) FROM (SELECT * FROM orchestrator.llm_cost_by_day_as_of(now()) EXCEPT TABLE pg_temp.added_up) AS d)
UNION ALL
SELECT 'run', count(*) FILTER (WHERE r.thread_id IS NULL), count(*) FILTER (WHERE u.thread_id IS NULL)
FROM (SELECT thread_id, count(*) AS calls, sum(cost) AS cost, count(*) FILTER (WHERE cost IS NULL) AS unpriced_calls FROM orchestrator.llm_usage_costs WHERE thread_id IS NOT NULL GROUP BY thread_id) AS u
NATURAL FULL JOIN orchestrator.llm_cost_by_run AS r
UNION ALL
SELECT 'prompt', count(*) FILTER (WHERE r.prompt_id IS NULL), count(*) FILTER (WHERE u.prompt_id IS NULL)
FROM (SELECT prompt_id, count(*) AS calls, sum(cost) AS cost, count(*) FILTER (WHERE cost IS NULL) AS unpriced_calls FROM orchestrator.llm_usage_costs WHERE prompt_id IS NOT NULL GROUP BY prompt_id) AS u
NATURAL FULL JOIN orchestrator.llm_cost_by_prompt AS r;
SELECT count(*), count(cost), max(input_tokens) > 9223372036854775807 AS beyond_bigint FROM pg_temp.added_up;
TABLE pg_temp.differences;
ANALYZE orchestrator.llm_token_usage;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET enable_hashagg = off;
CREATE FUNCTION pg_temp.is_parallel() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text; found boolean := false;
BEGIN FOR line IN EXPLAIN TABLE orchestrator.llm_cost_by_day LOOP found := found OR line ~ 'Partial'; END LOOP; RETURN found; END $$;
SELECT pg_temp.is_parallel();
TABLE pg_temp.differences;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
RESET enable_hashagg;
-- Names have no spaces around them, in prices as in calls.
SELECT model FROM orchestrator.set_price('spaces', 10, 10, '2026-01-01', components => '[{"component": " cache_read ", "service_tier": " flex ", "per_million": 1}]');
SELECT pg_temp.cost_of(orchestrator.record_llm_call('spaces', 0, 0, 1000000, service_tier => 'flex', at => '2026-01-02'));
-- A price from today on, beside one that has begun today.
SELECT model FROM orchestrator.set_price('today', 5, 5, effective_at => greatest((now() AT TIME ZONE 'UTC')::date::timestamp AT TIME ZONE 'UTC' + interval '1 microsecond', now() - interval '1 second'));
SELECT input_cost_per_million FROM orchestrator.set_price('today', 7, 7);
SELECT input_cost_per_million FROM orchestrator.model_price('today');
SELECT * FROM orchestrator.import_prices('{"today": {"input_cost_per_token": 9e-6}}');
-- Refused prices.
SELECT pg_temp.refusal(format('SELECT orchestrator.set_price(%L, 1, 1, components => %L)', 'm', c)) FROM unnest(ARRAY['{}', '[1]', '[{}]', '[{"component": "x"}]', '[{"component": "x", "per_unit": 1, "per_million": 1}]', '[{"component": " ", "per_unit": 1}]', '[{"component": "x", "per_unit": -1}]', '[{"component": "x", "per_unit": "NaN"}]', '[{"component": "x", "per_unit": null}]', '[{"component": "input", "per_unit": 1}]', '[{"component": "x", "per_unit": 1}, {"component": "x", "per_unit": 2}]', '[{"component": "x", "per_unit": 1, "above_input": -1}]', '[{"component": "x", "per_unit": 1, "service_tier": ""}]', '[{"component": "x", "per_unit": 1, "above": 1}]']) AS c;
SELECT pg_temp.refusal($$SELECT orchestrator.set_price('m', 1, 1, '2026-01-01', effective_at => '2026-01-02 00:00+00')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_price('m', 1, 1, effective_at => 'infinity')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_price('m', 'NaN', 1)$$);
SELECT count(*) FROM orchestrator.llm_pricing WHERE model = 'm';
-- Refused calls.
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 10, 1, 11, inclusive => true)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 10, 1, reasoning_tokens => 2, inclusive => true)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, cache_write_1h_tokens => -1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, cache_read_tokens => 1000000000000000001)$$);
SELECT pg_temp.refusal(format('SELECT orchestrator.record_llm_call(%L, 1, 1, units => %L)', 'm', u)) FROM unnest(ARRAY['[]', '{"a": "1"}', '{"a": -1}', '{"a": null}', '{"a": [1]}', '{"a": {"b": 1}}']) AS u;
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, service_tier => ' ')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, subject => '')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => -1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => 'NaN')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => 1000000000000)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, units => '{"a": 9e131071}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_price('m', 1, 1, components => '[{"component": "x", "per_unit": 1000000000000}]')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, reservation_id => '0198c5a0-0000-7000-8000-000000000099')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call('m', 1, 1, thread_id => 'nobody')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_llm_call(NULL, 1, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.model_price(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.model_price('m', 'infinity')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.llm_cost_by_day_as_of(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.llm_call_cost('{}', 1, 'standard', 1, 1, 0, 0, 0, 1, 0, '{}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.llm_cost_line(NULL, '[[["input", "standard", 0, "one"]]]', '2026-01-01', 0, 0, 0, NULL, NULL)$$);
SELECT pg_temp.refusal(format('SELECT orchestrator.llm_cost_line(NULL, NULL, %L, 0, 0, 0, %L, NULL)', '2026-01-01', b)) FROM unnest(ARRAY['\x00ff', '\x01', '\x0100ffffff', '\x010001010101010180', '\x010801010101010109', '\x0208', '\x02ffffffff']) AS b;
SELECT pg_temp.refusal(format('SELECT orchestrator.llm_cost_line(NULL, NULL, %L, 0, %s, 0, NULL, NULL)', '2026-01-01', n)) FROM unnest(ARRAY['1.5', '1e40', '''NaN''']) AS n;
SELECT pg_temp.refusal($$SELECT orchestrator.llm_usage_sums_add('\x', '\x01')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.llm_usage_sums(b) FROM unnest(ARRAY['\x02', '\x03']::bytea[]) AS b$$);
SELECT count(*) FROM orchestrator.llm_token_usage WHERE model = 'm';
SELECT split_part(pg_temp.refusal($$INSERT INTO orchestrator.llm_token_usage (model, input_tokens, output_tokens, units) VALUES ('m', 1, 0, '{"a": "1"}')$$), E'\n', 1);
SELECT * FROM orchestrator.verify();
-- Below 0.9.0 the last price of a day stays, rounded to six decimals; the way up brings all of them back.
SELECT count(orchestrator.set_price('steps', p, 0, effective_at => at)) FROM unnest(ARRAY[1, 5, 99999999.9999999], ARRAY['2026-03-01', '2026-03-01 12:00', '2026-03-02']::timestamptz[]) AS s (p, at);
SELECT count(orchestrator.record_llm_call('steps', 1, 0, at => at)) FROM unnest(ARRAY['2026-03-01 01:00', '2026-03-01 23:00', '2026-03-02 12:00']::timestamptz[]) AS at;
SELECT cost, sum(cost) OVER () FROM orchestrator.llm_usage_costs WHERE model = 'steps' ORDER BY "timestamp";
DROP VIEW pg_temp.differences, pg_temp.added_up;
CREATE TEMPORARY TABLE prices AS SELECT * FROM orchestrator.llm_pricing;
SET client_min_messages = warning;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.1';
SELECT cost FROM orchestrator.llm_usage_costs WHERE model = 'steps' ORDER BY "timestamp";
SELECT * FROM orchestrator.verify();
ALTER EXTENSION orchestrator_schema UPDATE;
RESET client_min_messages;
SELECT cost FROM orchestrator.llm_usage_costs WHERE model = 'steps' ORDER BY "timestamp";
SELECT count(*) FROM (SELECT to_jsonb(p) FROM prices AS p EXCEPT SELECT to_jsonb(p) FROM orchestrator.llm_pricing AS p) AS lost;
SELECT * FROM orchestrator.verify();
