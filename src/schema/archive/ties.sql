SELECT format('table %s, which inherits from %s', i.inhrelid::regclass, i.inhparent::regclass),
       format('ALTER TABLE %s NO INHERIT %s;', i.inhrelid::regclass, i.inhparent::regclass)
FROM pg_inherits AS i WHERE i.inhparent = $1
UNION
SELECT format('table %s, from which %s inherits', i.inhparent::regclass, i.inhrelid::regclass),
       format(CASE WHEN c.relispartition THEN 'ALTER TABLE %2$s DETACH PARTITION %1$s;'
                   ELSE 'ALTER TABLE %1$s NO INHERIT %2$s;' END, i.inhrelid::regclass, i.inhparent::regclass)
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhrelid = $1 AND ($2::text[] IS NULL OR EXISTS (
    SELECT FROM pg_attribute AS a WHERE a.attrelid = $1 AND a.attname = ANY ($2) AND a.attinhcount > 0))
UNION
SELECT 'publication ' || quote_ident(p.pubname), format('ALTER PUBLICATION %I DROP TABLE %s;', p.pubname, m.prrelid::regclass)
FROM pg_publication_rel AS m JOIN pg_publication AS p ON p.oid = m.prpubid WHERE $2 IS NULL AND m.prrelid = $1
UNION
SELECT 'subscription ' || quote_ident(s.subname), NULL
FROM pg_subscription_rel AS m JOIN pg_subscription AS s ON s.oid = m.srsubid WHERE $2 IS NULL AND m.srrelid = $1
UNION
SELECT format('sequence %s', s.oid::regclass), format('ALTER SEQUENCE %s OWNED BY NONE;', s.oid::regclass)
FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_attribute AS o ON o.attrelid = $1 AND o.attnum = d.refobjsubid
WHERE ($2 IS NULL OR o.attname = ANY ($2)) AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = $1 AND d.deptype = 'a' AND NOT EXISTS (
      SELECT FROM pg_attrdef AS f
      JOIN pg_depend AS u ON u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid
      WHERE f.adrelid = $1 AND f.adnum = d.refobjsubid AND u.refclassid = 'pg_class'::regclass AND u.refobjid = s.oid)
ORDER BY 1
