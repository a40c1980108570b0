-- rows
INSERT INTO orchestrator.sessions (id, client_id, user_id, role, task_id, is_active, status, created_at, updated_at, last_heartbeat)
SELECT pg_temp.id(i), 'client ' || i % 4000, 'user ' || i % 900, CASE WHEN i % 10 = 0 THEN 'developer' END, CASE WHEN i % 10 = 0 THEN pg_temp.id(i) END,
       i % 100 = 0, CASE WHEN i % 100 = 0 THEN 'active' WHEN i % 100 = 1 THEN 'pending' WHEN i % 100 < 90 THEN 'completed' ELSE 'expired' END,
       pg_temp.at(i), pg_temp.at(i + 1), pg_temp.at(i + 1)
FROM generate_series(1, 20000) AS i;
-- idx_sessions_client: the sessions of a client
SELECT * FROM orchestrator.sessions WHERE client_id = 'client 17';
-- idx_sessions_user: the sessions of a user
SELECT * FROM orchestrator.sessions WHERE user_id = 'user 17';
-- idx_sessions_active: the connected sessions
SELECT * FROM orchestrator.sessions WHERE is_active;
-- idx_sessions_heartbeat: the sessions with a recent heartbeat
SELECT * FROM orchestrator.sessions WHERE last_heartbeat > pg_temp.at(19900);
-- idx_sessions_created: the newest sessions
SELECT * FROM orchestrator.sessions ORDER BY created_at DESC LIMIT 50;
-- idx_sessions_attached: the sessions to deactivate
SELECT id FROM orchestrator.sessions WHERE is_active AND last_heartbeat < pg_temp.at(2000) ORDER BY last_heartbeat, id;
-- idx_sessions_task_id: the sessions of a task
SELECT * FROM orchestrator.sessions WHERE task_id = pg_temp.id(20);
-- idx_sessions_status: the sessions in one state
SELECT * FROM orchestrator.sessions WHERE status = 'active';
-- idx_sessions_open: the sessions to expire
SELECT id FROM orchestrator.sessions
WHERE status IN ('pending', 'active') AND greatest(last_heartbeat, updated_at) < pg_temp.at(500) ORDER BY greatest(last_heartbeat, updated_at), id;
