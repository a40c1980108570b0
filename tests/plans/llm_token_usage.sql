-- rows
INSERT INTO orchestrator.llm_token_usage (id, "timestamp", project_id, agent_id, model, input_tokens, output_tokens, thread_id, prompt_id)
SELECT pg_temp.id(i), pg_temp.at(i), pg_temp.id(i % 200), 'agent ' || i % 70, 'model ' || i % 30, 27147, 351, CASE WHEN i % 2 = 0 THEN 'thread ' || i % 1000 END, CASE WHEN i % 3 = 0 THEN pg_temp.id(i % 100) END
FROM generate_series(1, 60000) AS i;
-- idx_token_usage_timestamp: the newest calls
SELECT * FROM orchestrator.llm_token_usage ORDER BY "timestamp" DESC LIMIT 50;
-- idx_token_usage_agent: the usage of an agent
SELECT sum(input_tokens) FROM orchestrator.llm_token_usage WHERE agent_id = 'agent 17';
-- idx_token_usage_project_agent: the usage of an agent in a project
SELECT sum(input_tokens) FROM orchestrator.llm_token_usage WHERE project_id = pg_temp.id(17) AND agent_id = 'agent 17';
-- idx_token_usage_model: the usage of a model
SELECT sum(input_tokens) FROM orchestrator.llm_token_usage WHERE model = 'model 17';
-- idx_token_usage_day: the usage of a day
SELECT sum(input_tokens) FROM orchestrator.llm_token_usage WHERE ("timestamp" AT TIME ZONE 'UTC')::date = '2026-01-11';
-- idx_token_usage_thread: the usage of a run
SELECT sum(input_tokens) FROM orchestrator.llm_token_usage WHERE thread_id = 'thread 18';
-- idx_token_usage_prompt: the usage of a prompt
SELECT sum(input_tokens) FROM orchestrator.llm_token_usage WHERE prompt_id = pg_temp.id(30);
