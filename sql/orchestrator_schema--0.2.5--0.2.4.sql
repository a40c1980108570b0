\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.4'" to load this file. \quit

-- 0.2.5 -> 0.2.4: prices go; they stay in orchestrator_archive.llm_pricing. Usage stays where it is.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- What of users' needs what goes here stops the downgrade, before anything has changed.
SELECT FROM orchestrator.downgrade_plan('0.2.4');

DROP FUNCTION orchestrator.load_default_prices();
DROP FUNCTION orchestrator.llm_cost(text, bigint, bigint, timestamptz);
DROP FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text);
DROP VIEW orchestrator.unpriced_usage;
DROP VIEW orchestrator.llm_cost_by_day;
DROP VIEW orchestrator.llm_usage_costs;
DROP VIEW orchestrator.llm_price_periods;
SELECT orchestrator.archive_table('orchestrator.llm_pricing');
