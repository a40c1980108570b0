-- The time of a transaction is missing while a session is in none, after a failure, or if track_activities was off when
-- it began. The server never shows it for a connection for replication, which may run statements until it streams: its
-- transactions began after the session. The internal transactions of what streams write nothing, and their times are old.
SELECT s.pid,
       CASE WHEN s.is_replication AND NOT (s.is_done AND s.waits) THEN s.backend_start ELSE s.xact_start END,
       s.has_client,
       s.is_done,
       s.is_done AND s.waits,
       coalesce(s.state = 'disabled' OR s.state = 'idle in transaction' AND s.xact_start IS NULL AND NOT s.is_replication, false)
FROM (SELECT a.pid, a.state, a.xact_start, a.backend_start, k.has_client,
             a.backend_type = 'walsender' AS is_replication,
             a.xact_start IS NULL
                 AND (NOT k.has_client OR coalesce(a.state IN ('idle', 'idle in transaction (aborted)'), false)) AS is_done,
             coalesce(CASE WHEN k.has_client THEN a.wait_event IN ('ClientRead', 'ClientWrite')
                           ELSE a.wait_event_type IN ('Activity', 'Extension', 'Timeout') END, false) AS waits
      FROM pg_stat_get_activity(NULL) AS a,
           LATERAL (SELECT a.backend_type IN ('client backend', 'walsender') AS has_client) AS k
      WHERE a.datid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
        AND a.pid <> pg_backend_pid()
        AND a.backend_type NOT IN ('autovacuum worker', 'parallel worker')
        AND NOT EXISTS (SELECT FROM pg_stat_get_wal_senders() AS w WHERE w.pid = a.pid AND w.state IN ('catchup', 'streaming'))) AS s
