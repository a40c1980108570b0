\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.0'" to load this file. \quit

-- 0.1.1 -> 0.1.0: removes workflows; the rows stay in orchestrator_archive.workflows.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.1.0');

SELECT orchestrator.archive_table('orchestrator.workflows');
