SELECT format('ALTER TABLE %s %s; ALTER TABLE %s %s', $2, s.give, $3, s.take)
FROM pg_class AS a
     LEFT JOIN pg_index AS x ON x.indrelid = a.oid AND x.indisreplident AND a.relreplident = 'i'
     LEFT JOIN pg_class AS i ON i.oid = x.indexrelid,
     LATERAL (SELECT string_agg(format('%I = %L', option_name, option_value), ', '),
                     string_agg(quote_ident(option_name), ', ')
              FROM pg_options_to_table(a.reloptions)) AS o (options, names),
     LATERAL (VALUES (a.relrowsecurity, 'ENABLE ROW LEVEL SECURITY', 'DISABLE ROW LEVEL SECURITY'),
                     (a.relforcerowsecurity, 'FORCE ROW LEVEL SECURITY', 'NO FORCE ROW LEVEL SECURITY'),
                     (a.relreplident = 'f', 'REPLICA IDENTITY FULL', 'REPLICA IDENTITY DEFAULT'),
                     (a.relreplident = 'n', 'REPLICA IDENTITY NOTHING', 'REPLICA IDENTITY DEFAULT'),
                     (EXISTS (SELECT FROM pg_index AS y JOIN pg_class AS j ON j.oid = y.indexrelid
                              WHERE y.indrelid = to_regclass($2) AND j.relname = i.relname AND y.indisunique
                                AND y.indimmediate AND y.indpred IS NULL),
                      'REPLICA IDENTITY USING INDEX ' || quote_ident(i.relname),
                      'REPLICA IDENTITY DEFAULT'),
                     (o.names IS NOT NULL, format('SET (%s)', o.options), format('RESET (%s)', o.names)))
          AS s (has, give, take)
WHERE a.oid = $1 AND s.has
