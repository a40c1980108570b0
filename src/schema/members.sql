-- Every member of the extension as it stands in the catalog: what it is, its name, and its
-- definition in one line. The manifest of a version is the result of this query after a fresh
-- walk up to it; verify() compares that with the result today. Runs with search_path pg_catalog.
WITH extension AS (
    SELECT oid, extconfig, extcondition FROM pg_extension WHERE extname = 'orchestrator_schema'
), member AS (
    SELECT d.classid, d.objid
    FROM pg_depend AS d JOIN extension AS e ON d.refobjid = e.oid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
), relation AS (
    SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name
    FROM member AS m
    JOIN pg_class AS c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
), routine AS (
    SELECT p.*
    FROM member AS m JOIN pg_proc AS p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
), storage (code, name) AS (
    VALUES ('p'::"char", 'PLAIN'), ('e', 'EXTERNAL'), ('m', 'MAIN'), ('x', 'EXTENDED')
), public_grant AS (
    SELECT n.nspname::text AS object, a.privilege_type
    FROM member AS m
    JOIN pg_namespace AS n ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid,
         aclexplode(n.nspacl) AS a
    WHERE a.grantee = 0
    UNION ALL
    SELECT r.name, a.privilege_type FROM relation AS r, aclexplode(r.relacl) AS a WHERE a.grantee = 0
    UNION ALL
    SELECT format('%s.%I', r.name, c.attname), a.privilege_type
    FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid, aclexplode(c.attacl) AS a
    WHERE a.grantee = 0
    UNION ALL
    SELECT p.oid::regprocedure::text, a.privilege_type
    FROM routine AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
    WHERE a.grantee = 0
)
SELECT 'schema' AS kind, n.nspname::text AS object, '' AS definition
FROM member AS m JOIN pg_namespace AS n ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid
UNION ALL
SELECT 'table', name,
       concat_ws(' ', CASE relpersistence WHEN 'p' THEN 'logged' WHEN 'u' THEN 'UNLOGGED' ELSE 'TEMPORARY' END,
                 CASE WHEN relrowsecurity THEN 'ROW LEVEL SECURITY' END,
                 CASE WHEN relforcerowsecurity THEN 'FORCED' END,
                 CASE WHEN relreplident <> 'd' THEN 'REPLICA IDENTITY ' || relreplident::text END,
                 array_to_string(reloptions, ', '))
FROM relation WHERE relkind IN ('r', 'p')
UNION ALL
SELECT 'child table', format('%I.%I', n.nspname, c.relname), 'INHERITS ' || string_agg(r.name, ', ' ORDER BY i.inhseqno)
FROM relation AS r JOIN pg_inherits AS i ON i.inhparent = r.oid
JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
GROUP BY c.oid, n.nspname, c.relname
UNION ALL
SELECT 'column', format('%s.%I', r.name, a.attname),
       concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                 CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation::regcollation::text END,
                 CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                 CASE a.attidentity WHEN 'a' THEN 'IDENTITY ALWAYS' WHEN 'd' THEN 'IDENTITY BY DEFAULT' END,
                 CASE WHEN a.attstorage <> t.typstorage
                      THEN format('STORAGE %s instead of %s', own.name, usual.name) END,
                 CASE a.attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END,
                 CASE WHEN a.attstattarget >= 0 THEN 'STATISTICS ' || a.attstattarget END,
                 CASE WHEN a.attgenerated = '' THEN 'DEFAULT ' ELSE 'GENERATED ' END || pg_get_expr(d.adbin, d.adrelid))
FROM relation AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN storage AS own ON own.code = a.attstorage
JOIN storage AS usual ON usual.code = t.typstorage
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p')
UNION ALL
SELECT 'constraint', format('%s.%I', r.name, c.conname),
       concat_ws(' ', pg_get_constraintdef(c.oid),
                 CASE WHEN EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgconstraint = c.oid AND t.tgenabled <> 'O')
                      THEN 'DISABLED' END)
FROM relation AS r JOIN pg_constraint AS c ON c.conrelid = r.oid
WHERE c.contype <> 'n'
UNION ALL
SELECT 'index', format('%I.%I', n.nspname, i.relname),
       concat_ws(' ', pg_get_indexdef(i.oid), CASE WHEN NOT x.indisvalid THEN 'INVALID' END)
FROM relation AS r
JOIN pg_index AS x ON x.indrelid = r.oid
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_namespace AS n ON n.oid = i.relnamespace
UNION ALL
SELECT 'statistics', format('%I.%I', n.nspname, s.stxname), pg_get_statisticsobjdef(s.oid)
FROM relation AS r
JOIN pg_statistic_ext AS s ON s.stxrelid = r.oid
JOIN pg_namespace AS n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'sequence', r.name,
       format('%s START %s INCREMENT %s%s', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
              CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)
FROM relation AS r JOIN pg_sequence AS s ON s.seqrelid = r.oid
UNION ALL
SELECT 'view', name,
       concat_ws(' ', array_to_string(reloptions, ', '), regexp_replace(btrim(pg_get_viewdef(oid)), '[[:space:]]+', ' ', 'g'))
FROM relation WHERE relkind = 'v'
UNION ALL
SELECT 'rule', format('%s.%I', r.name, w.rulename), pg_get_ruledef(w.oid)
FROM relation AS r JOIN pg_rewrite AS w ON w.ev_class = r.oid
WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 'trigger', format('%s.%I', r.name, t.tgname),
       concat_ws(' ', pg_get_triggerdef(t.oid),
                 CASE t.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END)
FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid
WHERE NOT t.tgisinternal
UNION ALL
SELECT 'policy', format('%s.%I', r.name, p.polname),
       concat_ws(' ', p.polcmd::text, CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                 'USING ' || pg_get_expr(p.polqual, p.polrelid), 'CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid))
FROM relation AS r JOIN pg_policy AS p ON p.polrelid = r.oid
UNION ALL
SELECT 'function', p.oid::regprocedure::text,
       concat_ws(' ', '(' || pg_get_function_arguments(p.oid) || ')', 'RETURNS ' || pg_get_function_result(p.oid),
                 'LANGUAGE', l.lanname,
                 CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
                 CASE WHEN p.proisstrict THEN 'STRICT' END,
                 CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' END,
                 CASE WHEN p.proleakproof THEN 'LEAKPROOF' END,
                 CASE p.proparallel WHEN 's' THEN 'PARALLEL SAFE' WHEN 'r' THEN 'PARALLEL RESTRICTED' ELSE 'PARALLEL UNSAFE' END,
                 -- A session with quote_all_identifiers leaves both names in quotation marks.
                 'SET ' || replace(replace(array_to_string(p.proconfig, ' SET '), '"pg_catalog"', 'pg_catalog'), '"pg_temp"', 'pg_temp'),
                 CASE WHEN l.lanname = 'c' THEN format('AS %s, %s', p.probin, p.prosrc)
                      ELSE 'BODY ' || md5(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)) END)
FROM routine AS p JOIN pg_language AS l ON l.oid = p.prolang
UNION ALL
SELECT 'grant to PUBLIC', object, string_agg(privilege_type, ', ' ORDER BY privilege_type COLLATE "C")
FROM public_grant GROUP BY object
UNION ALL
SELECT 'dump configuration', r.name, coalesce(condition, '')
FROM extension AS e,
     unnest(e.extconfig, e.extcondition) AS registered (oid, condition)
JOIN relation AS r ON r.oid = registered.oid
UNION ALL
SELECT 'other', concat_ws(' ', o.type, o.identity), ''
FROM member AS m, pg_identify_object(m.classid, m.objid, 0) AS o
WHERE m.classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)
      -- Later servers count the row type of a relation, and the array type of any type, as members too.
      AND NOT (m.classid = 'pg_type'::regclass
               AND m.objid IN (SELECT r.reltype FROM relation AS r UNION ALL SELECT t.typarray FROM pg_type AS t))
   OR m.objid IN (SELECT oid FROM relation WHERE relkind NOT IN ('r', 'p', 'v', 'S'))
