\set QUIET on
\pset null '·'
\pset footer off
\echo
\echo '1. A workflow with three tasks in order.'
CREATE EXTENSION orchestrator_schema;
INSERT INTO orchestrator.workflows (name, definition) VALUES ('release 1.4', '{"nodes": ["build", "test", "ship"]}');
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('build', 'script'), ('test', 'validation'), ('ship', 'tool');
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence)
SELECT w.id, t.id, array_position('{build,test,ship}', t.title) - 1 FROM orchestrator.workflows AS w, orchestrator.tasks AS t;
SELECT l.sequence, t.title, t.task_type, t.status
FROM orchestrator.workflow_tasks AS l JOIN orchestrator.tasks AS t ON t.id = l.task_id ORDER BY l.sequence;
\echo '   DROP SCHEMA public CASCADE, the usual reset of a development database, takes none of it.'
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
SELECT count(*) AS tasks FROM orchestrator.tasks;

\echo '2. A task runs; its tool is logged, and times out. updated_at and the times of the states are the database''s own.'
UPDATE orchestrator.tasks SET status = 'running' WHERE title = 'build';
SELECT orchestrator.start_tool_execution(id, 'cargo', '{"command": "build"}') AS execution FROM orchestrator.tasks WHERE title = 'build' \gset
SELECT tool_name, status, error, completed_at IS NOT NULL AS ended
FROM orchestrator.finish_tool_execution(:'execution', 'timeout', error => 'no answer within 300 s');
UPDATE orchestrator.tasks SET status = 'failed', error = 'cargo timed out' WHERE title = 'build';
SELECT title, status, error, started_at IS NOT NULL AS started, completed_at IS NOT NULL AS ended FROM orchestrator.tasks ORDER BY id;

\echo '3. A step that makes no sense is refused, whoever asks for it, and the error says what is allowed.'
\set ON_ERROR_STOP off
UPDATE orchestrator.tasks SET status = 'completed' WHERE title = 'test';
DELETE FROM orchestrator.tasks WHERE title = 'build';
\set ON_ERROR_STOP on

\echo '4. Configuration is typed. A value that is none of its type is refused; a secret is masked.'
SELECT key, value, value_type FROM orchestrator.set_configuration('retries', '3', 'integer', 'how often a task is tried');
SELECT key, value_type, is_secret FROM orchestrator.set_configuration('api_token', 'do-not-show', is_secret => true);
\set ON_ERROR_STOP off
SELECT orchestrator.set_configuration('retries', 'three', 'integer');
\set ON_ERROR_STOP on
SELECT key, value, value_type FROM orchestrator.configuration_listing ORDER BY key;
SELECT orchestrator.configuration_value('retries') AS retries, jsonb_typeof(orchestrator.configuration_value('retries')) AS type;

\echo '5. The schema can prove that it is what it should be. Somebody drops an index; the hint makes it again.'
SELECT object, problem FROM orchestrator.verify();
DROP INDEX orchestrator.idx_tasks_status;
SELECT object, problem, hint FROM orchestrator.verify();
SELECT hint FROM orchestrator.verify() \gexec
SELECT object, problem FROM orchestrator.verify();

\echo '6. Before a downgrade: what would it do?'
SELECT step, object, action, rows FROM orchestrator.downgrade_plan('0.0.0') WHERE rows IS NOT NULL;

\echo '7. Down to the empty frame. Every step says what it kept, and where.'
ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0';
SELECT object, from_version, rows FROM orchestrator.archived();
SELECT title, status FROM orchestrator_archive.tasks ORDER BY id;

\echo '8. And up again: every row is back, and nothing is left in the archive.'
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT t.title, t.status, t.error FROM orchestrator.tasks AS t ORDER BY id;
SELECT count(*) AS links FROM orchestrator.workflow_tasks;
SELECT count(*) AS still_archived FROM orchestrator.archived();
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '9. An agent goes round in circles. A gate opens, a human denies it with feedback – without is refused –, and the lesson is there to be embedded.'
SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'backend_developer', 'loop_detected', 'the same error three times', '{"technology": "rust"}') AS gate \gset
\set ON_ERROR_STOP off
SELECT orchestrator.resolve_gate(:'gate', 'denied', 'ada');
\set ON_ERROR_STOP on
SELECT status, resolved_by, feedback FROM orchestrator.resolve_gate(:'gate', 'denied', 'ada', 'read the error before trying again');
\set ON_ERROR_STOP off
SELECT orchestrator.resolve_gate(:'gate', 'approved', 'bob');
\set ON_ERROR_STOP on
BEGIN;
SELECT id AS lesson, knowledge_type, content FROM orchestrator.claim_knowledge(1) \gset
\echo :content
SELECT orchestrator.mark_knowledge_embedded(ARRAY[:'lesson']::uuid[]) AS embedded;
COMMIT;
SELECT orchestrator.request_collaboration('bug_debugging', 'backend_developer', 'qa_engineer', 'Which input makes it fail?') AS talk \gset
SELECT orchestrator.answer_collaboration(:'talk', 'qa_engineer', 'An empty file.', 0.9, 210) IS NOT NULL AS answered;
SELECT question, specialist_agent, requests, outcomes, best_confidence, status FROM orchestrator.collaboration_status;

\echo '10. A prompt is published and activated; a correction is a new version, the next after the highest: 1.10.0 comes after 1.9.0.'
SELECT orchestrator.publish_prompt('backend_developer', '1.9.0', 'You write Rust.', 'ada', activate => true) IS NOT NULL AS published;
SELECT orchestrator.publish_prompt('backend_developer', '1.10.0', 'You write Rust, and read its errors.', 'ada') IS NOT NULL AS published;
\set ON_ERROR_STOP off
UPDATE orchestrator.prompts SET prompt_text = 'You write C.' WHERE version = '1.9.0';
\set ON_ERROR_STOP on
SELECT orchestrator.publish_prompt('backend_developer', orchestrator.next_prompt_version('backend_developer'), 'You write Rust, and read all of its errors.', 'ada', activate => true) IS NOT NULL AS published;
SELECT version, is_active, prompt_text FROM orchestrator.prompt_history WHERE agent_type = 'backend_developer';

\echo '11. What did the models cost? Exactly, by the price of the day. A model without a price is told, never counted as free.'
SELECT model, input_cost_per_million, output_cost_per_million FROM orchestrator.set_price('frugal', 1.40, 4.40, '2026-01-01');
SELECT model, input_cost_per_million, output_cost_per_million FROM orchestrator.set_price('frugal', 9.99, 9.99, '2026-02-01');
INSERT INTO orchestrator.llm_token_usage ("timestamp", agent_id, model, input_tokens, output_tokens) VALUES
    ('2026-01-31 12:00+00', 'backend_developer', 'frugal',     27147, 351),
    ('2026-01-31 13:00+00', 'backend_developer', 'experiment', 5000,  80);
SELECT day, agent_id, model, calls, tokens, cost, unpriced_calls FROM orchestrator.llm_cost_by_day ORDER BY model;
SELECT model, calls, tokens FROM orchestrator.unpriced_usage;
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '12. Finance routes a task to manager. The same call again finds the same task; the same key with other content is refused.'
SELECT task_id AS task, created FROM orchestrator.route_task('approval', 'pay invoice 7', 'finance', 'manager', '{"amount": 1250}', idempotency_key => '0198c5a0-0000-7000-8000-000000000007') \gset
\echo :created
SELECT task_id = :'task' AS the_same, created FROM orchestrator.route_task('approval', 'pay invoice 7', 'finance', 'manager', '{"amount": 1250}', idempotency_key => '0198c5a0-0000-7000-8000-000000000007');
\set ON_ERROR_STOP off
SELECT orchestrator.route_task('approval', 'pay invoice 7', 'finance', 'manager', '{"amount": 9999}', idempotency_key => '0198c5a0-0000-7000-8000-000000000007');
\set ON_ERROR_STOP on

\echo '13. An approval is asked of manager; finance cannot give it, manager can, once. The session of manager goes its way.'
SELECT orchestrator.request_approval(:'task', 'manager', 'over the limit of 1000') AS approval \gset
SELECT approver_role, description, from_role, to_role FROM orchestrator.pending_approvals;
\set ON_ERROR_STOP off
SELECT orchestrator.resolve_approval(:'approval', 'approved', 'finance');
\set ON_ERROR_STOP on
SELECT status, notes FROM orchestrator.resolve_approval(:'approval', 'approved', 'manager', 'within budget');
INSERT INTO orchestrator.sessions (role, task_id) VALUES ('manager', :'task') RETURNING id AS session \gset
SELECT role, status FROM orchestrator.move_session(:'session', 'activate');
SELECT role, status FROM orchestrator.move_session(:'session', 'complete');
\set ON_ERROR_STOP off
SELECT orchestrator.move_session(:'session', 'activate');
\set ON_ERROR_STOP on

\echo '14. All of it left a trail, read back by its trace. Nobody can change it, a superuser neither.'
SELECT e.event_type, e.role, e.metadata ->> 'notes' AS notes
FROM orchestrator.audit_events AS e JOIN orchestrator.tasks AS t USING (trace_id) WHERE t.id = :'task' ORDER BY e.id;
\set ON_ERROR_STOP off
TRUNCATE orchestrator.audit_events CASCADE;
\set ON_ERROR_STOP on

\echo '15. Down to 0.2.5: the routed task gets the title that the older version demands. Up again it is as it was, and its trail is whole.'
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
SELECT title, description, task_type FROM orchestrator.tasks WHERE id = :'task';
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT title, description, from_role, to_role, data FROM orchestrator.tasks WHERE id = :'task';
SELECT count(*) AS events FROM orchestrator.audit_events JOIN orchestrator.tasks AS t USING (trace_id) WHERE t.id = :'task';
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '16. A code base is to be migrated. First look: below 0.4.1 its place is free, the schema as it is goes into a snapshot, and enum types that look like one are found.'
CREATE SCHEMA shop;
CREATE TYPE shop.contact_status AS ENUM ('New', 'Queued', 'Complete');
CREATE TYPE shop.contactstatus AS ENUM ('New', 'Queued', 'Complete', 'Error');
CREATE TABLE shop.contacts (id integer PRIMARY KEY, status shop.contact_status, curation shop.contactstatus);
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0';
SELECT check_name, expected, actual, passed FROM orchestrator.v7_verify_preconditions();
SELECT orchestrator.capture_snapshot('before V7') IS NOT NULL AS captured;
SELECT enum_a, enum_b, reason, only_in_b FROM orchestrator.enum_duplicates();
INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name, status, workflows) VALUES
    ('0001', 'src/models/contact.py', 'contact.py', 1, 'Models and enums', 'SHARED', '{WF2,WF4}');
ALTER EXTENSION orchestrator_schema UPDATE;

\echo '17. The plan: seven phases, and the tasks of the first and the fourth. The duplicates become proposals. Then everything is as it should be.'
SELECT * FROM orchestrator.v7_load_plan();
SELECT orchestrator.v7_record_enum_duplicates() AS proposals;
SELECT v7_enum_name, status, risk_level, sources, affected_tables FROM orchestrator.v7_enum_consolidation_status;
SELECT count(*) AS checks, count(*) FILTER (WHERE passed) AS passed FROM orchestrator.v7_verify();

\echo '18. Nothing starts without approval: not by the function, and not by an UPDATE. The refusal says what is missing, and from whom.'
\set ON_ERROR_STOP off
SELECT orchestrator.v7_start_phase(4);
UPDATE orchestrator.v7_migration_workflow SET status = 'in_progress' WHERE phase_number = 4;
\set ON_ERROR_STOP on
SELECT status FROM orchestrator.v7_start_phase(1);
SELECT task_number, task_name FROM orchestrator.v7_ready_tasks WHERE parent_phase = 1;

\echo '19. Phases 1 to 3 go their way, here in a hurry: their tasks end, each is reviewed, approved and completed.'
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'in_progress' WHERE parent_phase = 1;
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'completed' WHERE parent_phase = 1;
DO $$
BEGIN
    FOR phase IN 1..3 LOOP
        IF phase > 1 THEN PERFORM orchestrator.v7_start_phase(phase); END IF;
        PERFORM orchestrator.v7_request_review(phase, '["report"]');
        PERFORM orchestrator.v7_approve_phase(phase, 'The Architect', 'as reported');
        PERFORM orchestrator.v7_complete_phase(phase);
    END LOOP;
END
$$;
SELECT phase_number, status, approved_by FROM orchestrator.v7_migration_workflow ORDER BY phase_number;

\echo '20. The database phase needs three signatures; with them it starts. A task is issued, and the tracker is told.'
SELECT orchestrator.v7_missing_sign_offs(4, 'before') AS missing;
SELECT count(orchestrator.v7_sign(4, 'before', missing, missing)) AS signed FROM orchestrator.v7_missing_sign_offs(4, 'before') AS missing;
SELECT status FROM orchestrator.v7_start_phase(4);
SELECT orchestrator.v7_issue_task(4, 'Restore test', 'Test Sentinel', dart_task_id => 'dart-9') IS NOT NULL AS issued;
SELECT reason, count(*) FROM orchestrator.v7_unsynced_tasks WHERE parent_phase = 4 GROUP BY reason;

\echo '21. Review and approval; it is not over while a task is open or an item is unsigned.'
SELECT status FROM orchestrator.v7_request_review(4, '["five tables", "twelve columns"]');
SELECT status, approval_status, approved_by FROM orchestrator.v7_approve_phase(4, 'The Architect', 'go');
\set ON_ERROR_STOP off
SELECT orchestrator.v7_complete_phase(4);
\set ON_ERROR_STOP on
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'in_progress' WHERE parent_phase = 4;
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'completed' WHERE parent_phase = 4;
SELECT count(orchestrator.v7_sign(4, 'after', missing, 'Test Sentinel')) AS signed FROM orchestrator.v7_missing_sign_offs(4, 'after') AS missing;
SELECT status FROM orchestrator.v7_complete_phase(4);

\echo '22. A critical impact is seen on the dashboard, whatever stands beside it. Every check passes; a table that a view replaces, or an owner who is missing, would not.'
INSERT INTO orchestrator.v7_global_impacts (change_type, change_detail, affected_workflows, affected_layers, impact_description, risk_assessment) VALUES
    ('file', '{}', '{WF2}', '{1}', 'a file is renamed', 'low'), ('enum', '{}', '{WF2,WF4}', '{1,3}', 'labels change', 'critical');
SELECT phase_number, status, total_tasks, completed_tasks, percent_done, open_impacts, highest_open_risk FROM orchestrator.v7_migration_dashboard;
SELECT count(*) AS checks, count(*) FILTER (WHERE passed) AS passed FROM orchestrator.v7_verify();

\echo '23. All of it back to 0.4.0: nothing named v7_ is left. And up again, with every approval, signature and time.'
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0';
SELECT check_name, actual, passed FROM orchestrator.v7_verify_rollback();
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT phase_number, status, approved_by FROM orchestrator.v7_migration_workflow WHERE phase_number = 4;
SELECT count(*) AS signed FROM orchestrator.migration_sign_offs;
SELECT count(*) AS checks, count(*) FILTER (WHERE passed) AS passed FROM orchestrator.v7_verify();
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '24. A run of the orchestrator starts, works, and scores badly: it is held, and a human is asked. While that is pending nobody resumes it.'
SELECT orchestrator.start_run('shop-17', orchestrator.uuidv7(), 'checkout') IS NOT NULL AS started;
SELECT phase, current_agent, tokens_used, cost_usd, files_created FROM orchestrator.record_run_progress('shop-17', 'development', 'dev', 1200, 0.0345, '{src/cart.rs}');
SELECT phase, gate_status, safety_score, requires_human_review FROM orchestrator.record_safety('shop-17', 0.55, '{"drops a table"}');
SELECT id AS review FROM orchestrator.human_review_queue WHERE thread_id = 'shop-17' \gset
SELECT review_type, reason, context FROM orchestrator.human_review_queue WHERE id = :'review';
\set ON_ERROR_STOP off
SELECT orchestrator.resume_run('shop-17');
\set ON_ERROR_STOP on

\echo '25. Ada approves, and the run goes on. Bob comes too late, and is told who was first; nobody edits what was decided.'
SELECT status, resolved_by, resolution_notes FROM orchestrator.resolve_review(:'review', 'approved', 'ada', 'it is a test table');
\set ON_ERROR_STOP off
SELECT orchestrator.resolve_review(:'review', 'rejected', 'bob', 'never drop a table');
UPDATE orchestrator.human_review_queue SET resolution_notes = 'not so sure' WHERE id = :'review';
\set ON_ERROR_STOP on
SELECT phase, gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 'shop-17';
SELECT phase, tokens_used, cost_usd FROM orchestrator.record_run_progress('shop-17', 'testing', 'qa', 300, 0.0085);

\echo '26. Another run is rejected, and dies of it. A rejection says why.'
SELECT orchestrator.start_run('shop-18', orchestrator.uuidv7(), 'discounts') IS NOT NULL AS started;
SELECT orchestrator.request_review('shop-18', 'budget_exceeded', 'twice the estimate') AS review \gset
\set ON_ERROR_STOP off
SELECT orchestrator.resolve_review(:'review', 'rejected', 'ada');
\set ON_ERROR_STOP on
SELECT status, resolved_by FROM orchestrator.resolve_review(:'review', 'rejected', 'ada', 'start smaller');
SELECT phase, gate_status, error, completed_at IS NOT NULL AS ended FROM orchestrator.orchestrator_runs WHERE thread_id = 'shop-18';
\set ON_ERROR_STOP off
SELECT orchestrator.record_run_progress('shop-18', tokens => 10);
\set ON_ERROR_STOP on

\echo '27. Forty reviews of two runs, approved by one call; the last approval of each run frees it. Each id is answered.'
SELECT count(orchestrator.start_run('batch-' || n, orchestrator.uuidv7(), 'translate')) AS started FROM generate_series(1, 2) AS n;
SELECT count(orchestrator.pause_run('batch-' || n, 'every page is reviewed')) AS paused FROM generate_series(1, 2) AS n;
SELECT count(orchestrator.request_review('batch-' || n, 'gate_override', 'page ' || page)) AS asked FROM generate_series(1, 20) AS page, generate_series(1, 2) AS n;
SELECT outcome, count(*) FROM orchestrator.resolve_reviews(
    ARRAY(SELECT id FROM orchestrator.human_review_queue WHERE status = 'pending') || ARRAY[:'review']::uuid[] || ARRAY[orchestrator.uuidv7()], 'approved', 'ada', 'read them all') GROUP BY outcome ORDER BY outcome;
SELECT thread_id, phase, gate_status, safety_score, tokens_used, cost_usd, actions, pending_reviews FROM orchestrator.run_summary ORDER BY thread_id;

\echo '28. What an application sees: unions for its TypeScript, JSON Schema for everything else. Below their version the runs are kept, and up again nothing is missing.'
SELECT line FROM regexp_split_to_table(orchestrator.typescript_types(), E'\n') AS line WHERE line ~ '^export type (OrchestratorPhase|GateStatus|ReviewStatus) ';
SELECT jsonb_pretty(orchestrator.json_schema('human_review_queue') -> 'properties' -> 'status') AS status;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.3';
SELECT object, rows FROM orchestrator.archived() ORDER BY object;
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT thread_id, phase, gate_status, actions FROM orchestrator.run_summary ORDER BY thread_id;
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '29. Three agents wait for a human: a run for its review, a gate, a task for its approval. One inbox shows all, the oldest first; whoever listens is told, once per statement.'
LISTEN orchestrator_decisions;
SELECT orchestrator.start_run('shop-19', orchestrator.uuidv7(), 'refunds') IS NOT NULL AS started;
SELECT orchestrator.request_review('shop-19', 'gate_override', 'the refund limit is changed') AS review \gset
SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'deployer', 'manual', 'deploy on a Friday?', '{"thread_id": "shop-19"}') AS gate \gset
SELECT task_id AS task FROM orchestrator.route_task('approval', 'pay invoice 8', 'finance', 'manager') \gset
SELECT orchestrator.request_approval(:'task', 'manager', 'over the limit of 1000') AS approval \gset
SELECT kind, subject, asks, thread_id FROM orchestrator.pending_decisions;
SELECT kind, subject FROM orchestrator.pending_decisions
WHERE (requested_at, id) > (SELECT requested_at, id FROM orchestrator.pending_decisions LIMIT 1) LIMIT 2;

\echo '30. decide() takes the id of any, each by its own rules: a gate is denied with a reason only, an approval is given by the role that was asked, and everything is decided once.'
\set ON_ERROR_STOP off
SELECT orchestrator.decide(:'gate', 'deny', 'ada');
SELECT orchestrator.decide(:'approval', 'approve', 'finance');
\set ON_ERROR_STOP on
SELECT kind, status FROM orchestrator.decide(:'gate', 'deny', 'ada', 'wait until Monday');
SELECT kind, status FROM orchestrator.decide(:'approval', 'approve', 'manager');
\set ON_ERROR_STOP off
SELECT orchestrator.decide(:'gate', 'approve', 'bob');
\set ON_ERROR_STOP on
SELECT kind, subject FROM orchestrator.pending_decisions;
UNLISTEN orchestrator_decisions;

\echo '31. Who may do what: four levels. A worker works and asks, and cannot decide; nor can it write past the functions, or see a secret.'
CREATE ROLE tour_agent;
CREATE ROLE tour_ada;
SELECT orchestrator.grant_access('tour_agent', 'worker') > 0 AS worker, orchestrator.grant_access('tour_ada', 'reviewer') > 0 AS reviewer;
SELECT * FROM orchestrator.access();
SET SESSION AUTHORIZATION tour_agent;
SELECT phase, tokens_used FROM orchestrator.record_run_progress('shop-19', 'development', 'dev', 800);
SELECT key, value FROM orchestrator.configuration_listing WHERE is_secret;
\set ON_ERROR_STOP off
SELECT orchestrator.decide(:'review', 'approve', 'ada');
UPDATE orchestrator.human_review_queue SET status = 'approved' WHERE id = :'review';
DELETE FROM orchestrator.audit_events;
SELECT orchestrator.get_configuration('api_token');
\set ON_ERROR_STOP on
RESET SESSION AUTHORIZATION;

\echo '32. A reviewer decides, under whatever name; the trail also says who was logged in. A right that somebody takes away by hand is missed, and given back by the hint.'
SET SESSION AUTHORIZATION tour_ada;
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'the president');
RESET SESSION AUTHORIZATION;
SELECT event_type, role, metadata ->> 'session_user' AS logged_in FROM orchestrator.audit_events WHERE metadata ->> 'review_id' = :'review' ORDER BY id DESC LIMIT 1;
REVOKE EXECUTE ON FUNCTION orchestrator.start_run(text, uuid, text) FROM tour_agent;
SELECT object, expected, actual, hint FROM orchestrator.verify();
SELECT hint FROM orchestrator.verify() \gexec

\echo '33. Maintenance: everything that expires, releases or purges, each in its configured age. First tried in a transaction that is rolled back, then for real; the second time nothing is left to do.'
INSERT INTO orchestrator.sessions (client_id, last_heartbeat) VALUES ('ide-9', now() - interval '1 hour');
SELECT key, value FROM orchestrator.set_configuration('audit_retention_days', '3650', 'integer');
BEGIN;
SELECT * FROM orchestrator.run_maintenance();
ROLLBACK;
SELECT * FROM orchestrator.run_maintenance();
SELECT sum(affected) AS left_to_do FROM orchestrator.run_maintenance();

\echo '34. One version down: inbox and levels are gone, and who had which is kept. Up again everybody may do what they might, and nobody else anything.'
SELECT object, action, rows FROM orchestrator.downgrade_plan('0.5.0') WHERE rows IS NOT NULL;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.5.0';
SELECT object, rows FROM orchestrator.archived();
\set ON_ERROR_STOP off
SELECT * FROM orchestrator.pending_decisions;
\set ON_ERROR_STOP on
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT * FROM orchestrator.access();
SELECT orchestrator.revoke_access('tour_agent') > 0 AS agent_gone, orchestrator.revoke_access('tour_ada') > 0 AS ada_gone;
DROP ROLE tour_agent, tour_ada;
SELECT count(*) AS waiting FROM orchestrator.pending_decisions;
SELECT count(*) AS still_archived FROM orchestrator.archived();
SELECT count(*) AS differences FROM orchestrator.verify();
