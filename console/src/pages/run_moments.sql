-- The moments of the run of thread $1 without those of its trail, in milliseconds since 1970. A run that goes on lasts until now.
SELECT DISTINCT floor(1000 * extract(epoch FROM m.at))::bigint AS at
FROM (SELECT u."timestamp" AS at FROM orchestrator.llm_token_usage AS u WHERE u.thread_id = $1
      UNION ALL
      SELECT unnest(ARRAY[x.created_at, x.completed_at])
      FROM orchestrator.tasks AS t JOIN orchestrator.tool_executions AS x ON x.task_id = t.id WHERE t.thread_id = $1
      UNION ALL
      SELECT unnest(ARRAY[d.requested_at, d.decided_at]) FROM orchestrator.decisions AS d WHERE d.thread_id = $1
      UNION ALL
      SELECT unnest(ARRAY[r.started_at, coalesce(r.completed_at, now())])
      FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = $1) AS m
WHERE isfinite(m.at)
