SELECT a
FROM orchestrator.approvals AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id,
     LATERAL (SELECT o.metadata FROM orchestrator.audit_events AS o
              WHERE o.trace_id = coalesce(t.trace_id, t.id)
                AND array_position(ARRAY['approval_approved', 'approval_rejected', 'approval_changes_requested'], o.event_type) IS NOT NULL
                AND o.metadata ->> 'approval_id' = a.id::text) AS e
WHERE a.id = $1 AND a.status IS NOT DISTINCT FROM $2 AND coalesce(a.decided_by, a.approver_role) = $3
  AND ($4 IS NULL OR a.notes = $4) AND 
