\set QUIET on
\pset null '·'
\pset footer off
\echo
\echo '1. A workflow with three tasks in order.'
CREATE EXTENSION orchestrator_schema;
INSERT INTO orchestrator.workflows (name, definition) VALUES ('release 1.4', '{"nodes": ["build", "test", "ship"]}');
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('build', 'script'), ('test', 'validation'), ('ship', 'tool');
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence)
SELECT w.id, t.id, array_position('{build,test,ship}', t.title) - 1 FROM orchestrator.workflows AS w, orchestrator.tasks AS t;
SELECT l.sequence, t.title, t.task_type, t.status
FROM orchestrator.workflow_tasks AS l JOIN orchestrator.tasks AS t ON t.id = l.task_id ORDER BY l.sequence;

\echo '2. A task runs; its tool is logged, and times out. updated_at and the times of the states are the database''s own.'
UPDATE orchestrator.tasks SET status = 'running' WHERE title = 'build';
SELECT orchestrator.start_tool_execution(id, 'cargo', '{"command": "build"}') AS execution FROM orchestrator.tasks WHERE title = 'build' \gset
SELECT tool_name, status, error, completed_at IS NOT NULL AS ended
FROM orchestrator.finish_tool_execution(:'execution', 'timeout', error => 'no answer within 300 s');
UPDATE orchestrator.tasks SET status = 'failed', error = 'cargo timed out' WHERE title = 'build';
SELECT title, status, error, started_at IS NOT NULL AS started, completed_at IS NOT NULL AS ended FROM orchestrator.tasks ORDER BY id;

\echo '3. A step that makes no sense is refused, whoever asks for it, and the error says what is allowed.'
\set ON_ERROR_STOP off
UPDATE orchestrator.tasks SET status = 'completed' WHERE title = 'test';
DELETE FROM orchestrator.tasks WHERE title = 'build';
\set ON_ERROR_STOP on

\echo '4. Configuration is typed. A value that is none of its type is refused; a secret is masked.'
SELECT key, value, value_type FROM orchestrator.set_configuration('retries', '3', 'integer', 'how often a task is tried');
SELECT key, value_type, is_secret FROM orchestrator.set_configuration('api_token', 'do-not-show', is_secret => true);
\set ON_ERROR_STOP off
SELECT orchestrator.set_configuration('retries', 'three', 'integer');
\set ON_ERROR_STOP on
SELECT key, value, value_type FROM orchestrator.configuration_listing ORDER BY key;
SELECT orchestrator.configuration_value('retries') AS retries, jsonb_typeof(orchestrator.configuration_value('retries')) AS type;

\echo '5. The schema can prove that it is what it should be. Somebody drops an index; the hint makes it again.'
SELECT object, problem FROM orchestrator.verify();
DROP INDEX orchestrator.idx_tasks_status;
SELECT object, problem, hint FROM orchestrator.verify();
SELECT hint FROM orchestrator.verify() \gexec
SELECT object, problem FROM orchestrator.verify();

\echo '6. Before a downgrade: what would it do?'
SELECT step, object, action, rows FROM orchestrator.downgrade_plan('0.0.0') WHERE rows IS NOT NULL;

\echo '7. Down to the empty frame. Every step says what it kept, and where.'
ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0';
SELECT object, from_version, rows FROM orchestrator.archived();
SELECT title, status FROM orchestrator_archive.tasks ORDER BY id;

\echo '8. And up again: every row is back, and nothing is left in the archive.'
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT t.title, t.status, t.error FROM orchestrator.tasks AS t ORDER BY id;
SELECT count(*) AS links FROM orchestrator.workflow_tasks;
SELECT count(*) AS still_archived FROM orchestrator.archived();
SELECT count(*) AS differences FROM orchestrator.verify();
