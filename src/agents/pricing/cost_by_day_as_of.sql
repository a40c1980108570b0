-- View llm_cost_by_day, over the calls and the prices that were recorded until $1.
WITH calls AS NOT MATERIALIZED (
    SELECT * FROM orchestrator.llm_token_usage AS c WHERE c.created_at <= $1
), periods AS NOT MATERIALIZED (
    SELECT p.model, p.effective_date AS valid_from,
           lead(p.effective_date) OVER (PARTITION BY p.model ORDER BY p.begins) AS valid_until,
           p.input_cost_per_million, p.output_cost_per_million, p.id AS price_id,
           p.begins, lead(p.begins) OVER (PARTITION BY p.model ORDER BY p.begins) AS ends
    FROM (SELECT c.model, c.effective_date, c.input_cost_per_million, c.output_cost_per_million, c.id,
                 coalesce(c.effective_at, c.effective_date::timestamp AT TIME ZONE 'UTC') AS begins
          FROM orchestrator.llm_pricing AS c WHERE c.created_at <= $1 AND (c.replaced_at IS NULL OR c.replaced_at > $1)) AS p
), prices AS NOT MATERIALIZED (
    SELECT n.name, n.begins, n.ends, n.model, n.price_id,
           jsonb_build_array(
               jsonb_build_array('input', 'standard', 0, (n.input_cost_per_million * 0.000001)::text),
               jsonb_build_array('output', 'standard', 0, (n.output_cost_per_million * 0.000001)::text))
           || coalesce((SELECT jsonb_agg(jsonb_build_array(c.component, c.service_tier, c.above_input, c.unit_cost::text))
                        FROM orchestrator.llm_price_components AS c WHERE c.price_id = n.price_id), '[]') AS unit_costs
    FROM (SELECT p.model AS name, p.begins, p.ends, p.model, p.price_id, p.input_cost_per_million, p.output_cost_per_million
          FROM periods AS p
          UNION ALL
          SELECT a.alias AS name, p.begins, least(p.ends, a.own_price_begins) AS ends, p.model, p.price_id, p.input_cost_per_million, p.output_cost_per_million
          FROM (SELECT m.alias, m.model,
                       (SELECT min(o.begins) FROM periods AS o WHERE o.model = m.alias) AS own_price_begins
                FROM orchestrator.llm_model_aliases AS m) AS a
          JOIN periods AS p ON p.model = a.model AND (a.own_price_begins IS NULL OR p.begins < a.own_price_begins)) AS n
)
SELECT g.day, g.project_id, g.agent_id, g.model, sum(g.calls)::bigint AS calls,
       sum(g.input_tokens) AS input_tokens, sum(g.output_tokens) AS output_tokens,
       sum(g.input_tokens + g.cache_read_tokens + g.cache_write_tokens + g.cache_write_1h_tokens + g.output_tokens + g.reasoning_tokens) AS tokens,
       sum(g.cost) AS cost,
       coalesce(sum(g.calls) FILTER (WHERE g.cost IS NULL), 0)::bigint AS unpriced_calls,
       sum(g.cache_read_tokens) AS cache_read_tokens, sum(g.cache_write_tokens) AS cache_write_tokens,
       sum(g.cache_write_1h_tokens) AS cache_write_1h_tokens, sum(g.reasoning_tokens) AS reasoning_tokens
FROM (SELECT u.day, u.project_id, u.agent_id, u.model, u.calls, u.input_tokens, u.output_tokens,
             u.cache_read_tokens, u.cache_write_tokens, u.cache_write_1h_tokens, u.reasoning_tokens,
             k.cost
      FROM (SELECT (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.project_id, c.agent_id, c.model, c.service_tier, c.units, s.steps,
                   -- A call whose cost was reported is in no step.
                   CASE WHEN c.reported_cost IS NULL
                        THEN width_bucket(least(c.input_tokens, 4000000000000000000) + c.cache_read_tokens + c.cache_write_tokens + c.cache_write_1h_tokens
                                 + CASE WHEN c.units = '{}' THEN 0 ELSE orchestrator.llm_input_units(c.units) END - 1, s.steps) END AS step,
                   s.moments[width_bucket(c."timestamp", s.moments)] AS moment,
                   count(*) AS calls, sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens,
                   sum(c.cache_read_tokens) AS cache_read_tokens, sum(c.cache_write_tokens) AS cache_write_tokens,
                   sum(c.cache_write_1h_tokens) AS cache_write_1h_tokens, sum(c.reasoning_tokens) AS reasoning_tokens,
                   sum(c.reported_cost) AS reported_cost
            FROM calls AS c,
                 (SELECT coalesce((SELECT array_agg(DISTINCT k.above_input ORDER BY k.above_input)
                                   FROM orchestrator.llm_price_components AS k WHERE k.above_input > 0), '{}') AS steps,
                         coalesce((SELECT array_agg(DISTINCT p.effective_at ORDER BY p.effective_at)
                                   FROM orchestrator.llm_pricing AS p WHERE p.effective_at IS NOT NULL), '{}') AS moments) AS s
            GROUP BY (c."timestamp" AT TIME ZONE 'UTC')::date, c.project_id, c.agent_id, c.model, c.service_tier, c.units, 7, 8, 9) AS u
      LEFT JOIN prices AS p
             ON p.name = u.model AND greatest(u.day::timestamp AT TIME ZONE 'UTC', u.moment) >= p.begins
            AND (p.ends IS NULL OR greatest(u.day::timestamp AT TIME ZONE 'UTC', u.moment) < p.ends)
      -- OFFSET keeps the planner from computing the cost twice.
      CROSS JOIN LATERAL (
          SELECT CASE WHEN u.step IS NULL THEN u.reported_cost
                      ELSE orchestrator.llm_cost_of_calls(p.unit_costs, u.service_tier, coalesce(u.steps[u.step] + 1, 0), u.input_tokens, u.cache_read_tokens,
                               u.cache_write_tokens, u.cache_write_1h_tokens, u.output_tokens, u.reasoning_tokens, u.units, u.calls) END AS cost OFFSET 0) AS k) AS g
GROUP BY g.day, g.project_id, g.agent_id, g.model
