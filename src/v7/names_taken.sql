SELECT c.name FROM (
    SELECT format('%I.%I', n.nspname, r.relname) FROM pg_class AS r
    JOIN pg_namespace AS n ON n.oid = r.relnamespace WHERE n.nspname = 'orchestrator'
    UNION
    SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type AS t
    JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE n.nspname = 'orchestrator' AND t.typelem = 0
    UNION
    SELECT p.oid::regprocedure::text FROM pg_proc AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'orchestrator'
    UNION
    SELECT format('%I.%I.%I', n.nspname, r.relname, o.name) FROM pg_class AS r
    JOIN pg_namespace AS n ON n.oid = r.relnamespace,
    LATERAL (SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = r.oid AND NOT a.attisdropped
             UNION SELECT k.conname FROM pg_constraint AS k WHERE k.conrelid = r.oid
             UNION SELECT t.tgname FROM pg_trigger AS t WHERE t.tgrelid = r.oid) AS o (name)
    WHERE n.nspname = 'orchestrator' AND r.relkind IN ('r', 'v', 'm', 'p', 'f')) AS c (name)
WHERE c.name = ANY ($1) ORDER BY 1
