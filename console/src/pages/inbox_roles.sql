-- The people and roles of whom something is asked: the role of an approval, and whomever a question is assigned to.
SELECT left(r.role, 200) AS role
FROM (SELECT a.approver_role AS role FROM orchestrator.approvals AS a WHERE a.status = 'pending'
      UNION
      SELECT t.assigned_to
      FROM (SELECT q.id FROM orchestrator.human_review_queue AS q WHERE q.status = 'pending'
            UNION ALL SELECT g.id FROM orchestrator.gates AS g WHERE g.status = 'pending'
            UNION ALL SELECT a.id FROM orchestrator.approvals AS a WHERE a.status = 'pending') AS o
      JOIN orchestrator.decision_terms AS t ON t.decision_id = o.id) AS r
WHERE r.role IS NOT NULL ORDER BY r.role LIMIT 100
