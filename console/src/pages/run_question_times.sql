-- The newest questions about the run of thread $1, the oldest of them first, with the moments of question and answer in
-- milliseconds since 1970.
SELECT q.* FROM (
    SELECT d.kind, replace(d.status, '_', ' ') AS status, left(d.decided_by, 30) AS decided_by,
           floor(1000 * extract(epoch FROM d.requested_at))::bigint AS asked_at,
           floor(1000 * extract(epoch FROM d.decided_at))::bigint AS decided_at
    FROM orchestrator.decisions AS d
    WHERE d.thread_id = $1 AND isfinite(d.requested_at) AND isfinite(coalesce(d.decided_at, d.requested_at))
    ORDER BY d.requested_at DESC, d.id DESC LIMIT 1000) AS q
ORDER BY q.asked_at
