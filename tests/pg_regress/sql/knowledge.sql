\i head.sql
-- Knowledge is staged, claimed with the oldest first, embedded and marked.
SELECT orchestrator.stage_knowledge('failure_solution', 'restart the worker', '{"project_id": "0198c5a4-0000-7000-8000-00000000000a", "agent_type": "devops_engineer", "technology": "rust", "success_verified": true, "quality_score": 0.10}') AS first \gset
SELECT orchestrator.stage_knowledge('collaboration', 'they agreed') AS second \gset
SELECT orchestrator.stage_knowledge(knowledge_type => 'gate_approval', content => E'it''s "fine"', metadata => '{"free": null}') AS third \gset
SELECT knowledge_type, content, metadata FROM orchestrator.claim_knowledge(2);
SELECT content FROM orchestrator.claim_knowledge();
SELECT orchestrator.mark_knowledge_embedded(ARRAY[:'first', :'second', :'first']::uuid[]);
SELECT orchestrator.mark_knowledge_embedded(ARRAY[:'first', :'third']::uuid[]);
SELECT orchestrator.mark_knowledge_embedded('{}');
SELECT count(*) FROM orchestrator.claim_knowledge();
SELECT content, embedded, embedded_at = now() FROM orchestrator.knowledge_staging WHERE id = :'third';
-- A claim that is rolled back releases its rows.
SELECT orchestrator.stage_knowledge('gate_rejection', 'not like this') AS waiting \gset
BEGIN;
SELECT orchestrator.mark_knowledge_embedded(array_agg(id)) FROM orchestrator.claim_knowledge(batch => 10);
ROLLBACK;
SELECT content FROM orchestrator.claim_knowledge();
-- Purging deletes rows that were embedded that long ago, and never waiting rows.
UPDATE orchestrator.knowledge_staging SET created_at = now() - interval '10 years';
UPDATE orchestrator.knowledge_staging SET embedded_at = now() - interval '366 days' WHERE id = :'first';
SELECT orchestrator.purge_knowledge();
SELECT orchestrator.purge_knowledge('365 days');
SELECT content, embedded FROM orchestrator.knowledge_staging ORDER BY content;
UPDATE orchestrator.knowledge_staging SET embedded_at = now() - interval '1 s' WHERE embedded;
SELECT orchestrator.purge_knowledge(embedded_for => '0 s');
SELECT content, embedded FROM orchestrator.knowledge_staging;
-- Refused.
SELECT pg_temp.refusal($$SELECT orchestrator.stage_knowledge('rumour', 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.stage_knowledge(NULL, 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.stage_knowledge('collaboration', NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.stage_knowledge('collaboration', E'\t ')$$);
SELECT pg_temp.refusal(format('SELECT orchestrator.stage_knowledge(%L, %L, %L)', 'collaboration', 'x', metadata))
FROM unnest(ARRAY['[]', 'null', '7', '{"project_id": "proj-123"}', '{"project_id": 7}', '{"project_id": null}', '{"agent_type": ["a"]}', '{"task_type": {"a": 1}}', '{"technology": false}', '{"success_verified": "true"}', '{"success_verified": null}']) AS metadata;
SELECT split_part(pg_temp.refusal(format('INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, metadata) VALUES (%L, %L, %L)', 'collaboration', 'x', metadata)), E'\n', 1)
FROM unnest(ARRAY['[]', '{"project_id": "proj-123"}', '{"project_id": null}', '{"agent_type": 1}', '{"success_verified": "true"}']) AS metadata;
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.knowledge_staging SET embedded = true$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.knowledge_staging SET embedded_at = now()$$), E'\n', 1);
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.claim_knowledge(0)$$);
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.claim_knowledge(-2147483648)$$);
SELECT count(*) FROM orchestrator.claim_knowledge(2147483647);
SELECT pg_temp.refusal($$SELECT orchestrator.mark_knowledge_embedded(NULL)$$);
SELECT pg_temp.refusal(format('SELECT orchestrator.mark_knowledge_embedded(ARRAY[%L, NULL]::uuid[])', :'waiting'));
SELECT pg_temp.refusal(format('SELECT orchestrator.mark_knowledge_embedded(ARRAY[%L, orchestrator.uuidv7()]::uuid[])', :'waiting'));
SELECT pg_temp.refusal($$SELECT orchestrator.purge_knowledge('-1 s')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.purge_knowledge('100000 years')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.purge_knowledge('6000 years 2190000 days -52500000 hours')$$);
SELECT orchestrator.purge_knowledge('6000 years');
SELECT content, embedded FROM orchestrator.knowledge_staging;
-- After a walk down and up, waiting rows still wait.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.3';
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT content FROM orchestrator.claim_knowledge();
SELECT * FROM orchestrator.verify();
