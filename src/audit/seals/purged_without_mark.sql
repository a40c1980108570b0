-- The last seal that a purge has touched which knew no seals: one whose span has lost events and began a day before the
-- purge, or one that an earlier purge had marked.
SELECT s.sequence, p.purged_at
FROM (SELECT max(e."timestamp") FILTER (WHERE NOT e.metadata ? 'seals') AS purged_at,
             max(e."timestamp") FILTER (WHERE e.metadata ? 'seals') AS marked_at
      FROM orchestrator.audit_events AS e WHERE e.event_type = 'audit_events_purged') AS p,
     LATERAL (SELECT b.sequence, b.sealed_at, b.purged_at, b.events, b.sealed_until,
                     coalesce(lag(b.sealed_until) OVER (ORDER BY b.sequence), '-infinity') AS sealed_from
              FROM orchestrator.audit_seals AS b) AS s
WHERE s.sealed_at <= p.purged_at AND s.sealed_from < p.purged_at - interval '23 hours'
  AND CASE WHEN s.purged_at IS NOT NULL THEN p.marked_at < p.purged_at
           ELSE s.events > (SELECT count(*) FROM orchestrator.audit_events AS e
                            WHERE e."timestamp" >= s.sealed_from AND e."timestamp" < s.sealed_until) END
ORDER BY s.sequence DESC LIMIT 1
