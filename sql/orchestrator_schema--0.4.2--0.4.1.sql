\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.1'" to load this file. \quit

-- 0.4.2 -> 0.4.1: removes the twelve V7 columns of file_audit; their values stay in
-- orchestrator_archive with the key of their row, and so does the baseline.
-- Locks file_audit until the transaction ends; time and space grow with its rows.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.4.1');

DROP FUNCTION orchestrator.v7_verify_file_audit();

SELECT orchestrator.archive_columns('orchestrator.file_audit', ARRAY[
    'v7_workflow_status', 'v7_target_name', 'v7_database_enums', 'v7_enum_mappings', 'v7_dependencies', 'v7_dependents',
    'v7_impact_score', 'v7_review_status', 'v7_reviewed_by', 'v7_implementation_status', 'v7_test_status', 'v7_retirement_date']);

DROP TRIGGER file_audit_lifecycle ON orchestrator.file_audit;
CREATE TRIGGER file_audit_updated_at BEFORE UPDATE ON orchestrator.file_audit
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle();

DROP INDEX orchestrator.idx_file_audit_v7_status;
ALTER TABLE orchestrator.file_audit
    DROP CONSTRAINT file_audit_v7_impact_score_check,
    DROP CONSTRAINT file_audit_v7_target_name_check,
    DROP CONSTRAINT file_audit_v7_workflow_status_check,
    DROP COLUMN v7_retirement_date,
    DROP COLUMN v7_test_status,
    DROP COLUMN v7_implementation_status,
    DROP COLUMN v7_reviewed_by,
    DROP COLUMN v7_review_status,
    DROP COLUMN v7_impact_score,
    DROP COLUMN v7_dependents,
    DROP COLUMN v7_dependencies,
    DROP COLUMN v7_enum_mappings,
    DROP COLUMN v7_database_enums,
    DROP COLUMN v7_target_name,
    DROP COLUMN v7_workflow_status;

SELECT orchestrator.archive_table('orchestrator.file_audit_baseline');
DROP FUNCTION orchestrator.v7_parse_file_name(text);
DROP FUNCTION orchestrator.v7_is_valid_file_name(text);
