SELECT CASE WHEN l.pid IS NULL THEN concat('prepared transaction ', p.gid)
       ELSE concat('process ', l.pid, ' (', concat_ws(', ',
           coalesce(nullif(a.application_name, ''), a.backend_type), 'role ' || a.usename, a.state, l.modes), ')') END,
       CASE WHEN l.pid IS NULL THEN format('ROLLBACK PREPARED %L;', p.gid)
            ELSE format('SELECT pg_terminate_backend(%s);', l.pid) END,
       coalesce(a.backend_type = 'autovacuum worker', false)
FROM (SELECT pid, CASE WHEN pid IS NULL THEN split_part(virtualtransaction, '/', 2) END,
             string_agg(DISTINCT mode, ', ') FROM pg_locks
      WHERE (relation = $1 OR classid = 'pg_proc'::regclass AND objid = $1) AND granted AND mode = ANY ($2)
        AND pid IS DISTINCT FROM pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      GROUP BY 1, 2) AS l (pid, transaction, modes)
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
LEFT JOIN pg_prepared_xacts AS p ON p.transaction::text = l.transaction
ORDER BY a.xact_start, l.pid
