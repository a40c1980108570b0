-- rows
INSERT INTO orchestrator.budgets (id, subject, period, limit_usd) SELECT pg_temp.id(100000 + i), 'subject of windows ' || i, 'day', 1 FROM generate_series(1, 100) AS i;
INSERT INTO orchestrator.budget_windows (budget_id, starts_at, review_id) SELECT pg_temp.id(100001 + i % 100), pg_temp.at(i), CASE WHEN i % 10 = 0 THEN pg_temp.id(i) END FROM generate_series(1, 20000) AS i;
-- idx_budget_windows_review: the window that waits for a question
SELECT * FROM orchestrator.budget_windows WHERE review_id = pg_temp.id(500);
