WITH terms AS (
    UPDATE orchestrator.decision_terms AS t SET claimed_by = NULL, claimed_until = NULL
    WHERE t.decision_id = $1 RETURNING t.approvals_needed, t.rejections_needed),
before AS (
    SELECT v.vote FROM orchestrator.decision_votes AS v WHERE v.decision_id = $1 AND v.voted_as = $2),
done AS (
    INSERT INTO orchestrator.decision_votes AS v (decision_id, voter, voted_as, vote, notes) VALUES ($1, $3, $2, $4, $5)
    ON CONFLICT (decision_id, voted_as) DO UPDATE
    SET voter = excluded.voter, vote = excluded.vote, cast_at = now(),
        notes = CASE WHEN v.vote = excluded.vote AND v.voter = excluded.voter THEN coalesce(excluded.notes, v.notes) ELSE excluded.notes END
    WHERE v.voter <> excluded.voter OR v.vote <> excluded.vote
       OR (excluded.notes IS NOT NULL AND v.notes IS DISTINCT FROM excluded.notes)
    RETURNING true AS is_new)
SELECT (SELECT d.is_new FROM done AS d), (SELECT b.vote FROM before AS b),
       1 + (SELECT count(*) FROM orchestrator.decision_votes AS v WHERE v.decision_id = $1 AND v.vote = $4 AND v.voted_as <> $2),
       CASE $4 WHEN 'approved' THEN t.approvals_needed WHEN 'rejected' THEN t.rejections_needed ELSE 1 END::bigint
FROM terms AS t
