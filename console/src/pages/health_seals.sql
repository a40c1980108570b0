-- The newest seals of the trail.
SELECT s.sequence::text, to_char(s.sealed_at, 'YYYY-MM-DD HH24:MI "UTC"') AS sealed, to_char(s.sealed_until, 'YYYY-MM-DD HH24:MI "UTC"') AS until,
       s.events::text, encode(s.digest, 'hex') AS digest, to_char(s.purged_at, 'YYYY-MM-DD HH24:MI "UTC"') AS purged
FROM orchestrator.audit_seals AS s ORDER BY s.sequence DESC LIMIT 10
