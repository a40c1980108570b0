WITH going (what, object, catalog, oid, owner, acl) AS (
    SELECT 'TABLE', $1, tableoid, oid, relowner, relacl FROM pg_class
    WHERE oid = CASE WHEN $1 NOT LIKE '%)' THEN to_regclass($1) END
    UNION ALL
    SELECT 'FUNCTION', $1, tableoid, oid, proowner, proacl FROM pg_proc
    WHERE oid = CASE WHEN $1 LIKE '%)' THEN to_regprocedure($1) END
), granted AS (
    SELECT g.*, a.privilege_type, a.is_grantable,
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
    FROM going AS g, aclexplode(g.acl) AS a
    WHERE a.grantee <> g.owner
      AND NOT EXISTS (SELECT FROM pg_init_privs AS i, aclexplode(i.initprivs) AS b
                      WHERE i.classoid = g.catalog AND i.objoid = g.oid AND i.objsubid = 0
                        AND b.grantee = a.grantee AND b.privilege_type = a.privilege_type)
)
SELECT role, format('GRANT %s ON %s %s TO %s%s;', string_agg(privilege_type, ', ' ORDER BY privilege_type),
                    what, object, role, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM granted WHERE role <> ALL ($2) GROUP BY what, object, role, is_grantable ORDER BY role, is_grantable
