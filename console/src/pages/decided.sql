-- Decided questions from place $2 on that say $1 anywhere.
SELECT d.id::text, d.kind, replace(d.status, '_', ' ') AS status, left(d.subject, 200) AS subject, left(d.asks, 200) AS asks,
       left(d.decided_by, 100) AS decided_by, to_char(d.decided_at, 'YYYY-MM-DD HH24:MI "UTC"') AS decided_at, left(d.notes, 200) AS notes
FROM orchestrator.decisions AS d
WHERE d.status <> 'pending'
  AND ($1 IS NULL OR strpos(lower(concat_ws(' ', d.subject, d.asks, d.decided_by, d.notes, d.thread_id)), lower($1)) > 0)
ORDER BY d.decided_at DESC NULLS LAST, d.id LIMIT 50 OFFSET $2::bigint
