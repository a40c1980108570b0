\i head.sql
\pset null '·'
-- A step runs once: after it is done, its output is returned.
SELECT task_id AS task FROM orchestrator.create_task('write', 'a poem', max_attempts => 5) \gset
SELECT title FROM orchestrator.claim_tasks('w1');
SELECT execution_id AS step, done, output FROM orchestrator.begin_step(:'task', 'draft', 'llm', '{"prompt": "write"}') \gset
SELECT execution_id = :'step', done, output FROM orchestrator.begin_step(:'task', 'draft', 'llm', '{"prompt": "write"}');
SELECT status, step_key FROM orchestrator.finish_tool_execution(:'step', 'completed', 'roses are red');
SELECT execution_id = :'step', done, output FROM orchestrator.begin_step(:'task', 'draft', 'llm', '{"prompt": "write"}');
SELECT pg_temp.refusal(format('SELECT orchestrator.begin_step(%L, ''draft'', ''llm'', ''{"prompt": "read"}'')', :'task'));
SELECT pg_temp.refusal(format('SELECT orchestrator.begin_step(%L, ''draft'', ''other'')', :'task'));
-- A step that failed begins again.
SELECT execution_id AS failed FROM orchestrator.begin_step(:'task', 'check', 'lint') \gset
SELECT status FROM orchestrator.finish_tool_execution(:'failed', 'failed', error => 'crashed');
SELECT execution_id <> :'failed', done, output FROM orchestrator.begin_step(:'task', 'check', 'lint');
SELECT step_key, tool_name, status, output FROM orchestrator.tool_executions ORDER BY created_at, id;
-- A running step that an earlier attempt has left ends as timeout first.
SELECT status FROM orchestrator.release_task(:'task', 'w1');
UPDATE orchestrator.task_attempts SET claimed_at = claimed_at - interval '1 minute', ended_at = ended_at + interval '1 second';
UPDATE orchestrator.tool_executions SET created_at = created_at - interval '1 second';
SELECT title FROM orchestrator.claim_tasks('w2');
SELECT execution_id AS again, done FROM orchestrator.begin_step(:'task', 'check', 'lint') \gset
SELECT step_key, status, id = :'again' FROM orchestrator.tool_executions WHERE step_key = 'check' ORDER BY id;
SELECT done, output FROM orchestrator.begin_step(:'task', 'draft', 'llm', '{"prompt": "write"}');
-- A step of a task with a trace is in the trail.
SELECT task_id AS routed FROM orchestrator.route_task('routing', 'to do', 'ada', 'bob') \gset
SELECT title, task_type FROM orchestrator.claim_tasks('w2', to_role => 'bob');
SELECT done FROM orchestrator.begin_step(:'routed', 'k', 'lint');
UPDATE orchestrator.task_attempts SET lease_expires_at = now() - interval '1 second' WHERE task_id = :'routed';
SELECT orchestrator.reclaim_expired_tasks();
SELECT e.event_type, e.role, e.metadata ->> 'tool_name' FROM orchestrator.audit_events AS e JOIN orchestrator.tasks AS t ON t.trace_id = e.trace_id WHERE t.id = :'routed' ORDER BY e.id;
-- While the run waits for a human, no step begins; the output of one that is done is still returned.
SELECT orchestrator.start_run('t1', '0198c5a0-0000-7000-8000-000000000001', 'S-1') AS run \gset
SELECT task_id AS task FROM orchestrator.create_task('write', 'a song', thread_id => 't1') \gset
SELECT status FROM orchestrator.finish_tool_execution((SELECT execution_id FROM orchestrator.begin_step(:'task', 'a', 'llm')), 'completed', 'la');
SELECT execution_id AS b FROM orchestrator.begin_step(:'task', 'b', 'llm') \gset
SELECT gate_status FROM orchestrator.pause_run('t1', 'lunch');
SELECT done, output FROM orchestrator.begin_step(:'task', 'a', 'llm');
SELECT pg_temp.refusal(format('SELECT orchestrator.begin_step(%L, ''b'', ''llm'')', :'task'));
SELECT pg_temp.refusal(format('SELECT orchestrator.begin_step(%L, ''c'', ''llm'')', :'task'));
-- The tools of a task that is cancelled, or has failed for good, end as timeout. A run has the events of its tools.
SELECT gate_status FROM orchestrator.resume_run('t1');
SELECT title FROM orchestrator.claim_tasks('w1', '{write}', batch => 9);
SELECT status FROM orchestrator.cancel_task(:'task', 'not needed');
SELECT step_key, status FROM orchestrator.tool_executions WHERE task_id = :'task' ORDER BY id;
SELECT event_type, metadata ->> 'tool_name' FROM orchestrator.run_trail('t1') WHERE metadata ? 'task_id';
-- Refused arguments.
SELECT pg_temp.refusal(format('SELECT orchestrator.begin_step(NULL, ''c'', ''llm'')'));
SELECT pg_temp.refusal(format('SELECT orchestrator.begin_step(%L, ''c'', ''llm'')', :'run'));
SELECT pg_temp.refusal(format('SELECT orchestrator.begin_step(%L, '' '', ''llm'')', :'task'));
SELECT pg_temp.refusal(format('SELECT orchestrator.begin_step(%L, repeat(''x'', 501), ''llm'')', :'task'));
SELECT pg_temp.refusal(format('SELECT orchestrator.begin_step(%L, ''c'', '' '')', :'task'));
SELECT tool_name, count, failures, p50 >= '0', p95 >= p50 FROM orchestrator.tool_stats ORDER BY 1;
