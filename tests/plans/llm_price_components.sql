-- rows
INSERT INTO orchestrator.llm_pricing (id, model, input_cost_per_million, output_cost_per_million) SELECT pg_temp.id(100000 + i), 'priced model ' || i, 1, 2 FROM generate_series(1, 2000) AS i;
INSERT INTO orchestrator.llm_price_components (price_id, component, unit_cost) SELECT pg_temp.id(100000 + i), c, 0.000001 FROM generate_series(1, 2000) AS i, unnest(ARRAY['cache_read', 'cache_write', 'reasoning']) AS c;
