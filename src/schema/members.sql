-- Every member of the extension as it stands in the catalog: what it is, its name, the member that it
-- is a part of, and the facts that define it; a fact that is as usual is left out. The manifest of a
-- version is the result of this query after a fresh walk up to it; verify() compares that with the
-- result today. Runs with search_path pg_catalog.
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
), unusual (classes, names) AS (
    SELECT array_agg(oid), array_agg(' ' || quote_ident(opcname)) FROM pg_opclass WHERE NOT opcdefault
), public_grant AS (
    SELECT n.nspname::text AS object, n.nspname::text AS part_of, a.privilege_type
    FROM member AS m
    JOIN pg_namespace AS n ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid,
         aclexplode(n.nspacl) AS a
    WHERE a.grantee = 0
    UNION ALL
    SELECT r.name, r.name, a.privilege_type FROM relation AS r, aclexplode(r.relacl) AS a WHERE a.grantee = 0
    UNION ALL
    SELECT format('%s.%I', r.name, c.attname), r.name, a.privilege_type
    FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid AND c.attacl IS NOT NULL, aclexplode(c.attacl) AS a
    WHERE a.grantee = 0
    UNION ALL
    SELECT p.oid::regprocedure::text, p.oid::regprocedure::text, a.privilege_type
    FROM routine AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
    WHERE a.grantee = 0
)
SELECT 'schema' AS kind, n.nspname::text AS object, NULL::text AS part_of, '{}'::jsonb AS facts
FROM member AS m JOIN pg_namespace AS n ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid
UNION ALL
SELECT 'table', name, NULL, jsonb_strip_nulls(jsonb_build_object(
           'persistence', CASE relpersistence WHEN 'u' THEN 'UNLOGGED' WHEN 't' THEN 'TEMPORARY' END,
           'row_security', nullif(relrowsecurity, false),
           'forced', nullif(relforcerowsecurity, false),
           'replica_identity', nullif(relreplident, 'd'),
           'options', to_jsonb(reloptions)))
FROM relation WHERE relkind IN ('r', 'p')
UNION ALL
SELECT 'child table', format('%I.%I', n.nspname, c.relname), NULL,
       jsonb_build_object('parents', jsonb_agg(r.name ORDER BY i.inhseqno))
FROM relation AS r JOIN pg_inherits AS i ON i.inhparent = r.oid
JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
GROUP BY c.oid, n.nspname, c.relname
UNION ALL
SELECT 'column', format('%s.%I', r.name, a.attname), r.name, jsonb_strip_nulls(jsonb_build_object(
           'type', nullif(format_type(a.atttypid, a.atttypmod), 'text'),
           'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
           'not_null', nullif(a.attnotnull, false),
           'identity', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
           'storage', CASE WHEN a.attstorage <> t.typstorage THEN own.name END,
           'usual_storage', CASE WHEN a.attstorage <> t.typstorage THEN usual.name END,
           'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
           'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
           'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
           'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END))
FROM relation AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN storage AS own ON own.code = a.attstorage
JOIN storage AS usual ON usual.code = t.typstorage
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p')
UNION ALL
SELECT 'constraint', format('%s.%I', r.name, c.conname), r.name, jsonb_strip_nulls(jsonb_build_object(
           'rule', CASE WHEN c.convalidated THEN t.rule ELSE regexp_replace(t.rule, ' NOT VALID$', '') END,
           'type', nullif(c.contype, 'c'),
           'columns', (SELECT jsonb_agg(quote_ident(a.attname) ORDER BY array_position(c.conkey, a.attnum))
                       FROM pg_attribute AS a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)),
           'references', CASE WHEN c.confrelid <> 0 THEN (
               SELECT format('%I.%I', n.nspname, f.relname)
               FROM pg_class AS f JOIN pg_namespace AS n ON n.oid = f.relnamespace WHERE f.oid = c.confrelid) END,
           'not_valid', nullif(NOT c.convalidated, false),
           'disabled', nullif(c.contype <> 'c' AND EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgconstraint = c.oid AND t.tgenabled <> 'O'), false)))
FROM relation AS r JOIN pg_constraint AS c ON c.conrelid = r.oid,
     LATERAL (SELECT pg_get_constraintdef(c.oid)) AS t (rule)
WHERE c.contype <> 'n'
UNION ALL
SELECT 'index', format('%I.%I', n.nspname, i.relname), r.name, jsonb_strip_nulls(jsonb_build_object(
           'unique', nullif(x.indisunique, false),
           'method', nullif(m.amname, 'btree'),
           -- A key is written as CREATE INDEX takes it; what is as usual for the column is left out.
           'keys', (SELECT jsonb_agg(concat(coalesce(quote_ident(c.attname), pg_get_indexdef(i.oid, k.place, false)),
                                            CASE WHEN x.indcollation[k.place - 1] NOT IN (0, coalesce(c.attcollation, 100))
                                                 THEN ' COLLATE ' || x.indcollation[k.place - 1]::regcollation END,
                                            o.names[array_position(o.classes, x.indclass[k.place - 1])],
                                            CASE x.indoption[k.place - 1] WHEN 1 THEN ' DESC NULLS LAST'
                                                                          WHEN 2 THEN ' NULLS FIRST' WHEN 3 THEN ' DESC' END)
                                     ORDER BY k.place)
                    FROM generate_series(1, x.indnkeyatts::int) AS k (place)
                    LEFT JOIN pg_attribute AS c ON c.attrelid = x.indrelid AND c.attnum = x.indkey[k.place - 1]),
           'included', (SELECT jsonb_agg(quote_ident(a.attname) ORDER BY a.attnum)
                        FROM pg_attribute AS a WHERE a.attrelid = i.oid AND a.attnum > x.indnkeyatts
                                                 AND x.indnatts > x.indnkeyatts),
           -- PostgreSQL 14 has no such column in pg_index, and reads the usual value.
           'nulls_not_distinct', (SELECT (SELECT nullif(indnullsnotdistinct, false) FROM pg_index AS y WHERE y.indexrelid = x.indexrelid)
                                  FROM (VALUES (false)) AS usual (indnullsnotdistinct)),
           'options', to_jsonb(i.reloptions),
           'where', pg_get_expr(x.indpred, x.indrelid),
           'invalid', nullif(NOT x.indisvalid, false)))
FROM relation AS r
JOIN pg_index AS x ON x.indrelid = r.oid
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_namespace AS n ON n.oid = i.relnamespace
JOIN pg_am AS m ON m.oid = i.relam
CROSS JOIN unusual AS o
UNION ALL
SELECT 'statistics', format('%I.%I', n.nspname, s.stxname), r.name,
       jsonb_build_object('statement', pg_get_statisticsobjdef(s.oid))
FROM relation AS r
JOIN pg_statistic_ext AS s ON s.stxrelid = r.oid
JOIN pg_namespace AS n ON n.oid = s.stxnamespace
UNION ALL
SELECT 'sequence', r.name, NULL, jsonb_strip_nulls(jsonb_build_object(
           'type', format_type(s.seqtypid, NULL),
           'start', s.seqstart,
           'increment', s.seqincrement,
           'cycle', nullif(s.seqcycle, false)))
FROM relation AS r JOIN pg_sequence AS s ON s.seqrelid = r.oid
UNION ALL
SELECT 'view', name, NULL, jsonb_strip_nulls(jsonb_build_object(
           'options', to_jsonb(reloptions),
           'columns', (SELECT jsonb_agg(quote_ident(a.attname) ORDER BY a.attnum)
                       FROM pg_attribute AS a WHERE a.attrelid = r.oid AND a.attnum > 0),
           'reads', (SELECT jsonb_agg(DISTINCT format('%I.%I', n.nspname, c.relname) COLLATE "C")
                     FROM pg_rewrite AS w
                     JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                                        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.oid
                     JOIN pg_class AS c ON c.oid = d.refobjid JOIN pg_namespace AS n ON n.oid = c.relnamespace
                     WHERE w.ev_class = r.oid),
           'query', regexp_replace(btrim(pg_get_viewdef(oid)), '[[:space:]]+', ' ', 'g')))
FROM relation AS r WHERE relkind = 'v'
UNION ALL
SELECT 'rule', format('%s.%I', r.name, w.rulename), r.name, jsonb_build_object('statement', pg_get_ruledef(w.oid))
FROM relation AS r JOIN pg_rewrite AS w ON w.ev_class = r.oid
WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 'trigger', format('%s.%I', r.name, t.tgname), r.name, jsonb_strip_nulls(jsonb_build_object(
           'constraint', nullif(t.tgconstraint <> 0, false),
           'fires', substr(pg_get_triggerdef(t.oid), 1 + length(format(
               'CREATE %sTRIGGER %I ', CASE WHEN t.tgconstraint <> 0 THEN 'CONSTRAINT ' END, t.tgname))),
           'state', CASE t.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END))
FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid
WHERE NOT t.tgisinternal
UNION ALL
SELECT 'policy', format('%s.%I', r.name, p.polname), r.name, jsonb_strip_nulls(jsonb_build_object(
           'command', p.polcmd::text,
           'restrictive', nullif(NOT p.polpermissive, false),
           'using', pg_get_expr(p.polqual, p.polrelid),
           'check', pg_get_expr(p.polwithcheck, p.polrelid)))
FROM relation AS r JOIN pg_policy AS p ON p.polrelid = r.oid
UNION ALL
SELECT 'function', p.oid::regprocedure::text, NULL, jsonb_strip_nulls(jsonb_build_object(
           'arguments', nullif(pg_get_function_arguments(p.oid), ''),
           'returns', pg_get_function_result(p.oid),
           'language', nullif(l.lanname, 'c'),
           'volatility', CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' END,
           'strict', nullif(p.proisstrict, false),
           'definer', nullif(p.prosecdef, false),
           'leakproof', nullif(p.proleakproof, false),
           'parallel', CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END,
           'settings', CASE WHEN u.settings IS DISTINCT FROM '{"search_path=pg_catalog, pg_temp"}'
                            THEN coalesce(to_jsonb(u.settings), '[]') END,
           'library', CASE WHEN l.lanname = 'c' THEN nullif(p.probin, 'orchestrator_schema') END,
           'symbol', CASE WHEN l.lanname = 'c' THEN nullif(p.prosrc, p.proname || '_wrapper') END,
           'body', CASE WHEN l.lanname <> 'c' AND g.aggfnoid IS NULL THEN md5(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)) END,
           'aggregate', CASE WHEN g.aggfnoid IS NOT NULL THEN concat_ws(', ', 'SFUNC = ' || a.sfunc, 'STYPE = ' || format_type(g.aggtranstype, NULL),
               'INITCOND = ' || quote_literal(g.agginitval), 'FINALFUNC = ' || nullif(g.aggfinalfn::oid, 0)::regproc, 'COMBINEFUNC = ' || a.combinefunc) END))
FROM routine AS p JOIN pg_language AS l ON l.oid = p.prolang LEFT JOIN pg_aggregate AS g ON g.aggfnoid = p.oid,
     -- A function of the library is known by its symbol: a rename of it changes no aggregate.
     LATERAL (SELECT max(f.name) FILTER (WHERE f.oid = g.aggtransfn), max(f.name) FILTER (WHERE f.oid = g.aggcombinefn)
              FROM (SELECT o.oid, CASE WHEN o.probin IS NULL THEN o.oid::regproc::text ELSE 'orchestrator.' || quote_ident(regexp_replace(o.prosrc, '_wrapper$', '')) END AS name
                    FROM pg_proc AS o WHERE o.oid IN (g.aggtransfn, g.aggcombinefn)) AS f) AS a (sfunc, combinefunc),
     -- A session with quote_all_identifiers leaves both names in quotation marks.
     LATERAL (SELECT replace(replace(p.proconfig::text, '\"pg_catalog\"', 'pg_catalog'), '\"pg_temp\"', 'pg_temp')::text[]) AS u (settings)
UNION ALL
SELECT 'grant to PUBLIC', object, part_of,
       jsonb_build_object('privileges', jsonb_agg(privilege_type ORDER BY privilege_type COLLATE "C"))
FROM public_grant GROUP BY object, part_of
UNION ALL
SELECT 'dump configuration', r.name, r.name, jsonb_strip_nulls(jsonb_build_object('condition', nullif(condition, '')))
FROM extension AS e,
     unnest(e.extconfig, e.extcondition) AS registered (oid, condition)
JOIN relation AS r ON r.oid = registered.oid
UNION ALL
SELECT 'other', concat_ws(' ', o.type, o.identity), NULL, '{}'
FROM member AS m, pg_identify_object(m.classid, m.objid, 0) AS o
WHERE m.classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)
      -- Later servers count the row type of a relation, and the array type of any type, as members too.
      AND NOT (m.classid = 'pg_type'::regclass
               AND m.objid IN (SELECT r.reltype FROM relation AS r UNION ALL SELECT t.typarray FROM pg_type AS t))
   OR m.objid IN (SELECT oid FROM relation WHERE relkind NOT IN ('r', 'p', 'v', 'S'))
