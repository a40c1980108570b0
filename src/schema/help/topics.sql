SELECT t.kind, t.name, t.arguments, t.signature, t.comment
FROM (
    SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END AS kind, c.relname::text AS name,
           NULL AS arguments, NULL AS signature, obj_description(c.oid, 'pg_class') AS comment,
           d.refobjid AS extension
    FROM pg_depend AS d JOIN pg_class AS c ON c.oid = d.objid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass
      AND d.deptype = 'e' AND c.relkind IN ('r', 'v')
    UNION ALL
    SELECT 'function', p.proname::text,
           format('(%s)', array_to_string(p.proargnames[1:p.pronargs], ', ')),
           format('(%s) returns %s', pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)),
           obj_description(p.oid, 'pg_proc'), d.refobjid
    FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid
    WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass
      AND d.deptype = 'e' AND p.prorettype <> 'trigger'::regtype
) AS t
JOIN pg_extension AS e ON e.oid = t.extension AND e.extname = 'orchestrator_schema'
ORDER BY t.name COLLATE "C", t.signature COLLATE "C"
