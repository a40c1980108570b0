-- rows
INSERT INTO orchestrator.budgets (id, subject, agent_id, period, limit_usd) SELECT pg_temp.id(i), CASE WHEN i % 3 <> 0 THEN 'subject ' || i END, CASE WHEN i % 3 = 0 THEN 'agent ' || i END, 'day', 1 FROM generate_series(1, 9999) AS i;
-- idx_budgets_scope: the budgets of a subject
SELECT * FROM orchestrator.budgets WHERE orchestrator.text_sha256(subject) = orchestrator.text_sha256('subject 7');
