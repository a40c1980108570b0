WITH s AS MATERIALIZED (
    SELECT o.id, trunc($2, 2) AS score, trunc($2, 2) < o.safety_score AS lower,
           starts_with(o.reason, $5) AND o.context ? 'threshold' AND jsonb_typeof(o.context -> 'violations') = 'array' AS ours
    FROM orchestrator.human_review_queue AS o
    WHERE o.thread_id = $1 AND o.status IS NOT DISTINCT FROM 'pending' AND o.review_type = 'safety'
      AND o.id <> ALL ($6)
    ORDER BY o.created_at, o.id LIMIT 1
), lowered AS (
    UPDATE orchestrator.human_review_queue AS q
    SET safety_score = least(q.safety_score, s.score),
        reason = CASE WHEN s.ours AND s.lower THEN $3 ELSE q.reason END,
        context = CASE WHEN s.ours
            THEN q.context || CASE WHEN s.lower THEN $4 ELSE '{}' END
                 || jsonb_build_object('violations', (q.context -> 'violations') || ($4 -> 'violations'))
            ELSE q.context END
    FROM s WHERE q.id = s.id AND q.status IS NOT DISTINCT FROM 'pending' RETURNING q.id
)
SELECT EXISTS (SELECT FROM lowered) FROM s
