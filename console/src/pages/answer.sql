-- Question $1 with its answer.
SELECT d.kind, replace(d.status, '_', ' ') AS status, d.subject, left(d.asks, 20001) AS asks, d.decided_by, d.thread_id, left(d.notes, 20001) AS notes,
       to_char(d.requested_at, 'YYYY-MM-DD HH24:MI "UTC"') AS requested, to_char(d.decided_at, 'YYYY-MM-DD HH24:MI "UTC"') AS decided_at
FROM orchestrator.decision($1::uuid) AS d
