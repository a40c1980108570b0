-- Additions of users that a dump does not keep.
SELECT left(d.object, 500) AS object, d.kind, d.severity, left(d.consequence, 1000) AS consequence, left(d.hint, 20000) AS hint
FROM orchestrator.dump_safety() AS d LIMIT 200
