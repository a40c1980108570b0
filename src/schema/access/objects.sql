WITH member AS (
    SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'orchestrator_schema'
), relation AS (
    SELECT c.oid, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
           format('%I.%I', n.nspname, c.relname) AS name, c.relname::text AS bare, c.relowner AS owner, c.relacl AS acl
    FROM member AS m JOIN pg_class AS c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
), object AS (
    SELECT kind, name, bare, owner, acl, oid AS relation FROM relation
    UNION ALL
    SELECT 'FUNCTION', p.oid::regprocedure::text, p.proname::text, p.proowner, p.proacl, NULL
    FROM member AS m JOIN pg_proc AS p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
    UNION ALL
    SELECT 'SCHEMA', quote_ident(n.nspname), n.nspname::text, n.nspowner, n.nspacl, NULL
    FROM member AS m JOIN pg_namespace AS n ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid
)
