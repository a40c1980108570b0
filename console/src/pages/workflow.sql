-- Workflow $1. Long texts are cut.
SELECT left(p.name, 200) AS name, p.status, p.tasks, p.completed + p.cancelled AS done, p.pending, p.running, p.completed, p.failed, p.cancelled,
       p.current_sequence::text AS sequence, to_char(p.started_at, 'YYYY-MM-DD HH24:MI "UTC"') AS started,
       to_char(p.last_change_at, 'YYYY-MM-DD HH24:MI "UTC"') AS changed, left(w.description, 20000) AS description,
       left(jsonb_pretty(nullif(w.definition, '{}')), 20000) AS definition
FROM orchestrator.workflow_progress AS p JOIN orchestrator.workflows AS w ON w.id = p.workflow_id
WHERE p.workflow_id = $1::uuid
