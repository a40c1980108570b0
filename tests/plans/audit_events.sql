-- rows
INSERT INTO orchestrator.audit_events (id, event_type, role, "timestamp", trace_id, metadata)
SELECT pg_temp.id(i), CASE WHEN i % 50 = 0 THEN 'approval_rejected' ELSE 'task_routed' END, 'developer', pg_temp.at(i), pg_temp.id(i / 5),
       CASE WHEN i % 3 = 0 THEN jsonb_build_object('thread_id', 'thread ' || i % 2000) ELSE '{}' END
FROM generate_series(1, 60000) AS i;
-- idx_audit_events_trace_id: the events of a trail
SELECT * FROM orchestrator.audit_events WHERE trace_id = pg_temp.id(17);
-- idx_audit_events_timestamp: the newest events
SELECT * FROM orchestrator.audit_events ORDER BY "timestamp" DESC LIMIT 50;
-- idx_audit_events_event_type: the events of one type
SELECT * FROM orchestrator.audit_events WHERE event_type = 'approval_rejected';
-- idx_audit_events_thread: the number of events of a run
SELECT actions FROM orchestrator.run_summary WHERE thread_id = 'thread 18';
