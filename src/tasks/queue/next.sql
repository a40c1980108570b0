SELECT l.task_id AS id
FROM unnest($1, $2) AS p (workflow_id, passed),
     LATERAL (SELECT min(e.sequence) AS sequence FROM orchestrator.workflow_tasks AS e
              WHERE e.workflow_id = p.workflow_id AND NOT e.done) AS n,
     LATERAL (SELECT l.task_id FROM orchestrator.workflow_tasks AS l
              WHERE l.workflow_id = p.workflow_id AND l.sequence = n.sequence AND NOT l.done) AS l
WHERE n.sequence > p.passed
  AND (SELECT NOT q.ready FROM orchestrator.queued_tasks AS q WHERE q.task_id = l.task_id)
ORDER BY l.task_id
