-- The number of open questions of kind $1 and project $2 that ask role $4, and with $3 of those that are its own, as on the
-- pages of the inbox. The view finds the subject and the project of each of them, which takes long for ten thousand, so it is
-- asked only about a project.
WITH roles AS (SELECT r.rolname::text AS name FROM pg_roles AS r WHERE pg_has_role(r.oid, 'MEMBER'))
SELECT CASE WHEN $2 IS NULL THEN (
    SELECT count(*)
    FROM (SELECT q.id, 'review' AS kind, NULL AS asked_role FROM orchestrator.human_review_queue AS q WHERE q.status = 'pending'
          UNION ALL SELECT g.id, 'gate', NULL FROM orchestrator.gates AS g WHERE g.status = 'pending'
          UNION ALL SELECT a.id, 'approval', a.approver_role FROM orchestrator.approvals AS a WHERE a.status = 'pending') AS o
    WHERE ($1 IS NULL OR o.kind = $1)
      AND ($3 IS NULL
           OR coalesce((SELECT t.assigned_to FROM orchestrator.decision_terms AS t WHERE t.decision_id = o.id AND t.kind = o.kind), o.asked_role)
              IN (SELECT r.name FROM roles AS r)
           OR EXISTS (SELECT FROM orchestrator.decision_terms AS t
                      WHERE t.decision_id = o.id AND t.kind = o.kind AND t.claimed_by = $3 AND t.claimed_until > now()))
      AND ($4 IS NULL
           OR coalesce((SELECT t.assigned_to FROM orchestrator.decision_terms AS t WHERE t.decision_id = o.id AND t.kind = o.kind), o.asked_role) = $4)
) ELSE (
    SELECT count(*) FROM orchestrator.pending_decisions AS p
    WHERE p.project_id = $2::uuid AND ($1 IS NULL OR p.kind = $1)
      AND ($3 IS NULL OR p.claimed_by = $3
           OR coalesce(p.assigned_to, (SELECT a.approver_role FROM orchestrator.approvals AS a WHERE p.kind = 'approval' AND a.id = p.id))
              IN (SELECT r.name FROM roles AS r))
      AND ($4 IS NULL
           OR coalesce(p.assigned_to, (SELECT a.approver_role FROM orchestrator.approvals AS a WHERE p.kind = 'approval' AND a.id = p.id)) = $4)
) END AS open
