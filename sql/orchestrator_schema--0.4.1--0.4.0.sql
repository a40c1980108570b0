\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0'" to load this file. \quit

-- 0.4.1 -> 0.4.0: removes the five tables of the migration, in reverse order of their dependencies; the
-- rows stay in orchestrator_archive, in tables of the same names.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.4.0');

DROP FUNCTION orchestrator.v7_verify_tables();
SELECT orchestrator.archive_table('orchestrator.v7_test_results');
SELECT orchestrator.archive_table('orchestrator.v7_subworkflow_tasks');
SELECT orchestrator.archive_table('orchestrator.v7_global_impacts');
SELECT orchestrator.archive_table('orchestrator.v7_enum_migrations');
SELECT orchestrator.archive_table('orchestrator.v7_migration_workflow');
