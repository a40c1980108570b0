SELECT a FROM orchestrator.approvals AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id
WHERE a.id = $1 AND a.status IS NOT DISTINCT FROM $2 AND coalesce(a.decided_by, a.approver_role) = $3
  AND ($4 IS NULL OR a.notes = $4)
  AND EXISTS (
      SELECT FROM orchestrator.audit_events AS e
      WHERE e.trace_id = coalesce(t.trace_id, t.id)
        AND array_position(ARRAY['approval_approved', 'approval_rejected', 'approval_changes_requested'], e.event_type) IS NOT NULL
        AND e.metadata ->> 'approval_id' = a.id::text AND e.metadata ->> 'session_user' = session_user::text)
  AND
