\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.2'" to load this file. \quit

-- 0.1.3 -> 0.1.2: removes the log of tools; the rows stay in orchestrator_archive.tool_executions.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.1.2');

DROP FUNCTION orchestrator.finish_tool_execution(uuid, text, text, text);
DROP FUNCTION orchestrator.start_tool_execution(uuid, text, jsonb);
SELECT orchestrator.archive_table('orchestrator.tool_executions');
