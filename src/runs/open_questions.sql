SELECT 'review' AS kind, q.id, q.reason AS asks, q.created_at, 'NAME' AS decided_by
FROM orchestrator.human_review_queue AS q
WHERE q.thread_id = r.thread_id AND q.status IS NOT DISTINCT FROM 'pending'
UNION ALL
SELECT 'gate', g.id, g.reason, g.created_at, 'NAME'
FROM orchestrator.gates AS g
WHERE g.thread_id = r.thread_id AND g.status IS NOT DISTINCT FROM 'pending'
UNION ALL
SELECT 'approval', a.id, coalesce(nullif(btrim(a.notes), ''), nullif(btrim(t.title), ''), t.description, t.task_type), a.created_at, a.approver_role
FROM orchestrator.tasks AS t JOIN orchestrator.approvals AS a ON a.task_id = t.id
WHERE t.thread_id = r.thread_id AND a.status IS NOT DISTINCT FROM 'pending'
