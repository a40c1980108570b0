\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.1'" to load this file. \quit

-- 0.7.2 -> 0.7.1: removes the functions that start and pause workflows and try failed tasks again, and the view
-- of their progress. No rows are lost: workflows keep their status, and claims their order.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.7.1');

SELECT orchestrator.renew_access('0.7.2', '0.7.1');

DROP VIEW orchestrator.workflow_progress;
DROP FUNCTION orchestrator.retry_task(uuid, integer);
DROP FUNCTION orchestrator.pause_workflow(uuid, text);
DROP FUNCTION orchestrator.start_workflow(uuid);
