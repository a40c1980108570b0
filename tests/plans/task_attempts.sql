-- rows
INSERT INTO orchestrator.task_attempts (task_id, attempt, worker, claimed_at, lease_expires_at, ended_at, outcome)
SELECT pg_temp.id(i), 1, 'worker ' || i % 8, pg_temp.at(i), pg_temp.at(i + 5), CASE WHEN i % 100 > 0 THEN pg_temp.at(i + 1) END, CASE WHEN i % 100 > 0 THEN 'completed' END
FROM generate_series(1, 20000) AS i;
-- idx_task_attempts_lease: leases that have expired
SELECT a.task_id FROM orchestrator.task_attempts AS a WHERE a.outcome IS NULL AND a.lease_expires_at < pg_temp.at(1000) ORDER BY a.lease_expires_at LIMIT 10;
-- idx_task_attempts_ended: attempts of the last day
SELECT count(*) FROM orchestrator.task_attempts AS a WHERE a.ended_at > pg_temp.at(19000);
