WITH owned AS (
    SELECT s.oid FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE $1 = 'pg_class'::regclass AND $3::text[] IS NULL AND d.classid = $1
      AND d.refclassid = $1 AND d.refobjid = $2 AND d.deptype IN ('a', 'i')
), needed (classid, objid) AS (
    SELECT $1::oid, $2::oid
    UNION ALL SELECT $1, oid FROM owned
    UNION ALL SELECT 'pg_class'::regclass::oid, indexrelid FROM pg_index
              WHERE $1 = 'pg_class'::regclass AND $3::text[] IS NULL AND indrelid = $2
    UNION ALL SELECT 'pg_type'::regclass::oid, unnest(ARRAY[t.oid, t.typarray])
              FROM (SELECT $2 UNION ALL SELECT oid FROM owned) AS o (oid)
              JOIN pg_class AS c ON c.oid = o.oid JOIN pg_type AS t ON t.oid = c.reltype
              WHERE $1 = 'pg_class'::regclass AND $3 IS NULL
), dependent AS (
    -- With OFFSET 0 they are looked up by key, whatever the statistics say of how many there are.
    SELECT DISTINCT d.classid, d.objid, d.objsubid FROM needed AS n
    CROSS JOIN LATERAL (SELECT d.* FROM pg_depend AS d
                        WHERE d.refclassid = n.classid AND d.refobjid = n.objid OFFSET 0) AS d
    LEFT JOIN pg_attribute AS a ON $1 = 'pg_class'::regclass AND a.attrelid = $2 AND a.attnum = d.refobjsubid
    WHERE (d.deptype = 'n' OR d.deptype = 'a' AND $3 IS NOT NULL)
      AND ($3 IS NULL OR a.attname = ANY ($3))
      AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM needed)
      AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_inherits AS i
                                                            WHERE i.inhparent = $2 AND i.inhrelid = d.objid))
)
SELECT pg_describe_object(o.classid, o.objid, o.objsubid),
       bool_and(EXISTS (SELECT FROM pg_depend AS m
                        JOIN pg_extension AS e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid
                        WHERE e.extname = 'orchestrator_schema' AND m.deptype = 'e'
                          AND m.classid = w.classid AND m.objid = w.objid)),
       min(CASE WHEN f.oid IS NOT NULL AND a.attgenerated = ''
                     THEN format('ALTER TABLE %I.%I ALTER COLUMN %I DROP DEFAULT;', n.nspname, h.relname, a.attname)
                WHEN c.contype = 'f' THEN format('ALTER TABLE %I.%I DROP CONSTRAINT %I;', n.nspname, h.relname, c.conname) END),
       part.kind, part.object
FROM dependent AS d
LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_constraint AS c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
LEFT JOIN pg_policy AS p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
LEFT JOIN pg_index AS x ON d.classid = 'pg_class'::regclass AND x.indexrelid = d.objid
LEFT JOIN pg_class AS i ON i.oid = x.indexrelid
LEFT JOIN pg_attribute AS a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
LEFT JOIN pg_class AS h
       ON h.oid = coalesce(r.ev_class, nullif(c.conrelid, 0), t.tgrelid, f.adrelid, p.polrelid, x.indrelid)
LEFT JOIN pg_namespace AS n ON n.oid = h.relnamespace,
LATERAL (SELECT CASE WHEN h.oid IS NULL OR r.rulename = '_RETURN' THEN NULL
                     WHEN i.oid IS NOT NULL THEN 'index' WHEN c.oid IS NOT NULL THEN 'constraint'
                     WHEN t.oid IS NOT NULL THEN 'trigger' WHEN p.oid IS NOT NULL THEN 'policy'
                     WHEN r.oid IS NOT NULL THEN 'rule' ELSE 'column' END,
                CASE WHEN h.oid IS NULL THEN NULL
                     WHEN i.oid IS NOT NULL THEN format('%I.%I', n.nspname, i.relname)
                     ELSE format('%I.%I.%I', n.nspname, h.relname,
                                 coalesce(c.conname, t.tgname, p.polname, r.rulename, a.attname)) END)
        AS part (kind, object),
LATERAL (SELECT CASE WHEN h.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass::oid END, coalesce(h.oid, d.objid))
        AS w (classid, objid),
LATERAL (SELECT CASE WHEN r.rulename = '_RETURN' THEN w.classid ELSE d.classid END,
                CASE WHEN r.rulename = '_RETURN' THEN w.objid ELSE d.objid END,
                CASE WHEN h.oid IS NULL THEN d.objsubid ELSE 0 END) AS o (classid, objid, objsubid)
WHERE CASE WHEN $3 IS NULL THEN (w.classid, w.objid) <> ($1, $2)
           ELSE NOT coalesce(f.adrelid = $2 AND a.attname = ANY ($3), false) END
GROUP BY 1, part.kind, part.object ORDER BY 1
