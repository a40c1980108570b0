WITH part (id) AS (
    SELECT e.id FROM orchestrator.audit_events AS e
    WHERE e.trace_id = (SELECT r.id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = $1)
    UNION
    SELECT e.id FROM orchestrator.audit_events AS e
    WHERE left(e.metadata ->> 'thread_id', 500) = left($1, 500) AND e.metadata ->> 'thread_id' = $1
    UNION
    SELECT e.id FROM orchestrator.tasks AS t JOIN orchestrator.audit_events AS e ON e.trace_id = coalesce(t.trace_id, t.id)
    WHERE t.thread_id = $1 AND (t.trace_id IS NULL OR e.metadata ->> 'task_id' = t.id::text)
    UNION
    SELECT e.id FROM orchestrator.gates AS g JOIN orchestrator.audit_events AS e
        ON e.trace_id = CASE WHEN g.context ->> 'trace_id' ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'
                             THEN (g.context ->> 'trace_id')::uuid ELSE g.id END
    WHERE g.thread_id = $1 AND e.metadata ->> 'gate_id' = g.id::text
)
SELECT e FROM part JOIN orchestrator.audit_events AS e ON e.id = part.id ORDER BY e.id
