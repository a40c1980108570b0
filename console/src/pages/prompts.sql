-- Agent types with each label from place $3 on: those whose name contains $1, or the one of name $2. The newest
-- activation of a version says its percentage of those whom no newer one takes; the oldest version takes the rest.
WITH types AS (
    SELECT p.agent_type, count(*) AS versions, max(string_to_array(p.version, '.')::bigint[]) AS highest
    FROM orchestrator.prompts AS p
    WHERE ($1 IS NULL OR strpos(lower(p.agent_type), lower($1)) > 0) AND ($2 IS NULL OR p.agent_type = $2)
    GROUP BY p.agent_type
), labels AS (
    SELECT DISTINCT a.agent_type, a.label FROM orchestrator.prompt_activations AS a WHERE $2 IS NULL OR a.agent_type = $2
), places AS (
    SELECT t.agent_type, t.versions, t.highest, l.label
    FROM types AS t LEFT JOIN labels AS l ON l.agent_type = t.agent_type
    ORDER BY t.agent_type, l.label <> 'production', l.label LIMIT 50 OFFSET $3::bigint
)
SELECT e.agent_type, e.versions::text, array_to_string(e.highest, '.') AS highest, left(e.label, 500) AS label, live.versions AS live
FROM places AS e CROSS JOIN LATERAL (
    SELECT string_agg(coalesce(p.version, 'none') || ' for ' || trim_scale(round(s.share, 1)) || ' %', ', ' ORDER BY s.activated_at DESC) AS versions
    FROM (
        SELECT n.prompt_id, n.activated_at,
               100 * exp(coalesce(sum(ln(nullif(1 - n.weight / 100.0, 0))) OVER (newest ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))
                   * CASE WHEN lead(n.activated_at) OVER newest IS NULL THEN 1 ELSE n.weight / 100.0 END AS share
        FROM (
            SELECT DISTINCT ON (a.prompt_id) a.prompt_id, a.weight, a.activated_at FROM orchestrator.prompt_activations AS a
            WHERE a.agent_type = e.agent_type AND a.label = e.label
              AND a.activated_at >= coalesce((SELECT max(f.activated_at) FROM orchestrator.prompt_activations AS f
                  WHERE f.agent_type = e.agent_type AND f.label = e.label AND f.weight = 100), '-infinity')
            ORDER BY a.prompt_id, a.activated_at DESC
        ) AS n
        WHERE n.weight > 0
        WINDOW newest AS (ORDER BY n.activated_at DESC)
        ORDER BY n.activated_at DESC LIMIT 50
    ) AS s LEFT JOIN orchestrator.prompts AS p ON p.id = s.prompt_id
) AS live
ORDER BY e.agent_type, e.label <> 'production', e.label
