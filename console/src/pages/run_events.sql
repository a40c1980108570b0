-- The newest events of the run of thread $1.
SELECT to_char(e."timestamp", 'YYYY-MM-DD HH24:MI:SS') AS at, e.event_type, left(e.role, 100) AS role, left(e.metadata::text, 500) AS metadata
FROM orchestrator.run_trail($1) AS e ORDER BY e."timestamp" DESC, e.id DESC LIMIT 100
