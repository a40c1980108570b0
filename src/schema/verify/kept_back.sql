(SELECT true FROM orchestrator.workflow_tasks AS l
 WHERE l.task_id = t.id
   AND ((SELECT w.status <> 'active' FROM orchestrator.workflows AS w WHERE w.id = l.workflow_id)
        OR (SELECT true FROM orchestrator.workflow_tasks AS e
            WHERE e.workflow_id = l.workflow_id AND e.sequence < l.sequence AND NOT e.done LIMIT 1))
 LIMIT 1)
UNION ALL
(SELECT true FROM orchestrator.approvals AS a
 WHERE a.task_id = t.id AND a.status <> 'approved'
   AND (a.status = 'pending'
        OR (SELECT true FROM orchestrator.approvals AS n
            WHERE n.task_id = t.id AND (n.decision_at, n.created_at, n.id) > (a.decision_at, a.created_at, a.id) LIMIT 1) IS NULL)
 LIMIT 1)
LIMIT 1
