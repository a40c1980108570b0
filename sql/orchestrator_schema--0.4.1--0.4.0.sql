\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0'" to load this file. \quit

-- 0.4.1 -> 0.4.0: the five tables of the migration go, in reverse order of their dependencies; their
-- rows stay in orchestrator_archive, in tables of the same names.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- What of users' needs what goes here stops the downgrade, before anything has changed.
SELECT FROM orchestrator.downgrade_plan('0.4.0');

DROP FUNCTION orchestrator.v7_verify_tables();
SELECT orchestrator.archive_table('orchestrator.v7_test_results');
SELECT orchestrator.archive_table('orchestrator.v7_subworkflow_tasks');
SELECT orchestrator.archive_table('orchestrator.v7_global_impacts');
SELECT orchestrator.archive_table('orchestrator.v7_enum_migrations');
SELECT orchestrator.archive_table('orchestrator.v7_migration_workflow');
