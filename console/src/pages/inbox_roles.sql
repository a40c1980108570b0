-- The people and roles of whom a question is asked. An approval asks its role until it is assigned to another one.
SELECT DISTINCT left(coalesce(t.assigned_to, o.role), 200) AS role
FROM (SELECT q.id, NULL AS role FROM orchestrator.human_review_queue AS q WHERE q.status = 'pending'
      UNION ALL SELECT g.id, NULL FROM orchestrator.gates AS g WHERE g.status = 'pending'
      UNION ALL SELECT a.id, a.approver_role FROM orchestrator.approvals AS a WHERE a.status = 'pending') AS o
LEFT JOIN orchestrator.decision_terms AS t ON t.decision_id = o.id
WHERE coalesce(t.assigned_to, o.role) IS NOT NULL ORDER BY role LIMIT 100
