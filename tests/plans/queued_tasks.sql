-- rows
INSERT INTO orchestrator.queued_tasks (task_id, task_type, to_role, priority, run_after, created_at, attempts, ready)
SELECT pg_temp.id(i), 'type ' || i % 20, CASE WHEN i % 3 = 0 THEN 'role ' || i % 50 END, i % 5, CASE WHEN i % 2 = 0 THEN '-infinity' ELSE pg_temp.at(i) END, pg_temp.at(i), 0, i % 10 > 0
FROM generate_series(1, 20000) AS i;
-- idx_queued_tasks_order: claims of any type
SELECT q.task_id FROM orchestrator.queued_tasks AS q WHERE q.ready ORDER BY q.priority DESC, q.run_after, q.created_at, q.task_id LIMIT 10;
-- idx_queued_tasks_type: claims of a type
SELECT q.task_id FROM orchestrator.queued_tasks AS q WHERE q.ready AND q.task_type = 'type 7' AND q.priority = 2 AND q.run_after <= now()
ORDER BY q.run_after, q.created_at, q.task_id LIMIT 10;
-- idx_queued_tasks_role: claims of a role
SELECT q.task_id FROM orchestrator.queued_tasks AS q WHERE q.ready AND q.to_role = 'role 6' AND q.task_type = 'type 6' AND q.priority = 1 AND q.run_after <= now()
ORDER BY q.run_after, q.created_at, q.task_id LIMIT 10;
