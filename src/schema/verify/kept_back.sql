SELECT true FROM orchestrator.workflow_tasks AS l
WHERE l.task_id = t.id
  AND ((SELECT w.status <> 'active' FROM orchestrator.workflows AS w WHERE w.id = l.workflow_id)
       OR (SELECT true FROM orchestrator.workflow_tasks AS e
           WHERE e.workflow_id = l.workflow_id AND e.sequence < l.sequence AND NOT e.done LIMIT 1))
LIMIT 1
