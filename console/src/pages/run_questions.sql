-- The newest questions about the run of thread $1, open or decided.
SELECT d.id::text, d.kind, replace(d.status, '_', ' ') AS status, left(d.asks, 300) AS asks,
       left(d.decided_by, 100) AS decided_by,
       to_char(d.requested_at, 'YYYY-MM-DD HH24:MI:SS') AS requested, to_char(d.decided_at, 'YYYY-MM-DD HH24:MI:SS') AS decided
FROM orchestrator.decisions AS d WHERE d.thread_id = $1 ORDER BY d.requested_at DESC, d.id DESC LIMIT 100
