-- The reason and the context of the question about the window of budget $5 from $6, for a call of $7 USD by project $1,
-- agent $2, thread $3 and subject $4. Approval raises the window by what is missing, or by a tenth of the limit if that is
-- more, so that the next call does not ask again.
SELECT format('The budget of %s USD%s%s has %s USD left, and a call needs %s USD. Approval adds %s USD.',
              trim_scale(round(f.limit_usd + f.raised, 12)),
              CASE f.period WHEN 'day' THEN to_char($6 AT TIME ZONE 'UTC', '" for "YYYY-MM-DD') WHEN 'week' THEN to_char($6 AT TIME ZONE 'UTC', '" for the week from "YYYY-MM-DD')
                            WHEN 'month' THEN to_char($6 AT TIME ZONE 'UTC', '" for "YYYY-MM') ELSE ' in total' END,
              f.about, trim_scale(round(f.available, 12)), trim_scale(round($7, 12)), trim_scale(round(f.raise_by, 12))),
       jsonb_strip_nulls(jsonb_build_object(
           'budget_id', f.id, 'period', f.period, 'starts_at', $6, 'limit_usd', f.limit_usd, 'raised', f.raised, 'spent', f.spent,
           'reserved', f.reserved, 'available', f.available, 'amount', $7, 'raise_by', f.raise_by,
           'project_id', $1, 'agent_id', $2, 'thread_id', left($3, 500), 'subject', $4))
FROM (SELECT b.id, b.period, b.limit_usd, w.raised, w.spent, w.reserved, a.available, greatest($7 - a.available, b.limit_usd * 0.1) AS raise_by,
             concat(' of project ' || b.project_id, ' of agent ' || b.agent_id, ' of thread ' || left(b.thread_id, 500), ' of subject ' || b.subject) AS about
      FROM orchestrator.budgets AS b JOIN orchestrator.budget_windows AS w ON w.budget_id = b.id AND w.starts_at = $6,
           LATERAL (SELECT b.limit_usd + w.raised - w.spent - w.reserved AS available) AS a
      WHERE b.id = $5) AS f
