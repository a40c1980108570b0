WITH going (what, object, place, catalog, oid, owner, acl) AS (
    SELECT 'TABLE', n.object, n.place, c.tableoid, c.oid, c.relowner, c.relacl
    FROM unnest($1) WITH ORDINALITY AS n (object, place)
    JOIN pg_class AS c ON c.oid = CASE WHEN n.object NOT LIKE '%)' THEN to_regclass(n.object) END
    UNION ALL
    SELECT 'FUNCTION', n.object, n.place, p.tableoid, p.oid, p.proowner, p.proacl
    FROM unnest($1) WITH ORDINALITY AS n (object, place)
    JOIN pg_proc AS p ON p.oid = CASE WHEN n.object LIKE '%)' THEN to_regprocedure(n.object) END
), granted AS (
    SELECT g.*, a.privilege_type, a.is_grantable,
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
    FROM going AS g, aclexplode(g.acl) AS a
    WHERE a.grantee <> g.owner
      AND NOT EXISTS (SELECT FROM pg_init_privs AS i, aclexplode(i.initprivs) AS b
                      WHERE i.classoid = g.catalog AND i.objoid = g.oid AND i.objsubid = 0
                        AND b.grantee = a.grantee AND b.privilege_type = a.privilege_type)
)
SELECT object, role, format('GRANT %s ON %s %s TO %s%s;', string_agg(privilege_type, ', ' ORDER BY privilege_type),
                            what, object, role, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM granted GROUP BY what, object, place, role, is_grantable ORDER BY place, role, is_grantable
