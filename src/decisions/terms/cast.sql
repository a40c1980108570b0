before AS (
    SELECT v.vote FROM orchestrator.decision_votes AS v
    WHERE v.decision_id = $3 AND v.voted_as = (SELECT p.name FROM person AS p)),
done AS (
    INSERT INTO orchestrator.decision_votes AS v (decision_id, voter, voted_as, vote, notes)
    SELECT $3, $4, p.name, $5, $6 FROM person AS p
    ON CONFLICT (decision_id, voted_as) DO UPDATE
    SET voter = excluded.voter, vote = excluded.vote, cast_at = now(),
        notes = CASE WHEN v.vote = excluded.vote AND v.voter = excluded.voter THEN coalesce(excluded.notes, v.notes) ELSE excluded.notes END
    WHERE v.voter <> excluded.voter OR v.vote <> excluded.vote
       OR (excluded.notes IS NOT NULL AND v.notes IS DISTINCT FROM excluded.notes)
    RETURNING v.voted_as)
SELECT d.voted_as, (SELECT b.vote FROM before AS b) FROM done AS d
