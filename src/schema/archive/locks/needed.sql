WITH RECURSIVE named (oid, mode) AS (
    SELECT to_regclass(n.name)::oid, n.mode FROM unnest($1, $2) AS n (name, mode)
    WHERE to_regclass(n.name) IS NOT NULL
), family (oid, mode) AS (
    SELECT oid, mode FROM named
    UNION SELECT i.inhrelid, f.mode FROM family AS f JOIN pg_inherits AS i ON i.inhparent = f.oid
), needed (oid, mode) AS (
    SELECT oid, mode FROM family
    UNION ALL
    SELECT c.confrelid, $4 FROM pg_constraint AS c JOIN family AS f ON f.oid = c.conrelid
    WHERE c.contype = 'f' AND f.mode > $4
    UNION ALL
    SELECT c.oid, $5 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $3 AND c.relkind = 'r'
), owned (oid, mode) AS (
    SELECT d.objid, n.mode FROM needed AS n
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = n.oid
                       AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class AS c ON c.oid = d.objid AND c.relkind = 'S'
)
SELECT r.oid, format('%I.%I', n.nspname, c.relname), max(r.mode), false
FROM (SELECT * FROM needed UNION ALL SELECT * FROM owned) AS r (oid, mode)
JOIN pg_class AS c ON c.oid = r.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
GROUP BY 1, 2
UNION ALL
SELECT to_regprocedure(n.name)::oid, n.name, n.mode, true FROM unnest($6, $7) AS n (name, mode)
WHERE to_regprocedure(n.name) IS NOT NULL
