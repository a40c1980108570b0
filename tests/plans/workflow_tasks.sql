-- rows
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence, done)
SELECT pg_temp.id(1 + i / 60), pg_temp.id(1 + i % 20000), i % 60, i % 60 < 50 FROM generate_series(0, 59999) AS i;
-- idx_workflow_tasks_task: the workflows of a task
SELECT workflow_id FROM orchestrator.workflow_tasks WHERE task_id = pg_temp.id(17);
-- idx_workflow_tasks_sequence: the task after another one
SELECT task_id FROM orchestrator.workflow_tasks WHERE workflow_id = pg_temp.id(17) AND sequence > 20 ORDER BY sequence LIMIT 1;
-- idx_workflow_tasks_open: the present step of a workflow
SELECT min(sequence) FROM orchestrator.workflow_tasks WHERE workflow_id = pg_temp.id(17) AND NOT done;
