-- Claims the $1 oldest entries for worker $2 until the end of lease $3. An entry whose lease ended without a result is
-- claimed first, and alone: if it stops its embedder again, it takes no other entry with it.
WITH due AS (
    SELECT k.id, k.created_at, k.lease_expires_at IS NOT NULL AS is_suspect FROM orchestrator.knowledge_staging AS k
    WHERE NOT k.embedded AND k.given_up_at IS NULL
      AND (k.retry_at IS NULL OR k.retry_at <= clock_timestamp())
      AND (k.lease_expires_at IS NULL OR k.lease_expires_at <= clock_timestamp())
    ORDER BY k.created_at, k.id LIMIT $1 FOR UPDATE SKIP LOCKED
), suspect AS (
    SELECT d.id FROM due AS d WHERE d.is_suspect ORDER BY d.created_at, d.id LIMIT 1
), claimed AS (
    UPDATE orchestrator.knowledge_staging AS k
    SET claimed_by = $2, lease_expires_at = clock_timestamp() + $3, attempts = least(k.attempts, 2147483646) + 1, retry_at = NULL
    FROM due AS d WHERE k.id = d.id AND (d.id = (SELECT s.id FROM suspect AS s) OR NOT EXISTS (SELECT FROM suspect))
    RETURNING k.id, k.knowledge_type, k.content, k.metadata, k.created_at
)
SELECT c.id, c.knowledge_type, c.content, c.metadata FROM claimed AS c ORDER BY c.created_at, c.id
