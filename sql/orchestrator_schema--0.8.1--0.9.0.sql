\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.9.0'" to load this file. \quit

-- 0.8.1 -> 0.9.0: exact money: every token counted once, prices with components and a past, aliases, reports as of a moment.
-- Rows and values kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.9.0');

-- llm_token_usage: no token is in two columns, so that a cost is a sum of products.

CREATE FUNCTION orchestrator.is_valid_llm_call(cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint, reasoning_tokens bigint, units jsonb, service_tier text, reported_cost numeric, subject text)
RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'is_valid_llm_call_wrapper';
GRANT EXECUTE ON FUNCTION orchestrator.is_valid_llm_call(bigint, bigint, bigint, bigint, jsonb, text, numeric, text) TO PUBLIC;
COMMENT ON FUNCTION orchestrator.is_valid_llm_call(bigint, bigint, bigint, bigint, jsonb, text, numeric, text) IS
    'Whether tokens are from 0 to 10^18, units are an object of such numbers, a reported cost is from 0 to below 10^12 USD, and no name is blank. The check of llm_token_usage uses it';

ALTER TABLE orchestrator.llm_token_usage
    ADD COLUMN cache_read_tokens     bigint NOT NULL DEFAULT 0,
    ADD COLUMN cache_write_tokens    bigint NOT NULL DEFAULT 0,
    ADD COLUMN cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
    ADD COLUMN reasoning_tokens      bigint NOT NULL DEFAULT 0,
    ADD COLUMN units                 jsonb  NOT NULL DEFAULT '{}',
    ADD COLUMN service_tier          text   NOT NULL DEFAULT 'standard',
    ADD COLUMN reported_cost         numeric,
    ADD COLUMN prompt_id             uuid,
    ADD COLUMN subject               text,
    -- One check: the server reads the text of each again for every recorded call.
    ADD CONSTRAINT llm_token_usage_call_check CHECK (orchestrator.is_valid_llm_call(cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, units, service_tier, reported_cost, subject));
COMMENT ON COLUMN orchestrator.llm_token_usage.input_tokens IS 'Tokens of the input that were neither read from the cache nor written to it';
COMMENT ON COLUMN orchestrator.llm_token_usage.output_tokens IS 'Tokens of the output without those of reasoning';
COMMENT ON COLUMN orchestrator.llm_token_usage.cache_read_tokens IS 'Tokens of the input that were read from the cache';
COMMENT ON COLUMN orchestrator.llm_token_usage.cache_write_tokens IS 'Tokens of the input that were written to the cache for five minutes';
COMMENT ON COLUMN orchestrator.llm_token_usage.cache_write_1h_tokens IS 'Tokens of the input that were written to the cache for an hour';
COMMENT ON COLUMN orchestrator.llm_token_usage.reasoning_tokens IS 'Tokens of the output that the model used for reasoning';
COMMENT ON COLUMN orchestrator.llm_token_usage.units IS 'Everything else that the provider charges for, by the name of its component, such as {"web_search": 2}';
COMMENT ON COLUMN orchestrator.llm_token_usage.service_tier IS 'The tier of the call, such as batch, flex, priority or a region, as the price names it';
COMMENT ON COLUMN orchestrator.llm_token_usage.reported_cost IS 'USD that the provider says; it is the cost of the call, whatever the price';
COMMENT ON COLUMN orchestrator.llm_token_usage.prompt_id IS 'The prompt of the call; NULL for none';
COMMENT ON COLUMN orchestrator.llm_token_usage.subject IS 'The user, key or tag that is charged; NULL for none';

SELECT orchestrator.restore_columns('orchestrator.llm_token_usage', array['cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'reasoning_tokens', 'units', 'service_tier', 'reported_cost', 'prompt_id', 'subject']);

-- Calls without a prompt cost this index nothing.
CREATE INDEX idx_token_usage_prompt ON orchestrator.llm_token_usage (prompt_id) WHERE prompt_id IS NOT NULL;

-- llm_pricing: a price that has begun is never overwritten.

ALTER TABLE orchestrator.llm_pricing
    ADD COLUMN effective_at timestamptz,
    ADD COLUMN replaced_at  timestamptz,
    ADD COLUMN replaces     uuid,
    ADD CONSTRAINT llm_pricing_effective_at_check CHECK ((effective_at AT TIME ZONE 'UTC')::date = effective_date),
    DROP CONSTRAINT llm_pricing_model_effective_date_key,
    DROP CONSTRAINT llm_pricing_input_cost_per_million_check,
    DROP CONSTRAINT llm_pricing_output_cost_per_million_check,
    ADD CONSTRAINT llm_pricing_input_cost_per_million_check  CHECK (input_cost_per_million >= 0 AND input_cost_per_million < 100000000),
    ADD CONSTRAINT llm_pricing_output_cost_per_million_check CHECK (output_cost_per_million >= 0 AND output_cost_per_million < 100000000);
COMMENT ON COLUMN orchestrator.llm_pricing.effective_at IS 'The moment at which the price begins, on its effective_date; NULL: at the beginning of that UTC day';
COMMENT ON COLUMN orchestrator.llm_pricing.replaced_at IS 'When another row took the place of this one; NULL while it counts';
COMMENT ON COLUMN orchestrator.llm_pricing.replaces IS 'The price in whose place this one stands; NULL for none';

SELECT orchestrator.restore_columns('orchestrator.llm_pricing', array['model', 'input_cost_per_million', 'output_cost_per_million', 'effective_at', 'replaced_at', 'replaces']);

CREATE UNIQUE INDEX uq_llm_pricing_begins ON orchestrator.llm_pricing
    (model, (coalesce(effective_at, effective_date::timestamp AT TIME ZONE 'UTC'))) WHERE replaced_at IS NULL;

-- llm_price_components

CREATE TABLE orchestrator.llm_price_components (
    price_id     uuid    NOT NULL CONSTRAINT llm_price_components_price_id_fkey REFERENCES orchestrator.llm_pricing (id) ON DELETE CASCADE,
    component    text    NOT NULL,
    service_tier text    NOT NULL DEFAULT 'standard',
    above_input  bigint  NOT NULL DEFAULT 0,
    unit_cost    numeric NOT NULL,
    PRIMARY KEY (price_id, component, service_tier, above_input),
    CONSTRAINT llm_price_components_component_check    CHECK (btrim(component) <> ''),
    CONSTRAINT llm_price_components_service_tier_check CHECK (btrim(service_tier) <> ''),
    CONSTRAINT llm_price_components_above_input_check  CHECK (above_input >= 0),
    CONSTRAINT llm_price_components_unit_cost_check    CHECK (unit_cost >= 0 AND unit_cost < 1000000000000),
    -- The price itself holds these two.
    CONSTRAINT llm_price_components_base_check         CHECK (NOT (component IN ('input', 'output') AND service_tier = 'standard' AND above_input = 0))
);
COMMENT ON TABLE orchestrator.llm_price_components IS 'Unit costs of a price besides those of input and output: for cached tokens, other units, tiers, and long inputs';
COMMENT ON COLUMN orchestrator.llm_price_components.component IS 'A kind of token (input, output, cache_read, cache_write, cache_write_1h, reasoning), or the name of another unit';
COMMENT ON COLUMN orchestrator.llm_price_components.service_tier IS 'The tier for which the cost holds';
COMMENT ON COLUMN orchestrator.llm_price_components.above_input IS 'The cost holds for calls whose whole input has more tokens than this; 0: for every call';
COMMENT ON COLUMN orchestrator.llm_price_components.unit_cost IS 'USD per unit, exact';

SELECT orchestrator.restore_table('orchestrator.llm_price_components');
SELECT pg_extension_config_dump('orchestrator.llm_price_components', '');

-- llm_model_aliases

CREATE TABLE orchestrator.llm_model_aliases (
    alias text PRIMARY KEY,
    model text NOT NULL,
    CONSTRAINT llm_model_aliases_alias_check CHECK (btrim(alias) <> '' AND alias <> model),
    CONSTRAINT llm_model_aliases_model_check CHECK (btrim(model) <> '')
);
COMMENT ON TABLE orchestrator.llm_model_aliases IS 'Other names of models: calls by a name without a price have the price of the model';
COMMENT ON COLUMN orchestrator.llm_model_aliases.alias IS 'The name that calls use';
COMMENT ON COLUMN orchestrator.llm_model_aliases.model IS 'The name of the price; another alias does not count';

SELECT orchestrator.restore_table('orchestrator.llm_model_aliases');
SELECT pg_extension_config_dump('orchestrator.llm_model_aliases', '');

-- functions of the views. The server asks whoever reads a view, also through a view of a user, for the right to call them.
-- They read nothing but their arguments, so everybody has it. Decision readers-of-costs-may-compute-them.

CREATE FUNCTION orchestrator.llm_special_call(input_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint, reasoning_tokens bigint, units jsonb, service_tier text, reported_cost numeric, at timestamptz, steps bigint[], moments timestamptz[])
RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'llm_special_call_wrapper';
GRANT EXECUTE ON FUNCTION orchestrator.llm_special_call(bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, numeric, timestamptz, bigint[], timestamptz[]) TO PUBLIC;
COMMENT ON FUNCTION orchestrator.llm_special_call(bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, numeric, timestamptz, bigint[], timestamptz[]) IS
    'A call for llm_usage_sums; NULL if its cost depends on nothing but its model, its day, and its tokens of input and output. The views over calls use it';

CREATE FUNCTION orchestrator.llm_usage_sums_add(sums bytea, others bytea)
RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'llm_usage_sums_add_wrapper';
REVOKE ALL ON FUNCTION orchestrator.llm_usage_sums_add(bytea, bytea) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.llm_usage_sums_add(bytea, bytea) IS
    'Adds a call, or sums, to the sums of llm_usage_sums. Only that aggregate calls it';

CREATE AGGREGATE orchestrator.llm_usage_sums(call bytea) (
    SFUNC = orchestrator.llm_usage_sums_add,
    STYPE = bytea,
    COMBINEFUNC = orchestrator.llm_usage_sums_add,
    PARALLEL = SAFE
);
GRANT EXECUTE ON FUNCTION orchestrator.llm_usage_sums(bytea) TO PUBLIC;
COMMENT ON AGGREGATE orchestrator.llm_usage_sums(bytea) IS
    'Sums of the calls of llm_special_call by all that their cost depends on besides the model, for llm_cost_line; NULL if all calls are plain. The views over calls use it';

CREATE FUNCTION orchestrator.llm_cost_line(begins timestamptz[], unit_costs jsonb, day date, calls bigint, input_tokens numeric, output_tokens numeric, sums bytea, reported_cost numeric)
RETURNS numeric[]
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'llm_cost_line_wrapper';
GRANT EXECUTE ON FUNCTION orchestrator.llm_cost_line(timestamptz[], jsonb, date, bigint, numeric, numeric, bytea, numeric) TO PUBLIC;
COMMENT ON FUNCTION orchestrator.llm_cost_line(timestamptz[], jsonb, date, bigint, numeric, numeric, bytea, numeric) IS
    'The exact cost in USD, the calls without a cost, and the tokens besides input and output, of the calls of one model on one UTC day. The views over calls use it';

CREATE FUNCTION orchestrator.llm_call_cost(unit_costs jsonb, place integer, service_tier text, n bigint, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint, reasoning_tokens bigint, units jsonb)
RETURNS numeric
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'llm_call_cost_wrapper';
GRANT EXECUTE ON FUNCTION orchestrator.llm_call_cost(jsonb, integer, text, bigint, bigint, bigint, bigint, bigint, bigint, bigint, jsonb) TO PUBLIC;
COMMENT ON FUNCTION orchestrator.llm_call_cost(jsonb, integer, text, bigint, bigint, bigint, bigint, bigint, bigint, bigint, jsonb) IS
    'The exact cost of a call in USD; NULL if no price was in force or a unit has no cost. The views over calls use it';

CREATE FUNCTION orchestrator.llm_input_units(units jsonb)
RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'llm_input_units_wrapper';
GRANT EXECUTE ON FUNCTION orchestrator.llm_input_units(jsonb) TO PUBLIC;
COMMENT ON FUNCTION orchestrator.llm_input_units(jsonb) IS
    'The tokens among the units of a call that belong to its input, such as those of audio. The views over calls use it';

CREATE FUNCTION orchestrator.llm_unpriced_units(unit_costs jsonb, place integer, service_tier text, n bigint, units jsonb)
RETURNS text[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'llm_unpriced_units_wrapper';
GRANT EXECUTE ON FUNCTION orchestrator.llm_unpriced_units(jsonb, integer, text, bigint, jsonb) TO PUBLIC;
COMMENT ON FUNCTION orchestrator.llm_unpriced_units(jsonb, integer, text, bigint, jsonb) IS
    'The units of a call that have no cost at the price in force. The views over calls use it';

-- views

CREATE OR REPLACE VIEW orchestrator.llm_price_periods AS
SELECT p.model, p.effective_date AS valid_from,
       lead(p.effective_date) OVER (PARTITION BY p.model ORDER BY p.begins) AS valid_until,
       p.input_cost_per_million, p.output_cost_per_million, p.id AS price_id,
       p.begins, lead(p.begins) OVER (PARTITION BY p.model ORDER BY p.begins) AS ends
FROM (SELECT c.model, c.effective_date, c.input_cost_per_million, c.output_cost_per_million, c.id,
             coalesce(c.effective_at, c.effective_date::timestamp AT TIME ZONE 'UTC') AS begins
      FROM orchestrator.llm_pricing AS c WHERE c.replaced_at IS NULL) AS p;
COMMENT ON VIEW orchestrator.llm_price_periods IS 'Every price that was not replaced, with the time in which it is in force';
COMMENT ON COLUMN orchestrator.llm_price_periods.begins IS 'The moment from which the price is in force';
COMMENT ON COLUMN orchestrator.llm_price_periods.ends IS 'The moment of the next price, not included; NULL if there is none yet';

-- A price of its own goes before that of an alias.
CREATE VIEW orchestrator.llm_prices_by_name AS
SELECT n.name, n.begins, n.ends, n.model, n.price_id,
       jsonb_build_array(
           jsonb_build_array('input', 'standard', 0, (n.input_cost_per_million * 0.000001)::text),
           jsonb_build_array('output', 'standard', 0, (n.output_cost_per_million * 0.000001)::text))
       || coalesce((SELECT jsonb_agg(jsonb_build_array(c.component, c.service_tier, c.above_input, c.unit_cost::text))
                    FROM orchestrator.llm_price_components AS c WHERE c.price_id = n.price_id), '[]') AS unit_costs
FROM (SELECT p.model AS name, p.begins, p.ends, p.model, p.price_id, p.input_cost_per_million, p.output_cost_per_million
      FROM orchestrator.llm_price_periods AS p
      UNION ALL
      SELECT a.alias AS name, p.begins, least(p.ends, a.own_price_begins) AS ends, p.model, p.price_id, p.input_cost_per_million, p.output_cost_per_million
      FROM (SELECT m.alias, m.model,
                   (SELECT min(o.begins) FROM orchestrator.llm_price_periods AS o WHERE o.model = m.alias) AS own_price_begins
            FROM orchestrator.llm_model_aliases AS m) AS a
      JOIN orchestrator.llm_price_periods AS p ON p.model = a.model AND (a.own_price_begins IS NULL OR p.begins < a.own_price_begins)) AS n;
COMMENT ON VIEW orchestrator.llm_prices_by_name IS 'The prices of each name that a call can use, of models and of aliases, with the time in which they are in force and all unit costs';
COMMENT ON COLUMN orchestrator.llm_prices_by_name.name IS 'The name that calls use';
COMMENT ON COLUMN orchestrator.llm_prices_by_name.ends IS 'The moment of the next price, not included; NULL if there is none yet';
COMMENT ON COLUMN orchestrator.llm_prices_by_name.model IS 'The model of the price';
COMMENT ON COLUMN orchestrator.llm_prices_by_name.unit_costs IS 'Arrays of component, service tier, length of the input above which it holds, and USD per unit';

CREATE VIEW orchestrator.llm_price_lists AS
SELECT p.name, array_agg(p.begins ORDER BY p.begins) AS begins, array_agg(p.price_id ORDER BY p.begins) AS price_ids,
       jsonb_agg(p.unit_costs ORDER BY p.begins) AS unit_costs
FROM orchestrator.llm_prices_by_name AS p
GROUP BY p.name;
COMMENT ON VIEW orchestrator.llm_price_lists IS 'All prices of each name that a call can use, in the order of the times from which they are in force';
COMMENT ON COLUMN orchestrator.llm_price_lists.begins IS 'The time from which each price is in force, until the next one';
COMMENT ON COLUMN orchestrator.llm_price_lists.price_ids IS 'Each price in llm_pricing';
COMMENT ON COLUMN orchestrator.llm_price_lists.unit_costs IS 'The unit costs of each price, as in llm_prices_by_name';

CREATE OR REPLACE VIEW orchestrator.llm_usage_costs AS
SELECT u.id, u."timestamp", u.day, u.project_id, u.agent_id, u.model, u.input_tokens, u.output_tokens,
       coalesce(u.reported_cost, orchestrator.llm_call_cost(p.unit_costs, width_bucket(u."timestamp", p.begins), u.service_tier, u.n, u.input_tokens, u.output_tokens,
           u.cache_read_tokens, u.cache_write_tokens, u.cache_write_1h_tokens, u.reasoning_tokens, u.units)) AS cost,
       p.price_ids[width_bucket(u."timestamp", p.begins)] AS price_id,
       u.cache_read_tokens, u.cache_write_tokens, u.cache_write_1h_tokens, u.reasoning_tokens, u.units, u.service_tier, u.n,
       u.thread_id, u.prompt_id,
       CASE WHEN u.units <> '{}' AND u.reported_cost IS NULL
            THEN orchestrator.llm_unpriced_units(p.unit_costs, width_bucket(u."timestamp", p.begins), u.service_tier, u.n, u.units)
            ELSE '{}' END AS unpriced_units
FROM (SELECT c.id, c."timestamp", (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.project_id, c.agent_id, c.model, c.input_tokens, c.output_tokens,
             c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens, c.units, c.service_tier,
             least(c.input_tokens, 4000000000000000000) + c.cache_read_tokens + c.cache_write_tokens + c.cache_write_1h_tokens
                 + CASE WHEN c.units = '{}' THEN 0 ELSE orchestrator.llm_input_units(c.units) END AS n,
             c.thread_id, c.prompt_id, c.reported_cost
      FROM orchestrator.llm_token_usage AS c) AS u
LEFT JOIN orchestrator.llm_price_lists AS p ON p.name = u.model;
COMMENT ON VIEW orchestrator.llm_usage_costs IS 'Every call with its cost: the one that the provider reported, else that by the price in force when it was made';
COMMENT ON COLUMN orchestrator.llm_usage_costs.cost IS 'USD, exact; NULL if there was no price, or none for one of the units';
COMMENT ON COLUMN orchestrator.llm_usage_costs.n IS 'Tokens of the whole input, which decide the step of the price: new, read, written, and those of audio and images';
COMMENT ON COLUMN orchestrator.llm_usage_costs.unpriced_units IS 'Units of the call that the price has no cost for; NULL if there was no price';

-- Calls of the same price, tier, step and units are added up before they are priced. The sum is the same, with few
-- multiplications for each line of the report.
CREATE VIEW orchestrator.llm_price_limits AS
SELECT (SELECT array_agg(DISTINCT c.above_input ORDER BY c.above_input)
        FROM orchestrator.llm_price_components AS c WHERE c.above_input > 0) AS steps,
       (SELECT array_agg(DISTINCT p.effective_at ORDER BY p.effective_at)
        FROM orchestrator.llm_pricing AS p WHERE p.effective_at IS NOT NULL AND p.replaced_at IS NULL) AS moments;
COMMENT ON VIEW orchestrator.llm_price_limits IS 'One row: where a unit cost or a price begins within the calls of a UTC day, over all models';
COMMENT ON COLUMN orchestrator.llm_price_limits.steps IS 'The lengths of the input above which a unit cost begins, in order; NULL for none';
COMMENT ON COLUMN orchestrator.llm_price_limits.moments IS 'The times within a UTC day at which a price begins, in order; NULL for none';

-- Calls are added up before they are priced: a line of the report is one computation, however many calls it has.
CREATE OR REPLACE VIEW orchestrator.llm_cost_by_day AS
SELECT u.day, u.project_id, u.agent_id, u.model, u.calls, u.input_tokens, u.output_tokens,
       u.input_tokens + u.output_tokens + coalesce(k.line[7], 0) AS tokens, k.line[1] AS cost, coalesce(k.line[2], 0)::bigint AS unpriced_calls,
       coalesce(k.line[3], 0) AS cache_read_tokens, coalesce(k.line[4], 0) AS cache_write_tokens,
       coalesce(k.line[5], 0) AS cache_write_1h_tokens, coalesce(k.line[6], 0) AS reasoning_tokens
FROM (SELECT (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.project_id, c.agent_id, c.model, count(*) AS calls,
             sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(c.reported_cost) AS reported_cost,
             orchestrator.llm_usage_sums(x.call) AS sums
      FROM orchestrator.llm_token_usage AS c CROSS JOIN orchestrator.llm_price_limits AS s
      -- LEFT JOIN computes it below the sort or the hash, which then holds no other column of a plain call for it.
      LEFT JOIN LATERAL (SELECT orchestrator.llm_special_call(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens,
                                     c.units, c.service_tier, c.reported_cost, c."timestamp", s.steps, s.moments) AS call) AS x ON true
      GROUP BY (c."timestamp" AT TIME ZONE 'UTC')::date, c.project_id, c.agent_id, c.model) AS u
LEFT JOIN orchestrator.llm_price_lists AS p ON p.name = u.model
-- OFFSET keeps the planner from computing a line once for each of its numbers.
CROSS JOIN LATERAL (SELECT orchestrator.llm_cost_line(p.begins, p.unit_costs, u.day, u.calls, u.input_tokens, u.output_tokens, u.sums, u.reported_cost) AS line OFFSET 0) AS k;
COMMENT ON VIEW orchestrator.llm_cost_by_day IS 'The cost of each project, agent and model on each UTC day';
COMMENT ON COLUMN orchestrator.llm_cost_by_day.input_tokens IS 'Tokens of the input that were neither read from a cache nor written to it';
COMMENT ON COLUMN orchestrator.llm_cost_by_day.tokens IS 'All tokens, those of caches and of reasoning too';
COMMENT ON COLUMN orchestrator.llm_cost_by_day.cost IS 'USD, exact, of the calls that have a cost; NULL if none has';
COMMENT ON COLUMN orchestrator.llm_cost_by_day.unpriced_calls IS 'Calls without a cost, because the model or one of the units had no price';

CREATE OR REPLACE VIEW orchestrator.unpriced_usage AS
SELECT u.model, u.calls, u.input_tokens, u.output_tokens, u.input_tokens + u.output_tokens + u.other_tokens AS tokens, u.first_call, u.last_call, u.unit,
       (SELECT p.model FROM (SELECT DISTINCT c.model FROM orchestrator.llm_pricing AS c WHERE c.replaced_at IS NULL) AS p
        WHERE u.unit IS NULL AND p.model <> u.model
          AND (starts_with(u.model, p.model) OR right(u.model, length(p.model) + 1) = '/' || p.model)
        ORDER BY length(p.model) DESC, p.model LIMIT 1) AS suggested_model
FROM (-- Every price has a cost for each kind of token.
      SELECT c.model, NULL AS unit, count(*) AS calls, sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens,
             sum(c.cache_read_tokens) + sum(c.cache_write_tokens) + sum(c.cache_write_1h_tokens) + sum(c.reasoning_tokens) AS other_tokens,
             min(c."timestamp") AS first_call, max(c."timestamp") AS last_call
      FROM orchestrator.llm_token_usage AS c
      LEFT JOIN (SELECT n.name, min(n.begins) AS begins FROM orchestrator.llm_prices_by_name AS n GROUP BY n.name) AS p ON p.name = c.model
      WHERE c.reported_cost IS NULL AND (p.begins IS NULL OR c."timestamp" < p.begins)
      GROUP BY c.model
      UNION ALL
      SELECT c.model, unit.name AS unit, count(*) AS calls, sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens,
             sum(c.cache_read_tokens) + sum(c.cache_write_tokens) + sum(c.cache_write_1h_tokens) + sum(c.reasoning_tokens) AS other_tokens,
             min(c."timestamp") AS first_call, max(c."timestamp") AS last_call
      FROM orchestrator.llm_usage_costs AS c, unnest(c.unpriced_units) AS unit (name)
      WHERE c.units <> '{}' AND c.cost IS NULL
      GROUP BY c.model, unit.name) AS u;
COMMENT ON VIEW orchestrator.unpriced_usage IS 'Models, and units of models, with calls that have no cost, and the number of those calls';
COMMENT ON COLUMN orchestrator.unpriced_usage.unit IS 'The unit that the price has no cost for; NULL if the model had no price';
COMMENT ON COLUMN orchestrator.unpriced_usage.suggested_model IS 'A model with a price whose name is the beginning or the end of this one, for set_model_alias; nobody has decided that it is the same';

CREATE VIEW orchestrator.llm_cost_by_run AS
SELECT u.thread_id, sum(u.calls)::bigint AS calls, sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,
       coalesce(sum(k.line[3]), 0) AS cache_read_tokens, coalesce(sum(k.line[4]), 0) AS cache_write_tokens,
       coalesce(sum(k.line[5]), 0) AS cache_write_1h_tokens, coalesce(sum(k.line[6]), 0) AS reasoning_tokens,
       sum(k.line[1]) AS cost, coalesce(sum(k.line[2]), 0)::bigint AS unpriced_calls, min(u.first_call) AS first_call, max(u.last_call) AS last_call
FROM (SELECT c.thread_id, (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.model, count(*) AS calls,
             sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(c.reported_cost) AS reported_cost,
             min(c."timestamp") AS first_call, max(c."timestamp") AS last_call, orchestrator.llm_usage_sums(x.call) AS sums
      FROM orchestrator.llm_token_usage AS c CROSS JOIN orchestrator.llm_price_limits AS s
      LEFT JOIN LATERAL (SELECT orchestrator.llm_special_call(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens,
                                     c.units, c.service_tier, c.reported_cost, c."timestamp", s.steps, s.moments) AS call) AS x ON true
      WHERE c.thread_id IS NOT NULL
      GROUP BY c.thread_id, (c."timestamp" AT TIME ZONE 'UTC')::date, c.model) AS u
LEFT JOIN orchestrator.llm_price_lists AS p ON p.name = u.model
-- OFFSET keeps the planner from computing a line once for each of its numbers.
CROSS JOIN LATERAL (SELECT orchestrator.llm_cost_line(p.begins, p.unit_costs, u.day, u.calls, u.input_tokens, u.output_tokens, u.sums, u.reported_cost) AS line OFFSET 0) AS k
GROUP BY u.thread_id;
COMMENT ON VIEW orchestrator.llm_cost_by_run IS 'The calls of each run with every kind of token and their cost';
COMMENT ON COLUMN orchestrator.llm_cost_by_run.thread_id IS 'The name of the run when the calls were recorded';
COMMENT ON COLUMN orchestrator.llm_cost_by_run.cost IS 'USD, exact, of the calls that have a cost; NULL if none has';
COMMENT ON COLUMN orchestrator.llm_cost_by_run.unpriced_calls IS 'Calls without a cost';

CREATE OR REPLACE VIEW orchestrator.run_costs AS
SELECT r.thread_id, r.calls, r.input_tokens, r.output_tokens, coalesce(r.cost, 0) AS cost, r.unpriced_calls
FROM orchestrator.llm_cost_by_run AS r;
COMMENT ON VIEW orchestrator.run_costs IS 'The recorded calls of each run with their tokens and exact cost';

CREATE VIEW orchestrator.llm_cost_by_prompt AS
SELECT g.prompt_id, p.agent_type, p.version, g.calls, g.cost, g.cost / nullif(g.calls - g.unpriced_calls, 0) AS cost_per_call, g.unpriced_calls
FROM (SELECT u.prompt_id, sum(u.calls)::bigint AS calls, sum(k.line[1]) AS cost, coalesce(sum(k.line[2]), 0)::bigint AS unpriced_calls
      FROM (SELECT c.prompt_id, (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.model, count(*) AS calls,
                   sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(c.reported_cost) AS reported_cost,
                   orchestrator.llm_usage_sums(x.call) AS sums
            FROM orchestrator.llm_token_usage AS c CROSS JOIN orchestrator.llm_price_limits AS s
            LEFT JOIN LATERAL (SELECT orchestrator.llm_special_call(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens,
                                           c.units, c.service_tier, c.reported_cost, c."timestamp", s.steps, s.moments) AS call) AS x ON true
            WHERE c.prompt_id IS NOT NULL
            GROUP BY c.prompt_id, (c."timestamp" AT TIME ZONE 'UTC')::date, c.model) AS u
      LEFT JOIN orchestrator.llm_price_lists AS p ON p.name = u.model
      -- OFFSET keeps the planner from computing a line once for each of its numbers.
      CROSS JOIN LATERAL (SELECT orchestrator.llm_cost_line(p.begins, p.unit_costs, u.day, u.calls, u.input_tokens, u.output_tokens, u.sums, u.reported_cost) AS line OFFSET 0) AS k
      GROUP BY u.prompt_id) AS g
LEFT JOIN orchestrator.prompts AS p ON p.id = g.prompt_id;
COMMENT ON VIEW orchestrator.llm_cost_by_prompt IS 'The calls with each prompt, and their cost';
COMMENT ON COLUMN orchestrator.llm_cost_by_prompt.version IS 'The version of the prompt; NULL if there is no such prompt';
COMMENT ON COLUMN orchestrator.llm_cost_by_prompt.cost IS 'USD, exact, of the calls that have a cost; NULL if none has';
COMMENT ON COLUMN orchestrator.llm_cost_by_prompt.cost_per_call IS 'USD, the average of the calls that have a cost; rounded';
COMMENT ON COLUMN orchestrator.llm_cost_by_prompt.unpriced_calls IS 'Calls without a cost';

CREATE VIEW orchestrator.run_cost_differences AS
SELECT r.thread_id, r.cost_usd AS run_cost, coalesce(c.cost, 0) AS calls_cost, r.cost_usd - coalesce(c.cost, 0) AS difference,
       coalesce(c.calls, 0) AS calls, coalesce(c.unpriced_calls, 0) AS unpriced_calls
FROM orchestrator.orchestrator_runs AS r
LEFT JOIN orchestrator.llm_cost_by_run AS c ON c.thread_id = r.thread_id
-- A run adds the cost of each call with ten decimals.
WHERE abs(r.cost_usd - coalesce(c.cost, 0)) > coalesce(c.calls, 0) * 0.00000000005;
COMMENT ON VIEW orchestrator.run_cost_differences IS 'Runs whose cost is not the sum of the costs of their calls, for example because a price was corrected, or a cost was reported without a call';
COMMENT ON COLUMN orchestrator.run_cost_differences.run_cost IS 'USD that the run says';
COMMENT ON COLUMN orchestrator.run_cost_differences.calls_cost IS 'USD, the sum of the costs of its calls';
COMMENT ON COLUMN orchestrator.run_cost_differences.difference IS 'USD that the run says beyond its calls';

-- functions

CREATE FUNCTION orchestrator.record_llm_call(model text, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint DEFAULT 0, cache_write_tokens bigint DEFAULT 0, cache_write_1h_tokens bigint DEFAULT 0, reasoning_tokens bigint DEFAULT 0, units jsonb DEFAULT '{}', service_tier text DEFAULT 'standard', inclusive boolean DEFAULT false, call_id text DEFAULT NULL, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, thread_id text DEFAULT NULL, task_id uuid DEFAULT NULL, prompt_id uuid DEFAULT NULL, subject text DEFAULT NULL, at timestamptz DEFAULT now(), reported_cost numeric DEFAULT NULL, reservation_id uuid DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_llm_call_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_llm_call(text, bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, boolean, text, uuid, text, text, uuid, uuid, text, timestamptz, numeric, uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_llm_call(text, bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, boolean, text, uuid, text, text, uuid, uuid, text, timestamptz, numeric, uuid) IS
    'Records a call of a language model with every kind of token, and adds its tokens and cost to its run. A call_id counts once. Returns the id of the row';

-- The form for a float, for calls by name. Decision floats-have-forms-of-their-own. The float comes first, so that no call by place finds it.
CREATE FUNCTION orchestrator.record_llm_call(reported_cost double precision, model text, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint DEFAULT 0, cache_write_tokens bigint DEFAULT 0, cache_write_1h_tokens bigint DEFAULT 0, reasoning_tokens bigint DEFAULT 0, units jsonb DEFAULT '{}', service_tier text DEFAULT 'standard', inclusive boolean DEFAULT false, call_id text DEFAULT NULL, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, thread_id text DEFAULT NULL, task_id uuid DEFAULT NULL, prompt_id uuid DEFAULT NULL, subject text DEFAULT NULL, at timestamptz DEFAULT now(), reservation_id uuid DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_llm_call_0_9_0_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_llm_call(double precision, text, bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, boolean, text, uuid, text, text, uuid, uuid, text, timestamptz, uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_llm_call(double precision, text, bigint, bigint, bigint, bigint, bigint, bigint, jsonb, text, boolean, text, uuid, text, text, uuid, uuid, text, timestamptz, uuid) IS
    'Records a call with a cost that the provider reported, as the form for numeric does. Returns the id of the row';

CREATE OR REPLACE FUNCTION orchestrator.record_token_usage(model text, input_tokens bigint, output_tokens bigint, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, at timestamptz DEFAULT now(), thread_id text DEFAULT NULL, task_id uuid DEFAULT NULL, call_id text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_token_usage_0_9_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.llm_cost(model text, input_tokens bigint, output_tokens bigint, at timestamptz DEFAULT now())
RETURNS numeric
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'llm_cost_0_9_0_wrapper';
COMMENT ON FUNCTION orchestrator.llm_cost(text, bigint, bigint, timestamptz) IS
    'The exact cost of a call in USD, by the price in force at that time; NULL if there is no price';

CREATE FUNCTION orchestrator.model_price(name text, at timestamptz DEFAULT now())
RETURNS TABLE (price_id uuid, model text, input_cost_per_million numeric, output_cost_per_million numeric, begins timestamptz, ends timestamptz, components jsonb)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'model_price_wrapper';
REVOKE ALL ON FUNCTION orchestrator.model_price(text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.model_price(text, timestamptz) IS
    'The price in force for a name, which is that of a model or an alias; no row if there is none';

CREATE FUNCTION orchestrator.set_model_alias(alias text, model text)
RETURNS orchestrator.llm_model_aliases
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_model_alias_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_model_alias(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_model_alias(text, text) IS
    'Lets calls by a name have the price of a model; NULL as the model ends that. Returns the row';

CREATE FUNCTION orchestrator.import_prices(document jsonb, effective_date date DEFAULT NULL)
RETURNS TABLE (model text, outcome text, reason text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'import_prices_wrapper';
REVOKE ALL ON FUNCTION orchestrator.import_prices(jsonb, date) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.import_prices(jsonb, date) IS
    'Sets the prices of LiteLLM''s price file from a UTC day on (by default today). Returns one row per entry: added, changed, unchanged, alias, or skipped with the reason';

CREATE FUNCTION orchestrator.llm_cost_by_day_as_of(moment timestamptz)
RETURNS TABLE (day date, project_id uuid, agent_id text, model text, calls bigint, input_tokens numeric, output_tokens numeric, tokens numeric, cost numeric, unpriced_calls bigint, cache_read_tokens numeric, cache_write_tokens numeric, cache_write_1h_tokens numeric, reasoning_tokens numeric)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'llm_cost_by_day_as_of_wrapper';
REVOKE ALL ON FUNCTION orchestrator.llm_cost_by_day_as_of(timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.llm_cost_by_day_as_of(timestamptz) IS
    'View llm_cost_by_day as it was at a moment: with the calls and the prices that were recorded until then';

-- Functions with new arguments. Grants of users on the earlier form go over to the new one.

CREATE FUNCTION orchestrator.set_price(model text, input_cost_per_million numeric, output_cost_per_million numeric, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL, components jsonb DEFAULT NULL, effective_at timestamptz DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_0_9_0_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text, jsonb, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text, jsonb, timestamptz) IS
    'Sets the price of a model from a UTC day or a moment on (by default from today), in USD per million tokens, with components. A price that has begun stays, marked as replaced. Returns the row';
SELECT orchestrator.copy_grants('orchestrator.set_price(text, numeric, numeric, date, text, text)', 'orchestrator.set_price(text, numeric, numeric, date, text, text, jsonb, timestamptz)');
DROP FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text);

CREATE FUNCTION orchestrator.set_price(model text, input_cost_per_million double precision, output_cost_per_million double precision, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL, components jsonb DEFAULT NULL, effective_at timestamptz DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_0_9_0_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_price(text, double precision, double precision, date, text, text, jsonb, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_price(text, double precision, double precision, date, text, text, jsonb, timestamptz) IS
    'Sets the price of a model, as the form for numeric does. Returns the row';
SELECT orchestrator.copy_grants('orchestrator.set_price(text, double precision, double precision, date, text, text)', 'orchestrator.set_price(text, double precision, double precision, date, text, text, jsonb, timestamptz)');
DROP FUNCTION orchestrator.set_price(text, double precision, double precision, date, text, text);

CREATE OR REPLACE FUNCTION orchestrator.load_default_prices()
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'load_default_prices_0_9_0_wrapper';

-- Roles that have a level may use what is new.
SELECT orchestrator.renew_access('0.8.1', '0.9.0');
