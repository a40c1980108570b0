SELECT p.price_id, p.model, r.input_cost_per_million, r.output_cost_per_million, p.begins, p.ends,
    coalesce((SELECT jsonb_agg(jsonb_build_object('component', c.component, 'service_tier', c.service_tier, 'above_input', c.above_input, 'per_unit', c.unit_cost)
                  ORDER BY c.component, c.service_tier, c.above_input)
              FROM orchestrator.llm_price_components AS c WHERE c.price_id = p.price_id), '[]')
FROM orchestrator.llm_prices_by_name AS p JOIN orchestrator.llm_pricing AS r ON r.id = p.price_id
WHERE p.name = $1 AND $2 >= p.begins AND (p.ends IS NULL OR $2 < p.ends)
