\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.2'" to load this file. \quit

-- 0.2.3 -> 0.2.2: removes token usage; the rows stay in orchestrator_archive.llm_token_usage.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.2.2');

DROP FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz);
SELECT orchestrator.archive_table('orchestrator.llm_token_usage');
