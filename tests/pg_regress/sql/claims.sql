\i head.sql
\pset null '·'
\set project '0198c5a0-0000-7000-8000-000000000001'
-- Tasks are claimed in order: priority, then run_after, then age.
SELECT created FROM orchestrator.create_task('email', 'a1');
SELECT created FROM orchestrator.create_task('email', 'a2', priority => 0::smallint, run_after => '2020-01-01 00:00:00+00');
SELECT created FROM orchestrator.create_task('email', 'a3', priority => 9::smallint);
SELECT created FROM orchestrator.create_task('email', 'a4', priority => 9::smallint, run_after => 'infinity');
SELECT created FROM orchestrator.create_task('build', 'b1', '{"of": "b"}', priority => 1::smallint, max_attempts => 3, description => 'text', metadata => '[1]', workspace_path => '/srv');
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('plain', 'email');
INSERT INTO orchestrator.tasks (title, task_type, to_role) VALUES ('for ada', 'email', 'ada'), ('for bob', 'build', 'bob');
SELECT task_type, to_role, waiting, scheduled, blocked, running, expired_leases, oldest_wait >= '0' FROM orchestrator.task_queue ORDER BY 1, 2;
SELECT title, status, started_at = now(), priority, error FROM orchestrator.claim_tasks('w1', '{email}', batch => 3);
SELECT title FROM orchestrator.claim_tasks('w1', to_role => 'ada');
SELECT title FROM orchestrator.claim_tasks('w1', '{email,build}', 'bob', 5);
SELECT title FROM orchestrator.claim_tasks('w1', '{email}', 'bob');
SELECT title FROM orchestrator.claim_tasks('w2', '{nothing}');
SELECT title FROM orchestrator.claim_tasks('w2', '{}');
SELECT title, config, description, metadata, workspace_path FROM orchestrator.claim_tasks('w2', batch => 10, lease => '1 hour');
SELECT title FROM orchestrator.claim_tasks('w2');
SELECT t.title, a.attempt, a.worker, a.claimed_at = now(), a.lease_expires_at > now(), a.ended_at, a.outcome, a.claimed_as = session_user FROM orchestrator.task_attempts AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id ORDER BY t.title;
SELECT t.title, q.priority, q.run_after, q.attempts, q.ready FROM orchestrator.queued_tasks AS q JOIN orchestrator.tasks AS t ON t.id = q.task_id;
SELECT task_type, to_role, waiting, scheduled, running, oldest_wait FROM orchestrator.task_queue ORDER BY 1, 2;
-- Completion, once and again; only by the worker that holds the task.
SELECT id AS a3 FROM orchestrator.tasks WHERE title = 'a3' \gset
SELECT id AS a1 FROM orchestrator.tasks WHERE title = 'a1' \gset
SELECT id AS b1 FROM orchestrator.tasks WHERE title = 'b1' \gset
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_task(%L, %L)', :'a3', 'w2'));
SELECT status, result, completed_at >= started_at FROM orchestrator.complete_task(:'a3', 'w1', '{"sent": true}');
SELECT status, result FROM orchestrator.complete_task(:'a3', 'w1', '{"sent": false}');
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_task(%L, %L)', :'a3', 'w2'));
SELECT pg_temp.refusal(format('SELECT orchestrator.renew_claim(%L, %L)', :'a3', 'w1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.fail_task(%L, %L, %L)', :'a3', 'w1', 'too late'));
SELECT pg_temp.refusal(format('SELECT orchestrator.release_task(%L, %L)', :'a3', 'w1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.cancel_task(%L, %L)', :'a3', 'too late'));
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_tasks(ARRAY[%L, %L]::uuid[], %L)', :'a1', :'b1', 'w1'));
SELECT status FROM orchestrator.tasks WHERE id = :'a1';
SELECT orchestrator.complete_tasks(ARRAY[:'a1', :'a3']::uuid[], 'w1', ARRAY['{"n": 1}', NULL]::jsonb[]);
SELECT orchestrator.complete_tasks(ARRAY[:'a1', :'a3']::uuid[], 'w1');
SELECT orchestrator.complete_tasks('{}', 'w1');
SELECT status, result FROM orchestrator.tasks WHERE id IN (:'a1', :'a3') ORDER BY title;
-- An error: the next attempt comes later, or is the last.
SELECT status, error, started_at, completed_at, run_after BETWEEN now() + interval '1.5 seconds' AND clock_timestamp() + interval '2 seconds' FROM orchestrator.fail_task(:'b1', 'w2', 'no compiler');
SELECT title FROM orchestrator.claim_tasks('w2');
UPDATE orchestrator.tasks SET run_after = '-infinity' WHERE id = :'b1';
SELECT title FROM orchestrator.claim_tasks('w2');
SELECT orchestrator.renew_claim(:'b1', 'w2', '2 hours') > now() + interval '119 minutes';
SELECT status, run_after BETWEEN now() + interval '1 hour' AND clock_timestamp() + interval '1 hour' FROM orchestrator.fail_task(:'b1', 'w2', 'still none', retry_in => '1 hour');
UPDATE orchestrator.tasks SET run_after = '-infinity' WHERE id = :'b1';
SELECT title FROM orchestrator.claim_tasks('w3');
SELECT status, run_after FROM orchestrator.release_task(:'b1', 'w3');
SELECT title FROM orchestrator.claim_tasks('w3');
SELECT status, error, completed_at IS NOT NULL FROM orchestrator.fail_task(:'b1', 'w3', 'gave up');
SELECT attempt, worker, outcome, error FROM orchestrator.task_attempts WHERE task_id = :'b1' ORDER BY attempt;
SELECT event_type, role, metadata - 'session_user' - 'role' - 'task_id' FROM orchestrator.audit_events WHERE trace_id = :'b1';
-- A failed task can become pending again; its attempts go on.
UPDATE orchestrator.tasks SET status = 'pending' WHERE id = :'b1';
SELECT attempts, ready FROM orchestrator.queued_tasks WHERE task_id = :'b1';
SELECT title FROM orchestrator.claim_tasks('w1');
SELECT status FROM orchestrator.fail_task(:'b1', 'w1', 'hopeless', final => true);
-- A lease that has expired: the task is taken back, with its tools.
SELECT task_id AS c1 FROM orchestrator.create_task('build', 'c1', max_attempts => 2) \gset
SELECT title FROM orchestrator.claim_tasks('w1');
SELECT orchestrator.start_tool_execution(:'c1', 'cargo') AS tool \gset
UPDATE orchestrator.task_attempts SET lease_expires_at = now() - interval '1 second' WHERE task_id = :'c1';
SELECT running, expired_leases FROM orchestrator.task_queue WHERE task_type = 'build' AND to_role IS NULL;
SELECT title FROM orchestrator.claim_tasks('w2');
SELECT attempt, worker, outcome, ended_at IS NULL FROM orchestrator.task_attempts WHERE task_id = :'c1' ORDER BY attempt;
SELECT status, completed_at IS NOT NULL FROM orchestrator.tool_executions WHERE id = :'tool';
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_task(%L, %L)', :'c1', 'w1'));
UPDATE orchestrator.task_attempts SET lease_expires_at = now() - interval '1 second' WHERE task_id = :'c1' AND ended_at IS NULL;
SELECT orchestrator.renew_claim(:'c1', 'w2') > now();
SELECT orchestrator.reclaim_expired_tasks();
UPDATE orchestrator.task_attempts SET lease_expires_at = now() - interval '1 second' WHERE task_id = :'c1' AND ended_at IS NULL;
SELECT * FROM orchestrator.run_maintenance() WHERE task = 'reclaim_expired_tasks';
SELECT status, error FROM orchestrator.tasks WHERE id = :'c1';
SELECT event_type, metadata - 'session_user' - 'role' - 'task_id' FROM orchestrator.audit_events WHERE trace_id = :'c1';
SELECT pg_temp.refusal(format('SELECT orchestrator.renew_claim(%L, %L)', :'c1', 'w2'));
-- Nobody takes a claimed task by UPDATE; cancelling ends the claim.
SELECT task_id AS d1 FROM orchestrator.create_task('build', 'd1') \gset
SELECT title FROM orchestrator.claim_tasks('w1');
SELECT pg_temp.refusal(format('UPDATE orchestrator.tasks SET status = ''completed'' WHERE id = %L', :'d1'));
SELECT pg_temp.refusal(format('UPDATE orchestrator.tasks SET status = ''pending'' WHERE id = %L', :'d1'));
UPDATE orchestrator.tasks SET title = 'd1 again' WHERE id = :'d1';
SELECT status, error FROM orchestrator.cancel_task(:'d1', 'not needed');
SELECT worker, outcome, error FROM orchestrator.task_attempts WHERE task_id = :'d1';
SELECT event_type, metadata - 'session_user' - 'role' - 'task_id' FROM orchestrator.audit_events WHERE trace_id = :'d1';
SELECT pg_temp.refusal(format('SELECT orchestrator.renew_claim(%L, %L)', :'d1', 'w1'));
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('d2', 'build');
UPDATE orchestrator.tasks SET status = 'running' WHERE title = 'd2';
UPDATE orchestrator.tasks SET status = 'completed' WHERE title = 'd2';
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('d3', 'build');
SELECT status FROM orchestrator.cancel_task((SELECT id FROM orchestrator.tasks WHERE title = 'd3'), 'not needed');
SELECT count(*) FROM orchestrator.queued_tasks WHERE task_type = 'build';
-- The queue follows UPDATE and DELETE.
INSERT INTO orchestrator.tasks (title, task_type, priority) VALUES ('e1', 'type e', 1), ('e2', 'type e', 2), ('e3', 'type e', 3);
UPDATE orchestrator.tasks SET priority = 4, task_type = repeat('e', 300) WHERE title = 'e1';
UPDATE orchestrator.tasks SET run_after = now() + interval '1 day' WHERE title = 'e2';
DELETE FROM orchestrator.tasks WHERE title = 'e3';
SELECT length(task_type), priority, run_after > now() FROM orchestrator.queued_tasks WHERE task_type ~ 'e' AND task_type <> 'email' ORDER BY priority DESC;
SELECT title FROM orchestrator.claim_tasks('w1', ARRAY[repeat('e', 299)]);
SELECT title FROM orchestrator.claim_tasks('w1', ARRAY[repeat('e', 300), 'type e'], batch => 5);
-- Tasks of a run that waits for a human are kept back.
SELECT orchestrator.start_run('t1', :'project', 'S-1') AS run \gset
SELECT created FROM orchestrator.create_task('step', 'f1', thread_id => 't1');
SELECT gate_status FROM orchestrator.pause_run('t1', 'lunch');
SELECT created FROM orchestrator.create_task('step', 'f2', thread_id => 't1');
SELECT waiting, blocked FROM orchestrator.task_queue WHERE task_type = 'step';
SELECT title FROM orchestrator.claim_tasks('w1', '{step}', batch => 5);
SELECT gate_status FROM orchestrator.resume_run('t1');
SELECT title FROM orchestrator.claim_tasks('w1', '{step}');
SELECT orchestrator.open_gate(:'project', 'dev', 'manual', 'may I?', thread_id => 't1') AS gate \gset
SELECT title FROM orchestrator.claim_tasks('w1', '{step}');
-- A claimed task of a held run can be completed and released.
SELECT status FROM orchestrator.release_task((SELECT id FROM orchestrator.tasks WHERE title = 'f1'), 'w1');
SELECT waiting, blocked FROM orchestrator.task_queue WHERE task_type = 'step';
SELECT status FROM orchestrator.decide(:'gate', 'deny', 'ada', 'do it again');
SELECT waiting, blocked FROM orchestrator.task_queue WHERE task_type = 'step';
SELECT orchestrator.open_gate(:'project', 'dev', 'manual', 'and now?', thread_id => 't1') AS gate \gset
SELECT title FROM orchestrator.claim_tasks('w1', '{step}', batch => 5);
SELECT status FROM orchestrator.decide(:'gate', 'approve', 'ada');
SELECT title FROM orchestrator.claim_tasks('w1', '{step}', batch => 5);
SELECT gate_status FROM orchestrator.kill_run('t1', 'enough');
SELECT status FROM orchestrator.complete_task((SELECT id FROM orchestrator.tasks WHERE title = 'f1'), 'w1');
SELECT status FROM orchestrator.fail_task((SELECT id FROM orchestrator.tasks WHERE title = 'f2'), 'w1', 'stopped');
SELECT event_type FROM orchestrator.run_trail('t1') WHERE metadata ? 'task_id';
SELECT created FROM orchestrator.create_task('step', 'f3', thread_id => 't1');
SELECT title FROM orchestrator.claim_tasks('w1', '{step}');
-- One task per key.
SELECT task_id AS g1, created FROM orchestrator.create_task('key', 'g1', idempotency_key => :'project') \gset
SELECT task_id = :'g1', created FROM orchestrator.create_task('key', 'g1', run_after => now(), idempotency_key => :'project');
SELECT pg_temp.refusal(format('SELECT orchestrator.create_task(''key'', ''g2'', ''{"a": 1}'', max_attempts => 2, idempotency_key => %L)', :'project'));
-- Refused arguments.
SELECT pg_temp.refusal('SELECT orchestrator.create_task(NULL, ''x'')');
SELECT pg_temp.refusal('SELECT orchestrator.create_task('' '', ''x'')');
SELECT pg_temp.refusal('SELECT orchestrator.create_task(repeat(''x'', 501), ''x'')');
SELECT pg_temp.refusal('SELECT orchestrator.create_task(''x'', '' '')');
SELECT pg_temp.refusal('SELECT orchestrator.create_task(''x'', ''x'', ''[]'')');
SELECT pg_temp.refusal('SELECT orchestrator.create_task(''x'', ''x'', max_attempts => 0)');
SELECT pg_temp.refusal('SELECT orchestrator.create_task(''x'', ''x'', thread_id => ''t9'')');
SELECT pg_temp.refusal('SELECT orchestrator.claim_tasks(NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.claim_tasks('' '')');
SELECT pg_temp.refusal('SELECT orchestrator.claim_tasks(repeat(''x'', 501))');
SELECT pg_temp.refusal('SELECT orchestrator.claim_tasks(''w'', ''{a,NULL}'')');
SELECT pg_temp.refusal('SELECT orchestrator.claim_tasks(''w'', batch => 0)');
SELECT pg_temp.refusal('SELECT orchestrator.claim_tasks(''w'', batch => 10001)');
SELECT pg_temp.refusal('SELECT orchestrator.claim_tasks(''w'', lease => ''0'')');
SELECT pg_temp.refusal('SELECT orchestrator.claim_tasks(''w'', lease => ''-1 hour'')');
SELECT pg_temp.refusal('SELECT orchestrator.claim_tasks(''w'', lease => ''101 years'')');
SELECT pg_temp.refusal(format('SELECT orchestrator.renew_claim(%L, ''w'')', :'project'));
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_task(%L, ''w'')', :'project'));
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_task(NULL, ''w'')'));
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_tasks(ARRAY[%1$L, %1$L]::uuid[], ''w'')', :'g1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_tasks(ARRAY[%L, NULL]::uuid[], ''w'')', :'g1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_tasks(ARRAY[%L]::uuid[], ''w'', ''{}'')', :'g1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_tasks(ARRAY[%L]::uuid[], ''w'')', :'project'));
SELECT pg_temp.refusal(format('SELECT orchestrator.fail_task(%L, ''w'', '' '')', :'g1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.fail_task(%L, ''w'', ''x'')', :'g1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.fail_task(%L, ''w'', ''x'')', :'project'));
SELECT pg_temp.refusal(format('SELECT orchestrator.fail_task(%L, ''w'', ''x'', ''-1 second'')', :'g1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.cancel_task(%L, '' '')', :'g1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.cancel_task(%L, ''x'')', :'project'));
SELECT task_type, count, failures, p50 >= '0', p95 >= p50 FROM orchestrator.task_stats ORDER BY 1;
SELECT object, actual FROM orchestrator.verify();
-- The database itself allows one open attempt of a task.
SELECT title FROM orchestrator.claim_tasks('w1', '{key}');
SELECT pg_temp.refusal(format('INSERT INTO orchestrator.task_attempts (task_id, attempt, worker, lease_expires_at) VALUES (%L, 2, ''w2'', now())', :'g1'));
-- Statements of users' triggers that run within a claim count as any other.
CREATE FUNCTION public.follow_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.title = 'h1' AND NEW.status = 'running' THEN
        PERFORM orchestrator.create_task('follow', 'h2');
        UPDATE orchestrator.tasks SET priority = 7 WHERE title = 'h3';
    ELSIF NEW.title = 'h1' AND NEW.status = 'pending' AND OLD.status = 'running' THEN
        UPDATE orchestrator.tasks SET status = 'pending' WHERE title = 'h4';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER follow_up AFTER UPDATE ON orchestrator.tasks FOR EACH ROW EXECUTE FUNCTION public.follow_up();
SELECT created FROM orchestrator.create_task('trigger', 'h4');
SELECT title FROM orchestrator.claim_tasks('w1', '{trigger}');
SELECT task_id AS h1, created FROM orchestrator.create_task('trigger', 'h1', max_attempts => 3) \gset
SELECT created FROM orchestrator.create_task('follow', 'h3');
SELECT title FROM orchestrator.claim_tasks('w1', '{trigger}');
SELECT t.title, q.priority FROM orchestrator.queued_tasks AS q JOIN orchestrator.tasks AS t ON t.id = q.task_id WHERE q.task_type = 'follow' ORDER BY 1;
SELECT pg_temp.refusal(format('SELECT orchestrator.release_task(%L, %L)', :'h1', 'w1'));
DROP TRIGGER follow_up ON orchestrator.tasks;
SELECT status, run_after FROM orchestrator.fail_task(:'h1', 'w1', 'again', retry_in => '0');
SELECT title FROM orchestrator.claim_tasks('w1', '{trigger}');
SELECT object, actual FROM orchestrator.verify();
-- verify() sees a queue that is not as the tasks are, and its hint mends it.
SET session_replication_role TO replica;
UPDATE orchestrator.tasks SET status = 'pending', completed_at = NULL WHERE id IN (:'a1', :'g1');
INSERT INTO orchestrator.queued_tasks VALUES (:'a3', 'email', NULL, 0, now(), now(), 0, true);
RESET session_replication_role;
SELECT object, expected, regexp_replace(actual, '[0-9a-f-]{36}', '<id>') FROM orchestrator.verify();
SELECT hint FROM orchestrator.verify() WHERE object = 'orchestrator.queued_tasks' \gexec
SELECT object, actual FROM orchestrator.verify();
SELECT title, attempts FROM orchestrator.queued_tasks AS q JOIN orchestrator.tasks AS t ON t.id = q.task_id ORDER BY 1;
