\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.0'" to load this file. \quit

-- 0.1.1 -> 0.1.0: workflows go; their rows stay in orchestrator_archive.workflows.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- What of users' needs what goes here stops the downgrade, before anything has changed.
SELECT FROM orchestrator.downgrade_plan('0.1.0');

SELECT orchestrator.archive_table('orchestrator.workflows');
