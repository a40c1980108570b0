-- The tasks that are claimed next, in the order of claiming; then those that are due later; then those that are kept back.
SELECT q.task_id::text AS id, coalesce(nullif(btrim(left(t.title, 200)), ''), left(t.description, 200), '') AS title, q.task_type, q.to_role,
       left(t.thread_id, 500) AS thread_id, q.priority::text, q.attempts || ' of ' || t.max_attempts AS attempts,
       CASE q.part WHEN 1 THEN 'waiting' WHEN 2 THEN coalesce('due ' || to_char(q.run_after, 'YYYY-MM-DD HH24:MI "UTC"'), 'never due') ELSE 'kept back' END AS state,
       to_char(q.created_at, 'YYYY-MM-DD HH24:MI "UTC"') AS at
FROM ((SELECT 1 AS part, w.*, row_number() OVER (ORDER BY w.priority DESC, w.run_after, w.created_at, w.task_id) AS place FROM orchestrator.queued_tasks AS w
       WHERE w.ready AND w.run_after <= now() ORDER BY w.priority DESC, w.run_after, w.created_at, w.task_id LIMIT 100)
      UNION ALL
      (SELECT 2, w.*, row_number() OVER (ORDER BY w.run_after, w.priority DESC, w.created_at, w.task_id) FROM orchestrator.queued_tasks AS w
       WHERE w.ready AND w.run_after > now() ORDER BY w.run_after, w.priority DESC, w.created_at, w.task_id LIMIT 100)
      UNION ALL
      (SELECT 3, w.*, row_number() OVER (ORDER BY w.priority DESC, w.created_at, w.task_id) FROM orchestrator.queued_tasks AS w
       WHERE NOT w.ready ORDER BY w.priority DESC, w.created_at, w.task_id LIMIT 100)) AS q
JOIN orchestrator.tasks AS t ON t.id = q.task_id
ORDER BY q.part, q.place LIMIT 100
