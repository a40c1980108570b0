-- rows
INSERT INTO orchestrator.budgets (id, subject, period, limit_usd) SELECT pg_temp.id(200000 + i), 'subject of holds ' || i, 'day', 1 FROM generate_series(1, 10) AS i;
INSERT INTO orchestrator.budget_windows (budget_id, starts_at) SELECT pg_temp.id(200000 + i), pg_temp.at(1) FROM generate_series(1, 10) AS i;
INSERT INTO orchestrator.budget_holds (reservation_id, budget_id, starts_at, amount, expires_at, state, actual)
SELECT pg_temp.id(i), pg_temp.id(200001 + i % 10), pg_temp.at(1), 0.1, pg_temp.at(i), CASE WHEN i % 100 = 0 THEN 'held' ELSE 'settled' END, CASE WHEN i % 100 <> 0 THEN 0.1 END FROM generate_series(1, 20000) AS i;
-- idx_budget_holds_held: the reservations of a window that have expired
SELECT * FROM orchestrator.budget_holds WHERE budget_id = pg_temp.id(200003) AND starts_at = pg_temp.at(1) AND state = 'held' AND expires_at <= now();
