-- The price in force at the beginning of a new one, and whether it is the same. $1 model, $2 day, $3 moment,
-- $4 and $5 USD per million of input and output, $6 components; NULL: those of the price in force.
WITH given AS (
    SELECT g.component, g.service_tier, g.above_input, coalesce(g.per_unit, g.per_million * 0.000001)
    FROM jsonb_to_recordset($6) AS g (component text, service_tier text, above_input bigint, per_unit numeric, per_million numeric)
)
SELECT n.day, nullif(n.begins, n.day::timestamp AT TIME ZONE 'UTC'), p.id, p.begins = n.begins, p.begins <= clock_timestamp(),
    p.input_cost_per_million = $4 AND p.output_cost_per_million = $5
        AND ($6 IS NULL OR NOT EXISTS (
            (SELECT c.component, c.service_tier, c.above_input, c.unit_cost FROM orchestrator.llm_price_components AS c WHERE c.price_id = p.id)
            EXCEPT TABLE given)
        AND NOT EXISTS (
            TABLE given
            EXCEPT SELECT c.component, c.service_tier, c.above_input, c.unit_cost FROM orchestrator.llm_price_components AS c WHERE c.price_id = p.id)),
    (SELECT count(*) FROM orchestrator.llm_price_components AS c WHERE c.price_id = p.id),
    EXISTS (SELECT FROM orchestrator.llm_pricing AS l WHERE l.model = $1 AND l.replaced_at IS NULL
            AND coalesce(l.effective_at, l.effective_date::timestamp AT TIME ZONE 'UTC') > n.begins
            AND coalesce(l.effective_at, l.effective_date::timestamp AT TIME ZONE 'UTC') <= clock_timestamp())
FROM (SELECT b.begins, (b.begins AT TIME ZONE 'UTC')::date AS day
      FROM (SELECT coalesce($3, coalesce($2, (now() AT TIME ZONE 'UTC')::date)::timestamp AT TIME ZONE 'UTC') AS begins) AS b) AS n
LEFT JOIN LATERAL (
    SELECT o.id, o.input_cost_per_million, o.output_cost_per_million, coalesce(o.effective_at, o.effective_date::timestamp AT TIME ZONE 'UTC') AS begins
    FROM orchestrator.llm_pricing AS o
    WHERE o.model = $1 AND o.replaced_at IS NULL AND coalesce(o.effective_at, o.effective_date::timestamp AT TIME ZONE 'UTC') <= n.begins
    ORDER BY coalesce(o.effective_at, o.effective_date::timestamp AT TIME ZONE 'UTC') DESC LIMIT 1) AS p ON true
