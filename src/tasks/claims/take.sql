taken AS (
    DELETE FROM orchestrator.queued_tasks AS q
    WHERE q.task_id = ANY (ARRAY(SELECT p.id FROM picked AS p)) AND q.ready AND q.run_after <= now()
    RETURNING q.task_id, q.attempts),
claimed AS (
    UPDATE orchestrator.tasks AS t SET status = 'running' WHERE t.id = ANY (ARRAY(SELECT q.task_id FROM taken AS q))
    RETURNING t AS task, t.priority, t.run_after, t.created_at, t.id AS task_id),
attempt AS (
    INSERT INTO orchestrator.task_attempts (task_id, attempt, worker, claimed_at, lease_expires_at)
    SELECT q.task_id, q.attempts + 1, $1, clock_timestamp(), clock_timestamp() + $2 FROM taken AS q)
