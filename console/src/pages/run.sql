-- The run of thread $1, with the acts that its state allows. A pause of a role that may decide is lifted only by such a role,
-- and so is the pause of a role that no longer exists.
SELECT r.thread_id, r.project_id::text, r.story_id, replace(r.phase, '_', ' ') AS phase, r.gate_status, r.current_agent, r.safety_score::text AS safety,
       trim_scale(r.cost_usd)::text AS cost, r.tokens_used::text AS tokens, to_char(r.started_at, 'YYYY-MM-DD HH24:MI "UTC"') AS started,
       to_char(r.completed_at, 'YYYY-MM-DD HH24:MI "UTC"') AS completed, left(r.error, 2000) AS error, r.held_by, left(r.hold_reason, 2000) AS hold_reason,
       CASE WHEN isfinite(r.completed_at) THEN floor(1000 * extract(epoch FROM r.completed_at))::bigint END AS ended_at,
       s.is_open AND r.gate_status <> 'kill' AS pausable, s.is_open AS stoppable,
       s.is_open AND r.gate_status <> 'kill' AND (r.gate_status <> 'go' OR o.requires_human_review) AS resumable, s.questions > 0 AS is_asked,
       r.held_by IS NOT NULL AND (SELECT coalesce(bool_or(has_function_privilege(h.oid, p.oid, 'EXECUTE')), true)
                                         AND NOT bool_or(has_function_privilege(p.oid, 'EXECUTE'))
                                  FROM pg_proc AS p LEFT JOIN pg_roles AS h ON h.rolname = r.held_by
                                  WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname = 'decide') AS is_held_by_decider
FROM orchestrator.run_summary AS r JOIN orchestrator.orchestrator_runs AS o ON o.thread_id = r.thread_id,
     LATERAL (SELECT r.phase NOT IN ('complete', 'failed') AS is_open, r.pending_reviews + r.pending_gates + r.pending_approvals AS questions) AS s
WHERE r.thread_id = $1
