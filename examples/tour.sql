\set QUIET on
\pset null '·'
\pset footer off
\echo
\echo '1. A workflow has three tasks in order.'
CREATE EXTENSION orchestrator_schema;
INSERT INTO orchestrator.workflows (name, definition) VALUES ('release 1.4', '{"nodes": ["build", "test", "ship"]}');
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('build', 'script'), ('test', 'validation'), ('ship', 'tool');
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence)
SELECT w.id, t.id, array_position('{build,test,ship}', t.title) - 1 FROM orchestrator.workflows AS w, orchestrator.tasks AS t;
SELECT l.sequence, t.title, t.task_type, t.status
FROM orchestrator.workflow_tasks AS l JOIN orchestrator.tasks AS t ON t.id = l.task_id ORDER BY l.sequence;
\echo '   DROP SCHEMA public CASCADE, the usual reset of a development database, removes nothing of the extension.'
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
SELECT count(*) AS tasks FROM orchestrator.tasks;

\echo '2. A task runs. Its tool call is logged, and times out. Triggers set updated_at and the time of each state.'
UPDATE orchestrator.tasks SET status = 'running' WHERE title = 'build';
SELECT orchestrator.start_tool_execution(id, 'cargo', '{"command": "build"}') AS execution FROM orchestrator.tasks WHERE title = 'build' \gset
SELECT tool_name, status, error, completed_at IS NOT NULL AS ended
FROM orchestrator.finish_tool_execution(:'execution', 'timeout', error => 'no answer within 300 s');
UPDATE orchestrator.tasks SET status = 'failed', error = 'cargo timed out' WHERE title = 'build';
SELECT title, status, error, started_at IS NOT NULL AS started, completed_at IS NOT NULL AS ended FROM orchestrator.tasks ORDER BY id;

\echo '3. A state that may not follow the present one fails for every role, and the error lists the possible states. A task with tool calls cannot be deleted.'
\set ON_ERROR_STOP off
UPDATE orchestrator.tasks SET status = 'completed' WHERE title = 'test';
DELETE FROM orchestrator.tasks WHERE title = 'build';
\set ON_ERROR_STOP on

\echo '4. Each setting has a type. A value that does not fit its type fails, and the listing masks a secret.'
SELECT key, value, value_type FROM orchestrator.set_configuration('retries', '3', 'integer', 'how often a task is tried');
SELECT key, value_type, is_secret FROM orchestrator.set_configuration('api_token', 'do-not-show', is_secret => true);
\set ON_ERROR_STOP off
SELECT orchestrator.set_configuration('retries', 'three', 'integer');
\set ON_ERROR_STOP on
SELECT key, value, value_type FROM orchestrator.configuration_listing ORDER BY key;
SELECT orchestrator.configuration_value('retries') AS retries, jsonb_typeof(orchestrator.configuration_value('retries')) AS type;

\echo '5. verify() compares the schema with the installed version. Here somebody drops an index, and the hint creates it again.'
SELECT object, problem FROM orchestrator.verify();
DROP INDEX orchestrator.idx_tasks_status;
SELECT object, problem, hint FROM orchestrator.verify();
SELECT hint FROM orchestrator.verify() \gexec
SELECT object, problem FROM orchestrator.verify();

\echo '6. downgrade_plan() lists everything that a downgrade would remove. These are the tables, with the number of their rows.'
SELECT step, object, action, rows FROM orchestrator.downgrade_plan('0.0.0') WHERE rows IS NOT NULL;

\echo '7. A downgrade to the empty base version. A NOTICE for each table reports the number of kept rows, and their place.'
ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0';
SELECT object, from_version, rows FROM orchestrator.archived();
SELECT title, status FROM orchestrator_archive.tasks ORDER BY id;

\echo '8. An upgrade restores every row, and the archive is empty again.'
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT t.title, t.status, t.error FROM orchestrator.tasks AS t ORDER BY id;
SELECT count(*) AS links FROM orchestrator.workflow_tasks;
SELECT count(*) AS still_archived FROM orchestrator.archived();
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '9. An agent repeats an error, and opens a gate. A human denies the gate, with feedback; without feedback, or a second time, the call fails. The lesson of the gate is claimed and marked as embedded. Then one agent asks another.'
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

\echo '10. A prompt is published and activated. A published version cannot change, and a correction is a new version: 1.10.1, because 1.10.0 is later than 1.9.0.'
SELECT orchestrator.publish_prompt('backend_developer', '1.9.0', 'You write Rust.', 'ada', activate => true) IS NOT NULL AS published;
SELECT orchestrator.publish_prompt('backend_developer', '1.10.0', 'You write Rust, and read its errors.', 'ada') IS NOT NULL AS published;
\set ON_ERROR_STOP off
UPDATE orchestrator.prompts SET prompt_text = 'You write C.' WHERE version = '1.9.0';
\set ON_ERROR_STOP on
SELECT orchestrator.publish_prompt('backend_developer', orchestrator.next_prompt_version('backend_developer'), 'You write Rust, and read all of its errors.', 'ada', activate => true) IS NOT NULL AS published;
SELECT version, is_active, prompt_text FROM orchestrator.prompt_history WHERE agent_type = 'backend_developer';

\echo '11. The cost of each call is exact, with the price of its day. Calls of a model without a price are listed as unpriced, and not counted as free.'
SELECT model, input_cost_per_million, output_cost_per_million FROM orchestrator.set_price('frugal', 1.40, 4.40, '2026-01-01');
SELECT model, input_cost_per_million, output_cost_per_million FROM orchestrator.set_price('frugal', 9.99, 9.99, '2026-02-01');
INSERT INTO orchestrator.llm_token_usage ("timestamp", agent_id, model, input_tokens, output_tokens) VALUES
    ('2026-01-31 12:00+00', 'backend_developer', 'frugal',     27147, 351),
    ('2026-01-31 13:00+00', 'backend_developer', 'experiment', 5000,  80);
SELECT day, agent_id, model, calls, tokens, cost, unpriced_calls FROM orchestrator.llm_cost_by_day ORDER BY model;
SELECT model, calls, tokens FROM orchestrator.unpriced_usage;
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '12. Finance routes a task to manager. A repeated call with the same key returns the same task. The same key with other content fails.'
SELECT task_id AS task, created FROM orchestrator.route_task('approval', 'pay invoice 7', 'finance', 'manager', '{"amount": 1250}', idempotency_key => '0198c5a0-0000-7000-8000-000000000007') \gset
\echo :created
SELECT task_id = :'task' AS the_same, created FROM orchestrator.route_task('approval', 'pay invoice 7', 'finance', 'manager', '{"amount": 1250}', idempotency_key => '0198c5a0-0000-7000-8000-000000000007');
\set ON_ERROR_STOP off
SELECT orchestrator.route_task('approval', 'pay invoice 7', 'finance', 'manager', '{"amount": 9999}', idempotency_key => '0198c5a0-0000-7000-8000-000000000007');
\set ON_ERROR_STOP on

\echo '13. Manager is asked for an approval. Finance cannot give it; manager can, once. Then a session of manager begins and ends.'
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

\echo '14. The audit trail has every step of the task, under one trace id. Nobody can change it, not even a superuser.'
SELECT e.event_type, e.role, e.metadata ->> 'notes' AS notes
FROM orchestrator.audit_events AS e JOIN orchestrator.tasks AS t USING (trace_id) WHERE t.id = :'task' ORDER BY e.id;
\set ON_ERROR_STOP off
TRUNCATE orchestrator.audit_events CASCADE;
\set ON_ERROR_STOP on

\echo '15. Version 0.2.5 requires a title for every task, so the downgrade gives the routed task one. The upgrade restores the task, and its events are complete.'
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
SELECT title, description, task_type FROM orchestrator.tasks WHERE id = :'task';
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT title, description, from_role, to_role, data FROM orchestrator.tasks WHERE id = :'task';
SELECT count(*) AS events FROM orchestrator.audit_events JOIN orchestrator.tasks AS t USING (trace_id) WHERE t.id = :'task';
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '16. The migration of a code base (V7) begins at version 0.4.0: a check that its names are free, a snapshot of the present schema, and the duplicate enum types.'
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

\echo '17. The plan has seven phases, and the tasks of phases 1 and 4. The duplicates become proposals. All checks pass.'
SELECT * FROM orchestrator.v7_load_plan();
SELECT orchestrator.v7_record_enum_duplicates() AS proposals;
SELECT v7_enum_name, status, risk_level, sources, affected_tables FROM orchestrator.v7_enum_consolidation_status;
SELECT count(*) AS checks, count(*) FILTER (WHERE passed) AS passed FROM orchestrator.v7_verify();

\echo '18. No phase starts without approval, neither by the function nor by an UPDATE. The error names each missing approval, and the persona who gives it.'
\set ON_ERROR_STOP off
SELECT orchestrator.v7_start_phase(4);
UPDATE orchestrator.v7_migration_workflow SET status = 'in_progress' WHERE phase_number = 4;
\set ON_ERROR_STOP on
SELECT status FROM orchestrator.v7_start_phase(1);
SELECT task_number, task_name FROM orchestrator.v7_ready_tasks WHERE parent_phase = 1;

\echo '19. Phases 1 to 3 in short: their tasks end, and each phase is reviewed, approved and completed.'
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

\echo '20. Phase 4, the database phase, starts after three sign-offs. A new task is issued. v7_unsynced_tasks counts the tasks that the external tracker does not have.'
SELECT orchestrator.v7_missing_sign_offs(4, 'before') AS missing;
SELECT count(orchestrator.v7_sign(4, 'before', missing, missing)) AS signed FROM orchestrator.v7_missing_sign_offs(4, 'before') AS missing;
SELECT status FROM orchestrator.v7_start_phase(4);
SELECT orchestrator.v7_issue_task(4, 'Restore test', 'Test Sentinel', dart_task_id => 'dart-9') IS NOT NULL AS issued;
SELECT reason, count(*) FROM orchestrator.v7_unsynced_tasks WHERE parent_phase = 4 GROUP BY reason;

\echo '21. Review and approval. The phase cannot be completed while a task is open or an item is unsigned.'
SELECT status FROM orchestrator.v7_request_review(4, '["five tables", "twelve columns"]');
SELECT status, approval_status, approved_by FROM orchestrator.v7_approve_phase(4, 'The Architect', 'go');
\set ON_ERROR_STOP off
SELECT orchestrator.v7_complete_phase(4);
\set ON_ERROR_STOP on
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'in_progress' WHERE parent_phase = 4;
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'completed' WHERE parent_phase = 4;
SELECT count(orchestrator.v7_sign(4, 'after', missing, 'Test Sentinel')) AS signed FROM orchestrator.v7_missing_sign_offs(4, 'after') AS missing;
SELECT status FROM orchestrator.v7_complete_phase(4);

\echo '22. Of a critical and a low impact, the dashboard shows the higher risk. Every check passes.'
INSERT INTO orchestrator.v7_global_impacts (change_type, change_detail, affected_workflows, affected_layers, impact_description, risk_assessment) VALUES
    ('file', '{}', '{WF2}', '{1}', 'a file is renamed', 'low'), ('enum', '{}', '{WF2,WF4}', '{1,3}', 'labels change', 'critical');
SELECT phase_number, status, total_tasks, completed_tasks, percent_done, open_impacts, highest_open_risk FROM orchestrator.v7_migration_dashboard;
SELECT count(*) AS checks, count(*) FILTER (WHERE passed) AS passed FROM orchestrator.v7_verify();

\echo '23. A downgrade to 0.4.0 leaves nothing named v7_ outside the archive. The upgrade restores every approval, signature and time.'
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0';
SELECT check_name, actual, passed FROM orchestrator.v7_verify_rollback();
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT phase_number, status, approved_by FROM orchestrator.v7_migration_workflow WHERE phase_number = 4;
SELECT count(*) AS signed FROM orchestrator.migration_sign_offs;
SELECT count(*) AS checks, count(*) FILTER (WHERE passed) AS passed FROM orchestrator.v7_verify();
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '24. A run of the orchestrator starts, works, and gets a low safety score. The run is held, and a human is asked. Nobody can resume it while the review is pending.'
SELECT orchestrator.start_run('shop-17', orchestrator.uuidv7(), 'checkout') IS NOT NULL AS started;
SELECT phase, current_agent, tokens_used, cost_usd, files_created FROM orchestrator.record_run_progress('shop-17', 'development', 'dev', 1200, 0.0345, '{src/cart.rs}');
SELECT phase, gate_status, safety_score, requires_human_review FROM orchestrator.record_safety('shop-17', 0.55, '{"drops a table"}');
SELECT id AS review FROM orchestrator.human_review_queue WHERE thread_id = 'shop-17' \gset
SELECT review_type, reason, context FROM orchestrator.human_review_queue WHERE id = :'review';
\set ON_ERROR_STOP off
SELECT orchestrator.resume_run('shop-17');
\set ON_ERROR_STOP on

\echo '25. Ada approves, and the run continues. Bob is too late: the error names the person who was first. Nobody can change a decision.'
SELECT status, resolved_by, resolution_notes FROM orchestrator.resolve_review(:'review', 'approved', 'ada', 'it is a test table');
\set ON_ERROR_STOP off
SELECT orchestrator.resolve_review(:'review', 'rejected', 'bob', 'never drop a table');
UPDATE orchestrator.human_review_queue SET resolution_notes = 'not so sure' WHERE id = :'review';
\set ON_ERROR_STOP on
SELECT phase, gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 'shop-17';
SELECT phase, tokens_used, cost_usd FROM orchestrator.record_run_progress('shop-17', 'testing', 'qa', 300, 0.0085);

\echo '26. Another review is rejected, and its run fails. A rejection needs a reason.'
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

\echo '27. One call approves forty reviews of two runs, and returns an outcome for each id. A run continues when its last review is approved.'
SELECT count(orchestrator.start_run('batch-' || n, orchestrator.uuidv7(), 'translate')) AS started FROM generate_series(1, 2) AS n;
SELECT count(orchestrator.pause_run('batch-' || n, 'every page is reviewed')) AS paused FROM generate_series(1, 2) AS n;
SELECT count(orchestrator.request_review('batch-' || n, 'gate_override', 'page ' || page)) AS asked FROM generate_series(1, 20) AS page, generate_series(1, 2) AS n;
SELECT outcome, count(*) FROM orchestrator.resolve_reviews(
    ARRAY(SELECT id FROM orchestrator.human_review_queue WHERE status = 'pending') || ARRAY[:'review']::uuid[] || ARRAY[orchestrator.uuidv7()], 'approved', 'ada', 'read them all') GROUP BY outcome ORDER BY outcome;
SELECT thread_id, phase, gate_status, safety_score, tokens_used, cost_usd, actions, pending_reviews FROM orchestrator.run_summary ORDER BY thread_id;

\echo '28. Types for applications: unions in TypeScript, and JSON Schema for other languages. A downgrade below 0.5.0 keeps the runs, and the upgrade restores them.'
SELECT line FROM regexp_split_to_table(orchestrator.typescript_types(), E'\n') AS line WHERE line ~ '^export type (OrchestratorPhase|GateStatus|ReviewStatus) ';
SELECT jsonb_pretty(orchestrator.json_schema('human_review_queue') -> 'properties' -> 'status') AS status;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.3';
SELECT object, rows FROM orchestrator.archived() ORDER BY object;
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT thread_id, phase, gate_status, actions FROM orchestrator.run_summary ORDER BY thread_id;
SELECT count(*) AS differences FROM orchestrator.verify();

\echo '29. Three questions wait for a human: a review of a run, a gate, and an approval of a task. One view lists all three, the oldest first. Each statement that asks notifies the listeners once.'
LISTEN orchestrator_decisions;
SELECT orchestrator.start_run('shop-19', orchestrator.uuidv7(), 'refunds') IS NOT NULL AS started;
SELECT orchestrator.request_review('shop-19', 'gate_override', 'the refund limit is changed') AS review \gset
SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'deployer', 'manual', 'deploy on a Friday?', '{"thread_id": "shop-19"}') AS gate \gset
SELECT task_id AS task FROM orchestrator.route_task('approval', 'pay invoice 8', 'finance', 'manager') \gset
SELECT orchestrator.request_approval(:'task', 'manager', 'over the limit of 1000') AS approval \gset
SELECT kind, subject, asks, thread_id FROM orchestrator.pending_decisions;
SELECT kind, subject FROM orchestrator.pending_decisions
WHERE (requested_at, id) > (SELECT requested_at, id FROM orchestrator.pending_decisions LIMIT 1) LIMIT 2;

\echo '30. decide() accepts the id of each question, and applies the rules of its kind: a gate is denied only with a reason, and an approval is given by a person for the role that was asked. Each question is decided once; only the same call may be repeated.'
\set ON_ERROR_STOP off
SELECT orchestrator.decide(:'gate', 'deny', 'ada');
SELECT orchestrator.decide(:'approval', 'approve', 'finance');
\set ON_ERROR_STOP on
SELECT kind, status FROM orchestrator.decide(:'gate', 'deny', 'ada', 'wait until Monday');
SELECT kind, status FROM orchestrator.decide(:'approval', 'approve', 'ada', acting_as => 'manager');
SELECT kind, status FROM orchestrator.decide(:'approval', 'approve', 'ada', acting_as => 'manager');
\set ON_ERROR_STOP off
SELECT orchestrator.decide(:'gate', 'approve', 'bob');
\set ON_ERROR_STOP on
SELECT kind, status, decided_by, notes FROM orchestrator.decision(:'gate');
SELECT kind, subject FROM orchestrator.pending_decisions;
UNLISTEN orchestrator_decisions;

\echo '31. Each role has one of four levels. A worker works and asks. It cannot decide, change a decision or an event, or see a secret.'
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

\echo '32. A reviewer can decide under any name, but the event also has the login. verify() reports a privilege that somebody revoked by hand, and its hint grants it again.'
SET SESSION AUTHORIZATION tour_ada;
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'the president');
RESET SESSION AUTHORIZATION;
SELECT event_type, role, metadata ->> 'session_user' AS logged_in FROM orchestrator.audit_events WHERE metadata ->> 'review_id' = :'review' ORDER BY id DESC LIMIT 1;
REVOKE EXECUTE ON FUNCTION orchestrator.start_run(text, uuid, text) FROM tour_agent;
SELECT object, expected, actual, hint FROM orchestrator.verify();
SELECT hint FROM orchestrator.verify() \gexec

\echo '33. Maintenance expires, releases and purges rows, each kind by its configured age. First it runs in a transaction that is rolled back, then for real; the next call finds nothing to do.'
INSERT INTO orchestrator.sessions (client_id, last_heartbeat) VALUES ('ide-9', now() - interval '1 hour');
SELECT key, value FROM orchestrator.set_configuration('audit_retention_days', '3650', 'integer');
BEGIN;
SELECT * FROM orchestrator.run_maintenance();
ROLLBACK;
SELECT * FROM orchestrator.run_maintenance();
SELECT sum(affected) AS left_to_do FROM orchestrator.run_maintenance();

\echo '34. At version 0.5.0 there is no inbox and there are no levels. The archive keeps the level of each role. The upgrade restores the levels, and no role gains a privilege.'
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
