-- The members that the server words with the name of relations $1, of functions $2, or of columns $4
-- of tables $3: what depends on them, and the index of each constraint among it.
WITH named (classid, objid, objsubid) AS (
    SELECT 'pg_class'::regclass, to_regclass(r.name)::oid, NULL::int FROM unnest($1) AS r (name)
    UNION ALL
    SELECT 'pg_type'::regclass, unnest(ARRAY[c.reltype, t.typarray]), NULL
    FROM unnest($1) AS r (name) JOIN pg_class AS c ON c.oid = to_regclass(r.name) JOIN pg_type AS t ON t.oid = c.reltype
    UNION ALL
    -- The name of a function that another transaction has dropped is its number, which is no signature.
    SELECT 'pg_proc'::regclass, CASE WHEN f.name LIKE '%)' THEN to_regprocedure(f.name) END::oid, NULL FROM unnest($2) AS f (name)
    UNION ALL
    SELECT 'pg_class'::regclass, a.attrelid, a.attnum
    FROM unnest($3, $4) AS c (of, name)
    JOIN pg_attribute AS a ON a.attrelid = to_regclass(c.of) AND a.attname = (parse_ident(c.name))[1]
), dependent AS (
    SELECT DISTINCT d.classid, d.objid
    FROM named AS n
    JOIN pg_depend AS d ON d.refclassid = n.classid AND d.refobjid = n.objid
                       AND (n.objsubid IS NULL OR d.refobjsubid = n.objsubid)
), part (kind, relation, name) AS (
    SELECT 'constraint', c.conrelid, c.conname
    FROM dependent AS d JOIN pg_constraint AS c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
    UNION ALL
    SELECT 'trigger', t.tgrelid, t.tgname
    FROM dependent AS d JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
    UNION ALL
    SELECT CASE WHEN w.rulename = '_RETURN' THEN 'view' ELSE 'rule' END, w.ev_class, nullif(w.rulename, '_RETURN')
    FROM dependent AS d JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
    UNION ALL
    SELECT 'policy', p.polrelid, p.polname
    FROM dependent AS d JOIN pg_policy AS p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
    UNION ALL
    SELECT 'column', f.adrelid, a.attname
    FROM dependent AS d JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    JOIN pg_attribute AS a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    UNION ALL
    SELECT 'index', d.objid, NULL FROM dependent AS d WHERE d.classid = 'pg_class'::regclass
    UNION ALL
    SELECT 'index', c.conindid, NULL
    FROM dependent AS d JOIN pg_constraint AS c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
    WHERE c.contype <> 'f'
)
SELECT p.kind, concat(format('%I.%I', n.nspname, c.relname), '.' || quote_ident(p.name)) AS object
FROM part AS p JOIN pg_class AS c ON c.oid = p.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
UNION ALL
SELECT 'statistics', format('%I.%I', n.nspname, s.stxname)
FROM dependent AS d JOIN pg_statistic_ext AS s ON d.classid = 'pg_statistic_ext'::regclass AND s.oid = d.objid
JOIN pg_namespace AS n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'function', d.objid::regprocedure::text FROM dependent AS d WHERE d.classid = 'pg_proc'::regclass
