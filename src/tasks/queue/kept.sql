SELECT l.task_id FROM orchestrator.workflow_tasks AS l
WHERE l.workflow_id = $1 AND NOT l.done
  AND l.sequence = (SELECT min(e.sequence) FROM orchestrator.workflow_tasks AS e
                    WHERE e.workflow_id = $1 AND e.sequence > $2 AND NOT e.done)
  AND (SELECT q.ready FROM orchestrator.queued_tasks AS q WHERE q.task_id = l.task_id)
UNION ALL
SELECT $3
WHERE (SELECT w.status <> 'active' FROM orchestrator.workflows AS w WHERE w.id = $1)
   OR EXISTS (SELECT FROM orchestrator.workflow_tasks AS e
              WHERE e.workflow_id = $1 AND e.sequence < $2 AND NOT e.done)
