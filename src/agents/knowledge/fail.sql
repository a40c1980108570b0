-- Ends an attempt for entries $1 with error $2; the next is after $3, NULL by the number of attempts; $4 attempts are the
-- most. A claim with a lease has counted the attempt already. $5 is the worker whose claim it was, NULL for any.
WITH failed AS (
    SELECT k.id, least(k.attempts, 2147483646) + CASE WHEN k.lease_expires_at IS NULL THEN 1 ELSE 0 END AS attempts
    FROM orchestrator.knowledge_staging AS k
    WHERE k.id = ANY ($1) AND NOT k.embedded AND k.given_up_at IS NULL
      AND ($5 IS NULL OR k.claimed_by IS NULL OR k.claimed_by = $5)
    ORDER BY k.id FOR UPDATE
)
UPDATE orchestrator.knowledge_staging AS k
SET attempts = f.attempts, last_error = $2, claimed_by = NULL, lease_expires_at = NULL,
    given_up_at = CASE WHEN f.attempts >= $4 THEN clock_timestamp() END,
    retry_at = CASE WHEN f.attempts < $4
                    THEN clock_timestamp() + coalesce($3, interval '1 second' * (least(power(2, least(f.attempts, 20)), 3600) * (0.75 + random() / 4))) END
FROM failed AS f WHERE k.id = f.id
RETURNING k.id, k.given_up_at IS NOT NULL
