\i head.sql
-- Enum types that look alike become proposals, once, with the columns that a replacement would affect.
CREATE TYPE public.contact_status AS ENUM ('New', 'Queued', 'Complete');
CREATE TYPE public.contactstatus AS ENUM ('New', 'Queued', 'Complete');
CREATE TYPE public.crm_sync AS ENUM ('New', 'Selected', 'Queued', 'Complete', 'Error', 'Skipped');
CREATE TYPE public.brevo_sync AS ENUM ('New', 'Queued', 'Complete', 'Error', 'Skipped');
CREATE TYPE public.unused_kind AS ENUM ('x');
CREATE TYPE public.unusedkind AS ENUM ('y');
CREATE TABLE public.contacts (id integer PRIMARY KEY, status public.contact_status, before public.contact_status, curation public.contactstatus, crm public.crm_sync);
CREATE TABLE public.companies (id integer PRIMARY KEY, sync public.brevo_sync, crm public.crm_sync);
SELECT * FROM orchestrator.v7_load_plan();
SELECT check_name, expected, actual, hint FROM orchestrator.v7_verify() WHERE NOT passed;
SELECT orchestrator.v7_record_enum_duplicates();
SELECT orchestrator.v7_record_enum_duplicates();
SELECT orchestrator.v7_record_enum_duplicates(minimum_similarity => 0.5);
SELECT pg_temp.refusal('SELECT orchestrator.v7_record_enum_duplicates(2)');
SELECT pg_temp.refusal('SELECT orchestrator.v7_record_enum_duplicates(''NaN'')');
SELECT current_enum_name, v7_enum_name, v7_enum_values, affected_tables, affected_columns, status, risk_level FROM orchestrator.v7_enum_migrations ORDER BY current_enum_name COLLATE "C";
-- After a correct installation with the plan loaded, every check has passed.
SELECT * FROM orchestrator.v7_verify();
-- After "proposed", each row has an approver and a rollback plan, and the steps write their times.
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.v7_enum_migrations SET status = 'approved'$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.v7_enum_migrations SET status = 'approved', approved_by = 'The Architect', rollback_script = ' '$$), E'\n', 1);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_enum_migrations SET status = 'implemented', approved_by = 'The Architect', rollback_script = 'ALTER …'$$);
UPDATE orchestrator.v7_enum_migrations SET status = 'approved', approved_by = 'The Architect', rollback_script = 'ALTER …' WHERE current_enum_name = 'public.contactstatus';
UPDATE orchestrator.v7_enum_migrations SET status = 'implemented' WHERE status = 'approved' RETURNING implemented_at = now();
UPDATE orchestrator.v7_enum_migrations SET status = 'validated' WHERE status = 'implemented' RETURNING validated_at = now();
UPDATE orchestrator.v7_enum_migrations SET status = 'rolled_back' WHERE status = 'validated';
UPDATE orchestrator.v7_enum_migrations SET status = 'proposed' WHERE status = 'rolled_back' RETURNING approved_by, rollback_script, implemented_at, validated_at;
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.v7_enum_migrations SET status = 'approved' WHERE rollback_script <> ''$$), E'\n', 1);
INSERT INTO orchestrator.v7_enum_migrations (current_enum_name, current_enum_values, v7_enum_name, v7_enum_values, affected_tables, risk_level) VALUES
    ('public.old_status', '{x}', 'public.contact_status', '{x}', '{public.contacts,public.companies}', 'high'), ('public.older_status', '{x}', 'public.contact_status', '{x}', '{public.contacts}', 'high'),
    ('public.order_status', '{x}', 'public.status', '{x}', '{}', 'critical'), ('public.item_status', '{x}', 'public.status', '{x}', '{}', 'low');
SELECT v7_enum_name, status, risk_level, source_count, sources, table_count, affected_tables FROM orchestrator.v7_enum_consolidation_status;
-- High and critical impacts need an answer before they are approved.
INSERT INTO orchestrator.v7_global_impacts (change_type, change_detail, affected_workflows, affected_layers, impact_description, risk_assessment, approval_status) VALUES
    ('enum', '{}', '{WF4}', '{1,3}', 'labels change', 'critical', 'reviewing'), ('api', '{}', '{WF4}', '{3}', 'a path moves', 'low', 'pending');
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.v7_global_impacts SET approval_status = 'approved' WHERE risk_assessment = 'critical'$$), E'\n', 1);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_global_impacts SET approval_status = 'implemented' WHERE risk_assessment = 'low'$$);
-- The dashboard: one row for each phase; a critical entry shows even beside a low one.
INSERT INTO orchestrator.v7_migration_workflow AS w (phase_number, phase_name, lead_persona, status, started_at) VALUES (1, 'x', 'x', 'not_started', NULL)
    ON CONFLICT (phase_number) DO UPDATE SET status = 'in_progress', started_at = now() - interval '7212 hours';
INSERT INTO orchestrator.v7_test_results (test_type, component_tested, test_status, tested_at) VALUES
    ('unit', 'fixed later', 'fail', '2026-01-02'), ('unit', 'fixed later', 'pass', '2026-01-03'), ('unit', 'fixed later', 'skip', '2026-01-04'),
    ('unit', 'broken again', 'pass', '2026-01-02'), ('unit', 'broken again', 'error', '2026-01-03'), ('unit', 'broken again', 'timeout', '2026-01-04'),
    ('smoke', 'fixed later', 'fail', '2026-01-02'), ('unit', 'in one go', 'fail', '2026-01-02'), ('unit', 'in one go', 'pass', '2026-01-02');
SELECT phase_number, phase_name, status, approval_status, lead_persona, total_tasks, completed_tasks, blocked_tasks, percent_done, open_test_failures, open_impacts, highest_open_risk FROM orchestrator.v7_migration_dashboard;
SELECT phase_number, missing_sign_offs, days_in_phase FROM orchestrator.v7_migration_dashboard WHERE phase_number IN (1, 4);
SELECT layer_number, highest_open_risk FROM orchestrator.v7_file_migration_readiness WHERE highest_open_risk IS NOT NULL;
-- Each kind of damage makes its own check fail. First the rows.
BEGIN;
DELETE FROM orchestrator.v7_migration_workflow WHERE phase_number = 7;
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
UPDATE orchestrator.v7_migration_workflow SET phase_name = 'Databases' WHERE phase_number = 4;
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
UPDATE orchestrator.v7_migration_workflow SET phase_name = 'design' WHERE phase_number = 3;
UPDATE orchestrator.v7_migration_workflow SET phase_name = 'Review' WHERE phase_number = 2;
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
UPDATE orchestrator.v7_subworkflow_tasks SET responsible_persona = E'\t' WHERE parent_phase = 4 AND task_number = 2;
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
DELETE FROM orchestrator.v7_enum_migrations;
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
INSERT INTO orchestrator.v7_subworkflow_tasks (id, parent_phase, task_number, task_name, responsible_persona, dependencies) VALUES
    ('0198c5a4-0000-7000-8000-000000000001', 2, 1, 'a', 'x', '{0198c5a4-0000-7000-8000-000000000002}'), ('0198c5a4-0000-7000-8000-000000000002', 2, 2, 'b', 'x', '{0198c5a4-0000-7000-8000-000000000001}'),
    ('0198c5a4-0000-7000-8000-000000000003', 2, 3, 'c', 'x', '{0198c5a4-0000-7000-8000-000000000009}');
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
-- A phase inserted as started, with open tasks and no sign-off.
BEGIN;
DELETE FROM orchestrator.v7_migration_workflow WHERE phase_number IN (3, 5);
INSERT INTO orchestrator.v7_migration_workflow (phase_number, phase_name, lead_persona, status, approval_status, approved_by) VALUES (3, 'Review', 'x', 'completed', 'approved', 'x'), (5, 'Implementation', 'x', 'in_progress', 'pending', NULL);
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
DELETE FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 4;
DELETE FROM orchestrator.v7_migration_workflow WHERE phase_number = 4;
INSERT INTO orchestrator.v7_migration_workflow (phase_number, phase_name, lead_persona, status) VALUES (4, 'Database', 'x', 'completed');
INSERT INTO orchestrator.v7_subworkflow_tasks (parent_phase, task_number, task_name, responsible_persona) VALUES (4, 1, 'still open', 'x');
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
-- Then the objects. A view in place of a table is not a table, although the catalogue lists it.
BEGIN;
ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.v7_migration_dashboard;
DROP VIEW orchestrator.v7_migration_dashboard;
ALTER EXTENSION orchestrator_schema DROP TABLE orchestrator.v7_test_results;
DROP TABLE orchestrator.v7_test_results;
CREATE VIEW orchestrator.v7_test_results AS SELECT 'unit' AS test_type;
SELECT count(*) FROM information_schema.tables WHERE table_schema = 'orchestrator' AND table_name IN ('v7_migration_workflow', 'v7_enum_migrations', 'v7_global_impacts', 'v7_subworkflow_tasks', 'v7_test_results');
SELECT check_name, expected, actual, passed FROM orchestrator.v7_verify_tables();
SELECT check_name, actual FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
ALTER TABLE orchestrator.v7_migration_workflow RENAME TO phases;
CREATE VIEW orchestrator.v7_migration_workflow AS SELECT * FROM orchestrator.phases;
SELECT check_name, actual FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
ALTER TABLE orchestrator.v7_global_impacts DROP COLUMN implementation_notes;
SELECT * FROM orchestrator.v7_verify_tables() WHERE NOT passed;
SELECT count(*) FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
ALTER TABLE orchestrator.file_audit DROP COLUMN v7_test_status;
SELECT * FROM orchestrator.v7_verify_file_audit() WHERE NOT passed;
SELECT * FROM orchestrator.v7_verify_infrastructure() WHERE NOT passed;
SELECT count(*) FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
ALTER TABLE orchestrator.file_audit DROP CONSTRAINT file_audit_v7_workflow_status_check, ALTER COLUMN v7_workflow_status DROP NOT NULL;
INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name, status, v7_workflow_status) VALUES ('0001', 'a', 'a', 1, 'x', 'NOVEL', NULL), ('0002', 'b', 'b', 1, 'x', 'NOVEL', 'moved'), ('0003', 'c', 'c', 1, 'x', 'NOVEL', 'retired');
SELECT check_name, expected, actual, hint FROM orchestrator.v7_verify_file_audit() WHERE NOT passed;
ROLLBACK;
BEGIN;
ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.v7_enum_consolidation_status;
DROP VIEW orchestrator.v7_enum_consolidation_status;
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
DROP INDEX orchestrator.idx_subworkflow_status;
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
ALTER TABLE orchestrator.v7_migration_workflow DISABLE TRIGGER v7_migration_workflow_approval;
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
BEGIN;
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.v7_migration_workflow (id integer);
CREATE TABLE elsewhere.v7x_tables (id integer);
SELECT * FROM orchestrator.v7_verify() WHERE NOT passed;
ROLLBACK;
-- All of that was rolled back.
SELECT count(*) FROM orchestrator.v7_verify() WHERE NOT passed;
-- The downgrade leaves no object named v7_; leftovers of users are found, with the statement that removes them.
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.v7_copy AS SELECT * FROM orchestrator.v7_global_impacts;
CREATE VIEW elsewhere.v7_open AS SELECT * FROM elsewhere.v7_copy;
CREATE FUNCTION elsewhere.v7_f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TYPE elsewhere.v7_kind AS ENUM ('x');
CREATE SEQUENCE elsewhere.v7_numbers;
CREATE TABLE elsewhere.other (v7_status text, CONSTRAINT v7_check CHECK (v7_status <> ''));
CREATE INDEX v7_other ON elsewhere.other (v7_status);
SELECT check_name, passed, hint FROM orchestrator.v7_verify_rollback();
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0';
SELECT * FROM orchestrator.v7_verify_rollback();
DROP SCHEMA elsewhere CASCADE;
SELECT bool_and(passed) FROM orchestrator.v7_verify_rollback();
SELECT bool_and(passed) FROM orchestrator.v7_verify_preconditions();
SELECT object, rows FROM orchestrator.archived() ORDER BY object;
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT count(*) FROM orchestrator.v7_verify() WHERE NOT passed;
SELECT * FROM orchestrator.verify();
