-- rows
INSERT INTO orchestrator.collaboration_requests (id, collaboration_id, request_type, requesting_agent, specialist_agent, question, created_at)
SELECT pg_temp.id(i), pg_temp.id(i / 2), 'bug_debugging', 'agent ' || i % 60, 'specialist ' || i % 40, 'Which input makes it fail, ' || i, pg_temp.at(i)
FROM generate_series(1, 20000) AS i;
-- idx_collab_requests_collab_id: the requests in a collaboration
SELECT * FROM orchestrator.collaboration_requests WHERE collaboration_id = pg_temp.id(17);
-- idx_collab_requests_requesting: the requests of an agent
SELECT * FROM orchestrator.collaboration_requests WHERE requesting_agent = 'agent 17';
-- idx_collab_requests_specialist: the requests to a specialist
SELECT * FROM orchestrator.collaboration_requests WHERE specialist_agent = 'specialist 17';
