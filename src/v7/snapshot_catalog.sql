-- The definitions of everything in user schemas that the caller may see, as one JSON object: kind,
-- then qualified name, then definition. $1 names the schemas, NULL means all. Runs with
-- search_path pg_catalog, so that every definition is qualified.
WITH schema AS MATERIALIZED (
    SELECT n.oid, n.nspname, has_schema_privilege(n.oid, 'USAGE') AS visible
    FROM pg_namespace AS n
    WHERE NOT starts_with(n.nspname::text, 'pg_') AND n.nspname <> 'information_schema'
      AND ($1 IS NULL OR n.nspname::text = ANY ($1))
), found AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.relpersistence, c.relrowsecurity, c.relispartition, c.reloptions,
           format('%I.%I', s.nspname, c.relname) AS name,
           pg_has_role(c.relowner, 'USAGE')
           OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') AS visible
    FROM pg_class AS c JOIN schema AS s ON s.oid = c.relnamespace AND s.visible
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
), relation AS MATERIALIZED (
    SELECT * FROM found WHERE visible
), type AS MATERIALIZED (
    SELECT t.oid, t.typtype, t.typrelid, t.typbasetype, t.typtypmod, t.typnotnull, t.typdefault,
           format('%I.%I', s.nspname, t.typname) AS name
    FROM pg_type AS t JOIN schema AS s ON s.oid = t.typnamespace AND s.visible
    LEFT JOIN pg_class AS c ON c.oid = t.typrelid
    WHERE t.typtype IN ('d', 'r') OR c.relkind = 'c'
), definition AS MATERIALIZED (
    SELECT 'tables' AS kind, r.name,
           to_jsonb(concat_ws(' ',
               CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
               CASE r.relkind WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' ELSE 'table' END,
               'PARTITION BY ' || CASE r.relkind WHEN 'p' THEN pg_get_partkeydef(r.oid) END,
               CASE WHEN r.relispartition THEN
                   (SELECT 'PARTITION OF ' || i.inhparent::regclass::text FROM pg_inherits AS i WHERE i.inhrelid = r.oid) END,
               CASE WHEN r.relrowsecurity THEN 'ROW LEVEL SECURITY' END,
               array_to_string(r.reloptions, ', '))) AS definition
    FROM relation AS r WHERE r.relkind IN ('r', 'p', 'f')
    UNION ALL
    SELECT 'columns', format('%s.%I', r.name, a.attname),
           to_jsonb(concat_ws(' ', format_type(a.atttypid, a.atttypmod),
               CASE WHEN a.attnotnull THEN 'NOT NULL' END,
               CASE a.attidentity WHEN 'a' THEN 'IDENTITY ALWAYS' WHEN 'd' THEN 'IDENTITY BY DEFAULT' END,
               CASE WHEN a.attgenerated = '' THEN 'DEFAULT ' ELSE 'GENERATED ' END || pg_get_expr(d.adbin, d.adrelid)))
    FROM relation AS r
    JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p', 'f')
    UNION ALL
    SELECT 'types', t.name,
           to_jsonb(CASE t.typtype
               WHEN 'd' THEN concat_ws(' ', 'domain over', format_type(t.typbasetype, t.typtypmod),
                   CASE WHEN t.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || t.typdefault,
                   (SELECT string_agg(pg_get_constraintdef(c.oid), ' ' ORDER BY c.conname COLLATE "C")
                    FROM pg_constraint AS c WHERE c.contypid = t.oid))
               WHEN 'r' THEN 'range over ' || (SELECT format_type(g.rngsubtype, NULL) FROM pg_range AS g WHERE g.rngtypid = t.oid)
               ELSE 'composite ' || coalesce(
                   (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
                    FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '')
               END)
    FROM type AS t
    UNION ALL
    SELECT 'enums', format('%I.%I', u.schema_name, u.enum_name),
           jsonb_build_object('labels', u.labels, 'used_by', u.used_by, 'hidden_uses', u.hidden_uses)
    FROM orchestrator.enum_usage AS u JOIN schema AS s ON s.nspname::text = u.schema_name
    UNION ALL
    SELECT 'constraints', format('%s.%I', r.name, c.conname),
           to_jsonb(pg_get_constraintdef(c.oid))
    FROM relation AS r JOIN pg_constraint AS c ON c.conrelid = r.oid
    WHERE c.contype IN ('p', 'u', 'f', 'c', 'x')
    UNION ALL
    SELECT 'indexes', format('%I.%I', s.nspname, i.relname),
           to_jsonb(concat_ws(' ', pg_get_indexdef(i.oid), CASE WHEN NOT x.indisvalid THEN 'INVALID' END))
    FROM relation AS r
    JOIN pg_index AS x ON x.indrelid = r.oid
    JOIN pg_class AS i ON i.oid = x.indexrelid
    JOIN schema AS s ON s.oid = i.relnamespace
    UNION ALL
    SELECT 'views', r.name, to_jsonb(regexp_replace(btrim(pg_get_viewdef(r.oid)), '[[:space:]]+', ' ', 'g'))
    FROM relation AS r WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT 'triggers', format('%s.%I', r.name, t.tgname),
           to_jsonb(concat_ws(' ', pg_get_triggerdef(t.oid),
               CASE t.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END))
    FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid
    WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'functions', p.oid::regprocedure::text,
           to_jsonb(concat_ws(' ',
               CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' WHEN 'w' THEN 'window function' ELSE 'function' END,
               'RETURNS ' || pg_get_function_result(p.oid), 'LANGUAGE', l.lanname,
               CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
               CASE WHEN p.proisstrict THEN 'STRICT' END,
               CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' END,
               'BODY ' || md5(concat_ws(' ', p.probin::text, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)))))
    FROM pg_proc AS p
    JOIN schema AS s ON s.oid = p.pronamespace AND s.visible
    JOIN pg_language AS l ON l.oid = p.prolang
)
SELECT jsonb_object_agg(k.kind, coalesce(
           (SELECT jsonb_object_agg(d.name, d.definition) FROM definition AS d WHERE d.kind = k.kind), '{}'))
       || jsonb_build_object(
           'schemas', coalesce((SELECT jsonb_agg(s.nspname ORDER BY s.nspname) FROM schema AS s WHERE s.visible), '[]'),
           'skipped', jsonb_build_object(
               'schemas', coalesce((SELECT jsonb_agg(s.nspname ORDER BY s.nspname) FROM schema AS s WHERE NOT s.visible), '[]'),
               'tables', (SELECT count(*) FROM found AS f WHERE NOT f.visible))) AS catalog
FROM unnest('{tables,columns,types,enums,constraints,indexes,views,triggers,functions}'::text[]) AS k (kind)
