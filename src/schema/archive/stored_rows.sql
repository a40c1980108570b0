WITH RECURSIVE row_type (oid) AS (
    SELECT unnest(ARRAY[t.oid, t.typarray]) FROM pg_class AS c JOIN pg_type AS t ON t.oid = c.reltype WHERE c.oid = $1
    UNION
    SELECT coalesce(c.reltype, d.objid) FROM row_type AS r
    JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = r.oid
    LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('c', 'v')
    WHERE d.classid = 'pg_type'::regclass OR c.oid IS NOT NULL
)
SELECT pg_describe_object('pg_class'::regclass, c.oid, d.objsubid),
       CASE WHEN c.relkind IN ('i', 'I') THEN format('DROP INDEX %s;', c.oid::regclass)
            WHEN c.relkind IN ('r', 'p') AND a.attinhcount = 0
                 THEN format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE jsonb USING to_jsonb(%2$I);',
                             c.oid::regclass, a.attname) END
FROM (
    -- With OFFSET 0 they are looked up by key, whatever the statistics say of how many there are.
    SELECT d.objid, d.objsubid FROM row_type AS t
    CROSS JOIN LATERAL (SELECT d.* FROM pg_depend AS d
                        WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid OFFSET 0) AS d
    WHERE d.classid = 'pg_class'::regclass
    UNION
    -- PostgreSQL 18 records no dependency of an index on the type that its expression returns.
    SELECT k.attrelid, 0 FROM pg_index AS i JOIN pg_attribute AS k ON k.attrelid = i.indexrelid
    WHERE i.indexprs IS NOT NULL AND k.atttypid = ANY (ARRAY(SELECT oid FROM row_type))
) AS d
JOIN pg_class AS c ON c.oid = d.objid AND c.relkind IN ('r', 'm', 'p', 'f', 'i', 'I')
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND a.attnum > 0
WHERE c.oid <> $1 AND (a.attnum IS NOT NULL OR c.relkind IN ('i', 'I')) ORDER BY 1
