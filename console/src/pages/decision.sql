-- The card of open question $1. Long texts are cut: the page says so.
SELECT c.kind, c.id::text, c.subject, left(c.asks, 20001) AS asks, c.project_id::text, c.thread_id,
       to_char(c.requested_at, 'YYYY-MM-DD HH24:MI "UTC"') AS requested, to_char(c.due_at, 'YYYY-MM-DD HH24:MI "UTC"') AS due, c.overdue,
       left(jsonb_pretty(nullif(c.context, '{}')), 20001) AS context, left(array_to_string(c.violations, E'\n'), 20001) AS violations,
       c.task_title, left(c.task_description, 20001) AS task_description, left(jsonb_pretty(nullif(c.task_data, '{}')), 20001) AS task_data,
       replace(c.run_phase, '_', ' ') AS run_phase, c.run_agent, trim_scale(c.run_cost_usd)::text AS run_cost, c.run_tokens_used::text AS run_tokens,
       c.last_events::text, c.last_tool_calls::text, c.asked_role, c.rejection_needs_notes, c.if_approved, c.if_rejected,
       c.assigned_to, CASE WHEN c.claimed_until > now() THEN c.claimed_by END AS claimed_by,
       to_char(c.claimed_until, 'HH24:MI "UTC"') AS claimed_until, c.votes, c.votes_needed::bigint
FROM orchestrator.decision_cards AS c WHERE c.id = $1::uuid
