-- rows
INSERT INTO orchestrator.llm_model_aliases (alias, model) SELECT 'alias ' || i, 'model ' || i FROM generate_series(1, 2000) AS i;
