\i head.sql
SET timezone = 'America/New_York';
\set project '0198c5a3-0000-7000-8000-000000000001'
-- 27,147 input and 351 output tokens at 1.40 and 4.40 USD per million.
SELECT input_cost_per_million, output_cost_per_million, effective_date, status, notes, updated_by FROM orchestrator.set_price('frugal', 1.40, 4.40, '2026-01-01', 'list', 'ada');
SELECT orchestrator.llm_cost('frugal', 27147, 351, '2026-01-15 12:00+00'), orchestrator.llm_cost('frugal', 27147, 351, '2026-01-15 12:00+00') = 0.03955020;
SELECT orchestrator.record_token_usage('frugal', 27147, 351, :'project', 'writer', '2026-01-31 23:59:59.999999+00') IS NOT NULL;
SELECT day, calls, tokens, cost, unpriced_calls FROM orchestrator.llm_cost_by_day;
-- A new price does not change earlier days; the day is the UTC day in every time zone of the session.
SELECT effective_date FROM orchestrator.set_price('frugal', 2.80, 8.80, '2026-02-01');
SELECT orchestrator.record_token_usage('frugal', 27147, 351, :'project', 'writer', '2026-02-01 00:00:00+00') IS NOT NULL;
SELECT u.day, u.cost, p.effective_date FROM orchestrator.llm_usage_costs AS u JOIN orchestrator.llm_pricing AS p ON p.id = u.price_id ORDER BY u.day;
SELECT orchestrator.llm_cost('frugal', 27147, 351, '2026-01-31 23:59:59.999999+00'), orchestrator.llm_cost('frugal', 27147, 351, '2026-02-01 00:00:00+00');
SELECT valid_from, valid_until, input_cost_per_million FROM orchestrator.llm_price_periods ORDER BY valid_from;
-- Setting the price of the same day again replaces it; arguments that are left out keep their values.
SELECT input_cost_per_million, output_cost_per_million, notes, updated_by, updated_at = now() FROM orchestrator.set_price('frugal', 1.40, 4.40, '2026-01-01');
SELECT count(*) FROM orchestrator.llm_pricing;
-- Usage without a price is reported as such, and never as free: before the first price, and of a model without one.
SELECT orchestrator.record_token_usage('frugal', 10, 10, :'project', 'writer', '2025-12-31 23:00+00') IS NOT NULL;
SELECT orchestrator.record_token_usage('unheard-of', 1000, 5, at => '2026-02-01 10:00+00') IS NOT NULL;
INSERT INTO orchestrator.llm_token_usage ("timestamp", model, input_tokens, output_tokens)
SELECT '2026-02-01 11:00+00', 'unheard-of', n, 0 FROM generate_series(1, 100) AS n;
SELECT day, project_id IS NULL, agent_id, model, calls, input_tokens, output_tokens, tokens, cost, unpriced_calls FROM orchestrator.llm_cost_by_day ORDER BY day, model;
SELECT model, calls, input_tokens, output_tokens, tokens, first_call AT TIME ZONE 'UTC', last_call AT TIME ZONE 'UTC' FROM orchestrator.unpriced_usage ORDER BY model;
SELECT count(*), count(cost), count(price_id) FROM orchestrator.llm_usage_costs;
SELECT orchestrator.llm_cost('unheard-of', 1, 1) IS NULL, orchestrator.llm_cost('frugal', 1, 1, '2025-12-31 23:59:59+00') IS NULL, orchestrator.llm_cost('frugal', 0, 0, '2026-01-01 00:00+00');
-- A deprecated model keeps its price.
UPDATE orchestrator.llm_pricing SET status = 'deprecated' WHERE model = 'frugal' RETURNING updated_at = now();
SELECT orchestrator.llm_cost('frugal', 27147, 351, '2026-02-01 00:00+00');
-- Costs are not rounded: a thousand calls of one token cost a thousand times as much as one, and the greatest counts fit.
SELECT input_cost_per_million FROM orchestrator.set_price('smallest', 0.000001, 99999999.999999, '2026-01-01');
SELECT orchestrator.llm_cost('smallest', 1, 0, '2026-01-01 12:00+00'), orchestrator.llm_cost('smallest', 9223372036854775807, 9223372036854775807, '2026-01-01 12:00+00');
SELECT sum(orchestrator.llm_cost('smallest', 1, 0, '2026-01-01 12:00+00')) FROM generate_series(1, 1000);
-- Ten thousand calls: in units of 10^-12 USD, each cost equals the result of integer arithmetic.
SELECT input_cost_per_million, output_cost_per_million FROM orchestrator.set_price('odd', 1.234567, 7.654321, '2026-01-01');
SELECT count(*) FROM (SELECT abs(hashint8(n)::bigint) AS i, abs(hashint8(-n)::bigint) AS o FROM generate_series(1, 10000) AS n) AS call
WHERE orchestrator.llm_cost('odd', i, o, '2026-01-01 12:00+00') * 1000000000000 IS DISTINCT FROM i::numeric * 1234567 + o::numeric * 7654321;
-- Both ways of summing agree.
SELECT (SELECT sum(cost) FROM orchestrator.llm_usage_costs) = (SELECT sum(cost) FROM orchestrator.llm_cost_by_day);
-- Loading the list prices adds missing prices, and overwrites none.
SELECT effective_date FROM orchestrator.set_price('gpt-4o', 1, 1, '2020-01-01');
SELECT orchestrator.load_default_prices(), orchestrator.load_default_prices();
SELECT model, input_cost_per_million, output_cost_per_million, effective_date = (now() AT TIME ZONE 'UTC')::date FROM orchestrator.llm_pricing WHERE notes = 'list price' OR model = 'gpt-4o' ORDER BY model;
-- Refused prices.
SELECT pg_temp.refusal(format('SELECT orchestrator.set_price(%L, %s, 1)', 'm', price)) FROM unnest(ARRAY['-0.01', '100000000', '0.0000001', '''NaN''', '''Infinity''', '''-Infinity''', 'NULL']) AS price;
SELECT pg_temp.refusal(format('SELECT orchestrator.set_price(%L, 1, %s)', 'm', price)) FROM unnest(ARRAY['-1', '1e9', 'NULL']) AS price;
SELECT pg_temp.refusal($$SELECT orchestrator.set_price('m', 1e100000, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_price(NULL, 1, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_price(' ', 1, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_price('m', 1, 1, 'infinity')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_price('m', 1, 1, '-infinity')$$);
SELECT count(*) FROM orchestrator.llm_pricing WHERE model = 'm';
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.llm_pricing SET input_cost_per_million = 'NaN'$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.llm_pricing SET output_cost_per_million = -1$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.llm_pricing SET status = 'gone'$$), E'\n', 1);
-- Refused usage and costs.
SELECT pg_temp.refusal($$SELECT orchestrator.record_token_usage(NULL, 1, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_token_usage('', 1, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_token_usage(repeat('m', 501), 1, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_token_usage('m', -1, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_token_usage('m', 1, -1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_token_usage('m', NULL, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_token_usage('m', 1, NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_token_usage('m', 1, 1, agent_id => ' ')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_token_usage('m', 1, 1, at => 'infinity')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.llm_cost(NULL, 1, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.llm_cost('m', -1, 1)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.llm_cost('m', 1, NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.llm_cost('m', 1, 1, '-infinity')$$);
SELECT count(*) FROM orchestrator.llm_token_usage WHERE model = 'm';
SELECT split_part(pg_temp.refusal($$INSERT INTO orchestrator.llm_token_usage (model, input_tokens, output_tokens) VALUES ('m', -1, 0)$$), E'\n', 1);
-- The report of one project on one day reads an index.
SET enable_seqscan = off;
CREATE FUNCTION pg_temp.reads(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
        RETURN QUERY SELECT (regexp_match(line, 'idx_token_usage_\w+'))[1] WHERE line ~ 'idx_token_usage_';
    END LOOP;
END $$;
SELECT pg_temp.reads(format('SELECT * FROM orchestrator.llm_cost_by_day WHERE day = %L AND project_id = %L', '2026-02-01', :'project'));
-- The default day is today in UTC in every time zone of the session; at any hour, one of these zones has another day.
SET timezone = 'Etc/GMT+12';
SELECT p.effective_date = (now() AT TIME ZONE 'UTC')::date, orchestrator.llm_cost('west', 1, 1) FROM orchestrator.set_price('west', 1, 1) AS p;
INSERT INTO orchestrator.llm_pricing (model, input_cost_per_million, output_cost_per_million) VALUES ('plain west', 1, 1) RETURNING effective_date = (now() AT TIME ZONE 'UTC')::date;
SET timezone = 'Etc/GMT-14';
SELECT p.effective_date = (now() AT TIME ZONE 'UTC')::date, orchestrator.llm_cost('east', 1, 1) FROM orchestrator.set_price('east', 1, 1, NULL) AS p;
INSERT INTO orchestrator.llm_pricing (model, input_cost_per_million, output_cost_per_million) VALUES ('plain east', 1, 1) RETURNING effective_date = (now() AT TIME ZONE 'UTC')::date;
RESET timezone;
SELECT * FROM orchestrator.verify();
