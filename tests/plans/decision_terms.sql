-- rows
INSERT INTO orchestrator.decision_terms (decision_id, kind, due_at, on_timeout, approvals_needed, rejections_needed, requester_may_decide, requested_as)
SELECT pg_temp.id(i), 'gate', CASE WHEN i % 2 = 0 THEN pg_temp.at(i) END, CASE WHEN i % 4 = 0 THEN 'reject' END, 1, 1, true, 'agent'
FROM generate_series(1, 20000) AS i;
-- idx_decision_terms_due: questions whose deadline has passed
SELECT t.decision_id, t.kind FROM orchestrator.decision_terms AS t WHERE t.on_timeout IS NOT NULL AND t.due_at <= pg_temp.at(100) ORDER BY t.due_at, t.decision_id;
