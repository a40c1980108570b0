-- Open tasks by type and role, those with expired leases first.
SELECT q.task_type, q.to_role, q.waiting, q.scheduled, q.blocked, q.running, q.expired_leases, date_trunc('second', q.oldest_wait)::text AS oldest
FROM orchestrator.task_queue AS q ORDER BY q.expired_leases DESC, q.waiting DESC, q.running DESC, q.task_type, q.to_role LIMIT 100
