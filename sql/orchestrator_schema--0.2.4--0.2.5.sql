\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5'" to load this file. \quit

-- 0.2.4 -> 0.2.5: prices of language models with their history, and the cost of usage.
-- Locks no existing object. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.2.5');

CREATE TABLE orchestrator.llm_pricing (
    id                      uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    model                   text        NOT NULL,
    input_cost_per_million  numeric     NOT NULL,
    output_cost_per_million numeric     NOT NULL,
    effective_date          date        NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    status                  text        NOT NULL DEFAULT 'active',
    notes                   text,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now(),
    updated_by              text,
    CONSTRAINT llm_pricing_model_effective_date_key      UNIQUE (model, effective_date),
    CONSTRAINT llm_pricing_model_check                   CHECK (btrim(model) <> ''),
    -- Another type would round a price without a word. NaN is greater than every number.
    CONSTRAINT llm_pricing_input_cost_per_million_check  CHECK (input_cost_per_million >= 0 AND input_cost_per_million < 100000000 AND input_cost_per_million = round(input_cost_per_million, 6)),
    CONSTRAINT llm_pricing_output_cost_per_million_check CHECK (output_cost_per_million >= 0 AND output_cost_per_million < 100000000 AND output_cost_per_million = round(output_cost_per_million, 6)),
    -- A price begins at a point in time, and days go on after those end.
    CONSTRAINT llm_pricing_effective_date_check          CHECK (effective_date <= '294276-12-31' OR effective_date = 'infinity'),
    CONSTRAINT llm_pricing_status_check                  CHECK (status IN ('active', 'deprecated'))
);
COMMENT ON TABLE orchestrator.llm_pricing IS 'Prices of language models, each from a day on until the next price of the model';
COMMENT ON COLUMN orchestrator.llm_pricing.input_cost_per_million IS 'USD per million input tokens';
COMMENT ON COLUMN orchestrator.llm_pricing.output_cost_per_million IS 'USD per million output tokens';
COMMENT ON COLUMN orchestrator.llm_pricing.effective_date IS 'The first UTC day of the price';
COMMENT ON COLUMN orchestrator.llm_pricing.status IS 'Offer of the model. active: still offered; deprecated: no longer offered. The cost of calls does not depend on it';

SELECT orchestrator.restore_table('orchestrator.llm_pricing');

CREATE INDEX idx_llm_pricing_status ON orchestrator.llm_pricing (status);

SELECT pg_extension_config_dump('orchestrator.llm_pricing', '');

CREATE TRIGGER llm_pricing_updated_at BEFORE UPDATE ON orchestrator.llm_pricing
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle();

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

CREATE FUNCTION orchestrator.set_price(model text, input_cost_per_million numeric, output_cost_per_million numeric, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text) IS
    'Sets the price of a model from a UTC day on (by default today), in USD per million tokens. Returns the row. Earlier days keep their price';

CREATE FUNCTION orchestrator.llm_cost(model text, input_tokens bigint, output_tokens bigint, at timestamptz DEFAULT now())
RETURNS numeric
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'llm_cost_wrapper';
REVOKE ALL ON FUNCTION orchestrator.llm_cost(text, bigint, bigint, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.llm_cost(text, bigint, bigint, timestamptz) IS
    'The exact cost of a call in USD, by the price in force on its UTC day; NULL if there is no price';

CREATE FUNCTION orchestrator.load_default_prices()
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'load_default_prices_wrapper';
REVOKE ALL ON FUNCTION orchestrator.load_default_prices() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.load_default_prices() IS
    'Adds the list prices of eleven models from today (UTC) on, except for models that have a price. Returns the number of prices added';
