-- Rows that downgrades kept and no update has restored.
SELECT left(a.object, 500) AS object, a.from_version, to_char(a.archived_at, 'YYYY-MM-DD HH24:MI "UTC"') AS at, a.rows::text
FROM orchestrator.archived() AS a LIMIT 200
