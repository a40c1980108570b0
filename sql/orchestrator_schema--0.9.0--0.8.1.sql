\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.1'" to load this file. \quit

-- 0.9.0 -> 0.8.1: removes kinds of tokens besides input and output, components and the past of prices, aliases, and
-- reports as of a moment; orchestrator_archive keeps the rows and values.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.8.1');

-- Levels lose what they may do only from 0.9.0 on.
SELECT orchestrator.renew_access('0.9.0', '0.8.1');

-- functions

CREATE OR REPLACE FUNCTION orchestrator.load_default_prices()
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'load_default_prices_wrapper';

CREATE FUNCTION orchestrator.set_price(model text, input_cost_per_million numeric, output_cost_per_million numeric, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_0_8_1_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text) IS
    'Sets the price of a model from a UTC day on (by default today), in USD per million tokens. Returns the row. Earlier days keep their price';
SELECT orchestrator.copy_grants('orchestrator.set_price(text, numeric, numeric, date, text, text, jsonb, timestamptz)', 'orchestrator.set_price(text, numeric, numeric, date, text, text)');
DROP FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text, jsonb, timestamptz);

CREATE FUNCTION orchestrator.set_price(model text, input_cost_per_million double precision, output_cost_per_million double precision, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_0_8_1_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_price(text, double precision, double precision, date, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_price(text, double precision, double precision, date, text, text) IS
    'Sets the price of a model from a UTC day on, as the form for numeric does. Returns the row';
SELECT orchestrator.copy_grants('orchestrator.set_price(text, double precision, double precision, date, text, text, jsonb, timestamptz)', 'orchestrator.set_price(text, double precision, double precision, date, text, text)');
DROP FUNCTION orchestrator.set_price(text, double precision, double precision, date, text, text, jsonb, timestamptz);

CREATE OR REPLACE FUNCTION orchestrator.llm_cost(model text, input_tokens bigint, output_tokens bigint, at timestamptz DEFAULT now())
RETURNS numeric
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'llm_cost_wrapper';
COMMENT ON FUNCTION orchestrator.llm_cost(text, bigint, bigint, timestamptz) IS
    'The exact cost of a call in USD, by the price in force on its UTC day; NULL if there is no price';

CREATE OR REPLACE FUNCTION orchestrator.record_token_usage(model text, input_tokens bigint, output_tokens bigint, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, at timestamptz DEFAULT now(), thread_id text DEFAULT NULL, task_id uuid DEFAULT NULL, call_id text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_token_usage_0_7_0_wrapper';

DROP FUNCTION orchestrator.llm_cost_by_day_as_of(timestamptz);
DROP FUNCTION orchestrator.import_prices(jsonb, date);
DROP FUNCTION orchestrator.set_model_alias(text, text);
DROP FUNCTION orchestrator.model_price(text, timestamptz);
DROP FUNCTION orchestrator.record_llm_call(double precision, text, bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, boolean, text, uuid, text, text, uuid, uuid, text, timestamptz, uuid);
DROP FUNCTION orchestrator.record_llm_call(text, bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, boolean, text, uuid, text, text, uuid, uuid, text, timestamptz, numeric, uuid);

-- views. A view cannot lose columns, so one without them takes its place, with the grants of users.

DROP VIEW orchestrator.run_cost_differences;
DROP VIEW orchestrator.llm_cost_by_prompt;
ALTER VIEW orchestrator.unpriced_usage RENAME TO unpriced_usage_0_9_0;
ALTER VIEW orchestrator.llm_cost_by_day RENAME TO llm_cost_by_day_0_9_0;
ALTER VIEW orchestrator.llm_usage_costs RENAME TO llm_usage_costs_0_9_0;
ALTER VIEW orchestrator.llm_price_periods RENAME TO llm_price_periods_0_9_0;

CREATE VIEW orchestrator.llm_price_periods AS
SELECT p.model, p.effective_date AS valid_from,
       lead(p.effective_date) OVER (PARTITION BY p.model ORDER BY p.effective_date) AS valid_until,
       p.input_cost_per_million, p.output_cost_per_million, p.id AS price_id
FROM orchestrator.llm_pricing AS p;
COMMENT ON VIEW orchestrator.llm_price_periods IS 'Every price with the UTC days on which it is in force';
COMMENT ON COLUMN orchestrator.llm_price_periods.valid_from IS 'The first UTC day';
COMMENT ON COLUMN orchestrator.llm_price_periods.valid_until IS 'The UTC day of the next price, not included; NULL if there is none yet';

-- Multiply by a millionth instead of dividing by a million: a product of numeric is exact, a quotient is rounded.
CREATE VIEW orchestrator.llm_usage_costs AS
SELECT u.id, u."timestamp", u.day, u.project_id, u.agent_id, u.model, u.input_tokens, u.output_tokens,
       (u.input_tokens * p.input_cost_per_million + u.output_tokens * p.output_cost_per_million) * 0.000001 AS cost,
       p.price_id
FROM (SELECT c.id, c."timestamp", (c."timestamp" AT TIME ZONE 'UTC')::date AS day,
             c.project_id, c.agent_id, c.model, c.input_tokens, c.output_tokens
      FROM orchestrator.llm_token_usage AS c) AS u
LEFT JOIN orchestrator.llm_price_periods AS p
       ON p.model = u.model AND u.day >= p.valid_from AND (p.valid_until IS NULL OR u.day < p.valid_until);
COMMENT ON VIEW orchestrator.llm_usage_costs IS 'Every call with its cost by the price in force on its UTC day';
COMMENT ON COLUMN orchestrator.llm_usage_costs.day IS 'The UTC day of the call';
COMMENT ON COLUMN orchestrator.llm_usage_costs.cost IS 'USD, exact; NULL if the model had no price on that day';
COMMENT ON COLUMN orchestrator.llm_usage_costs.price_id IS 'The price in llm_pricing; NULL if there was none';

-- A price holds for whole days, so calls are added up before they are priced. The sum is the same, with
-- one multiplication per line of the report.
CREATE VIEW orchestrator.llm_cost_by_day AS
SELECT u.day, u.project_id, u.agent_id, u.model, u.calls, u.input_tokens, u.output_tokens,
       u.input_tokens + u.output_tokens AS tokens,
       (u.input_tokens * p.input_cost_per_million + u.output_tokens * p.output_cost_per_million) * 0.000001 AS cost,
       CASE WHEN p.price_id IS NULL THEN u.calls ELSE 0 END AS unpriced_calls
FROM (SELECT (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.project_id, c.agent_id, c.model,
             count(*) AS calls, sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens
      FROM orchestrator.llm_token_usage AS c
      GROUP BY (c."timestamp" AT TIME ZONE 'UTC')::date, c.project_id, c.agent_id, c.model) AS u
LEFT JOIN orchestrator.llm_price_periods AS p
       ON p.model = u.model AND u.day >= p.valid_from AND (p.valid_until IS NULL OR u.day < p.valid_until);
COMMENT ON VIEW orchestrator.llm_cost_by_day IS 'The cost of each project, agent and model on each UTC day';
COMMENT ON COLUMN orchestrator.llm_cost_by_day.cost IS 'USD, exact; NULL if the model had no price on that day';
COMMENT ON COLUMN orchestrator.llm_cost_by_day.unpriced_calls IS 'Calls without a price: all calls of the line, or none';

CREATE VIEW orchestrator.unpriced_usage AS
SELECT u.model, sum(u.calls)::bigint AS calls, sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,
       sum(u.input_tokens) + sum(u.output_tokens) AS tokens, min(u.first_call) AS first_call, max(u.last_call) AS last_call
FROM (SELECT (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.model, count(*) AS calls,
             sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens,
             min(c."timestamp") AS first_call, max(c."timestamp") AS last_call
      FROM orchestrator.llm_token_usage AS c
      GROUP BY (c."timestamp" AT TIME ZONE 'UTC')::date, c.model) AS u
WHERE NOT EXISTS (SELECT FROM orchestrator.llm_pricing AS p WHERE p.model = u.model AND p.effective_date <= u.day)
GROUP BY u.model;
COMMENT ON VIEW orchestrator.unpriced_usage IS 'Models with calls on days without a price, and the number of those calls';

-- Calls of one day and model have one price, so they are added up before they are priced.
CREATE OR REPLACE VIEW orchestrator.run_costs AS
SELECT u.thread_id, sum(u.calls)::bigint AS calls, sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,
       coalesce(sum((u.input_tokens * p.input_cost_per_million + u.output_tokens * p.output_cost_per_million) * 0.000001), 0) AS cost,
       coalesce(sum(u.calls) FILTER (WHERE p.price_id IS NULL), 0)::bigint AS unpriced_calls
FROM (SELECT c.thread_id, (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.model,
             count(*) AS calls, sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens
      FROM orchestrator.llm_token_usage AS c WHERE c.thread_id IS NOT NULL
      GROUP BY c.thread_id, (c."timestamp" AT TIME ZONE 'UTC')::date, c.model) AS u
LEFT JOIN orchestrator.llm_price_periods AS p
       ON p.model = u.model AND u.day >= p.valid_from AND (p.valid_until IS NULL OR u.day < p.valid_until)
GROUP BY u.thread_id;
COMMENT ON VIEW orchestrator.run_costs IS 'The recorded calls of each run with their tokens and exact cost';

SELECT orchestrator.copy_grants('orchestrator.llm_price_periods_0_9_0', 'orchestrator.llm_price_periods');
SELECT orchestrator.copy_grants('orchestrator.llm_usage_costs_0_9_0', 'orchestrator.llm_usage_costs');
SELECT orchestrator.copy_grants('orchestrator.llm_cost_by_day_0_9_0', 'orchestrator.llm_cost_by_day');
SELECT orchestrator.copy_grants('orchestrator.unpriced_usage_0_9_0', 'orchestrator.unpriced_usage');
DROP VIEW orchestrator.llm_cost_by_run;
DROP VIEW orchestrator.unpriced_usage_0_9_0;
DROP VIEW orchestrator.llm_cost_by_day_0_9_0;
DROP VIEW orchestrator.llm_usage_costs_0_9_0;
DROP VIEW orchestrator.llm_price_limits;
DROP VIEW orchestrator.llm_price_lists;
DROP VIEW orchestrator.llm_prices_by_name;
DROP VIEW orchestrator.llm_price_periods_0_9_0;
DROP FUNCTION orchestrator.llm_unpriced_units(jsonb, integer, text, bigint, jsonb);
DROP FUNCTION orchestrator.llm_input_units(jsonb);
DROP FUNCTION orchestrator.llm_call_cost(jsonb, integer, text, bigint, bigint, bigint, bigint, bigint, bigint, bigint, jsonb);
DROP FUNCTION orchestrator.llm_cost_line(timestamptz[], jsonb, date, bigint, numeric, numeric, bytea, numeric);
DROP AGGREGATE orchestrator.llm_usage_sums(bytea);
DROP FUNCTION orchestrator.llm_usage_sums_add(bytea, bytea);
DROP FUNCTION orchestrator.llm_special_call(bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, numeric, timestamptz, bigint[], timestamptz[]);

-- tables

SELECT orchestrator.archive_table('orchestrator.llm_model_aliases');
SELECT orchestrator.archive_table('orchestrator.llm_price_components');

-- Below 0.9.0 a model has one price a day, with six decimals. The first one of the day stays, with the costs of the
-- last one, because later days go on with those. The others get a name of their own, which no call has. No user changed these rows, so no user's trigger runs.
DROP INDEX orchestrator.uq_llm_pricing_begins;
SELECT orchestrator.archive_columns('orchestrator.llm_pricing', array['model', 'input_cost_per_million', 'output_cost_per_million', 'effective_at', 'replaced_at', 'replaces']);
SET LOCAL session_replication_role TO replica;
UPDATE orchestrator.llm_pricing AS p
SET input_cost_per_million = d.input_cost_per_million, output_cost_per_million = d.output_cost_per_million
FROM (SELECT DISTINCT ON (o.model, o.effective_date) o.input_cost_per_million, o.output_cost_per_million,
             first_value(o.id) OVER (PARTITION BY o.model, o.effective_date ORDER BY o.effective_at NULLS FIRST) AS id
      FROM orchestrator.llm_pricing AS o WHERE o.replaced_at IS NULL
      ORDER BY o.model, o.effective_date, o.effective_at DESC NULLS LAST) AS d
WHERE d.id = p.id AND (p.input_cost_per_million <> d.input_cost_per_million OR p.output_cost_per_million <> d.output_cost_per_million);
UPDATE orchestrator.llm_pricing AS p
SET model = left(p.model, 400) || ' (another price of the day: ' || p.id || ')'
FROM (SELECT o.id, row_number() OVER (PARTITION BY o.model, o.effective_date
                                      ORDER BY o.replaced_at DESC NULLS FIRST, o.effective_at NULLS FIRST, o.id DESC) AS place
      FROM orchestrator.llm_pricing AS o) AS d
WHERE d.id = p.id AND (d.place > 1 OR p.replaced_at IS NOT NULL);
UPDATE orchestrator.llm_pricing AS p
SET input_cost_per_million = least(round(p.input_cost_per_million, 6), 99999999.999999), output_cost_per_million = least(round(p.output_cost_per_million, 6), 99999999.999999)
WHERE p.input_cost_per_million <> round(p.input_cost_per_million, 6) OR p.output_cost_per_million <> round(p.output_cost_per_million, 6);
SET LOCAL session_replication_role TO origin;
SELECT orchestrator.note_filled_in('orchestrator.llm_pricing', array['model', 'input_cost_per_million', 'output_cost_per_million']);

ALTER TABLE orchestrator.llm_pricing
    DROP CONSTRAINT llm_pricing_effective_at_check,
    DROP CONSTRAINT llm_pricing_input_cost_per_million_check,
    DROP CONSTRAINT llm_pricing_output_cost_per_million_check,
    ADD CONSTRAINT llm_pricing_model_effective_date_key UNIQUE (model, effective_date),
    ADD CONSTRAINT llm_pricing_input_cost_per_million_check  CHECK (input_cost_per_million >= 0 AND input_cost_per_million < 100000000 AND input_cost_per_million = round(input_cost_per_million, 6)),
    ADD CONSTRAINT llm_pricing_output_cost_per_million_check CHECK (output_cost_per_million >= 0 AND output_cost_per_million < 100000000 AND output_cost_per_million = round(output_cost_per_million, 6)),
    DROP COLUMN replaces,
    DROP COLUMN replaced_at,
    DROP COLUMN effective_at;

SELECT orchestrator.archive_columns('orchestrator.llm_token_usage', array['cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'reasoning_tokens', 'units', 'service_tier', 'reported_cost', 'prompt_id', 'subject']);
DROP INDEX orchestrator.idx_token_usage_prompt;
ALTER TABLE orchestrator.llm_token_usage
    DROP CONSTRAINT llm_token_usage_call_check,
    DROP COLUMN subject,
    DROP COLUMN prompt_id,
    DROP COLUMN reported_cost,
    DROP COLUMN service_tier,
    DROP COLUMN units,
    DROP COLUMN reasoning_tokens,
    DROP COLUMN cache_write_1h_tokens,
    DROP COLUMN cache_write_tokens,
    DROP COLUMN cache_read_tokens;
DROP FUNCTION orchestrator.is_valid_llm_call(bigint, bigint, bigint, bigint, jsonb, text, numeric, text);
COMMENT ON COLUMN orchestrator.llm_token_usage.input_tokens IS NULL;
COMMENT ON COLUMN orchestrator.llm_token_usage.output_tokens IS NULL;
