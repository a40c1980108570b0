-- The card of open question $1 for role $2. Long texts are cut: the page says so. The last columns say who may act on it: a
-- claim keeps others out; the rule of a question may keep out who asked it; and only who asked it or an admin withdraws it,
-- unless a low score or a budget asks.
SELECT c.kind, c.id::text, c.subject, left(c.asks, 20001) AS asks, c.project_id::text, c.thread_id,
       to_char(c.requested_at, 'YYYY-MM-DD HH24:MI "UTC"') AS requested, to_char(c.due_at, 'YYYY-MM-DD HH24:MI "UTC"') AS due, c.overdue,
       left(jsonb_pretty(nullif(c.context, '{}')), 20001) AS context, left(array_to_string(c.violations, E'\n'), 20001) AS violations,
       c.task_title, left(c.task_description, 20001) AS task_description, left(jsonb_pretty(nullif(c.task_data, '{}')), 20001) AS task_data,
       replace(c.run_phase, '_', ' ') AS run_phase, c.run_agent, trim_scale(c.run_cost_usd)::text AS run_cost, c.run_tokens_used::text AS run_tokens,
       c.last_events::text, c.last_tool_calls::text, c.asked_role, c.rejection_needs_notes, c.if_approved, c.if_rejected,
       c.assigned_to, CASE WHEN c.claimed_until > now() THEN c.claimed_by END AS claimed_by,
       to_char(c.claimed_until, 'HH24:MI "UTC"') AS claimed_until, c.votes, c.votes_needed::bigint,
       c.run_phase NOT IN ('complete', 'failed') AS run_is_open, c.claimed_by = $2 AS is_claimed, c.claimed_by <> $2 AS is_claimed_by_other,
       NOT t.requester_may_decide AND t.requested_as = session_user AS is_kept_out,
       (SELECT bool_or(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc AS p
        WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname = 'set_decision_rule')
       OR (coalesce(t.requested_as, (SELECT e.metadata ->> 'session_user' FROM orchestrator.audit_events AS e
                                     WHERE e.event_type IN (c.kind || '_requested', c.kind || '_opened') AND e.metadata ->> (c.kind || '_id') = c.id::text
                                       AND e."timestamp" = c.requested_at ORDER BY e.id LIMIT 1)) = session_user
           AND NOT EXISTS (SELECT FROM orchestrator.human_review_queue AS q WHERE q.id = c.id AND q.review_type = 'safety' AND q.safety_score IS NOT NULL)
           AND NOT EXISTS (SELECT FROM orchestrator.budget_windows AS w WHERE w.review_id = c.id)) AS is_withdrawable
FROM orchestrator.decision_cards AS c LEFT JOIN orchestrator.decision_terms AS t ON t.decision_id = c.id AND t.kind = c.kind
WHERE c.id = $1::uuid
