-- The calls of the last 30 days of UTC, today with them: all of them, each day, and the dearest 50 projects, agents and models.
WITH lines AS MATERIALIZED (
    SELECT c.day, c.project_id, c.agent_id, c.model, c.calls, c.tokens, c.cost, c.unpriced_calls FROM orchestrator.llm_cost_by_day AS c
    WHERE c.day > (now() AT TIME ZONE 'UTC')::date - 30 AND c.day <= (now() AT TIME ZONE 'UTC')::date),
sums AS (
    SELECT 'day' AS part, d.day::text AS name, coalesce(sum(l.calls), 0) AS calls, coalesce(sum(l.tokens), 0) AS tokens, sum(l.cost) AS cost,
           sum(l.unpriced_calls) AS unpriced
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date - n AS day FROM generate_series(0, 29) AS n) AS d LEFT JOIN lines AS l ON l.day = d.day GROUP BY d.day
    UNION ALL
    SELECT CASE grouping(l.project_id, l.agent_id, l.model) WHEN 3 THEN 'project' WHEN 5 THEN 'agent' WHEN 6 THEN 'model' ELSE 'all' END,
           coalesce(l.project_id::text, left(l.agent_id, 200), left(l.model, 200), 'none'), coalesce(sum(l.calls), 0), coalesce(sum(l.tokens), 0), sum(l.cost),
           sum(l.unpriced_calls)
    FROM lines AS l GROUP BY GROUPING SETS ((), (l.project_id), (l.agent_id), (l.model)))
SELECT s.part, s.name, s.calls::text, s.tokens::text, coalesce(trim_scale(s.cost), 0)::text AS cost, coalesce(s.unpriced, 0)::bigint AS unpriced, s.height
FROM (SELECT t.*, coalesce(ceil(160 * t.cost / nullif(max(t.cost) OVER (PARTITION BY t.part), 0)), 0)::bigint AS height,
             row_number() OVER (PARTITION BY t.part ORDER BY t.cost DESC NULLS LAST, t.calls DESC, t.name) AS place FROM sums AS t) AS s
WHERE s.part = 'day' OR s.place <= 50
ORDER BY s.part, CASE s.part WHEN 'day' THEN s.name END, s.place
