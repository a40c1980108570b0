\i head.sql
ALTER EXTENSION orchestrator_schema UPDATE TO '0.6.0';
-- The functions of the versions before 0.7.0 keep their rules: only reviews are questions about a run, an approval may lift an
-- earlier pause, and no hold stops a tool or a phase.
\pset null '·'
\set project '0198c5a0-0000-7000-8000-000000000001'
CREATE FUNCTION pg_temp.run(thread text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(', ', phase, gate_status, CASE WHEN requires_human_review THEN 'to be reviewed' END, CASE WHEN completed_at IS NOT NULL THEN 'ended' END, error)
    FROM orchestrator.orchestrator_runs WHERE thread_id = thread $$;
-- A run with a bad score is held; a human approves, and it continues.
SELECT orchestrator.start_run('t1', :'project', 'S-1') IS NOT NULL;
SELECT safety_score FROM orchestrator.record_safety('t1', 0.55, '{"drops a table"}');
SELECT pg_temp.run('t1');
SELECT pg_temp.refusal('SELECT orchestrator.resume_run(''t1'')');
SELECT id AS review FROM orchestrator.human_review_queue WHERE thread_id = 't1' \gset
SELECT thread_id, review_type, status, resolved_by, resolved_at = now(), resolution_notes FROM orchestrator.resolve_review(:'review', 'approved', 'ada', 'a test table');
SELECT pg_temp.run('t1');
-- A review is resolved once. Later calls fail, the error reports by whom, how, when and why it was resolved, and nothing changes.
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L, %L)', :'review', 'rejected', 'bob', 'never'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'approved', 'ada'));
SELECT pg_temp.refusal('UPDATE orchestrator.human_review_queue SET status = ''pending'', resolved_at = NULL, resolved_by = NULL');
SELECT pg_temp.refusal('UPDATE orchestrator.human_review_queue SET resolution_notes = ''better words''');
SELECT pg_temp.refusal('UPDATE orchestrator.human_review_queue SET thread_id = ''t9''');
UPDATE orchestrator.human_review_queue SET status = status RETURNING status, resolved_by;
SELECT pg_temp.run('t1');
SELECT event_type, role, metadata - 'session_user' - 'role' - 'review_id', metadata ->> 'review_id' = :'review', metadata ? 'session_user' FROM orchestrator.audit_events WHERE event_type LIKE 'review%' ORDER BY id;
-- Several reviews of one run: the last approval frees it.
SELECT orchestrator.request_review('t1', 'gate_override', 'may it skip the tests?', context => '{"tests": 3}') AS first \gset
SELECT orchestrator.request_review(thread_id => 't1', review_type => 'budget_exceeded', reason => 'twice the estimate', safety_score => 0.999) AS second \gset
SELECT review_type, reason, safety_score, context, status, resolved_by, resolved_at FROM orchestrator.human_review_queue WHERE id IN (:'first', :'second') ORDER BY id;
SELECT gate_status FROM orchestrator.pause_run('t1', 'while humans think');
SELECT status, resolution_notes FROM orchestrator.resolve_review(review_id => :'second', decision => 'approved', resolved_by => 'bob');
SELECT pg_temp.run('t1');
SELECT status FROM orchestrator.resolve_review(:'first', 'approved', 'ada');
SELECT pg_temp.run('t1');
-- A pause after the last review belongs to no review: only resume_run lifts it, not an approval.
SELECT gate_status FROM orchestrator.resume_run('t1');
SELECT orchestrator.request_review('t1', 'gate_override', 'may it deploy?') AS older \gset
SELECT gate_status FROM orchestrator.pause_run('t1', 'stop, I am looking');
SELECT outcome FROM orchestrator.resolve_reviews(array[:'older']::uuid[], 'approved', 'bob');
SELECT pg_temp.run('t1');
SELECT gate_status FROM orchestrator.resume_run('t1');
SELECT gate_status, requires_human_review FROM orchestrator.record_safety('t1', 0.5, '{shell}');
SELECT gate_status FROM orchestrator.pause_run('t1', 'stop once more');
SELECT status FROM orchestrator.resolve_review((SELECT id FROM orchestrator.human_review_queue WHERE thread_id = 't1' AND status = 'pending'), 'approved', 'bob');
SELECT pg_temp.run('t1');
-- Nobody can change that in the trail, and the pause is not purged from it while nothing followed.
SELECT pg_temp.refusal(format('SELECT orchestrator.record_event(%L, %L, %L)', event, 'worker', (SELECT id FROM orchestrator.orchestrator_runs WHERE thread_id = 't1')))
FROM unnest(array['run_paused', 'run_resumed', 'review_requested']) AS event;
BEGIN;
SELECT orchestrator.start_run('t0', :'project', 'S-0') AS run \gset
SELECT orchestrator.request_review('t0', 'gate_override', 'may it deploy?') AS review \gset
SELECT gate_status FROM orchestrator.pause_run('t0', 'stop');
SET LOCAL session_replication_role = replica;
ALTER TABLE orchestrator.audit_events DISABLE TRIGGER USER;
UPDATE orchestrator.audit_events SET "timestamp" = now() - interval '3 days' WHERE trace_id = :'run';
ALTER TABLE orchestrator.audit_events ENABLE ALWAYS TRIGGER audit_events_append_only;
ALTER TABLE orchestrator.audit_events ENABLE ALWAYS TRIGGER audit_events_append_only_rows;
SET LOCAL session_replication_role = origin;
SELECT orchestrator.purge_audit_events('2 days');
SELECT event_type FROM orchestrator.audit_events WHERE trace_id = :'run';
SELECT status FROM orchestrator.resolve_review(:'review', 'approved', 'bob');
SELECT gate_status FROM orchestrator.orchestrator_runs WHERE thread_id = 't0';
ROLLBACK;
-- A review of a paused run asks whether the run may continue.
SELECT orchestrator.request_review('t1', 'gate_override', 'the look found nothing: may it go on?') AS newer \gset
SELECT status FROM orchestrator.resolve_review(:'newer', 'approved', 'ada');
SELECT pg_temp.run('t1');
-- A run whose review was deleted waits for nobody: the error of resume_run explains that.
SELECT orchestrator.request_review('t1', 'gate_override', 'asked by mistake') AS mistake \gset
DELETE FROM orchestrator.human_review_queue WHERE id = :'mistake';
SELECT gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT gate_status, requires_human_review FROM orchestrator.resume_run('t1');
SELECT gate_status, requires_human_review FROM orchestrator.resume_run('t1');
SELECT event_type, metadata - 'session_user' - 'role' FROM orchestrator.audit_events WHERE event_type IN ('run_paused', 'run_resumed') ORDER BY id;
-- An approval lifts a hold, and changes no other gate status.
SELECT orchestrator.start_run('t2', :'project', 'S-2') IS NOT NULL;
SELECT orchestrator.request_review('t2', 'safety', 'look at it') AS review \gset
SELECT pg_temp.run('t2');
SELECT status FROM orchestrator.resolve_review(:'review', 'approved', 'ada');
SELECT pg_temp.run('t2');
-- Any rejection kills the run, however many reviews are pending; these stay, and no longer change anything.
SELECT orchestrator.request_review('t2', 'safety', 'look at it') AS first \gset
SELECT orchestrator.request_review('t2', 'gate_override', 'and at that') AS second \gset
SELECT status, resolution_notes FROM orchestrator.resolve_review(:'first', 'rejected', 'ada', 'it deletes backups');
SELECT pg_temp.run('t2');
SELECT status FROM orchestrator.resolve_review(:'second', 'approved', 'bob', 'fine with me');
SELECT pg_temp.run('t2');
-- No decision changes a completed run.
SELECT orchestrator.start_run('t3', :'project', 'S-3') IS NOT NULL;
SELECT orchestrator.request_review('t3', 'safety', 'look at it') AS first \gset
SELECT orchestrator.request_review('t3', 'safety', 'look again') AS second \gset
SELECT phase FROM orchestrator.record_run_progress('t3', 'development');
SELECT phase FROM orchestrator.record_run_progress('t3', 'testing');
SELECT phase FROM orchestrator.record_run_progress('t3', 'complete');
CREATE TEMP TABLE completed AS SELECT * FROM orchestrator.orchestrator_runs WHERE thread_id = 't3';
SELECT status FROM orchestrator.resolve_review(:'first', 'rejected', 'ada', 'too late');
SELECT status FROM orchestrator.resolve_review(:'second', 'approved', 'ada');
SELECT r = c AS untouched FROM orchestrator.orchestrator_runs AS r JOIN completed AS c USING (id);
SELECT orchestrator.start_run('t5', :'project', 'S-5') IS NOT NULL;
SELECT phase, gate_status FROM orchestrator.pause_run('t5', 'lunch');
SELECT phase, gate_status FROM orchestrator.record_run_progress('t5', 'development');
SELECT gate_status FROM orchestrator.record_safety('t5', 0.1);
SELECT pg_temp.refusal('SELECT orchestrator.resume_run(''t5'')');
SELECT pg_temp.refusal(format('SELECT orchestrator.start_run(%L, %L, %L)', 't5', :'project', 'S-5'));
SELECT outcome FROM orchestrator.resolve_reviews(ARRAY(SELECT id FROM orchestrator.human_review_queue WHERE thread_id = 't5'), 'approved', 'ada');
SELECT gate_status FROM orchestrator.orchestrator_runs WHERE thread_id = 't5';
-- Gates, approvals, tools and usage of 0.6.0.
SELECT orchestrator.open_gate(:'project', 'dev', 'manual', 'which way?', '{"thread_id": "t5"}') AS gate \gset
SELECT kind, status FROM orchestrator.decide(:'gate', 'deny', 'ada', 'left');
SELECT task_id AS task FROM orchestrator.route_task('routing', 'do it', 'a', 'b') \gset
SELECT orchestrator.start_tool_execution(:'task', 'bash') IS NOT NULL;
SELECT orchestrator.request_approval(:'task', 'boss', 'ship it?') AS approval \gset
SELECT kind, status FROM orchestrator.decide(:'approval', 'approve', 'boss');
SELECT orchestrator.request_review('t5', 'gate_override', 'may it?') AS review \gset
SELECT kind, status FROM orchestrator.decide(:'review', 'reject', 'ada', 'no');
SELECT gate_status, phase FROM orchestrator.orchestrator_runs WHERE thread_id = 't5';
SELECT orchestrator.record_token_usage('m', 1, 2) IS NOT NULL;
SELECT event_type, metadata - 'session_user' - 'role' - 'gate_id' - 'project_id' - 'approval_id' - 'task_id' FROM orchestrator.audit_events WHERE event_type LIKE 'gate%' OR event_type LIKE 'approval%' ORDER BY id;
SELECT * FROM orchestrator.verify();
