\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.2'" to load this file. \quit

-- 0.4.3 -> 0.4.2: removes the steps of the phases, the views and the verification; sign-offs and
-- hand-overs stay in orchestrator_archive. Views are dropped before the columns that they read.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.4.2');

DROP FUNCTION orchestrator.v7_verify();
DROP FUNCTION orchestrator.v7_verify_data();
DROP FUNCTION orchestrator.v7_verify_infrastructure();

DROP VIEW orchestrator.v7_unsynced_tasks;
DROP VIEW orchestrator.v7_ready_tasks;
DROP VIEW orchestrator.v7_file_migration_readiness;
DROP VIEW orchestrator.v7_enum_consolidation_status;
DROP VIEW orchestrator.v7_migration_dashboard;

DROP FUNCTION orchestrator.v7_roll_back_phase(integer, text);
DROP FUNCTION orchestrator.v7_complete_phase(integer);
DROP FUNCTION orchestrator.v7_approve_phase(integer, text, text);
DROP FUNCTION orchestrator.v7_request_review(integer, jsonb);
DROP FUNCTION orchestrator.v7_start_phase(integer);
DROP FUNCTION orchestrator.v7_missing_sign_offs(integer, text);
DROP FUNCTION orchestrator.v7_sign(integer, text, text, text, text);
DROP FUNCTION orchestrator.v7_issue_task(integer, text, text, uuid[], text, text);
DROP FUNCTION orchestrator.v7_record_enum_duplicates(double precision);
DROP FUNCTION orchestrator.v7_load_plan();

DROP TRIGGER v7_subworkflow_tasks_hand_over ON orchestrator.v7_subworkflow_tasks;
DROP TRIGGER v7_subworkflow_tasks_change ON orchestrator.v7_subworkflow_tasks;
DROP TRIGGER v7_subworkflow_tasks_dependencies ON orchestrator.v7_subworkflow_tasks;
DROP TRIGGER v7_migration_workflow_approval ON orchestrator.v7_migration_workflow;
DROP FUNCTION orchestrator.v7_note_hand_over();
DROP FUNCTION orchestrator.v7_note_change();
DROP FUNCTION orchestrator.v7_enforce_dependencies();
DROP FUNCTION orchestrator.v7_enforce_approval();

SELECT orchestrator.archive_table('orchestrator.migration_hand_overs');
SELECT orchestrator.archive_table('orchestrator.migration_sign_offs');
