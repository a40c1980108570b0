WITH ours AS (
    SELECT d.classid, d.objid FROM pg_depend AS d
    JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'orchestrator_schema' AND d.deptype = 'e'
), tied AS (
    SELECT d.classid, d.objid FROM pg_depend AS d
    JOIN ours AS o ON d.refclassid = o.classid AND d.refobjid = o.objid)
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', $2, conname) FROM pg_constraint
WHERE conrelid = $1
  AND (contype = 'f' OR ('pg_constraint'::regclass, oid) IN (SELECT classid, objid FROM tied))
UNION ALL
SELECT format('DROP TRIGGER %I ON %s', tgname, $2) FROM pg_trigger
WHERE tgrelid = $1 AND NOT tgisinternal
UNION ALL
SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', $2, a.attname)
FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid = $1 AND a.attgenerated = ''
  AND ('pg_attrdef'::regclass, d.oid) IN (SELECT classid, objid FROM tied)
UNION ALL
SELECT format('DROP INDEX %s', i.indexrelid::regclass) FROM pg_index AS i
WHERE i.indrelid = $1 AND ('pg_class'::regclass, i.indexrelid) IN (SELECT classid, objid FROM tied)
