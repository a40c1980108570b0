\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.1'" to load this file. \quit

-- 0.1.2 -> 0.1.1: the links go; they stay in orchestrator_archive.workflow_tasks.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that goes here.
SELECT orchestrator.begin_downgrade('0.1.1');

SELECT orchestrator.archive_table('orchestrator.workflow_tasks');
