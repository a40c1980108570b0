-- rows
INSERT INTO orchestrator.knowledge_staging (id, knowledge_type, content, embedded, created_at, embedded_at, given_up_at)
SELECT pg_temp.id(i), CASE WHEN i % 20 = 0 THEN 'collaboration' ELSE 'gate_approval' END, 'what was learned ' || i, i % 10 > 0, pg_temp.at(i), CASE WHEN i % 10 > 0 THEN pg_temp.at(i + 1) END, CASE WHEN i % 500 = 10 THEN pg_temp.at(i + 1) END
FROM generate_series(1, 20000) AS i;
-- idx_knowledge_staging_type: the knowledge of one type
SELECT * FROM orchestrator.knowledge_staging WHERE knowledge_type = 'collaboration';
-- idx_knowledge_staging_created: the newest knowledge
SELECT * FROM orchestrator.knowledge_staging ORDER BY created_at DESC LIMIT 50;
-- idx_knowledge_staging_pending: the rows to claim next
SELECT id FROM orchestrator.knowledge_staging WHERE NOT embedded AND given_up_at IS NULL ORDER BY created_at, id LIMIT 50;
-- idx_knowledge_staging_given_up: the knowledge that nobody could embed
SELECT id, attempts, last_error FROM orchestrator.knowledge_staging WHERE NOT embedded AND given_up_at IS NOT NULL ORDER BY given_up_at, id LIMIT 50;
