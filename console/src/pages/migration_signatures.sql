-- The newest signatures.
SELECT s.phase_number::text, s.stage, left(s.item, 500) AS item, left(s.signed_by, 200) AS signed_by,
       to_char(s.signed_at, 'YYYY-MM-DD HH24:MI "UTC"') AS signed_at, left(s.notes, 500) AS notes
FROM orchestrator.migration_sign_offs AS s ORDER BY s.signed_at DESC, s.id LIMIT 200
