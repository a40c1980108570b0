-- Every event of the run of thread $1, the oldest first: its time in milliseconds since 1970, and the phase that it began.
SELECT e.id::text, e.event_type,
       CASE WHEN isfinite(e."timestamp") THEN floor(1000 * extract(epoch FROM e."timestamp"))::bigint END AS at,
       CASE WHEN e.event_type = 'run_progressed'
             AND e.metadata ->> 'phase' IN ('planning', 'development', 'testing', 'complete', 'failed')
            THEN e.metadata ->> 'phase' END AS phase
FROM orchestrator.run_trail($1) AS e ORDER BY e."timestamp", e.id
