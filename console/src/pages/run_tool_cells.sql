-- The calls of tools in the run of thread $1, by tool, and by the cells of $2 in which they began and ended; one that goes on has
-- not ended. The six tools with the most calls have a name, the others have none.
-- The array is a query of its own, so that it is read once, and not for each call.
WITH calls AS (
    SELECT x.tool_name, x.status IN ('failed', 'timeout') AS failed, floor(1000 * extract(epoch FROM x.created_at))::bigint AS began,
           floor(1000 * extract(epoch FROM x.completed_at))::bigint AS ended
    FROM orchestrator.tasks AS t JOIN orchestrator.tool_executions AS x ON x.task_id = t.id
    WHERE t.thread_id = $1 AND isfinite(x.created_at) AND isfinite(coalesce(x.completed_at, x.created_at))),
names AS (
    SELECT c.tool_name, least(row_number() OVER (ORDER BY count(*) DESC, c.tool_name), 7) AS place
    FROM calls AS c GROUP BY c.tool_name)
SELECT n.place, CASE WHEN n.place < 7 THEN left(c.tool_name, 100) END AS name,
       (width_bucket(c.began, (SELECT $2::bigint[])) - 1)::bigint AS began,
       (width_bucket(c.ended, (SELECT $2::bigint[])) - 1)::bigint AS ended,
       count(*) AS calls, count(*) FILTER (WHERE c.failed) AS failed
FROM calls AS c JOIN names AS n ON n.tool_name = c.tool_name GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4
