\i head.sql
SET timezone = 'UTC';
\pset null '·'
\set trace '0198c5a0-0000-7000-8000-000000000001'
\set key '0198c5a0-0000-7000-8000-000000000002'
-- Finance routes a task to manager; routing it again with its key returns the first one.
SELECT task_id AS task, created FROM orchestrator.route_task('routing', 'pay invoice 7', 'finance', 'manager', '{"amount": 12.50, "huge": 1e30}', :'trace', :'key') \gset
SELECT :'created';
SELECT title, description, task_type, status, from_role, to_role, data, trace_id = :'trace', idempotency_key = :'key' FROM orchestrator.tasks;
SELECT task_id = :'task', created FROM orchestrator.route_task('routing', 'pay invoice 7', 'finance', 'manager', '{"huge": 1e30, "amount": 12.5}', :'trace', :'key');
-- A missing trace is not compared; every other difference is refused and named.
SELECT task_id = :'task', created FROM orchestrator.route_task('routing', 'pay invoice 7', 'finance', 'manager', '{"amount": 12.50, "huge": 1e30}', idempotency_key => :'key');
SELECT pg_temp.refusal(format('SELECT orchestrator.route_task(%L, %L, %L, %L, %L, %L, %L)', 'routing', 'pay invoice 8', 'finance', 'manager', '{"amount": 13}', :'trace', :'key'));
-- The call is compared with the current state of the task.
BEGIN;
UPDATE orchestrator.tasks SET data = data || '{"paid": true}';
SELECT pg_temp.refusal(format('SELECT orchestrator.route_task(%L, %L, %L, %L, %L, %L, %L)', 'routing', 'pay invoice 7', 'finance', 'manager', '{"amount": 12.50, "huge": 1e30}', :'trace', :'key'));
ROLLBACK;
SELECT pg_temp.refusal(format('SELECT orchestrator.route_task(%L, %L, %L, %L, %L, %L, %L)', 'approval', 'pay invoice 7', 'manager', 'finance', '{"amount": 12.50, "huge": 1e30}', orchestrator.uuidv7(), :'key'));
SELECT pg_temp.refusal(format('INSERT INTO orchestrator.tasks (title, task_type, idempotency_key) VALUES (%L, %L, %L)', 'x', 'x', :'key'));
SELECT count(*) FROM orchestrator.tasks;
-- Without a key every call creates a task, and without a trace each starts its own.
SELECT created FROM orchestrator.route_task('notification', 'month is closed', 'finance', 'manager');
SELECT created FROM orchestrator.route_task(task_type => 'notification', description => 'month is closed', from_role => 'finance', to_role => 'manager');
SELECT count(*), count(DISTINCT trace_id), count(trace_id) FROM orchestrator.tasks WHERE description = 'month is closed';
-- A routed task may have a blank title, but no other blank text; other tasks may not.
SELECT pg_temp.refusal('SELECT orchestrator.route_task(''banana'', ''d'', ''a'', ''b'')');
SELECT pg_temp.refusal('SELECT orchestrator.route_task(NULL, ''d'', ''a'', ''b'')');
SELECT pg_temp.refusal('SELECT orchestrator.route_task(''routing'', NULL, ''a'', ''b'')');
SELECT pg_temp.refusal('SELECT orchestrator.route_task(''routing'', E'' \t\n'', ''a'', ''b'')');
SELECT pg_temp.refusal('SELECT orchestrator.route_task(''routing'', ''d'', NULL, ''b'')');
SELECT pg_temp.refusal('SELECT orchestrator.route_task(''routing'', ''d'', '''', ''b'')');
SELECT pg_temp.refusal('SELECT orchestrator.route_task(''routing'', ''d'', ''a'', NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.route_task(''routing'', ''d'', ''a'', '' '')');
SELECT pg_temp.refusal('SELECT orchestrator.route_task(''routing'', ''d'', ''a'', ''b'', ''[]'')');
SELECT split_part(pg_temp.refusal('INSERT INTO orchestrator.tasks (task_type) VALUES (''tool'')'), E'\n', 1);
SELECT split_part(pg_temp.refusal('INSERT INTO orchestrator.tasks (task_type, description, from_role, trace_id) VALUES (''routing'', ''d'', ''a'', orchestrator.uuidv7())'), E'\n', 1);
SELECT split_part(pg_temp.refusal('INSERT INTO orchestrator.tasks (task_type, description, from_role, to_role) VALUES (''routing'', ''d'', ''a'', ''b'')'), E'\n', 1);
SELECT split_part(pg_temp.refusal('INSERT INTO orchestrator.tasks (task_type, from_role, to_role, trace_id) VALUES (''routing'', ''a'', ''b'', orchestrator.uuidv7())'), E'\n', 1);
SELECT split_part(pg_temp.refusal('INSERT INTO orchestrator.tasks (task_type, description, from_role, to_role, trace_id) VALUES (''tool'', ''d'', ''a'', ''b'', orchestrator.uuidv7())'), E'\n', 1);
SELECT count(*) FROM orchestrator.tasks;
-- An approval is requested from one role. Only that role can decide, and only once.
SELECT orchestrator.request_approval(:'task', 'manager', 'over the limit') AS approval \gset
SELECT approver_role, description, from_role, to_role, task_id = :'task', id = :'approval' FROM orchestrator.pending_approvals;
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'approval', 'approved', 'finance'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'approval', 'denied', 'manager'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'approval', 'pending', 'manager'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, NULL, %L)', :'approval', 'manager'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, NULL)', :'approval', 'approved'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'approval', 'approved', ' '));
SELECT pg_temp.refusal('SELECT orchestrator.resolve_approval(NULL, ''approved'', ''manager'')');
SELECT pg_temp.refusal('SELECT orchestrator.resolve_approval(orchestrator.uuidv7(), ''approved'', ''manager'')');
SELECT status, decision_at IS NULL, notes FROM orchestrator.approvals;
SELECT status, decision_at = now(), notes FROM orchestrator.resolve_approval(:'approval', 'approved', 'manager', 'within budget');
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'approval', 'rejected', 'manager'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'approval', 'approved', 'finance'));
SELECT pg_temp.refusal('UPDATE orchestrator.approvals SET status = ''rejected''');
SELECT pg_temp.refusal('UPDATE orchestrator.approvals SET notes = ''better words''');
-- A task that was not routed can be approved, too. A decision without a note keeps the note of the request.
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('deploy', 'script') RETURNING id AS plain \gset
SELECT orchestrator.request_approval(:'plain', 'ops', 'tonight?') AS approval \gset
SELECT status, notes FROM orchestrator.resolve_approval(approval_id => :'approval', decision => 'rejected', approver_role => 'ops');
SELECT pg_temp.refusal('SELECT orchestrator.request_approval(orchestrator.uuidv7(), ''manager'')');
SELECT pg_temp.refusal('SELECT orchestrator.request_approval(NULL, ''manager'')');
SELECT pg_temp.refusal(format('SELECT orchestrator.request_approval(%L, NULL)', :'plain'));
SELECT pg_temp.refusal(format('SELECT orchestrator.request_approval(%L, %L)', :'plain', ''));
SELECT split_part(pg_temp.refusal(format('INSERT INTO orchestrator.approvals (task_id, approver_role, status) VALUES (%L, %L, %L)', :'plain', 'ops', 'approved')), E'\n', 1);
SELECT split_part(pg_temp.refusal(format('INSERT INTO orchestrator.approvals (task_id, approver_role, decision_at) VALUES (%L, %L, now())', :'plain', 'ops')), E'\n', 1);
SELECT count(*) FROM orchestrator.pending_approvals;
-- A session belongs to a role, a client, or both, and every UPDATE follows its state machine.
INSERT INTO orchestrator.sessions (role, task_id) VALUES ('manager', :'task') RETURNING id AS session \gset
INSERT INTO orchestrator.sessions (client_id) VALUES ('browser') RETURNING id AS client \gset
SELECT split_part(pg_temp.refusal('INSERT INTO orchestrator.sessions (user_id) VALUES (''nobody'')'), E'\n', 1);
SELECT pg_temp.refusal(format('SELECT orchestrator.move_session(%L, %L)', :'session', 'complete'));
SELECT role, status, is_active FROM orchestrator.move_session(:'session', 'activate');
SELECT role, status FROM orchestrator.move_session(:'session', 'activate');
SELECT role, task_id = :'task' FROM orchestrator.active_sessions;
SELECT pg_temp.refusal(format('SELECT orchestrator.move_session(%L, %L)', :'session', 'pause'));
SELECT pg_temp.refusal(format('SELECT orchestrator.move_session(%L, NULL)', :'session'));
SELECT pg_temp.refusal('SELECT orchestrator.move_session(NULL, ''activate'')');
SELECT pg_temp.refusal('SELECT orchestrator.move_session(orchestrator.uuidv7(), ''activate'')');
SELECT pg_temp.refusal(format('UPDATE orchestrator.sessions SET status = %L WHERE id = %L', 'pending', :'session'));
SELECT status FROM orchestrator.move_session(:'session', 'complete');
SELECT pg_temp.refusal(format('SELECT orchestrator.move_session(%L, %L)', :'session', 'complete'));
SELECT pg_temp.refusal(format('SELECT orchestrator.move_session(%L, %L)', :'session', 'activate'));
SELECT pg_temp.refusal(format('UPDATE orchestrator.sessions SET status = %L WHERE id = %L', 'active', :'session'));
SELECT client_id, status FROM orchestrator.move_session(session_id => :'client', event => 'expire');
SELECT count(*) FROM orchestrator.active_sessions;
SELECT from_status, to_status FROM orchestrator.allowed_transitions('session');
-- Deleting the task keeps the session, and deletes the approvals.
SELECT status FROM orchestrator.sessions WHERE task_id = :'task';
DELETE FROM orchestrator.tasks WHERE id = :'task';
SELECT status, task_id FROM orchestrator.sessions WHERE id = :'session';
SELECT count(*) FROM orchestrator.approvals WHERE task_id = :'task';
-- Old keys are released, and old sessions expire. NULL means the configured age, else the default.
SELECT orchestrator.release_idempotency_keys(), orchestrator.expire_sessions();
INSERT INTO orchestrator.tasks (task_type, description, from_role, to_role, trace_id, idempotency_key, created_at)
VALUES ('routing', 'pay invoice 7', 'finance', 'manager', :'trace', :'key', now() - interval '23 hours');
SELECT orchestrator.release_idempotency_keys();
SELECT key FROM orchestrator.set_configuration('idempotency_ttl_seconds', '3600', 'integer');
-- Work that is not over, or waits for an approval, keeps its key and its session at any age.
INSERT INTO orchestrator.sessions (role, task_id, status, created_at, updated_at, last_heartbeat)
SELECT 'manager', id, 'active', t, t, t FROM orchestrator.tasks, (SELECT now() - interval '9 days') AS long_ago (t) WHERE idempotency_key = :'key' RETURNING task_id \gset
SELECT orchestrator.release_idempotency_keys(), orchestrator.expire_sessions();
UPDATE orchestrator.tasks SET status = 'running' WHERE id = :'task_id';
SELECT orchestrator.release_idempotency_keys(interval '0'), orchestrator.expire_sessions();
UPDATE orchestrator.tasks SET status = 'completed' WHERE id = :'task_id';
SELECT orchestrator.request_approval(:'task_id', 'boss') AS approval \gset
SELECT orchestrator.release_idempotency_keys(), orchestrator.expire_sessions();
BEGIN;
SELECT sum(affected) FROM orchestrator.run_maintenance() WHERE task IN ('expire_sessions', 'release_idempotency_keys');
ROLLBACK;
SELECT created FROM orchestrator.route_task('routing', 'pay invoice 7', 'finance', 'manager', idempotency_key => :'key');
SELECT status FROM orchestrator.resolve_approval(:'approval', 'approved', 'boss');
SELECT orchestrator.expire_sessions();
-- A late heartbeat does not reactivate a session that has ended.
SELECT pg_temp.refusal(format('SELECT orchestrator.session_heartbeat(%L)', id)) FROM orchestrator.sessions WHERE task_id = :'task_id';
SELECT status, is_active FROM orchestrator.sessions WHERE task_id = :'task_id';
SELECT orchestrator.release_idempotency_keys(interval '1 day'), orchestrator.release_idempotency_keys(), orchestrator.release_idempotency_keys();
-- The key is free: a call with other content creates a new task with it.
SELECT created FROM orchestrator.route_task('routing', 'pay invoice 8', 'finance', 'manager', idempotency_key => :'key');
SELECT description, idempotency_key IS NULL FROM orchestrator.tasks WHERE to_role = 'manager' AND task_type = 'routing' ORDER BY description;
INSERT INTO orchestrator.sessions (client_id, role, status, created_at, updated_at, last_heartbeat) VALUES
    (NULL,    'updated', 'pending',   now() - interval '9 days', now() - interval '6 days', now() - interval '9 days'),
    ('heard', NULL,      'active',    now() - interval '9 days', now() - interval '9 days', now() - interval '6 days'),
    (NULL,    'silent',  'active',    now() - interval '9 days', now() - interval '8 days', now() - interval '9 days'),
    (NULL,    'over',    'completed', now() - interval '9 days', now() - interval '9 days', now() - interval '9 days');
SELECT orchestrator.expire_sessions();
SELECT coalesce(role, client_id), status FROM orchestrator.sessions WHERE created_at < now() - interval '8 days' ORDER BY 1;
SELECT key FROM orchestrator.set_configuration('session_retention_days', '0.5', 'float');
SELECT orchestrator.expire_sessions(interval '7 days'), orchestrator.expire_sessions(), orchestrator.expire_sessions(NULL);
SELECT key FROM orchestrator.set_configuration('session_retention_days', 'a week', 'string');
SELECT pg_temp.refusal('SELECT orchestrator.expire_sessions()');
SELECT key FROM orchestrator.set_configuration('session_retention_days', '-1', 'integer');
SELECT pg_temp.refusal('SELECT orchestrator.expire_sessions()');
SELECT pg_temp.refusal('SELECT orchestrator.expire_sessions(interval ''-1 second'')');
SELECT pg_temp.refusal('SELECT orchestrator.release_idempotency_keys(interval ''-1 second'')');
SELECT pg_temp.refusal('SELECT orchestrator.release_idempotency_keys(interval ''170000000 years'')');
-- The trail has every step, recorded in the transaction that made it; a refused call leaves no event.
SELECT event_type, role, count(*) FROM orchestrator.audit_events GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM orchestrator.verify();
