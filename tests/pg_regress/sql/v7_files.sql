\i head.sql
-- The inventory before V7 and after the upgrade: every row waits for its assessment, and no other value changes.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.1';
INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name, status, workflows, updated_at) VALUES
    ('0001', 'src/models/domain.py',   'domain.py',   1, 'Models and ENUMs', 'SHARED', '{WF1,WF2}', '2020-01-01 00:00:00+00'),
    ('2001', 'src/routers/contact.py', 'contact.py',  3, 'Routers',          'NOVEL',  '{WF4}',     '2020-01-01 00:00:00+00'),
    ('2002', 'src/routers/WFH.py',     'WFH.py',      3, 'Routers',          'SYSTEM', '{}',        '2020-01-01 00:00:00+00'),
    ('3001', 'src/services/crm.py',    'crm.py',      4, 'Services',         'NOVEL',  '{WF4}',     '2020-01-01 00:00:00+00');
CREATE TEMPORARY TABLE before AS SELECT f.*, f.file_path::bytea AS bytes FROM orchestrator.file_audit AS f;
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT file_number, v7_workflow_status, num_nulls(v7_target_name, v7_database_enums, v7_enum_mappings, v7_dependencies, v7_dependents, v7_impact_score, v7_review_status, v7_reviewed_by, v7_implementation_status, v7_test_status, v7_retirement_date) FROM orchestrator.file_audit ORDER BY 1;
SELECT count(*) FROM before AS b JOIN orchestrator.file_audit AS f USING (id, file_number, file_path, file_name, layer_number, layer_name, status, workflows, has_technical_debt, jira_tickets, audit_status, created_at, updated_at) WHERE f.file_path::bytea = b.bytes;
SELECT * FROM orchestrator.v7_verify_file_audit();
-- The rule for names of files.
SELECT * FROM orchestrator.v7_parse_file_name('WF4_V7_L1_1of12_DomainModel.py');
SELECT * FROM orchestrator.v7_parse_file_name(file_name => 'WF7_V7_L7_2147483647of2147483647_a_b.py');
SELECT count(*) FROM orchestrator.v7_parse_file_name('domain.py');
SELECT name, orchestrator.v7_is_valid_file_name(name) FROM (VALUES (1, 'WF1_V7_L1_1of1_A.py'), (2, 'WF8_V7_L1_1of1_A.py'), (3, 'WF1_V7_L0_1of1_A.py'), (4, 'WF1_V7_L1_2of1_A.py'), (5, 'WF1_V7_L1_0of1_A.py'),
    (6, 'WF1_V7_L1_01of1_A.py'), (7, 'WF1_V7_L1_1of99999999999_A.py'), (8, 'wf1_v7_l1_1of1_a.py'), (9, 'WF1XV7XL1X1of1XA.py'), (10, 'WF1_V7_L1_1of1_A.pyc'), (11, '')) AS v (n, name) ORDER BY n;
SELECT pg_temp.refusal('SELECT orchestrator.v7_is_valid_file_name(NULL)');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.v7_parse_file_name(NULL)');
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.file_audit SET v7_target_name = 'WF4_V7_L9_1of1_X.py'$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.file_audit SET v7_impact_score = 11$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.file_audit SET v7_workflow_status = 'moved'$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.file_audit SET v7_workflow_status = NULL$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.file_audit SET file_number = '12'$$), E'\n', 1);
-- One step at a time, forward or back. Retired is the end state, and its date is in UTC, also if the session has another date.
SELECT set_config('timezone', CASE WHEN extract(hour FROM now() AT TIME ZONE 'UTC') < 12 THEN 'Etc/GMT+12' ELSE 'Etc/GMT-14' END, false) LIKE 'Etc/%', current_date <> (now() AT TIME ZONE 'UTC')::date;
SELECT pg_temp.refusal($$UPDATE orchestrator.file_audit SET v7_workflow_status = 'designed' WHERE file_number = '2001'$$);
UPDATE orchestrator.file_audit SET v7_workflow_status = 'assessed', v7_impact_score = 8 WHERE file_number = '2001';
UPDATE orchestrator.file_audit SET v7_workflow_status = 'designed', v7_target_name = 'WF4_V7_L3_1of1_ContactRouter.py' WHERE file_number = '2001' RETURNING updated_at = now();
UPDATE orchestrator.file_audit SET v7_workflow_status = 'assessed', v7_impact_score = 4 WHERE file_number = '3001';
UPDATE orchestrator.file_audit SET v7_workflow_status = 'pending_assessment' WHERE file_number = '3001';
DO $$ DECLARE next text; BEGIN
    FOREACH next IN ARRAY '{approved,implementing,testing,migrated,retired}'::text[] LOOP
        UPDATE orchestrator.file_audit SET v7_workflow_status = next WHERE file_number = '2001';
    END LOOP;
END $$;
SELECT v7_workflow_status, v7_retirement_date = (now() AT TIME ZONE 'UTC')::date FROM orchestrator.file_audit WHERE file_number = '2001';
RESET timezone;
SELECT pg_temp.refusal($$UPDATE orchestrator.file_audit SET v7_workflow_status = 'migrated' WHERE file_number = '2001'$$);
-- Per layer: files that serve a workflow, not those whose path contains WF by chance.
UPDATE orchestrator.file_audit SET v7_impact_score = 9 WHERE file_number = '0001';
INSERT INTO orchestrator.v7_global_impacts (change_type, change_detail, affected_workflows, affected_layers, impact_description, risk_assessment, approval_status) VALUES
    ('enum', '{}', '{WF1}', '{1,4}', 'labels change', 'low', 'pending'), ('schema', '{}', '{WF1}', '{4}', 'a column moves', 'critical', 'reviewing'),
    ('api', '{}', '{WF1}', '{3}', 'a path moves', 'critical', 'rejected'), ('file', '{}', '{WF1}', '{1}', 'a file moves', 'high', 'pending');
\pset footer off
\pset tuples_only off
SELECT layer_number AS layer, layer_name, files, pending_assessment AS pending, assessed, retired, average_impact, high_impact_not_migrated AS high, names_breaking_rule AS names, highest_open_risk FROM orchestrator.v7_file_migration_readiness;
\pset tuples_only on
-- Old values are compared from the upgrade on; an intended change is accepted row by row.
UPDATE orchestrator.file_audit SET v7_review_status = 'ok', audit_status = audit_status;
SELECT * FROM orchestrator.v7_verify_file_audit();
UPDATE orchestrator.file_audit SET audit_status = 'COMPLETED', audited_by = 'Ada' WHERE file_number = '0001';
DELETE FROM orchestrator.file_audit WHERE file_number = '2002';
INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name, status) VALUES ('4001', 'src/config.py', 'config.py', 5, 'Configuration', 'SYSTEM');
SELECT * FROM orchestrator.v7_verify_file_audit();
DELETE FROM orchestrator.file_audit_baseline WHERE id IN (1, 3);
SELECT bool_and(passed) FROM orchestrator.v7_verify_file_audit();
-- Down and up again: the twelve columns have their values, nothing else changed, and a new file starts as the first did.
CREATE TEMPORARY TABLE v7 AS SELECT f.* FROM orchestrator.file_audit AS f;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.1';
SELECT count(*) FROM information_schema.columns WHERE table_schema = 'orchestrator' AND table_name = 'file_audit';
INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name, status) VALUES ('5001', 'src/ui.py', 'ui.py', 6, 'UI', 'NOVEL');
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT count(*) FROM (SELECT * FROM v7 EXCEPT SELECT * FROM orchestrator.file_audit) AS lost;
SELECT file_number, v7_workflow_status FROM orchestrator.file_audit WHERE id NOT IN (SELECT id FROM v7);
SELECT count(*) FROM orchestrator.archived();
SELECT * FROM orchestrator.verify();
