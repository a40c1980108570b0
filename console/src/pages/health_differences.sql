-- Differences between the schema and the installed version. A hint is a statement to run, so it is not cut in practice.
SELECT left(v.object, 500) AS object, v.kind, v.problem, left(v.expected, 1000) AS expected, left(v.actual, 1000) AS actual,
       left(v.hint, 20000) AS hint
FROM orchestrator.verify() AS v LIMIT 200
