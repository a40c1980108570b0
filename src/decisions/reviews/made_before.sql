WITH decided AS MATERIALIZED (
    SELECT q.id, q.thread_id, q FROM orchestrator.human_review_queue AS q
    WHERE q.id = ANY ($1) AND q.status IS NOT DISTINCT FROM $2 AND q.resolved_by = $3
      AND ($4 IS NULL OR q.resolution_notes = $4)
)
SELECT d.id, d.q FROM decided AS d
WHERE d.id::text IN (
    SELECT e.metadata ->> 'review_id' FROM orchestrator.audit_events AS e
    WHERE e.trace_id = ANY (ARRAY(SELECT r.id FROM orchestrator.orchestrator_runs AS r
                                  WHERE r.thread_id IN (SELECT o.thread_id FROM decided AS o)))
      AND array_position(ARRAY['review_approved', 'review_rejected', 'review_changes_requested'], e.event_type) IS NOT NULL
      AND e.metadata ->> 'session_user' = session_user::text)
