-- rows
INSERT INTO orchestrator.prompts (id, agent_type, version, prompt_text, is_active, created_at)
SELECT pg_temp.id(i), 'agent ' || i % 100, '1.' || i / 100 || '.0', repeat('You write Rust. ', 20), i / 100 = 49, pg_temp.at(i)
FROM generate_series(0, 4999) AS i;
-- idx_prompts_created: the newest prompts
SELECT * FROM orchestrator.prompts ORDER BY created_at DESC LIMIT 20;
