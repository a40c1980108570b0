-- The arguments of a function and the columns of its TABLE result, in order.
SELECT coalesce(p.proargmodes[u.place]::text, 'i') = 't',
       concat_ws(' ', u.name, format_type(u.type, NULL),
                 'default ' || pg_get_function_arg_default(p.oid, u.place::integer))
FROM pg_proc AS p,
     unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames) WITH ORDINALITY AS u (type, name, place)
WHERE p.oid = $1
ORDER BY u.place
