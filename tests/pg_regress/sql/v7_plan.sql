\i head.sql
-- The plan is loaded once, and later calls add missing rows; changes of users are kept.
SELECT * FROM orchestrator.v7_load_plan();
SELECT phase_number, phase_name, lead_persona, status, approval_status FROM orchestrator.v7_migration_workflow ORDER BY 1;
SELECT t.parent_phase, t.task_number, t.task_name, t.responsible_persona,
       ARRAY(SELECT d.task_number FROM orchestrator.v7_subworkflow_tasks AS d WHERE d.id = ANY (t.dependencies) ORDER BY 1) AS after
FROM orchestrator.v7_subworkflow_tasks AS t ORDER BY 1, 2;
UPDATE orchestrator.v7_migration_workflow SET lead_persona = 'Ada', phase_name = 'Drafts' WHERE phase_number = 2;
UPDATE orchestrator.v7_subworkflow_tasks SET task_name = 'Snapshot of the schema', notes = 'mine' WHERE parent_phase = 1 AND task_number = 1;
UPDATE orchestrator.v7_subworkflow_tasks SET task_number = 50 WHERE parent_phase = 1 AND task_number = 5;
DELETE FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 4 AND task_number = 8;
DELETE FROM orchestrator.v7_migration_workflow WHERE phase_number = 7;
SELECT * FROM orchestrator.v7_load_plan();
SELECT * FROM orchestrator.v7_load_plan();
SELECT phase_name, lead_persona FROM orchestrator.v7_migration_workflow WHERE phase_number IN (2, 7) ORDER BY phase_number;
SELECT task_number, task_name, notes FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 1 ORDER BY 1;
UPDATE orchestrator.v7_migration_workflow SET phase_name = 'Design' WHERE phase_number = 2;
-- No phase starts out of order: the error names each missing prerequisite, and the person who must provide it.
SELECT pg_temp.refusal('SELECT orchestrator.v7_start_phase(2)');
SELECT pg_temp.refusal('SELECT orchestrator.v7_start_phase(4)');
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'in_progress' WHERE phase_number = 4$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'completed' WHERE phase_number = 4$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'review' WHERE phase_number = 2$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'approved', approval_status = 'approved', approved_by = 'me' WHERE phase_number = 2$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET approval_status = 'approved', approved_by = 'me' WHERE phase_number = 2$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'in_progress'$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET phase_number = 5 WHERE phase_number = 7$$);
SELECT pg_temp.refusal($$MERGE INTO orchestrator.v7_migration_workflow AS w USING (SELECT 3 AS n) AS x ON w.phase_number = x.n WHEN MATCHED THEN UPDATE SET status = 'in_progress'$$);
SELECT count(*) FROM orchestrator.v7_migration_workflow WHERE status <> 'not_started' OR approval_status <> 'pending';
-- Phase 1 takes its steps.
SELECT status, started_at = now() FROM orchestrator.v7_start_phase(1);
SELECT pg_temp.refusal('SELECT orchestrator.v7_start_phase(1)');
SELECT pg_temp.refusal('SELECT orchestrator.v7_complete_phase(1)');
SELECT pg_temp.refusal($$SELECT orchestrator.v7_approve_phase(1, 'The Architect', 'fine')$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'completed' WHERE phase_number = 1$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_request_review(1, '{"a": 1}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_request_review(1, 'null')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_request_review(1, NULL)$$);
SELECT status, deliverables FROM orchestrator.v7_request_review(1, '["snapshot", {"n": 1e200}]');
SELECT pg_temp.refusal($$SELECT orchestrator.v7_request_review(1, '[]')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_approve_phase(1, NULL, 'fine')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_approve_phase(1, E' \t', 'fine')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_approve_phase(1, 'The Architect', ' ')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_approve_phase(1, 'The Architect', NULL)$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'approved' WHERE phase_number = 1$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'approved', approval_status = 'approved', approved_by = ' ' WHERE phase_number = 1$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'approved', approval_status = 'approved', approved_by = 'B' WHERE phase_number = 1$$);
SELECT status, approval_status, approved_by, approval_notes FROM orchestrator.v7_approve_phase(1, 'The Architect', 'as documented');
SELECT pg_temp.refusal($$SELECT orchestrator.v7_approve_phase(1, 'somebody else', 'too late')$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET approved_by = 'somebody else' WHERE phase_number = 1$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET approval_status = 'pending' WHERE phase_number = 1$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET approval_notes = '' WHERE phase_number = 1$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'completed', approved_by = 'somebody else' WHERE phase_number = 1$$);
UPDATE orchestrator.v7_migration_workflow SET approval_notes = 'as documented, on paper' WHERE phase_number = 1;
-- Open tasks prevent its completion.
SELECT pg_temp.refusal('SELECT orchestrator.v7_complete_phase(1)');
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'completed' WHERE phase_number = 1$$);
SELECT task_name FROM orchestrator.v7_ready_tasks WHERE parent_phase = 1;
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'in_progress' WHERE parent_phase = 1 AND task_number = 1 RETURNING started_at = now();
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'completed' WHERE parent_phase = 1 AND task_number = 1 RETURNING completed_at = now();
SELECT task_name FROM orchestrator.v7_ready_tasks WHERE parent_phase = 1;
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'cancelled' WHERE parent_phase = 1 AND task_number > 1;
SELECT status, completed_at = now() FROM orchestrator.v7_complete_phase(1);
SELECT pg_temp.refusal('SELECT orchestrator.v7_complete_phase(1)');
-- A completed phase keeps its approval and its tasks.
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET approval_status = 'pending', approved_by = NULL WHERE phase_number = 1$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_subworkflow_tasks SET parent_phase = 1, task_number = 77 WHERE parent_phase = 4 AND task_number = 7$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_subworkflow_tasks SET parent_phase = 8 WHERE parent_phase = 4 AND task_number = 7$$);
UPDATE orchestrator.v7_subworkflow_tasks SET parent_phase = 2, task_number = 77 WHERE parent_phase = 4 AND task_number = 7;
UPDATE orchestrator.v7_subworkflow_tasks SET parent_phase = 4, task_number = 7 WHERE parent_phase = 2 AND task_number = 77;
-- Two phases later, the database phase lacks only its sign-offs.
SELECT (orchestrator.v7_start_phase(2)).status;
SELECT (orchestrator.v7_request_review(2, '[]')).status;
SELECT (orchestrator.v7_approve_phase(2, 'The Architect', 'fine')).status;
SELECT pg_temp.refusal('SELECT orchestrator.v7_start_phase(3)');
SELECT (orchestrator.v7_complete_phase(2)).status;
SELECT (orchestrator.v7_start_phase(3)).status;
SELECT (orchestrator.v7_request_review(3, '[]')).status;
SELECT (orchestrator.v7_approve_phase(3, 'The Architect', 'fine')).status;
SELECT (orchestrator.v7_complete_phase(3)).status;
SELECT orchestrator.v7_missing_sign_offs(4, 'before');
SELECT orchestrator.v7_missing_sign_offs(phase_number => 4, stage => 'after');
SELECT count(*) FROM orchestrator.v7_missing_sign_offs(5, 'before');
SELECT pg_temp.refusal('SELECT orchestrator.v7_start_phase(4)');
SELECT orchestrator.v7_sign(4, 'before', 'The Architect', 'The Architect') IS NOT NULL;
SELECT orchestrator.v7_sign(phase_number => 4, stage => 'before', item => 'DB Team Lead', signed_by => 'Grace', notes => 'in writing') IS NOT NULL;
SELECT pg_temp.refusal('SELECT orchestrator.v7_start_phase(4)');
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(4, 'before', 'DB Team Lead', 'somebody else')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(4, 'during', 'Test Sentinel', 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(4, 'before', ' ', 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(4, 'before', repeat('x', 501), 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(4, 'before', 'Test Sentinel', ' ')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(8, 'before', 'Test Sentinel', 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(NULL, 'before', 'Test Sentinel', 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(4, NULL, 'Test Sentinel', 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(4, 'before', NULL, 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_sign(4, 'before', 'Test Sentinel', NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_missing_sign_offs(0, 'before')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_missing_sign_offs(4, 'never')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_missing_sign_offs(4, NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_missing_sign_offs(NULL, 'before')$$);
-- A signature is final; only a note may be added.
SELECT pg_temp.refusal($$UPDATE orchestrator.migration_sign_offs SET item = 'Test Sentinel' WHERE item = 'DB Team Lead'$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.migration_sign_offs SET signed_by = 'x' WHERE item = 'DB Team Lead'$$);
UPDATE orchestrator.migration_sign_offs SET notes = 'on paper' WHERE item = 'DB Team Lead';
SELECT orchestrator.v7_sign(4, 'before', 'Test Sentinel', 'Test Sentinel') IS NOT NULL;
SELECT stage, item, signed_by, signed_at = now(), notes FROM orchestrator.migration_sign_offs ORDER BY id;
SELECT (orchestrator.v7_start_phase(4)).status;
-- New tasks get the next number. Their dependencies must exist and form no circle.
SELECT orchestrator.v7_issue_task(4, 'Backup', 'DB Team Lead') AS backup \gset
SELECT orchestrator.v7_issue_task(phase_number => 4, task_name => 'Restore test', responsible_persona => 'Test Sentinel', dependencies => ARRAY[:'backup', :'backup']::uuid[], dart_task_id => 'dart-7', dart_task_url => 'https://dart.example/7') AS test \gset
SELECT task_number, task_name, status, cardinality(dependencies), dart_task_id FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 4 AND task_number > 8 ORDER BY 1;
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(9, 'x', 'y')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(1, 'x', 'y')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(NULL, 'x', 'y')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(4, NULL, 'y')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(4, ' ', 'y')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(4, 'x', NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(4, 'x', ' ')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(4, 'x', 'y', ARRAY[NULL]::uuid[])$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(4, 'x', 'y', ARRAY['00000000-0000-0000-0000-000000000000']::uuid[])$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(4, 'x', 'y', '{}', ' ')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(4, 'x', 'y', '{}', 'd', '')$$);
SELECT pg_temp.refusal(format($$UPDATE orchestrator.v7_subworkflow_tasks SET dependencies = ARRAY[%L]::uuid[] WHERE id = %L$$, :'test', :'backup'));
SELECT pg_temp.refusal(format($$UPDATE orchestrator.v7_subworkflow_tasks SET dependencies = ARRAY[%L]::uuid[] WHERE id = %L$$, :'test', :'test'));
SELECT pg_temp.refusal(format($$UPDATE orchestrator.v7_subworkflow_tasks SET dependencies = '{00000000-0000-0000-0000-000000000000}' WHERE id = %L$$, :'test'));
-- The tracker: tasks that it lacks, and tasks that it has in an older form.
SELECT reason, count(*) FROM orchestrator.v7_unsynced_tasks WHERE parent_phase = 4 GROUP BY 1;
UPDATE orchestrator.v7_subworkflow_tasks SET dart_task_id = 'dart-' || task_number WHERE parent_phase = 4 AND dart_task_id IS NULL;
SELECT count(*) FROM orchestrator.v7_unsynced_tasks WHERE parent_phase = 4;
UPDATE orchestrator.v7_subworkflow_tasks SET notes = notes WHERE id = :'test';
SELECT count(*) FROM orchestrator.v7_unsynced_tasks WHERE parent_phase = 4;
UPDATE orchestrator.v7_subworkflow_tasks SET notes = 'with the archive' WHERE id = :'test';
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'in_progress' WHERE id = :'backup';
SELECT task_name, status, dart_task_id, reason, changed_at IS NOT NULL FROM orchestrator.v7_unsynced_tasks WHERE parent_phase = 4 ORDER BY task_name;
UPDATE orchestrator.v7_subworkflow_tasks SET dart_task_id = dart_task_id WHERE id = :'test';
UPDATE orchestrator.v7_subworkflow_tasks SET dart_task_url = 'https://dart.example/9', status = 'completed' WHERE id = :'backup';
SELECT count(*) FROM orchestrator.v7_unsynced_tasks WHERE parent_phase = 4;
UPDATE orchestrator.v7_subworkflow_tasks SET dart_task_id = NULL WHERE id = :'test';
SELECT task_name, reason FROM orchestrator.v7_unsynced_tasks WHERE parent_phase = 4;
-- The phase cannot end: open tasks, its approval and three sign-offs are missing.
SELECT pg_temp.refusal('SELECT orchestrator.v7_complete_phase(4)');
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'in_progress' WHERE parent_phase = 4 AND status = 'pending';
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'review' WHERE parent_phase = 4 AND status = 'in_progress';
SELECT (orchestrator.v7_request_review(4, '["tables", "columns"]')).status;
SELECT (orchestrator.v7_approve_phase(4, 'The Architect', 'go')).status;
SELECT pg_temp.refusal('SELECT orchestrator.v7_complete_phase(4)');
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'completed' WHERE parent_phase = 4 AND status = 'review';
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'completed' WHERE phase_number = 4$$);
SELECT count(orchestrator.v7_sign(4, 'after', m.item, 'x')) FROM orchestrator.v7_missing_sign_offs(4, 'after') AS m (item);
SELECT (orchestrator.v7_complete_phase(4)).status;
SELECT bool_and(passed) FROM orchestrator.v7_verify();
-- A rollback records its reason, cancels open tasks, and revokes the approval; the next phase cannot continue.
SELECT (orchestrator.v7_start_phase(5)).status;
SELECT orchestrator.v7_issue_task(5, 'Code', 'Dev Team') IS NOT NULL, orchestrator.v7_issue_task(5, 'Code review', 'Dev Team') IS NOT NULL;
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'in_progress' WHERE parent_phase = 5;
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'review', notes = 'nearly' WHERE parent_phase = 5 AND task_number = 2;
SELECT pg_temp.refusal($$SELECT orchestrator.v7_roll_back_phase(5, ' ')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_roll_back_phase(5, NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_roll_back_phase(6, 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_roll_back_phase(8, 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.v7_roll_back_phase(NULL, 'x')$$);
SELECT status, approval_status, approval_notes FROM orchestrator.v7_roll_back_phase(5, 'the enums broke');
SELECT task_number, status, notes FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 5 ORDER BY 1;
SELECT pg_temp.refusal($$SELECT orchestrator.v7_roll_back_phase(5, 'again')$$);
SELECT pg_temp.refusal('SELECT orchestrator.v7_start_phase(5)');
SELECT pg_temp.refusal($$SELECT orchestrator.v7_issue_task(5, 'x', 'y')$$);
UPDATE orchestrator.v7_migration_workflow SET status = 'not_started' WHERE phase_number = 5 RETURNING started_at, completed_at;
SELECT (orchestrator.v7_start_phase(5)).status;
SELECT status, approval_status, approved_by, approval_notes FROM orchestrator.v7_roll_back_phase(4, 'a table was lost');
SELECT pg_temp.refusal($$UPDATE orchestrator.v7_migration_workflow SET status = 'in_progress' WHERE phase_number = 6$$);
-- Remaining inconsistencies are reported.
SELECT check_name, actual FROM orchestrator.v7_verify() WHERE NOT passed;
UPDATE orchestrator.v7_migration_workflow SET status = 'rolled_back' WHERE phase_number = 5 RETURNING approval_status;
SELECT pg_temp.refusal('SELECT orchestrator.v7_start_phase(NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.v7_start_phase(-1)');
SELECT pg_temp.refusal('SELECT orchestrator.v7_complete_phase(NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.v7_complete_phase(2147483647)');
-- Down and up again: approvals, sign-offs, hand-overs and times are unchanged.
CREATE TEMPORARY TABLE before AS SELECT (SELECT json_agg(x ORDER BY x.id)::text FROM orchestrator.v7_migration_workflow AS x) AS phases, (SELECT json_agg(x ORDER BY x.id)::text FROM orchestrator.v7_subworkflow_tasks AS x) AS tasks,
    (SELECT json_agg(x ORDER BY x.id)::text FROM orchestrator.migration_sign_offs AS x) AS sign_offs, (SELECT json_agg(x ORDER BY x.task_id)::text FROM orchestrator.migration_hand_overs AS x) AS hand_overs;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0';
SELECT * FROM orchestrator.v7_verify_rollback();
SELECT object, from_version, rows FROM orchestrator.archived() ORDER BY object;
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT a.phases = b.phases, a.tasks = b.tasks, a.sign_offs = b.sign_offs, a.hand_overs = b.hand_overs FROM before AS b, (SELECT (SELECT json_agg(x ORDER BY x.id)::text FROM orchestrator.v7_migration_workflow AS x) AS phases, (SELECT json_agg(x ORDER BY x.id)::text FROM orchestrator.v7_subworkflow_tasks AS x) AS tasks,
    (SELECT json_agg(x ORDER BY x.id)::text FROM orchestrator.migration_sign_offs AS x) AS sign_offs, (SELECT json_agg(x ORDER BY x.task_id)::text FROM orchestrator.migration_hand_overs AS x) AS hand_overs) AS a;
SELECT count(*) FROM orchestrator.archived();
SELECT * FROM orchestrator.verify();
