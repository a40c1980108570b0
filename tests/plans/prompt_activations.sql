-- rows
ALTER TABLE orchestrator.prompt_activations DISABLE TRIGGER ALL;
INSERT INTO orchestrator.prompt_activations (agent_type, label, prompt_id, activated_at)
SELECT 'agent ' || i % 100, 'production', pg_temp.id(i % 1000), pg_temp.at(i) FROM generate_series(0, 9999) AS i;
ALTER TABLE orchestrator.prompt_activations ENABLE TRIGGER ALL;
-- idx_prompt_activations_prompt: when a version went live
SELECT * FROM orchestrator.prompt_activations WHERE prompt_id = pg_temp.id(7);
