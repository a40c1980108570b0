-- The ages that run_maintenance() uses, and every other setting of that kind.
SELECT left(coalesce(c.key, k.key), 200) AS key, left(c.value, 200) AS value, coalesce(k.if_not_set, '') AS default, left(c.description, 500) AS description
FROM (VALUES ('audit_retention_days', 'kept for ever'), ('idempotency_ttl_seconds', '86400'), ('knowledge_retention_days', '365'),
             ('session_retention_days', '7'), ('session_silence_seconds', '60')) AS k (key, if_not_set)
FULL JOIN (SELECT l.key, l.value, l.description FROM orchestrator.configuration_listing AS l
           WHERE l.key ~ '(retention|ttl)' OR l.key = 'session_silence_seconds') AS c ON c.key = k.key
ORDER BY 1 LIMIT 200
