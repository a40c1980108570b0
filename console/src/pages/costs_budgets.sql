-- The budgets in their present windows, those with the least left first, each with the last question about its window.
SELECT b.project_id::text, left(b.agent_id, 200) AS agent_id, left(b.thread_id, 500) AS thread_id, left(b.subject, 200) AS subject, b.period,
       trim_scale(b.limit_usd)::text AS limit_usd, trim_scale(b.raised)::text AS raised, trim_scale(b.spent)::text AS spent,
       trim_scale(b.reserved)::text AS reserved, trim_scale(b.available)::text AS available, b.enforce, b.available <= 0 AS used_up,
       CASE WHEN isfinite(b.ends_at) THEN to_char(b.ends_at, 'YYYY-MM-DD HH24:MI "UTC"') END AS ends,
       least(coalesce(ceil(100 * (b.spent + b.reserved) / nullif(b.limit_usd + b.raised, 0)), 100), 100)::bigint AS used,
       b.review_id::text, (SELECT replace(d.status, '_', ' ') FROM orchestrator.decisions AS d WHERE d.id = b.review_id) AS review_status
FROM orchestrator.budget_status AS b
ORDER BY (b.spent + b.reserved) / nullif(b.limit_usd + b.raised, 0) DESC NULLS FIRST, b.budget_id LIMIT 100
