\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0'" to load this file. \quit

-- 0.4.0 -> 0.3.0: removes inspection; the inventory of files and the snapshots stay in
-- orchestrator_archive.file_audit and orchestrator_archive.schema_snapshots.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.3.0');

DROP FUNCTION orchestrator.v7_verify_rollback();
DROP FUNCTION orchestrator.v7_verify_preconditions();
DROP FUNCTION orchestrator.enum_duplicates(double precision);
DROP FUNCTION orchestrator.compare_snapshots(text, text);
DROP FUNCTION orchestrator.capture_snapshot(text, text[]);
DROP VIEW orchestrator.table_dependencies;
DROP VIEW orchestrator.enum_usage;
SELECT orchestrator.archive_table('orchestrator.schema_snapshots');
SELECT orchestrator.archive_table('orchestrator.file_audit');
