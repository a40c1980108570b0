-- The members of the extension that a user works with: kind, identifier, name, arguments by name,
-- signature, comment, C symbol. Of a function with forms for floats, these stand last.
SELECT t.kind, t.oid, t.name, t.arguments, t.signature, t.comment, t.symbol
FROM (
    SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END AS kind, c.oid, c.relname::text AS name,
           '' AS arguments, '' AS signature, coalesce(obj_description(c.oid, 'pg_class'), '') AS comment,
           '' AS symbol, d.refobjid AS extension, false AS takes_floats
    FROM pg_depend AS d JOIN pg_class AS c ON c.oid = d.objid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass
      AND d.deptype = 'e' AND c.relkind IN ('r', 'v')
    UNION ALL
    SELECT 'function', p.oid, p.proname::text,
           format('(%s)', array_to_string(p.proargnames[1:p.pronargs], ', ')),
           format('(%s) returns %s', pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)),
           coalesce(obj_description(p.oid, 'pg_proc'), ''), p.prosrc, d.refobjid,
           'float8'::regtype = ANY (p.proargtypes::oid[])
    FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid
    WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass
      AND d.deptype = 'e' AND p.prorettype <> 'trigger'::regtype
) AS t
JOIN pg_extension AS e ON e.oid = t.extension AND e.extname = 'orchestrator_schema'
ORDER BY t.name COLLATE "C", t.takes_floats, t.signature COLLATE "C"
