-- The newest calls of tools in the run of thread $1.
SELECT to_char(x.created_at, 'YYYY-MM-DD HH24:MI:SS') AS at, left(x.tool_name, 200) AS tool, x.status, x.duration_ms,
       left(x.arguments::text, 500) AS arguments, left(x.error, 500) AS error
FROM orchestrator.tasks AS t JOIN orchestrator.tool_executions AS x ON x.task_id = t.id
WHERE t.thread_id = $1 ORDER BY x.created_at DESC, x.id DESC LIMIT 100
