-- Runs from place $2 on whose thread contains $1.
SELECT r.thread_id, replace(r.phase, '_', ' ') AS phase, r.gate_status, left(r.current_agent, 100) AS current_agent, trim_scale(r.cost_usd)::text AS cost,
       r.tokens_used::text AS tokens, r.pending_reviews + r.pending_gates + r.pending_approvals AS open, to_char(r.updated_at, 'YYYY-MM-DD HH24:MI "UTC"') AS updated
FROM orchestrator.run_summary AS r WHERE $1 IS NULL OR strpos(lower(r.thread_id), lower($1)) > 0
ORDER BY r.updated_at DESC, r.thread_id LIMIT 50 OFFSET $2::bigint
