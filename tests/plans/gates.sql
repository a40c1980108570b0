-- rows
INSERT INTO orchestrator.gates (id, project_id, agent_id, gate_type, reason, status, created_at, resolved_at, resolved_by, feedback, thread_id)
SELECT pg_temp.id(i), pg_temp.id(i % 500), 'agent ' || i % 80, 'manual', 'because of ' || i,
       CASE WHEN i % 100 = 0 THEN 'pending' WHEN i % 10 = 0 THEN 'denied' ELSE 'approved' END,
       pg_temp.at(i), CASE WHEN i % 100 > 0 THEN pg_temp.at(i + 1) END, CASE WHEN i % 100 > 0 THEN 'ada' END, CASE WHEN i % 100 > 0 THEN 'read it' END, 'thread ' || i % 5000
FROM generate_series(1, 20000) AS i;
-- idx_gates_project: the gates of a project
SELECT * FROM orchestrator.gates WHERE project_id = pg_temp.id(17);
-- idx_gates_status: the denied gates
SELECT * FROM orchestrator.gates WHERE status = 'denied';
-- idx_gates_agent: the gates of an agent
SELECT * FROM orchestrator.gates WHERE agent_id = 'agent 17';
-- idx_gates_created: the newest gates
SELECT * FROM orchestrator.gates ORDER BY created_at DESC LIMIT 50;
-- idx_gates_pending: the oldest pending gates
SELECT * FROM orchestrator.gates WHERE status = 'pending' ORDER BY created_at, id LIMIT 20;
-- idx_gates_thread: the gates of a run
SELECT * FROM orchestrator.gates WHERE thread_id = 'thread 17';
