WITH pair (archived, kind, live) AS (
    SELECT $1, 'TABLE', $2
    UNION ALL
    SELECT to_regclass(pg_get_serial_sequence($3, a.attname))::oid, 'SEQUENCE', pg_get_serial_sequence($2, l.attname)
    FROM pg_attribute AS a JOIN pg_attribute AS l ON l.attrelid = to_regclass($2) AND l.attname = a.attname
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND NOT l.attisdropped)
SELECT format('GRANT %s ON %s %s TO %s%s', a.privilege_type, pair.kind, pair.live,
       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
       CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pair JOIN pg_class AS c ON c.oid = pair.archived, aclexplode(c.relacl) AS a
WHERE pair.live IS NOT NULL AND a.grantee <> c.relowner
