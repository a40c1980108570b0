-- rows
INSERT INTO orchestrator.v7_test_results (id, test_type, component_tested, test_status, tested_at, retest_required)
SELECT pg_temp.id(i), 'unit', 'component ' || i % 90, CASE WHEN i % 100 < 8 THEN 'fail' WHEN i % 100 = 8 THEN 'skip' ELSE 'pass' END, pg_temp.at(i), i % 100 = 10
FROM generate_series(1, 20000) AS i;
-- idx_test_results_status: the skipped tests
SELECT * FROM orchestrator.v7_test_results WHERE test_status = 'skip';
-- idx_test_results_failures: the recent failures
SELECT * FROM orchestrator.v7_test_results
WHERE test_status IN ('fail', 'error', 'timeout') AND tested_at > pg_temp.at(15000) ORDER BY tested_at, id LIMIT 20;
-- idx_test_results_retest: the tests to repeat
SELECT * FROM orchestrator.v7_test_results WHERE retest_required ORDER BY tested_at, id LIMIT 10;
-- idx_test_results_latest: the latest result of a test of a component
SELECT test_status FROM orchestrator.v7_test_results
WHERE component_tested = 'component 17' AND test_type = 'unit' ORDER BY tested_at DESC, id DESC LIMIT 1;
