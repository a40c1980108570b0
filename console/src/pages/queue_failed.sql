-- The tasks that failed last, with the worker of their last attempt.
SELECT f.id::text, f.title, f.task_type, f.thread_id, left(a.worker, 200) AS worker, coalesce(a.attempt, 0) || ' of ' || f.max_attempts AS attempts,
       to_char(f.completed_at, 'YYYY-MM-DD HH24:MI "UTC"') AS at, f.error
FROM (SELECT t.id, coalesce(nullif(btrim(left(t.title, 200)), ''), left(t.description, 200), '') AS title, left(t.task_type, 200) AS task_type,
             left(t.thread_id, 500) AS thread_id, t.max_attempts, t.completed_at, left(t.error, 500) AS error
      FROM orchestrator.tasks AS t WHERE t.status = 'failed' ORDER BY t.completed_at DESC NULLS LAST, t.id LIMIT 50) AS f
LEFT JOIN LATERAL (SELECT b.worker, b.attempt FROM orchestrator.task_attempts AS b WHERE b.task_id = f.id ORDER BY b.attempt DESC LIMIT 1) AS a ON true
ORDER BY f.completed_at DESC NULLS LAST, f.id
