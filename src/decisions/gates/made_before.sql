SELECT g
FROM orchestrator.gates AS g,
     LATERAL (SELECT o.metadata FROM orchestrator.audit_events AS o
              WHERE o.trace_id = CASE WHEN g.context ->> 'trace_id' ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'
                                      THEN (g.context ->> 'trace_id')::uuid ELSE g.id END
                AND array_position(ARRAY['gate_approved', 'gate_denied'], o.event_type) IS NOT NULL
                AND o.metadata ->> 'gate_id' = g.id::text) AS e
WHERE g.id = $1 AND g.status IS NOT DISTINCT FROM $2 AND g.resolved_by = $3 AND ($4 IS NULL OR g.feedback = $4) AND 
