SELECT 'review' AS kind, q.status, q.review_type AS type, r.id AS trace_id, q.thread_id, NULL::uuid AS task_id
FROM orchestrator.orchestrator_runs AS r JOIN orchestrator.human_review_queue AS q ON q.thread_id = r.thread_id
WHERE q.id = $1
UNION ALL
SELECT 'gate', g.status, g.gate_type,
       CASE WHEN g.context ->> 'trace_id' ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'
            THEN (g.context ->> 'trace_id')::uuid ELSE g.id END,
       g.thread_id, NULL
FROM orchestrator.gates AS g
WHERE g.id = $1
UNION ALL
SELECT 'approval', a.status, a.approver_role, coalesce(t.trace_id, t.id), t.thread_id, a.task_id
FROM orchestrator.tasks AS t JOIN orchestrator.approvals AS a ON a.task_id = t.id
WHERE a.id = $1
