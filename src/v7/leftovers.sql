WITH space AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE NOT starts_with(nspname::text, 'pg_') AND nspname NOT IN ('information_schema', 'orchestrator_archive')
), relation AS (
    SELECT c.oid, c.relkind, starts_with(c.relname::text, 'v7_') AS is_v7,
           format('%I.%I', s.nspname, c.relname) AS name
    FROM pg_class AS c JOIN space AS s ON s.oid = c.relnamespace
), object (kind, name, command, classid, objid) AS (
    SELECT CASE WHEN relkind IN ('r', 'p', 'f') THEN 'table' WHEN relkind IN ('v', 'm') THEN 'view'
                WHEN relkind IN ('i', 'I') THEN 'index' WHEN relkind = 'S' THEN 'sequence' ELSE 'type' END,
           name,
           CASE WHEN relkind IN ('r', 'p', 'f')
                THEN format('ALTER TABLE %s RENAME TO another_name; or, when nobody needs its rows, ', name) ELSE '' END
           || format('DROP %s %s;', CASE relkind WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'v' THEN 'VIEW'
                  WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX'
                  WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, name),
           'pg_class'::regclass, oid
    FROM relation AS r WHERE is_v7 AND relkind <> 't'
      AND NOT EXISTS (SELECT FROM pg_depend AS d JOIN relation AS t ON t.oid = d.refobjid AND t.is_v7
           WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.objid = r.oid
             AND r.relkind IN ('i', 'I', 'S') AND d.deptype IN ('a', 'i'))
      AND NOT EXISTS (SELECT FROM pg_index AS x JOIN relation AS t ON t.oid = x.indrelid AND t.is_v7
           WHERE x.indexrelid = r.oid)
    UNION ALL
    SELECT 'column', format('%s.%I', r.name, a.attname),
           format('ALTER TABLE %s DROP COLUMN %I;', r.name, a.attname), 'pg_class'::regclass, r.oid
    FROM relation AS r JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE r.relkind IN ('r', 'p', 'f') AND NOT r.is_v7 AND starts_with(a.attname::text, 'v7_')
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, format('DROP ROUTINE %s;', p.oid::regprocedure),
           'pg_proc'::regclass, p.oid
    FROM pg_proc AS p JOIN space AS s ON s.oid = p.pronamespace WHERE starts_with(p.proname::text, 'v7_')
    UNION ALL
    SELECT 'type', format('%I.%I', s.nspname, t.typname), format('DROP TYPE %I.%I;', s.nspname, t.typname),
           'pg_type'::regclass, t.oid
    FROM pg_type AS t JOIN space AS s ON s.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r') AND starts_with(t.typname::text, 'v7_')
    UNION ALL
    SELECT 'trigger', format('%s.%I', r.name, t.tgname), format('DROP TRIGGER %I ON %s;', t.tgname, r.name),
           'pg_class'::regclass, r.oid
    FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid
    WHERE NOT r.is_v7 AND NOT t.tgisinternal AND starts_with(t.tgname::text, 'v7_')
    UNION ALL
    SELECT 'constraint', format('%s.%I', r.name, c.conname),
           format('ALTER TABLE %s DROP CONSTRAINT %I;', r.name, c.conname), 'pg_class'::regclass, r.oid
    FROM relation AS r JOIN pg_constraint AS c ON c.conrelid = r.oid
    WHERE NOT r.is_v7 AND r.relkind IN ('r', 'p', 'f') AND starts_with(c.conname::text, 'v7_')
)
SELECT o.kind, o.name, o.command, EXISTS (
    SELECT FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'orchestrator_schema' AND d.deptype = 'e' AND d.classid = o.classid AND d.objid = o.objid)
FROM object AS o ORDER BY o.kind, o.name
