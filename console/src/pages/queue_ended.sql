-- Attempts that ended in the last 24 hours, by type.
SELECT left(s.task_type, 200) AS task_type, s.count, s.failures,
       date_trunc('milliseconds', s.p50)::text AS median, date_trunc('milliseconds', s.p95)::text AS slow
FROM orchestrator.task_stats AS s ORDER BY s.count DESC, s.task_type LIMIT 100
