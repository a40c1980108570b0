-- rows
INSERT INTO orchestrator.llm_pricing (id, model, input_cost_per_million, output_cost_per_million, effective_date, status)
SELECT pg_temp.id(i), 'model ' || i % 100, 0.4, 1.6, '2020-01-01'::date + i / 100 * 30, CASE WHEN i % 50 = 0 THEN 'deprecated' ELSE 'active' END
FROM generate_series(0, 1499) AS i;
-- idx_llm_pricing_status: the deprecated models
SELECT * FROM orchestrator.llm_pricing WHERE status = 'deprecated';
