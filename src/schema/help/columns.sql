-- The columns of a table or view: definition, comment, the CHECKs on it alone (as expression trees,
-- and as a reader wants them), the state machines that watch it.
SELECT a.attname::text,
       concat(format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' not null' END,
              CASE WHEN a.attidentity <> '' THEN ' identity' END,
              ' default ' || pg_get_expr(d.adbin, d.adrelid)),
       col_description(a.attrelid, a.attnum),
       c.trees, c.printed,
       ARRAY(SELECT w.words[i]
             FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.proname = 'enforce_lifecycle',
                  LATERAL (SELECT string_to_array(encode(t.tgargs, 'escape'), E'\\000')) AS w (words),
                  generate_series(1, t.tgnargs - 1, 2) AS i
             WHERE t.tgrelid = a.attrelid AND w.words[i + 1] = a.attname ORDER BY i)
FROM pg_attribute AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum,
LATERAL (
    SELECT coalesce(array_agg(k.conbin::text ORDER BY k.conname COLLATE "C"), '{}'),
           coalesce(array_agg(pg_get_constraintdef(k.oid, true) ORDER BY k.conname COLLATE "C"), '{}')
    FROM pg_constraint AS k
    WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
) AS c (trees, printed)
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
