-- rows
INSERT INTO orchestrator.orchestrator_runs (id, thread_id, project_id, story_id, phase, gate_status)
SELECT pg_temp.id(i), 'thread ' || i, pg_temp.id(i % 500), 'story ' || i, CASE WHEN i % 100 = 0 THEN 'development' ELSE 'complete' END, CASE WHEN i % 100 = 0 THEN 'hold' ELSE 'go' END
FROM generate_series(1, 20000) AS i;
-- idx_orchestrator_runs_project: the runs of a project
SELECT * FROM orchestrator.orchestrator_runs WHERE project_id = pg_temp.id(17);
-- idx_orchestrator_runs_status: the runs on hold
SELECT * FROM orchestrator.orchestrator_runs WHERE phase = 'development' AND gate_status = 'hold';
