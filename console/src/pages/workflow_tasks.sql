-- The first tasks of workflow $1, in its order.
SELECT l.sequence::text, t.id::text, coalesce(nullif(btrim(left(t.title, 200)), ''), left(t.description, 200), '') AS title, left(t.task_type, 200) AS task_type,
       t.status, left(t.thread_id, 500) AS thread_id, left(t.error, 500) AS error, to_char(t.updated_at, 'YYYY-MM-DD HH24:MI "UTC"') AS changed,
       CASE WHEN t.status <> 'pending' THEN t.status WHEN NOT q.ready THEN 'kept back' WHEN q.run_after > now() THEN 'due later' ELSE 'waiting' END AS state,
       left((SELECT a.worker FROM orchestrator.task_attempts AS a WHERE a.task_id = t.id AND a.ended_at IS NULL), 200) AS worker
FROM orchestrator.workflow_tasks AS l JOIN orchestrator.tasks AS t ON t.id = l.task_id
LEFT JOIN orchestrator.queued_tasks AS q ON q.task_id = t.id
WHERE l.workflow_id = $1::uuid ORDER BY l.sequence, t.id LIMIT 200
