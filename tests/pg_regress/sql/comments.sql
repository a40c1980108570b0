\set VERBOSITY terse
\set QUIET on
CREATE EXTENSION orchestrator_schema;
\pset format unaligned
\pset tuples_only on
-- The comment of a column with a fixed set of values explains each value.
CREATE TEMP VIEW value_sets AS
SELECT format('%s.%s', k.conrelid::regclass, a.attname) AS name, v.value[1] AS value, col_description(k.conrelid, a.attnum) AS comment
FROM pg_constraint AS k
JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND ARRAY[a.attnum] = k.conkey
CROSS JOIN LATERAL regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::text', 'g') AS v (value)
WHERE k.connamespace = 'orchestrator'::regnamespace AND k.contype = 'c'
  AND pg_get_constraintdef(k.oid) LIKE format('CHECK ((%s = ANY (ARRAY[%%', a.attname);
SELECT count(DISTINCT name), count(*) FROM value_sets;
SELECT name, value FROM value_sets WHERE strpos(coalesce(comment, ''), value || ': ') = 0 ORDER BY name, value;
-- Every member has a comment that begins with its subject, and is ASCII.
SELECT pg_describe_object(d.classid, d.objid, 0), c.description
FROM pg_depend AS d
JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'orchestrator_schema'
LEFT JOIN pg_description AS c ON c.classoid = d.classid AND c.objoid = d.objid
WHERE d.deptype = 'e' AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass)
  AND NOT EXISTS (SELECT FROM pg_class AS i WHERE i.oid = d.objid AND d.classid = 'pg_class'::regclass AND i.relkind NOT IN ('r', 'v'))
  AND (c.description IS NULL OR c.description ~* '^(what|who|whatever|whoever)\M' OR c.description ~ '[^ -~]')
ORDER BY 1;
