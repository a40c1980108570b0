-- rows
INSERT INTO orchestrator.collaboration_outcomes (id, collaboration_id, specialist_agent, response, confidence, created_at)
SELECT pg_temp.id(i), pg_temp.id(i / 2), 'specialist ' || i % 40, 'An empty file, ' || i, 0.9, pg_temp.at(i + 1)
FROM generate_series(1, 15000) AS i;
-- idx_collab_outcomes_collab_id: what came of a collaboration
SELECT * FROM orchestrator.collaboration_outcomes WHERE collaboration_id = pg_temp.id(17);
-- idx_collab_outcomes_specialist: what a specialist answered
SELECT * FROM orchestrator.collaboration_outcomes WHERE specialist_agent = 'specialist 17';
