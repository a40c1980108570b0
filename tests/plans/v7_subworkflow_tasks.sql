-- rows
INSERT INTO orchestrator.v7_subworkflow_tasks (id, parent_phase, task_number, task_name, responsible_persona, status)
SELECT pg_temp.id(i), 1 + i % 7, i, 'task ' || i, 'ada', CASE WHEN i % 100 < 10 THEN 'pending' WHEN i % 100 < 12 THEN 'review' ELSE 'completed' END
FROM generate_series(1, 3000) AS i;
-- idx_subworkflow_status: the tasks in review
SELECT * FROM orchestrator.v7_subworkflow_tasks WHERE status = 'review';
-- idx_subworkflow_pending: the next tasks of a phase
SELECT * FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 3 AND status = 'pending' ORDER BY task_number LIMIT 5;
