-- rows
INSERT INTO orchestrator.tasks (id, title, task_type, status, workspace_path, created_at, started_at, completed_at, thread_id)
SELECT pg_temp.id(i), 'task ' || i, (ARRAY['tool', 'script', 'validation', 'review'])[CASE WHEN i % 100 < 90 THEN 1 ELSE 2 + i % 3 END],
       CASE WHEN i % 100 < 90 THEN 'completed' WHEN i % 100 < 95 THEN 'failed' WHEN i % 100 < 98 THEN 'pending' ELSE 'running' END,
       '/srv/workspaces/' || i % 400, pg_temp.at(i), CASE WHEN i % 100 < 95 THEN pg_temp.at(i) END, CASE WHEN i % 100 < 95 THEN pg_temp.at(i + 1) END,
       CASE WHEN i % 2 = 0 THEN 'thread ' || i % 1000 END
FROM generate_series(1, 20000) AS i;
INSERT INTO orchestrator.tasks (id, title, description, task_type, from_role, to_role, trace_id, idempotency_key, created_at)
SELECT pg_temp.id(100000 + i), '', 'routed ' || i, 'routing', 'developer', 'qa', pg_temp.id(i / 5), CASE WHEN i % 2 = 0 THEN pg_temp.id(i) END, pg_temp.at(i)
FROM generate_series(1, 10000) AS i;
-- idx_tasks_status: the running tasks
SELECT * FROM orchestrator.tasks WHERE status = 'running';
-- idx_tasks_type: the tasks of one rare type
SELECT * FROM orchestrator.tasks WHERE task_type = 'validation';
-- idx_tasks_created: the newest tasks
SELECT * FROM orchestrator.tasks ORDER BY created_at DESC LIMIT 50;
-- idx_tasks_workspace: the tasks in a directory
SELECT * FROM orchestrator.tasks WHERE workspace_path = '/srv/workspaces/17';
-- idx_tasks_trace_id: the tasks of a trail
SELECT * FROM orchestrator.tasks WHERE trace_id = pg_temp.id(17);
-- idx_tasks_keyed: the keys to release, oldest first
SELECT id FROM orchestrator.tasks WHERE idempotency_key IS NOT NULL AND created_at < pg_temp.at(100) ORDER BY created_at, id;
-- idx_tasks_thread: the tasks of a run
SELECT * FROM orchestrator.tasks WHERE thread_id = 'thread 18';
