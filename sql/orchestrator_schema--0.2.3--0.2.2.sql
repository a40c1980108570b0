\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.2'" to load this file. \quit

-- 0.2.3 -> 0.2.2: token usage goes; it stays in orchestrator_archive.llm_token_usage.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- What of users' needs what goes here stops the downgrade, before anything has changed.
SELECT FROM orchestrator.downgrade_plan('0.2.2');

DROP FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz);
SELECT orchestrator.archive_table('orchestrator.llm_token_usage');
