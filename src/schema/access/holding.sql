, given AS (
    SELECT CASE o.kind WHEN 'FUNCTION' THEN o.bare END AS function, o.owner, a.grantee
    FROM object AS o, aclexplode(o.acl) AS a
    UNION ALL
    SELECT NULL, r.owner, a.grantee
    FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid AND NOT c.attisdropped, aclexplode(c.attacl) AS a
)
SELECT r.oid, r.rolname::text,
       coalesce(array_agg(DISTINCT g.function) FILTER (WHERE g.function = ANY ($1)), '{}') AS marks
FROM given AS g JOIN pg_roles AS r ON r.oid = g.grantee
WHERE g.grantee <> g.owner AND r.rolname <> 'pg_database_owner'
  AND r.oid NOT IN (SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'orchestrator')
GROUP BY r.oid, r.rolname ORDER BY r.rolname
