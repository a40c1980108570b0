-- The number of open questions of kind $1, project $2, and assigned to or claimed by $3. The view finds the subject and the
-- project of each of them, which takes long for ten thousand, so it is asked only about a project.
SELECT CASE WHEN $2 IS NULL THEN (
    SELECT count(*)
    FROM (SELECT q.id, 'review' AS kind FROM orchestrator.human_review_queue AS q WHERE q.status = 'pending'
          UNION ALL SELECT g.id, 'gate' FROM orchestrator.gates AS g WHERE g.status = 'pending'
          UNION ALL SELECT a.id, 'approval' FROM orchestrator.approvals AS a WHERE a.status = 'pending') AS o
    WHERE ($1 IS NULL OR o.kind = $1)
      AND ($3 IS NULL OR EXISTS (SELECT FROM orchestrator.decision_terms AS t
                                 WHERE t.decision_id = o.id AND t.kind = o.kind AND $3 IN (t.assigned_to, t.claimed_by)))
) ELSE (
    SELECT count(*) FROM orchestrator.pending_decisions AS p
    WHERE p.project_id = $2::uuid AND ($1 IS NULL OR p.kind = $1) AND ($3 IS NULL OR $3 IN (p.assigned_to, p.claimed_by))
) END AS open
