\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.4'" to load this file. \quit

-- 0.2.5 -> 0.2.4: removes prices; the rows stay in orchestrator_archive.llm_pricing. Usage is unchanged.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.2.4');

DROP FUNCTION orchestrator.load_default_prices();
DROP FUNCTION orchestrator.llm_cost(text, bigint, bigint, timestamptz);
DROP FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text);
DROP VIEW orchestrator.unpriced_usage;
DROP VIEW orchestrator.llm_cost_by_day;
DROP VIEW orchestrator.llm_usage_costs;
DROP VIEW orchestrator.llm_price_periods;
SELECT orchestrator.archive_table('orchestrator.llm_pricing');
