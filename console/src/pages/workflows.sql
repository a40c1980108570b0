-- Workflows from place $2 on whose name contains $1. They are chosen before their tasks are counted.
SELECT p.workflow_id::text AS id, left(p.name, 200) AS name, p.status, p.tasks, p.completed + p.cancelled AS done, p.running, p.failed,
       p.current_sequence::text AS sequence, to_char(p.last_change_at, 'YYYY-MM-DD HH24:MI "UTC"') AS changed
FROM (SELECT w.id, row_number() OVER (ORDER BY array_position('{active,paused,draft}', w.status), w.updated_at DESC, w.id) AS place
      FROM orchestrator.workflows AS w WHERE $1 IS NULL OR strpos(lower(w.name), lower($1)) > 0
      ORDER BY place LIMIT 50 OFFSET $2::bigint) AS c
JOIN orchestrator.workflow_progress AS p ON p.workflow_id = c.id
ORDER BY c.place
