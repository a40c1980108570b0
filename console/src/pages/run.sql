-- The run of thread $1.
SELECT r.thread_id, r.project_id::text, r.story_id, replace(r.phase, '_', ' ') AS phase, r.gate_status, r.current_agent, r.safety_score::text AS safety,
       trim_scale(r.cost_usd)::text AS cost, r.tokens_used::text AS tokens, to_char(r.started_at, 'YYYY-MM-DD HH24:MI "UTC"') AS started,
       to_char(r.completed_at, 'YYYY-MM-DD HH24:MI "UTC"') AS completed, left(r.error, 2000) AS error, r.held_by, left(r.hold_reason, 2000) AS hold_reason
FROM orchestrator.run_summary AS r WHERE r.thread_id = $1
