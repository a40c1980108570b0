-- The events of the run of thread $1 from place $2 on, the newest first. Long facts are cut, and end with dots.
SELECT to_char(e."timestamp", 'YYYY-MM-DD HH24:MI:SS') AS at, e.event_type, left(e.role, 100) AS role,
       left(e.metadata::text, 500) || CASE WHEN length(e.metadata::text) > 500 THEN '...' ELSE '' END AS metadata
FROM orchestrator.run_trail($1) AS e ORDER BY e."timestamp" DESC, e.id DESC LIMIT 50 OFFSET $2::bigint
