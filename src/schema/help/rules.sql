-- The keys of a table, and the rules that need more than one column of it.
SELECT r.rule
FROM (
    SELECT pg_get_constraintdef(k.oid, true) AS rule, array_position('{p,u,x,f,c}', k.contype::text) AS place,
           k.conname AS name
    FROM pg_constraint AS k
    WHERE k.conrelid = $1 AND k.contype IN ('p', 'u', 'x', 'f', 'c')
      AND NOT (k.contype = 'c' AND coalesce(cardinality(k.conkey), 0) = 1)
    UNION ALL
    SELECT 'UNIQUE ' || regexp_replace(pg_get_indexdef(x.indexrelid), '^.* USING btree ', ''), 2, i.relname
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
    WHERE x.indrelid = $1 AND x.indisunique AND x.indislive
      AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = x.indexrelid AND k.conrelid = $1)
) AS r
ORDER BY r.place, r.name COLLATE "C"
