-- rows
INSERT INTO orchestrator.workflows (id, name, definition, status, created_at)
SELECT pg_temp.id(i), 'workflow ' || i % 3000, '{"nodes": ["build", "test"]}',
       CASE WHEN i % 100 < 80 THEN 'archived' WHEN i % 100 < 97 THEN 'draft' WHEN i % 100 < 99 THEN 'active' ELSE 'paused' END, pg_temp.at(i)
FROM generate_series(1, 10000) AS i;
-- idx_workflows_status: the definitions in use
SELECT * FROM orchestrator.workflows WHERE status = 'active';
-- idx_workflows_created: the newest definitions
SELECT * FROM orchestrator.workflows ORDER BY created_at DESC LIMIT 50;
-- idx_workflows_name: the definitions with one name
SELECT * FROM orchestrator.workflows WHERE name = 'workflow 17';
