-- The tasks that workers hold; those whose lease expired, or expires first, come first.
SELECT t.id::text, coalesce(nullif(btrim(left(t.title, 200)), ''), left(t.description, 200), '') AS title, left(t.task_type, 200) AS task_type,
       left(t.thread_id, 500) AS thread_id, left(a.worker, 200) AS worker, a.attempt || ' of ' || t.max_attempts AS attempts, a.lease_expires_at < now() AS late,
       to_char(a.lease_expires_at, 'YYYY-MM-DD HH24:MI:SS "UTC"') AS at
FROM orchestrator.task_attempts AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id
WHERE a.outcome IS NULL ORDER BY a.lease_expires_at, a.task_id LIMIT 50
