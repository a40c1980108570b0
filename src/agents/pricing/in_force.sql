-- Only views are named: they lock their tables in the order of all functions.
SELECT p.price_id, p.model, r.input_cost_per_million, r.output_cost_per_million, p.begins, p.ends,
    (SELECT coalesce(jsonb_agg(c.component ORDER BY c.component ->> 'component', c.component ->> 'service_tier', (c.component ->> 'above_input')::bigint), '[]')
     FROM (SELECT jsonb_build_object('component', u.cost -> 0, 'service_tier', u.cost -> 1, 'above_input', u.cost -> 2, 'per_unit', (u.cost ->> 3)::numeric)
           FROM jsonb_array_elements(p.unit_costs) WITH ORDINALITY AS u (cost, position)
           -- The first two are those of the price itself.
           WHERE u.position > 2) AS c (component))
FROM orchestrator.llm_prices_by_name AS p JOIN orchestrator.llm_price_periods AS r ON r.model = p.model AND r.price_id = p.price_id
WHERE p.name = $1 AND $2 >= p.begins AND (p.ends IS NULL OR $2 < p.ends)
