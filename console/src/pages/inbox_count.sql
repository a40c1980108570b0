-- The number of open questions of kind $1 and project $2 that ask role $4, and with $3 of those that are its own, as on the
-- pages of the inbox. The view finds the subject and the project of each of them, which takes long for ten thousand, so it is
-- asked only about a project.
WITH roles AS (SELECT r.rolname::text AS name FROM pg_roles AS r WHERE pg_has_role(r.oid, 'MEMBER'))
SELECT CASE WHEN $2 IS NULL THEN (
    SELECT count(*)
    FROM (SELECT q.id, 'review' AS kind, NULL AS approver_role FROM orchestrator.human_review_queue AS q WHERE q.status = 'pending'
          UNION ALL SELECT g.id, 'gate', NULL FROM orchestrator.gates AS g WHERE g.status = 'pending'
          UNION ALL SELECT a.id, 'approval', a.approver_role FROM orchestrator.approvals AS a WHERE a.status = 'pending') AS o
    LEFT JOIN orchestrator.decision_terms AS t ON t.decision_id = o.id AND t.kind = o.kind
    CROSS JOIN LATERAL (SELECT coalesce(t.assigned_to, o.approver_role) AS role) AS asked
    WHERE ($1 IS NULL OR o.kind = $1)
      AND ($3 IS NULL OR t.claimed_by = $3 AND t.claimed_until > now() OR asked.role IN (SELECT r.name FROM roles AS r))
      AND ($4 IS NULL OR asked.role = $4)
) ELSE (
    SELECT count(*) FROM orchestrator.pending_decisions AS p
    CROSS JOIN LATERAL (
        SELECT coalesce(p.assigned_to, (SELECT a.approver_role FROM orchestrator.approvals AS a WHERE p.kind = 'approval' AND a.id = p.id)) AS role) AS asked
    WHERE p.project_id = $2::uuid AND ($1 IS NULL OR p.kind = $1)
      AND ($3 IS NULL OR p.claimed_by = $3 OR asked.role IN (SELECT r.name FROM roles AS r))
      AND ($4 IS NULL OR asked.role = $4)
) END AS open
