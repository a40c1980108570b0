-- rows
INSERT INTO orchestrator.collaboration_outcomes (id, collaboration_id, specialist_agent, response, confidence, created_at)
SELECT pg_temp.id(i), pg_temp.id(i / 2), 'specialist ' || i % 40, 'An empty file, ' || i, 0.9, pg_temp.at(i + 1)
FROM generate_series(1, 15000) AS i;
-- idx_collab_outcomes_collab_id: the answers in a collaboration
SELECT * FROM orchestrator.collaboration_outcomes WHERE collaboration_id = pg_temp.id(17);
-- idx_collab_outcomes_specialist: the answers of a specialist
SELECT * FROM orchestrator.collaboration_outcomes WHERE specialist_agent = 'specialist 17';
