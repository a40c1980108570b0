-- Takes back what was held in the windows of budgets $1 from $2, which are locked, and has expired.
WITH expired AS (
    UPDATE orchestrator.budget_holds AS h SET state = 'expired'
    FROM unnest($1, $2) AS u (budget_id, starts_at)
    WHERE h.budget_id = u.budget_id AND h.starts_at = u.starts_at AND h.state = 'held' AND h.expires_at <= clock_timestamp()
    RETURNING h.budget_id, h.starts_at, h.amount
), freed AS (
    SELECT e.budget_id, e.starts_at, sum(e.amount) AS amount FROM expired AS e GROUP BY e.budget_id, e.starts_at
)
UPDATE orchestrator.budget_windows AS w SET reserved = w.reserved - f.amount
FROM freed AS f WHERE w.budget_id = f.budget_id AND w.starts_at = f.starts_at
