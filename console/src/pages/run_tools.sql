-- The calls of tools in the run of thread $1, by tool.
SELECT left(x.tool_name, 200) AS tool, count(*)::text AS calls,
       count(*) FILTER (WHERE x.status IN ('failed', 'timeout')) AS failed,
       count(*) FILTER (WHERE x.completed_at IS NULL) AS unfinished,
       least(sum(x.duration_ms), 9000000000000000000)::bigint AS total, max(x.duration_ms) AS longest
FROM orchestrator.tasks AS t JOIN orchestrator.tool_executions AS x ON x.task_id = t.id
WHERE t.thread_id = $1 GROUP BY x.tool_name ORDER BY count(*) DESC, x.tool_name LIMIT 50
