-- rows
INSERT INTO orchestrator.prompts (id, agent_type, version, prompt_text)
SELECT pg_temp.id(i), 'agent ' || i % 100, '1.' || i / 100 || '.0', repeat('You write Rust. ', 20)
FROM generate_series(0, 999) AS i;
ALTER TABLE orchestrator.prompt_activations DISABLE TRIGGER USER;
INSERT INTO orchestrator.prompt_activations (agent_type, label, prompt_id, activated_at)
SELECT 'agent ' || i % 100, 'production', pg_temp.id(i % 1000), pg_temp.at(i) FROM generate_series(0, 9999) AS i;
ALTER TABLE orchestrator.prompt_activations ENABLE TRIGGER USER;
-- prompt_activations_pkey: the newest activation of an agent type
SELECT * FROM orchestrator.prompt_activations WHERE agent_type = 'agent 7' AND label = 'production' ORDER BY activated_at DESC LIMIT 1;
-- idx_prompt_activations_prompt: when a version went live
SELECT * FROM orchestrator.prompt_activations WHERE prompt_id = pg_temp.id(7);
