-- The events with these ids, the newest first. Long facts are cut, and end with dots.
SELECT to_char(e."timestamp", 'YYYY-MM-DD HH24:MI:SS') AS at, e.event_type, left(e.role, 100) AS role,
       left(e.metadata::text, 500) || CASE WHEN length(e.metadata::text) > 500 THEN '...' ELSE '' END AS metadata
FROM orchestrator.audit_events AS e WHERE e.id = ANY ($1::uuid[]) ORDER BY e."timestamp" DESC, e.id DESC
