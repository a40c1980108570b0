-- The calls of the last 30 days of UTC, today with them: all of them, each day, and the dearest 50 projects, agents and models.
-- Then the series of the chart, which are the dearest five values of $1 (project, agent or model) and all others as the sixth, and
-- the share of each in each day. The height of a day is its part of the dearest day in 160ths; that of a share includes those
-- below it.
WITH lines AS MATERIALIZED (
    SELECT c.day, c.project_id, c.agent_id, c.model, c.calls, c.tokens, c.cost, c.unpriced_calls,
           CASE $1 WHEN 'project' THEN c.project_id::text WHEN 'agent' THEN c.agent_id ELSE c.model END AS key
    FROM orchestrator.llm_cost_by_day AS c
    WHERE c.day > (now() AT TIME ZONE 'UTC')::date - 30 AND c.day <= (now() AT TIME ZONE 'UTC')::date),
sums AS (
    SELECT 'day' AS part, d.day::text AS name, coalesce(sum(l.calls), 0) AS calls, coalesce(sum(l.tokens), 0) AS tokens, sum(l.cost) AS cost,
           sum(l.unpriced_calls) AS unpriced
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date - n AS day FROM generate_series(0, 29) AS n) AS d LEFT JOIN lines AS l ON l.day = d.day GROUP BY d.day
    UNION ALL
    SELECT CASE grouping(l.project_id, l.agent_id, l.model) WHEN 3 THEN 'project' WHEN 5 THEN 'agent' WHEN 6 THEN 'model' ELSE 'all' END,
           coalesce(l.project_id::text, left(l.agent_id, 200), left(l.model, 200), 'none'), coalesce(sum(l.calls), 0), coalesce(sum(l.tokens), 0), sum(l.cost),
           sum(l.unpriced_calls)
    FROM lines AS l GROUP BY GROUPING SETS ((), (l.project_id), (l.agent_id), (l.model))),
series AS (
    SELECT l.key, least(row_number() OVER (ORDER BY sum(l.cost) DESC, l.key), 6) AS place, count(*) OVER () AS keys
    FROM lines AS l GROUP BY l.key HAVING sum(l.cost) > 0),
shares AS (
    SELECT l.day, s.place, min(CASE WHEN s.place < 6 OR s.keys = 6 THEN coalesce(left(s.key, 200), 'none') END) AS name,
           sum(l.cost) AS cost
    FROM lines AS l JOIN series AS s ON s.key IS NOT DISTINCT FROM l.key
    GROUP BY GROUPING SETS ((l.day, s.place), (s.place)) HAVING sum(l.cost) > 0),
heights AS (
    SELECT h.*,
           ceil(160 * sum(h.cost) OVER (PARTITION BY h.day ORDER BY h.place)
                / (SELECT max(s.cost) FROM sums AS s WHERE s.part = 'day'))::bigint AS height
    FROM shares AS h)
SELECT s.part, s.name, CASE WHEN s.part = 'day' THEN s.name END AS day, s.calls::text, s.tokens::text,
       coalesce(trim_scale(s.cost), 0)::text AS cost, coalesce(s.unpriced, 0)::bigint AS unpriced, s.height, s.share, s.place
FROM (SELECT t.*, coalesce(ceil(160 * t.cost / nullif(max(t.cost) OVER (PARTITION BY t.part), 0)), 0)::bigint AS height,
             coalesce(round(100 * t.cost / nullif(sum(t.cost) OVER (PARTITION BY t.part), 0)), 0)::bigint AS share,
             row_number() OVER (PARTITION BY t.part ORDER BY t.cost DESC NULLS LAST, t.calls DESC, t.name) AS place FROM sums AS t) AS s
WHERE s.part = 'day' OR s.place <= 50
UNION ALL
SELECT CASE WHEN h.day IS NULL THEN 'series' ELSE 'share' END, h.name, h.day::text, NULL, NULL, trim_scale(h.cost)::text, NULL,
       h.height, NULL, h.place
FROM heights AS h
ORDER BY part, day, place
