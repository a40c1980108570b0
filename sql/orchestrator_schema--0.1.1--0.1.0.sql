\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.0'" to load this file. \quit

-- 0.1.1 -> 0.1.0: workflows go; their rows stay in orchestrator_archive.workflows.

SET LOCAL search_path TO pg_catalog, pg_temp;

SELECT orchestrator.archive_table('orchestrator.workflows');
