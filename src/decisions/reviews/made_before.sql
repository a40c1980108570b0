WITH decided AS MATERIALIZED (
    SELECT q.id, q.thread_id, q FROM orchestrator.human_review_queue AS q
    WHERE q.id = ANY ($1) AND q.status IS NOT DISTINCT FROM $2 AND q.resolved_by = $3
      AND ($4 IS NULL OR q.resolution_notes = $4)
)
SELECT d.id, d.q
FROM decided AS d
JOIN (SELECT o.metadata FROM orchestrator.audit_events AS o
      WHERE o.trace_id = ANY (ARRAY(SELECT r.id FROM orchestrator.orchestrator_runs AS r
                                    WHERE r.thread_id IN (SELECT p.thread_id FROM decided AS p)))
        AND array_position(ARRAY['review_approved', 'review_rejected', 'review_changes_requested'], o.event_type) IS NOT NULL) AS e
    ON e.metadata ->> 'review_id' = d.id::text
WHERE 
