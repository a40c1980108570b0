-- What is built on relation $1, whose name is $2: kinds and names as members.sql gives them, without the columns.
SELECT 'constraint', format('%s.%I', $2, conname) FROM pg_constraint WHERE conrelid = $1 AND contype <> 'n'
UNION ALL
SELECT 'index', format('%I.%I', n.nspname, i.relname)
FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_namespace AS n ON n.oid = i.relnamespace
WHERE x.indrelid = $1
UNION ALL
SELECT 'policy', format('%s.%I', $2, polname) FROM pg_policy WHERE polrelid = $1
UNION ALL
SELECT 'rule', format('%s.%I', $2, rulename) FROM pg_rewrite WHERE ev_class = $1 AND rulename <> '_RETURN'
UNION ALL
SELECT 'statistics', format('%I.%I', n.nspname, s.stxname)
FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = s.stxnamespace WHERE s.stxrelid = $1
UNION ALL
SELECT 'trigger', format('%s.%I', $2, tgname) FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal
