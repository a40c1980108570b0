WITH object (name, oid, acl, owner, what) AS (
    SELECT n.name, p.oid, p.proacl, p.proowner, 'FUNCTION'
    FROM unnest(ARRAY[$1, $2]) AS n (name) JOIN pg_proc AS p ON p.oid = CASE WHEN n.name LIKE '%)' THEN to_regprocedure(n.name) END
    UNION ALL
    SELECT n.name, c.oid, c.relacl, c.relowner, 'TABLE'
    FROM unnest(ARRAY[$1, $2]) AS n (name) JOIN pg_class AS c ON c.oid = CASE WHEN n.name NOT LIKE '%)' THEN to_regclass(n.name) END
)
SELECT format('GRANT %s ON %s %s TO %s%s', a.privilege_type, target.what,
              CASE target.what WHEN 'FUNCTION' THEN target.oid::regprocedure::text ELSE target.oid::regclass::text END,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM object AS source JOIN object AS target ON target.name = $2 AND target.what = source.what, aclexplode(source.acl) AS a
WHERE source.name = $1 AND a.grantee <> source.owner
UNION ALL
SELECT format('GRANT %s (%I) ON TABLE %s TO %s%s', a.privilege_type, c.attname, target.oid::regclass,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM object AS source JOIN object AS target ON target.name = $2 AND target.what = source.what
JOIN pg_attribute AS c ON source.what = 'TABLE' AND c.attrelid = source.oid
JOIN pg_attribute AS n ON n.attrelid = target.oid AND n.attname = c.attname, aclexplode(c.attacl) AS a
WHERE source.name = $1 AND a.grantee <> source.owner
ORDER BY 1
