-- rows
INSERT INTO orchestrator.approvals (id, task_id, approver_role, status, created_at, decision_at)
SELECT pg_temp.id(i), pg_temp.id(100000 + i), 'lead', CASE WHEN i % 100 = 0 THEN 'pending' WHEN i % 10 = 0 THEN 'rejected' ELSE 'approved' END,
       pg_temp.at(i), CASE WHEN i % 100 > 0 THEN pg_temp.at(i + 1) END
FROM generate_series(1, 10000) AS i;
-- idx_approvals_task_id: the approvals of a task
SELECT * FROM orchestrator.approvals WHERE task_id = pg_temp.id(100017);
-- idx_approvals_status: the rejected approvals
SELECT * FROM orchestrator.approvals WHERE status = 'rejected';
-- idx_approvals_pending: the oldest pending approvals
SELECT * FROM orchestrator.approvals WHERE status = 'pending' ORDER BY created_at, id LIMIT 20;
