-- View llm_cost_by_day, over the calls and the prices that were recorded until $1.
-- Tables are locked in the order in which they are named here, that of all functions.
WITH aliases AS NOT MATERIALIZED (
    SELECT m.alias, m.model FROM orchestrator.llm_model_aliases AS m
), components AS NOT MATERIALIZED (
    SELECT c.price_id, c.component, c.service_tier, c.above_input, c.unit_cost FROM orchestrator.llm_price_components AS c
), periods AS NOT MATERIALIZED (
    SELECT p.model, p.input_cost_per_million, p.output_cost_per_million, p.id AS price_id,
           p.begins, lead(p.begins) OVER (PARTITION BY p.model ORDER BY p.begins) AS ends
    FROM (SELECT c.model, c.input_cost_per_million, c.output_cost_per_million, c.id,
                 coalesce(c.effective_at, c.effective_date::timestamp AT TIME ZONE 'UTC') AS begins
          FROM orchestrator.llm_pricing AS c WHERE c.created_at <= $1 AND (c.replaced_at IS NULL OR c.replaced_at > $1)) AS p
), prices AS NOT MATERIALIZED (
    SELECT n.name, n.begins,
           jsonb_build_array(
               jsonb_build_array('input', 'standard', 0, (n.input_cost_per_million * 0.000001)::text),
               jsonb_build_array('output', 'standard', 0, (n.output_cost_per_million * 0.000001)::text))
           || coalesce((SELECT jsonb_agg(jsonb_build_array(c.component, c.service_tier, c.above_input, c.unit_cost::text))
                        FROM components AS c WHERE c.price_id = n.price_id), '[]') AS unit_costs
    FROM (SELECT p.model AS name, p.begins, p.price_id, p.input_cost_per_million, p.output_cost_per_million
          FROM periods AS p
          UNION ALL
          SELECT a.alias AS name, p.begins, p.price_id, p.input_cost_per_million, p.output_cost_per_million
          FROM (SELECT m.alias, m.model,
                       (SELECT min(o.begins) FROM periods AS o WHERE o.model = m.alias) AS own_price_begins
                FROM aliases AS m) AS a
          JOIN periods AS p ON p.model = a.model AND (a.own_price_begins IS NULL OR p.begins < a.own_price_begins)) AS n
), lists AS NOT MATERIALIZED (
    SELECT p.name, array_agg(p.begins ORDER BY p.begins) AS begins, jsonb_agg(p.unit_costs ORDER BY p.begins) AS unit_costs
    FROM prices AS p
    GROUP BY p.name
), limits AS NOT MATERIALIZED (
    SELECT (SELECT array_agg(DISTINCT c.above_input ORDER BY c.above_input)
            FROM components AS c WHERE c.above_input > 0) AS steps,
           (SELECT array_agg(DISTINCT p.effective_at ORDER BY p.effective_at)
            FROM orchestrator.llm_pricing AS p WHERE p.effective_at IS NOT NULL) AS moments
)
SELECT u.day, u.project_id, u.agent_id, u.model, u.calls, u.input_tokens, u.output_tokens,
       u.input_tokens + u.output_tokens + coalesce(k.line[7], 0) AS tokens, k.line[1] AS cost, coalesce(k.line[2], 0)::bigint AS unpriced_calls,
       coalesce(k.line[3], 0) AS cache_read_tokens, coalesce(k.line[4], 0) AS cache_write_tokens,
       coalesce(k.line[5], 0) AS cache_write_1h_tokens, coalesce(k.line[6], 0) AS reasoning_tokens
FROM (SELECT (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.project_id, c.agent_id, c.model, count(*) AS calls,
             sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(c.reported_cost) AS reported_cost,
             orchestrator.llm_usage_sums(x.call) AS sums
      FROM orchestrator.llm_token_usage AS c CROSS JOIN limits AS s
      LEFT JOIN LATERAL (SELECT orchestrator.llm_special_call(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens,
                                     c.units, c.service_tier, c.reported_cost, c."timestamp", s.steps, s.moments) AS call) AS x ON true
      WHERE c.created_at <= $1
      GROUP BY (c."timestamp" AT TIME ZONE 'UTC')::date, c.project_id, c.agent_id, c.model) AS u
LEFT JOIN lists AS p ON p.name = u.model
CROSS JOIN LATERAL (SELECT orchestrator.llm_cost_line(p.begins, p.unit_costs, u.day, u.calls, u.input_tokens, u.output_tokens, u.sums, u.reported_cost) AS line OFFSET 0) AS k
