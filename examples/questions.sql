-- A dozen open questions of six runs, and a person who decides them: the inbox of the console is not empty then.
\set QUIET on
\o /dev/null
DO $$ BEGIN IF to_regrole('rosa') IS NULL THEN CREATE ROLE rosa LOGIN; END IF; END $$;
SELECT orchestrator.grant_access('rosa', 'reviewer');
SELECT orchestrator.load_default_prices();
SELECT orchestrator.ensure_run('release ' || n, '0198c5a0-0000-7000-8000-000000000001', 'story ' || n) FROM generate_series(1, 6) AS n;
SELECT orchestrator.record_run_progress('release ' || n, 'development', (ARRAY['backend_developer', 'qa_engineer'])[1 + n % 2], files => '{src/lib.rs}') FROM generate_series(1, 6) AS n;
SELECT orchestrator.record_llm_call('gpt-5', 27147 * n, 351 * n, 27146, inclusive => true, agent_id => 'backend_developer', thread_id => 'release ' || n) FROM generate_series(1, 6) AS n;
SELECT orchestrator.request_review('release 1', 'gate_override', 'Three tests are red, and the release is due today.', context => '{"failed": ["checkout", "refund", "invoice"]}');
SELECT orchestrator.request_review('release 2', 'gate_override', 'The coverage is 79 percent, and 80 are asked for.', context => '{"coverage": 0.79}');
SELECT orchestrator.record_safety('release 3', 0.55, '{unreviewed_dependency,writes_outside_of_the_workspace}');
SELECT orchestrator.record_safety('release 4', 0.80, '{long_function}');
SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'backend_developer', 'high_risk', 'The next step drops a table of production.', '{"statement": "DROP TABLE invoices_2019"}', thread_id => 'release 5');
SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'qa_engineer', 'loop_detected', 'The same test failed five times with the same message.', '{"test": "checkout", "attempts": 5}', thread_id => 'release 6');
SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000002', 'architect', 'manual', 'Which of the two designs is built?', '{"designs": ["queue", "stream"]}');
SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000002', 'architect', 'collaboration_deadlock', 'Two agents ask each other which format the file has.');
SELECT orchestrator.set_budget(1, 'day', subject => 'nightly');
SELECT orchestrator.reserve_budget(2.5, subject => 'nightly', thread_id => 'release 6');
SELECT orchestrator.request_approval(t.task_id, a.role, a.reason) FROM (VALUES ('manager', 'the order is over the limit'), ('security', 'the order changes the login'), ('finance', 'the order costs 1,200 USD')) AS a (role, reason), LATERAL orchestrator.create_task('order', 'Order for ' || a.role, metadata => '{"amount": 1200}') AS t;
\o
