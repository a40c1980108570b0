-- rows
INSERT INTO orchestrator.configurations (key, value, value_type, is_secret, updated_at)
SELECT 'area ' || i % 40 || '.key ' || i, i::text, CASE WHEN i % 50 = 0 THEN 'integer' ELSE 'string' END, i % 100 = 0, pg_temp.at(i)
FROM generate_series(1, 5000) AS i;
-- idx_configurations_type: the values of one type
SELECT * FROM orchestrator.configurations WHERE value_type = 'integer';
-- idx_configurations_secret: the secrets
SELECT key FROM orchestrator.configurations WHERE is_secret;
-- idx_configurations_updated: the latest changes
SELECT * FROM orchestrator.configurations WHERE updated_at > pg_temp.at(4950);
