\i head.sql
\pset null '·'
\set project '0198c5a0-0000-7000-8000-000000000001'
-- Three systems ask for decisions, and one view lists the pending ones, the oldest first.
SELECT orchestrator.start_run('t1', :'project', 'S-1') IS NOT NULL;
SELECT orchestrator.request_review('t1', 'budget_exceeded', 'twice the estimate') AS review \gset
SELECT orchestrator.open_gate(:'project', 'backend_developer', 'loop_detected', 'the same error three times', '{"thread_id": "t1"}') AS gate \gset
SELECT task_id AS task FROM orchestrator.route_task('approval', 'pay invoice 7', 'finance', 'manager') \gset
SELECT orchestrator.request_approval(:'task', 'manager') AS approval \gset
SELECT orchestrator.request_approval(:'task', 'legal', 'is it in the contract?') AS asked \gset
SELECT kind, subject, asks, project_id, thread_id, waiting < '1 min' FROM orchestrator.pending_decisions;
SELECT id = :'review', requested_at IS NOT NULL FROM orchestrator.pending_decisions LIMIT 1;
-- Each page starts after the last row of the page before.
SELECT requested_at AS last_time, id AS last_id FROM orchestrator.pending_decisions LIMIT 1 OFFSET 1 \gset
SELECT kind, asks FROM orchestrator.pending_decisions WHERE (requested_at, id) > (:'last_time', :'last_id') LIMIT 5;
-- Each kind of decision follows its own rules.
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'review', 'reject', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, %L)', :'gate', 'deny', 'ada', E' \n'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'approval', 'approve', 'legal'));
SELECT count(*) FROM orchestrator.pending_decisions;
SELECT kind, id = :'review', status FROM orchestrator.decide(:'review', 'reject', 'ada', 'start smaller');
SELECT kind, id = :'gate', status FROM orchestrator.decide(decision_id => :'gate', decision => 'deny', decided_by => 'ada', notes => 'read the error first');
SELECT kind, id = :'approval', status FROM orchestrator.decide(:'approval', 'approved', 'manager');
SELECT kind, id = :'asked', status FROM orchestrator.decide(:'asked', 'denied', 'legal');
SELECT count(*) FROM orchestrator.pending_decisions;
-- Each decision had its own effects.
SELECT phase, gate_status, error FROM orchestrator.orchestrator_runs;
SELECT status, resolved_by, resolution_notes FROM orchestrator.human_review_queue;
SELECT status, resolved_by, feedback FROM orchestrator.gates;
SELECT knowledge_type FROM orchestrator.knowledge_staging;
SELECT approver_role, status, notes FROM orchestrator.approvals ORDER BY id;
SELECT event_type, role, metadata ->> 'session_user' = session_user FROM orchestrator.audit_events ORDER BY id;
-- A decision is made once. Later calls fail, and the error reports by whom, how and when it was made.
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'review', 'approve', 'bob'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'gate', 'approve', 'bob'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'approval', 'reject', 'manager'));
-- Refused calls.
SELECT pg_temp.refusal('SELECT orchestrator.decide(orchestrator.uuidv7(), ''approve'', ''ada'')');
SELECT pg_temp.refusal('SELECT orchestrator.decide(NULL, ''approve'', ''ada'')');
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, NULL, %L)', :'gate', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, NULL)', :'gate', 'approve'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'gate', 'approve', ' '));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'gate', 'yes', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'gate', 'Approve', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'gate', 'pending', 'ada'));
-- Every accepted word for yes and for no.
SELECT w.word, d.status FROM unnest('{approve,approved,reject,rejected,deny,denied}'::text[]) AS w (word),
    LATERAL orchestrator.decide(orchestrator.open_gate(:'project', 'a', 'manual', w.word), w.word, 'ada', 'n') AS d;
-- Two rows with the same id: the pending one is decided.
INSERT INTO orchestrator.approvals (id, task_id, approver_role) VALUES (:'gate', :'task', 'manager');
SELECT kind, status FROM orchestrator.decide(:'gate', 'approve', 'manager');
-- One version down, pending decisions are still pending; up again, one view lists them.
SELECT orchestrator.open_gate(:'project', 'a', 'manual', 'waits') IS NOT NULL;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.5.0';
SELECT to_regclass('orchestrator.pending_decisions'), to_regproc('orchestrator.decide');
SELECT count(*) FROM orchestrator.gates WHERE status = 'pending';
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT kind, subject, asks FROM orchestrator.pending_decisions;
SELECT * FROM orchestrator.verify();
