\i head.sql
-- Tasks follow their state machine.
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('first', 'tool'), ('second', 'tool'), ('third', 'tool');
SELECT pg_temp.refusal($$UPDATE orchestrator.tasks SET status = 'completed' WHERE title = 'first'$$);
UPDATE orchestrator.tasks SET status = 'running', updated_at = '-infinity' WHERE title = 'first' RETURNING started_at = now(), updated_at = now();
UPDATE orchestrator.tasks SET status = 'running' WHERE title = 'first';
UPDATE orchestrator.tasks SET status = 'completed' WHERE title = 'first' RETURNING completed_at = now();
SELECT pg_temp.refusal($$UPDATE orchestrator.tasks SET status = 'pending' WHERE title = 'first'$$);
UPDATE orchestrator.tasks SET status = 'failed', error = 'why' WHERE title = 'second' RETURNING started_at IS NULL, completed_at = now(), error;
UPDATE orchestrator.tasks SET status = 'pending' WHERE title = 'second' RETURNING started_at IS NULL, completed_at IS NULL, error IS NULL;
-- The same rule applies to set-based updates, upserts, MERGE and updates in functions; nothing changes.
SELECT pg_temp.refusal($$UPDATE orchestrator.tasks SET status = 'running'$$);
SELECT pg_temp.refusal($$INSERT INTO orchestrator.tasks (id, title, task_type) SELECT id, title, task_type FROM orchestrator.tasks WHERE title = 'first' ON CONFLICT (id) DO UPDATE SET status = 'running'$$);
SELECT pg_temp.refusal($$MERGE INTO orchestrator.tasks AS t USING (SELECT 1) AS one ON t.title = 'first' WHEN MATCHED THEN UPDATE SET status = 'failed'$$);
SELECT pg_temp.refusal($$DO 'BEGIN UPDATE orchestrator.tasks SET status = ''cancelled'' WHERE title = ''first''; END'$$);
SELECT title, status FROM orchestrator.tasks ORDER BY title;
-- The CHECKs refuse values outside their set.
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.tasks SET status = 'banana' WHERE title = 'third'$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$INSERT INTO orchestrator.tasks (title, task_type) VALUES (' ', 'x')$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$INSERT INTO orchestrator.tasks (title, task_type, config) VALUES ('x', 'x', '[]')$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$INSERT INTO orchestrator.tasks (title, task_type, started_at, completed_at) VALUES ('x', 'x', now(), now() - interval '1 s')$$), E'\n', 1);
-- Workflows.
INSERT INTO orchestrator.workflows (name, definition) VALUES ('release', '{}');
INSERT INTO orchestrator.workflow_tasks SELECT w.id, t.id, 1 FROM orchestrator.workflows AS w, orchestrator.tasks AS t WHERE t.title IN ('second', 'third');
SELECT pg_temp.refusal($$UPDATE orchestrator.workflows SET status = 'paused'$$);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.workflow_tasks SET sequence = -1$$), E'\n', 1);
-- A tool execution is started once and finished once.
SELECT id AS task FROM orchestrator.tasks WHERE title = 'third' \gset
SELECT orchestrator.start_tool_execution(:'task', 'grep', '{"pattern": "x"}') AS execution \gset
SELECT tool_name, arguments, status FROM orchestrator.tool_executions;
SELECT status, output, error, completed_at IS NOT NULL, duration_ms >= 0 FROM orchestrator.finish_tool_execution(:'execution', 'timeout', error => 'too slow');
SELECT pg_temp.refusal(format('SELECT orchestrator.finish_tool_execution(%L, %L)', :'execution', 'completed'));
SELECT pg_temp.refusal(format('SELECT orchestrator.finish_tool_execution(%L, %L)', :'execution', 'done'));
SELECT pg_temp.refusal(format('SELECT orchestrator.finish_tool_execution(%L, %L)', :'task', 'failed'));
SELECT pg_temp.refusal($$SELECT orchestrator.finish_tool_execution(NULL, 'failed')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.finish_tool_execution(orchestrator.uuidv7(), NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.start_tool_execution(NULL, 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.start_tool_execution(orchestrator.uuidv7(), NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.start_tool_execution(orchestrator.uuidv7(), ' ')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.start_tool_execution(orchestrator.uuidv7(), 'x')$$);
INSERT INTO orchestrator.tool_executions (task_id, tool_name) VALUES (:'task', 'waits') RETURNING id AS waiting \gset
SELECT pg_temp.refusal(format('SELECT orchestrator.finish_tool_execution(%L, %L)', :'waiting', 'completed'));
SELECT status FROM orchestrator.finish_tool_execution(:'waiting', 'failed');
-- A task with tool executions cannot be deleted; one without can, together with its links.
SELECT split_part(pg_temp.refusal($$DELETE FROM orchestrator.tasks WHERE title = 'third'$$), E'\n', 1);
DELETE FROM orchestrator.tasks WHERE title = 'second';
SELECT count(*) FROM orchestrator.workflow_tasks;
-- Sessions.
INSERT INTO orchestrator.sessions (client_id, last_heartbeat) VALUES ('alive', now()), ('silent', now() - interval '2 minutes');
SELECT count(*) FROM orchestrator.deactivate_stale_sessions();
SELECT client_id, is_active FROM orchestrator.sessions ORDER BY client_id;
SELECT orchestrator.session_heartbeat(id) IS NOT NULL FROM orchestrator.sessions WHERE client_id = 'silent';
SELECT client_id, is_active FROM orchestrator.sessions ORDER BY client_id;
SELECT pg_temp.refusal($$SELECT orchestrator.session_heartbeat(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.session_heartbeat(orchestrator.uuidv7())$$);
SELECT pg_temp.refusal($$SELECT orchestrator.deactivate_stale_sessions('-1 second')$$);
-- Configuration: typed and checked; secrets are masked, and no message shows them.
SELECT key, value, value_type, is_secret FROM orchestrator.set_configuration('retries', '3', 'integer');
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration('retries', 'three', 'integer')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration('ratio', 'NaN', 'float')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration('dry run', 'maybe', 'boolean')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration('limits', '{', 'json')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration('limits', '1', 'number')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration(' ', '1')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration(NULL, '1')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration('x', NULL)$$);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.configurations SET value = 'three' WHERE key = 'retries'$$), E'\n', 1);
SELECT is_secret, description FROM orchestrator.set_configuration('token', 'hunter2', description => 'for the API', is_secret => true);
SELECT is_secret, description FROM orchestrator.set_configuration('token', 'hunter3');
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration('token', 'hunter4', 'integer')$$);
SELECT key, value, value_type, is_secret FROM orchestrator.configuration_listing ORDER BY key;
SELECT orchestrator.set_configuration('limits', '{"tokens": 5}', 'json') IS NOT NULL, orchestrator.set_configuration('dry run', 'Yes', 'boolean') IS NOT NULL, orchestrator.set_configuration('ratio', '.5', 'float') IS NOT NULL;
SELECT orchestrator.configuration_value('retries'), orchestrator.configuration_value('limits'), orchestrator.configuration_value('dry run'), orchestrator.configuration_value('ratio'), orchestrator.configuration_value('absent', '7');
SELECT value_type FROM orchestrator.set_configuration('retries', '4', NULL);
SELECT value_type FROM orchestrator.set_configuration('retries', '6');
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration('retries', 'six')$$);
SELECT value_type FROM orchestrator.set_configuration('new key', '6');
DELETE FROM orchestrator.configurations WHERE key = 'new key';
-- Every stored value can be read: the server itself checks numbers and documents.
SELECT v.text, v.value_type, orchestrator.is_valid_configuration(v.text, v.value_type) FROM (VALUES
    ('1e-20000', 'float'), ('0e-20000', 'float'), ('1e-16383', 'float'), ('1e308', 'float'), ('1e400', 'float'), ('-.5', 'float'), ('5.', 'float'), (' 5', 'float'), ('infinity', 'float'),
    ('null', 'json'), (' [1] ', 'json'), ('', 'json'), ('{', 'json'), ('1e-20000', 'json'), ('1e400', 'json'), ('"\u0000"', 'json'), ('"a\\u0000b"', 'json'), ('"\ud83d"', 'json'), ('"\ud83d\ude00"', 'json'),
    ('1', 'number')) AS v (text, value_type);
SELECT n, orchestrator.is_valid_configuration(repeat('[', n) || repeat(']', n), 'json') FROM (VALUES (127), (1000), (1000000)) AS v (n);
SELECT pg_temp.refusal($$SELECT orchestrator.set_configuration('j', '1e-20000', 'json')$$);
DO $$
DECLARE v record;
BEGIN
    FOR v IN SELECT * FROM (VALUES ('1e-16383', 'float'), ('1e308', 'float'), ('5.', 'float'), ('1e400', 'json'), ('"a\\u0000b"', 'json'), (repeat('[', 1000) || repeat(']', 1000), 'json')) AS v (text, value_type) LOOP
        PERFORM orchestrator.set_configuration('read', v.text, v.value_type), orchestrator.configuration_value('read');
    END LOOP;
END $$;
DELETE FROM orchestrator.configurations WHERE key = 'read';
SELECT pg_temp.refusal($$SELECT orchestrator.get_configuration('absent')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.configuration_value('absent')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.get_configuration(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.is_valid_configuration(NULL, 'json')$$);
-- The steps of all machines.
SELECT * FROM orchestrator.allowed_transitions('task');
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.allowed_transitions('nothing')$$);
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.allowed_transitions(NULL)$$);
SELECT * FROM orchestrator.verify();
