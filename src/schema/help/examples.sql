-- access
SELECT grantee, level FROM orchestrator.access();
-- activate_prompt
SELECT version, is_active FROM orchestrator.activate_prompt('backend_developer', '1.0.0');
-- active_prompt
SELECT orchestrator.active_prompt('backend_developer');
-- active_sessions
SELECT id, role, task_id FROM orchestrator.active_sessions;
-- allowed_transitions
SELECT * FROM orchestrator.allowed_transitions('task');
-- answer_collaboration
SELECT orchestrator.answer_collaboration(collaboration_id, specialist_agent, 'It fails on empty input.', 0.9, tokens_used => 1200)
FROM orchestrator.collaboration_requests ORDER BY created_at DESC LIMIT 1;
-- approvals
SELECT task_id, approver_role, status, notes FROM orchestrator.approvals ORDER BY created_at DESC LIMIT 20;
-- archive_columns
SELECT orchestrator.archive_columns('orchestrator.tasks', '{workspace_path}');  -- in a down script
-- archive_table
SELECT orchestrator.archive_table('orchestrator.tasks');  -- in a down script
-- archived
SELECT object, from_version, rows FROM orchestrator.archived();
-- assign_decision
SELECT kind, subject FROM orchestrator.assign_decision((SELECT id FROM orchestrator.pending_decisions LIMIT 1), 'security_lead', 'ada', 'The reviewer is on leave') AS d;
-- audit_events
SELECT timestamp, event_type, role, metadata FROM orchestrator.audit_events ORDER BY timestamp DESC, id DESC LIMIT 20;
-- audit_head
SELECT sequence, sealed_until, encode(digest, 'hex') AS head FROM orchestrator.audit_head();
-- audit_seals
SELECT sequence, sealed_until, events, purged_at FROM orchestrator.audit_seals ORDER BY sequence DESC LIMIT 20;
-- begin_downgrade
SELECT orchestrator.begin_downgrade('0.5.0');  -- first in the down script to 0.5.0
-- begin_step
SELECT execution_id, done, output FROM orchestrator.begin_step(
    (SELECT task_id FROM orchestrator.task_attempts WHERE ended_at IS NULL LIMIT 1), 'draft', 'gpt-4o', '{"prompt": "Summarise"}');
-- begin_upgrade
SELECT orchestrator.begin_upgrade('0.6.0');  -- first in the up script to 0.6.0
-- budget_holds
SELECT reservation_id, amount, state, actual FROM orchestrator.budget_holds ORDER BY expires_at DESC LIMIT 10;
-- budget_status
SELECT period, agent_id, limit_usd, spent, reserved, available FROM orchestrator.budget_status;
-- budget_windows
SELECT budget_id, starts_at, spent, raised FROM orchestrator.budget_windows ORDER BY starts_at DESC LIMIT 10;
-- budgets
SELECT id, period, agent_id, limit_usd, enforce FROM orchestrator.budgets;
-- cancel_task
SELECT t.status, t.error FROM orchestrator.queued_tasks AS q, orchestrator.cancel_task(q.task_id, 'The meeting was cancelled') AS t WHERE q.task_type = 'summary';
-- capture_snapshot
SELECT orchestrator.capture_snapshot('before the migration');
-- claim_decision
SELECT orchestrator.claim_decision((SELECT id FROM orchestrator.pending_decisions LIMIT 1), 'ada', '30 minutes');
-- claim_knowledge
SELECT id, content FROM orchestrator.claim_knowledge(100);  -- mark what was embedded before COMMIT
-- claim_tasks
SELECT id, title, config FROM orchestrator.claim_tasks('worker 1', '{summary}', lease => '10 minutes');
-- collaboration_outcomes
SELECT collaboration_id, specialist_agent, confidence, response FROM orchestrator.collaboration_outcomes ORDER BY created_at DESC LIMIT 20;
-- collaboration_requests
SELECT collaboration_id, specialist_agent, question FROM orchestrator.collaboration_requests WHERE urgency IN ('high', 'critical');
-- collaboration_status
SELECT question, specialist_agent, opened_at FROM orchestrator.collaboration_status WHERE status = 'open';
-- compare_snapshots
SELECT object, change, was, now FROM orchestrator.compare_snapshots(
    (SELECT label FROM orchestrator.schema_snapshots ORDER BY taken_at LIMIT 1),
    (SELECT label FROM orchestrator.schema_snapshots ORDER BY taken_at DESC LIMIT 1));
-- compare_versions
SELECT orchestrator.compare_versions('1.10.0', '1.9.0');  -- 1: it comes after
-- complete_task
SELECT t.status, t.result FROM orchestrator.task_attempts AS a, orchestrator.complete_task(a.task_id, a.worker, '{"words": 120}') AS t WHERE a.ended_at IS NULL LIMIT 1;
-- complete_tasks
SELECT orchestrator.complete_tasks(ARRAY(SELECT id FROM orchestrator.claim_tasks('worker 1', '{summary}', batch => 50)), 'worker 1');
-- configuration_listing
SELECT key, value, value_type, description FROM orchestrator.configuration_listing;
-- configuration_value
SELECT orchestrator.configuration_value('session_retention_days', fallback => '7');
-- configurations
UPDATE orchestrator.configurations SET description = 'days without a heartbeat' WHERE key = 'session_retention_days';
-- copy_grants
SELECT orchestrator.copy_grants('orchestrator.archived()', 'orchestrator.restore_archived()');  -- in a script, before it drops the first
-- create_task
SELECT task_id, created FROM orchestrator.create_task('summary', 'Summarise the minutes', '{"file": "minutes.txt"}', max_attempts => 3);
-- deactivate_stale_sessions
SELECT count(*) FROM orchestrator.deactivate_stale_sessions('5 minutes');
-- decide
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions LIMIT 1), 'approve', 'ada');
-- decision
SELECT d.status, d.decided_by, d.notes FROM orchestrator.gates AS g, orchestrator.decision(g.id) AS d ORDER BY g.created_at DESC LIMIT 1;
-- decision_cards
SELECT kind, id, subject, asks, asked_role, if_approved, if_rejected FROM orchestrator.decision_cards LIMIT 20;
-- decision_rules
SELECT kind, type, approvals_needed, respond_within, on_timeout FROM orchestrator.decision_rules ORDER BY kind, type;
-- decision_terms
SELECT decision_id, due_at, approvals_needed, assigned_to, claimed_by FROM orchestrator.decision_terms WHERE due_at < now();
-- decision_votes
SELECT decision_id, voter, voted_as, vote, notes FROM orchestrator.decision_votes ORDER BY cast_at DESC LIMIT 20;
-- decisions
SELECT kind, subject, status, decided_by, notes FROM orchestrator.decisions WHERE thread_id = 'thread-1';
-- downgrade_plan
SELECT step, object, action, rows FROM orchestrator.downgrade_plan('0.0.0');
-- drop_decision_rule
SELECT orchestrator.drop_decision_rule('review', 'budget_exceeded');
-- dump_safety
SELECT severity, object, consequence, hint FROM orchestrator.dump_safety();
-- ensure_run
SELECT run_id, created FROM orchestrator.ensure_run('thread-2', project_id => '0198c5a0-0000-7000-8000-000000000001', story_id => 'story-7');
-- enum_duplicates
SELECT enum_a, enum_b, reason, similarity FROM orchestrator.enum_duplicates(minimum_similarity => 0.9);
-- enum_usage
SELECT schema_name, enum_name, labels, use_count FROM orchestrator.enum_usage ORDER BY use_count DESC;
-- estimate_cost
SELECT orchestrator.estimate_cost('gpt-5', 20000, max_output_tokens => 4000);
-- expire_decisions
SELECT decision_id, kind, outcome FROM orchestrator.expire_decisions();
-- expire_sessions
SELECT orchestrator.expire_sessions('14 days');
-- fail_knowledge
SELECT orchestrator.fail_knowledge(ARRAY(SELECT id FROM orchestrator.claim_knowledge(1, 'embedder-1', '5 minutes')), 'the model refuses the text');
-- fail_task
SELECT t.status, t.run_after FROM orchestrator.claim_tasks('worker 1', '{summary}') AS c, orchestrator.fail_task(c.id, 'worker 1', 'The file is empty') AS t;
-- file_audit
INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name, status, workflows)
VALUES ('2001', 'app/schemas/contact.py', 'contact.py', 2, 'Schemas', 'NOVEL', '{WF4}') RETURNING id;
-- file_audit_baseline
SELECT file_number, status, audit_status FROM orchestrator.file_audit_baseline;
-- fingerprint
SELECT orchestrator.fingerprint();
-- finish_tool_execution
SELECT status, duration_ms FROM orchestrator.finish_tool_execution(
    (SELECT id FROM orchestrator.tool_executions WHERE status = 'running' LIMIT 1), 'completed', output => '3 files changed');
-- gates
SELECT id, agent_id, gate_type, reason FROM orchestrator.gates WHERE status = 'pending' ORDER BY created_at;
-- get_configuration
SELECT orchestrator.get_configuration('session_retention_days');
-- grant_access
SELECT orchestrator.grant_access('pg_monitor', 'reader');
-- help
SELECT orchestrator.help('verify');
-- human_review_queue
SELECT id, thread_id, review_type, reason FROM orchestrator.human_review_queue WHERE status = 'pending' ORDER BY created_at;
-- import_prices
SELECT model, outcome, reason FROM orchestrator.import_prices('{"gpt-5": {"input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05}}');
-- is_valid_configuration
SELECT orchestrator.is_valid_configuration('[1, 2]', 'json');
-- is_valid_llm_call
SELECT orchestrator.is_valid_llm_call(0, 0, 0, 0, '{"web_search": 2}', 'standard', NULL, 'ada');
-- json_schema
SELECT jsonb_pretty(orchestrator.json_schema('orchestrator_runs'));
-- kill_run
SELECT phase, gate_status FROM orchestrator.kill_run('thread-1', 'out of budget');
-- knowledge_staging
SELECT knowledge_type, content, created_at FROM orchestrator.knowledge_staging WHERE NOT embedded ORDER BY created_at;
-- llm_call_cost
SELECT orchestrator.llm_call_cost(p.unit_costs, 1, 'standard', 1000, 1000, 50, 0, 0, 0, 0, '{}') FROM orchestrator.llm_price_lists AS p WHERE p.name = 'gpt-5';
-- llm_cost
SELECT orchestrator.llm_cost('gpt-5', input_tokens => 27147, output_tokens => 351);
-- llm_cost_by_day
SELECT day, model, calls, tokens, cost FROM orchestrator.llm_cost_by_day ORDER BY day DESC LIMIT 30;
-- llm_cost_by_day_as_of
SELECT day, model, calls, cost FROM orchestrator.llm_cost_by_day_as_of('2026-02-01 00:00+00') ORDER BY day DESC LIMIT 30;
-- llm_cost_by_prompt
SELECT agent_type, version, calls, cost, cost_per_call FROM orchestrator.llm_cost_by_prompt ORDER BY cost DESC NULLS LAST LIMIT 20;
-- llm_cost_by_run
SELECT thread_id, calls, cost, unpriced_calls FROM orchestrator.llm_cost_by_run ORDER BY cost DESC NULLS LAST LIMIT 20;
-- llm_cost_line
SELECT orchestrator.llm_cost_line(p.begins, p.unit_costs, '2026-02-01', 2, 3000, 150,
    orchestrator.llm_special_call(1000, 50, 0, 0, 0, 0, '{}', 'flex', NULL, '2026-02-01 12:00+00', NULL, NULL), NULL)
FROM orchestrator.llm_price_lists AS p WHERE p.name = 'gpt-5';
-- llm_input_units
SELECT orchestrator.llm_input_units('{"audio_input": 1200, "web_search": 2}');
-- llm_model_aliases
SELECT alias, model FROM orchestrator.llm_model_aliases ORDER BY alias;
-- llm_price_components
SELECT component, service_tier, above_input, unit_cost FROM orchestrator.llm_price_components ORDER BY component LIMIT 20;
-- llm_price_limits
SELECT steps, moments FROM orchestrator.llm_price_limits;
-- llm_price_lists
SELECT name, begins, unit_costs FROM orchestrator.llm_price_lists WHERE name = 'gpt-5';
-- llm_price_periods
SELECT valid_from, valid_until, input_cost_per_million, output_cost_per_million FROM orchestrator.llm_price_periods WHERE model = 'gpt-5';
-- llm_prices_by_name
SELECT name, model, begins, ends FROM orchestrator.llm_prices_by_name WHERE name = 'gpt-5' ORDER BY begins;
-- llm_pricing
UPDATE orchestrator.llm_pricing SET status = 'deprecated', notes = 'no longer offered' WHERE model = 'gpt-3.5-turbo';
-- llm_special_call
SELECT orchestrator.llm_special_call(1000, 50, 200, 0, 0, 0, '{"web_search": 2}', 'standard', NULL, '2026-02-01 12:00+00', '{200000}', NULL);
-- llm_token_usage
SELECT agent_id, sum(input_tokens + output_tokens) AS tokens FROM orchestrator.llm_token_usage GROUP BY agent_id;
-- llm_unpriced_units
SELECT orchestrator.llm_unpriced_units(p.unit_costs, 1, 'standard', 1000, '{"web_search": 2}') FROM orchestrator.llm_price_lists AS p WHERE p.name = 'gpt-5';
-- llm_usage_costs
SELECT agent_id, sum(cost) AS cost FROM orchestrator.llm_usage_costs GROUP BY agent_id;
-- llm_usage_sums
SELECT orchestrator.llm_usage_sums(orchestrator.llm_special_call(1000, 50, n, 0, 0, 0, '{}', 'standard', NULL, now(), NULL, NULL))
FROM generate_series(1, 3) AS n;
-- llm_usage_sums_add
SELECT orchestrator.llm_usage_sums_add(c.call, c.call)
FROM orchestrator.llm_special_call(1000, 50, 0, 0, 0, 0, '{}', 'flex', NULL, now(), NULL, NULL) AS c (call);
-- load_default_prices
SELECT orchestrator.load_default_prices();
-- manifest
SELECT jsonb_pretty(orchestrator.manifest('0.1.0'));
-- mark_knowledge_embedded
SELECT orchestrator.mark_knowledge_embedded(ARRAY(SELECT id FROM orchestrator.claim_knowledge(100)));
-- migration_hand_overs
SELECT task_id, dart_task_id, handed_over_at FROM orchestrator.migration_hand_overs;
-- migration_sign_offs
SELECT phase_number, stage, item, signed_by FROM orchestrator.migration_sign_offs ORDER BY signed_at;
-- model_price
SELECT model, input_cost_per_million, begins, components FROM orchestrator.model_price('gpt-5');
-- move_session
SELECT status FROM orchestrator.move_session((SELECT id FROM orchestrator.sessions WHERE status = 'pending' LIMIT 1), 'activate');
-- next_prompt_version
SELECT orchestrator.next_prompt_version('backend_developer', 'minor');
-- note_filled_in
SELECT orchestrator.note_filled_in('orchestrator.tasks', '{title}');  -- in a down script
-- open_gate
SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'backend_developer', 'loop_detected', 'the same error three times');
-- orchestrator_runs
SELECT thread_id, phase, gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE completed_at IS NULL;
-- pause_run
SELECT gate_status FROM orchestrator.pause_run('thread-1', 'waiting for the customer');
-- pause_workflow
SELECT w.status FROM orchestrator.workflows AS f, orchestrator.pause_workflow(f.id, 'the source is down') AS w WHERE f.status = 'active';
-- pending_approvals
SELECT id, approver_role, description FROM orchestrator.pending_approvals;
-- pending_decisions
SELECT kind, id, subject, asks FROM orchestrator.pending_decisions LIMIT 20;
-- prompt_activations
SELECT activated_at, label, weight, activated_by FROM orchestrator.prompt_activations WHERE agent_type = 'backend_developer' ORDER BY activated_at DESC;
-- prompt_diff
SELECT * FROM orchestrator.prompt_diff('backend_developer', '1.0.0', '1.0.0');
-- prompt_history
SELECT version, is_active, created_by, notes FROM orchestrator.prompt_history WHERE agent_type = 'backend_developer';
-- prompts
SELECT agent_type, version FROM orchestrator.prompts WHERE is_active;
-- publish_prompt
SELECT orchestrator.publish_prompt('backend_developer', '1.0.0', 'You write Rust.', created_by => 'ada', activate => true);
-- purge_audit_events
SELECT orchestrator.purge_audit_events('365 days');
-- purge_knowledge
SELECT orchestrator.purge_knowledge('90 days');
-- queued_tasks
SELECT task_id, priority, run_after FROM orchestrator.queued_tasks WHERE NOT ready;
-- raise_budget
SELECT w.raised FROM orchestrator.budget_status AS s, orchestrator.raise_budget(s.budget_id, s.starts_at, 10, 'ada') AS w;
-- rebuild_task_queue
SELECT orchestrator.rebuild_task_queue();  -- after a restore without triggers
-- reclaim_expired_tasks
SELECT orchestrator.reclaim_expired_tasks();
-- record_event
SELECT orchestrator.record_event('report_sent', 'finance', trace_id => orchestrator.uuidv7(), metadata => '{"pages": 3}');
-- record_llm_call
SELECT orchestrator.record_llm_call('gpt-5', 27147, 351, cache_read_tokens => 27146, inclusive => true, call_id => 'resp_1');
-- record_run_progress
SELECT phase, tokens_used FROM orchestrator.record_run_progress('thread-1', phase => 'development', current_agent => 'backend_developer',
    tokens => 1200, cost => 0.0042, files => '{src/lib.rs}');
-- record_safety
SELECT safety_score, gate_status, requires_human_review FROM orchestrator.record_safety('thread-1', 0.82, '{unreviewed_dependency}');
-- record_token_usage
SELECT orchestrator.record_token_usage('gpt-5', 27147, 351, agent_id => 'backend_developer');
-- release_budget
SELECT orchestrator.release_budget(reservation_id) FROM orchestrator.budget_holds WHERE state = 'held' LIMIT 1;  -- the call is not made
-- release_decision
SELECT orchestrator.release_decision((SELECT id FROM orchestrator.pending_decisions LIMIT 1), 'ada');
-- release_idempotency_keys
SELECT orchestrator.release_idempotency_keys('1 hour');
-- release_task
SELECT t.status FROM orchestrator.claim_tasks('worker 1', '{summary}') AS c, orchestrator.release_task(c.id, 'worker 1') AS t;
-- renew_access
SELECT orchestrator.renew_access('0.6.0', '0.7.0');  -- last in the up script to 0.7.0
-- renew_claim
SELECT orchestrator.renew_claim(task_id, worker) FROM orchestrator.task_attempts WHERE ended_at IS NULL LIMIT 1;  -- while the work goes on
-- request_approval
SELECT orchestrator.request_approval((SELECT id FROM orchestrator.tasks LIMIT 1), 'manager', 'over the limit');
-- request_collaboration
SELECT orchestrator.request_collaboration('bug_debugging', 'backend_developer', 'qa_engineer', 'Which input makes it fail?', urgency => 'high');
-- request_review
SELECT orchestrator.request_review('thread-1', 'budget_exceeded', 'twice the estimate');
-- reserve_budget
SELECT reservation_id, admitted, available, review_id FROM orchestrator.reserve_budget(0.05, agent_id => 'backend_developer');
-- resolve_approval
SELECT status FROM orchestrator.resolve_approval((SELECT id FROM orchestrator.pending_approvals LIMIT 1), 'approved', 'manager');
-- resolve_gate
SELECT r.status FROM orchestrator.gates AS g,
    orchestrator.resolve_gate(g.id, 'denied', 'ada', feedback => 'read the error before trying again') AS r WHERE g.status = 'pending';
-- resolve_review
SELECT r.status FROM orchestrator.human_review_queue AS q, orchestrator.resolve_review(q.id, 'approved', 'ada') AS r WHERE q.status = 'pending';
-- resolve_reviews
SELECT outcome, count(*) FROM orchestrator.resolve_reviews(
    ARRAY(SELECT id FROM orchestrator.human_review_queue WHERE status = 'pending'), 'approved', 'ada') GROUP BY outcome;
-- restage_knowledge
SELECT orchestrator.restage_knowledge('text-embedding-3-large');
-- restore_archived
SELECT object, restored, left_behind FROM orchestrator.restore_archived();
-- restore_columns
SELECT orchestrator.restore_columns('orchestrator.tasks', '{workspace_path}');  -- in an up script
-- restore_table
SELECT orchestrator.restore_table('orchestrator.tasks');  -- in an up script
-- resume_run
SELECT gate_status FROM orchestrator.resume_run('thread-1');
-- retry_task
SELECT t.title, t.status FROM orchestrator.tasks AS f, orchestrator.retry_task(f.id) AS t WHERE f.status = 'failed' AND f.task_type = 'summary';
-- revoke_access
SELECT orchestrator.revoke_access('pg_monitor');
-- route_task
SELECT task_id, created FROM orchestrator.route_task('approval', 'Pay invoice 17', from_role => 'finance', to_role => 'manager',
    data => '{"amount": 1250.00}', idempotency_key => '0198c5a0-0000-7000-8000-000000000017');
-- run_cost_differences
SELECT thread_id, run_cost, calls_cost, difference FROM orchestrator.run_cost_differences ORDER BY abs(difference) DESC LIMIT 20;
-- run_costs
SELECT thread_id, calls, cost, unpriced_calls FROM orchestrator.run_costs ORDER BY cost DESC LIMIT 20;
-- run_maintenance
SELECT task, affected FROM orchestrator.run_maintenance();
-- run_summary
SELECT thread_id, phase, gate_status, cost_usd, actions, pending_reviews FROM orchestrator.run_summary;
-- run_trail
SELECT timestamp, event_type, role FROM orchestrator.run_trail('thread-1');
-- save_run_state
SELECT state FROM orchestrator.save_run_state('thread-1', '{"step": 3, "branch": "feature/7"}');
-- schedule_maintenance
SELECT orchestrator.schedule_maintenance('*/15 * * * *');
-- schema_snapshots
SELECT label, taken_at, taken_by, fingerprint FROM orchestrator.schema_snapshots ORDER BY taken_at;
-- seal_audit_events
SELECT sequence, sealed_until, events FROM orchestrator.seal_audit_events();
-- session_heartbeat
SELECT orchestrator.session_heartbeat((SELECT id FROM orchestrator.sessions LIMIT 1));
-- sessions
INSERT INTO orchestrator.sessions (client_id, connection_type) VALUES ('console-1', 'websocket') RETURNING id;
-- set_budget
SELECT id, limit_usd FROM orchestrator.set_budget(20, 'day', agent_id => 'backend_developer');
-- set_configuration
SELECT key, value FROM orchestrator.set_configuration('session_retention_days', '14', 'integer');
-- set_decision_rule
SELECT * FROM orchestrator.set_decision_rule('review', 'budget_exceeded', respond_within => '4 hours', on_timeout => 'reject', approvals_needed => 2, requester_may_decide => false);
-- set_model_alias
SELECT alias, model FROM orchestrator.set_model_alias('gpt-5-2025-08-07', 'gpt-5');
-- set_price
SELECT model, effective_date FROM orchestrator.set_price('gpt-5', 1.25, 10.00, effective_date => '2026-01-01');
-- settle_budget
SELECT s.actual FROM orchestrator.budget_holds AS h, orchestrator.settle_budget(h.reservation_id, 0.0371) AS s WHERE h.state = 'held' LIMIT 1;
-- stage_knowledge
SELECT orchestrator.stage_knowledge('failure_solution', 'Empty input needs a guard.', '{"technology": "rust"}');
-- start_run
SELECT orchestrator.start_run('thread-1', project_id => orchestrator.uuidv7(), story_id => 'story-7');
-- start_tool_execution
SELECT orchestrator.start_tool_execution((SELECT id FROM orchestrator.tasks LIMIT 1), 'read_file', '{"path": "src/lib.rs"}');
-- start_workflow
SELECT w.name, w.status FROM orchestrator.workflows AS f, orchestrator.start_workflow(f.id) AS w WHERE f.name = 'Nightly report' AND f.status = 'draft';
-- table_dependencies
SELECT from_table, to_table, depth, in_cycle FROM orchestrator.table_dependencies ORDER BY depth;
-- task_attempts
SELECT task_id, attempt, worker, outcome, error FROM orchestrator.task_attempts ORDER BY claimed_at DESC LIMIT 20;
-- task_queue
SELECT task_type, waiting, running, oldest_wait FROM orchestrator.task_queue;
-- task_stats
SELECT task_type, count, failures, p95 FROM orchestrator.task_stats;
-- tasks
INSERT INTO orchestrator.tasks (title, task_type, config) VALUES ('Read the log', 'tool', '{"path": "/var/log"}') RETURNING id;
-- text_sha256
SELECT encode(orchestrator.text_sha256('You write Rust.'), 'hex');
-- tool_executions
SELECT tool_name, status, duration_ms, error FROM orchestrator.tool_executions ORDER BY created_at DESC LIMIT 20;
-- tool_stats
SELECT tool_name, count, failures, p95 FROM orchestrator.tool_stats;
-- typescript_types
SELECT orchestrator.typescript_types();
-- unpriced_usage
SELECT model, calls, tokens FROM orchestrator.unpriced_usage;
-- unschedule_maintenance
SELECT orchestrator.unschedule_maintenance();
-- uuidv7
SELECT orchestrator.uuidv7();
-- v7_approve_phase
SELECT status, approved_by FROM orchestrator.v7_approve_phase(1, 'The Architect', 'as reported');
-- v7_complete_phase
SELECT status FROM orchestrator.v7_complete_phase(1);
-- v7_enum_consolidation_status
SELECT status, risk_level, source_count, sources FROM orchestrator.v7_enum_consolidation_status;
-- v7_enum_migrations
SELECT current_enum_name, v7_enum_name, status FROM orchestrator.v7_enum_migrations WHERE risk_level IN ('high', 'critical');
-- v7_file_migration_readiness
SELECT layer_name, files, migrated, average_impact FROM orchestrator.v7_file_migration_readiness ORDER BY layer_number;
-- v7_global_impacts
INSERT INTO orchestrator.v7_global_impacts (change_type, change_detail, affected_workflows, affected_layers, impact_description, risk_assessment)
VALUES ('enum', '{"type": "contact_status"}', '{WF4}', '{1,2}', 'Old exports name the old type.', 'medium') RETURNING id;
-- v7_is_valid_file_name
SELECT orchestrator.v7_is_valid_file_name('WF4_V7_L2_1of3_ContactSchemas.py');
-- v7_issue_task
SELECT orchestrator.v7_issue_task(4, 'Restore test', 'Test Sentinel', dart_task_id => 'dart-9');
-- v7_load_plan
SELECT loaded, rows FROM orchestrator.v7_load_plan();
-- v7_migration_dashboard
SELECT phase_number, phase_name, status, percent_done, missing_sign_offs FROM orchestrator.v7_migration_dashboard;
-- v7_migration_workflow
SELECT phase_number, phase_name, status, approval_status FROM orchestrator.v7_migration_workflow ORDER BY phase_number;
-- v7_missing_sign_offs
SELECT * FROM orchestrator.v7_missing_sign_offs(4, 'before');
-- v7_parse_file_name
SELECT workflow, layer, part, parts, name FROM orchestrator.v7_parse_file_name('WF4_V7_L2_1of3_ContactSchemas.py');
-- v7_ready_tasks
SELECT task_name, responsible_persona FROM orchestrator.v7_ready_tasks WHERE parent_phase = 1;
-- v7_record_enum_duplicates
SELECT orchestrator.v7_record_enum_duplicates();
-- v7_request_review
SELECT status FROM orchestrator.v7_request_review(1, deliverables => '["report"]');
-- v7_roll_back_phase
SELECT status FROM orchestrator.v7_roll_back_phase(1, 'the inventory was incomplete');
-- v7_sign
SELECT orchestrator.v7_sign(4, 'before', 'DB Team Lead', signed_by => 'grace');
-- v7_start_phase
SELECT status FROM orchestrator.v7_start_phase(1);
-- v7_subworkflow_tasks
UPDATE orchestrator.v7_subworkflow_tasks SET status = 'cancelled', notes = 'done before the migration'
WHERE parent_phase = 1 AND status = 'pending';
-- v7_test_results
INSERT INTO orchestrator.v7_test_results (test_type, component_tested, test_status, tested_by)
VALUES ('unit', 'contact schemas', 'pass', 'Test Sentinel') RETURNING id;
-- v7_unsynced_tasks
SELECT id, task_name, reason FROM orchestrator.v7_unsynced_tasks;
-- v7_verify
SELECT check_name, expected, actual, hint FROM orchestrator.v7_verify() WHERE NOT passed;
-- v7_verify_data
SELECT check_name, expected, actual, hint FROM orchestrator.v7_verify_data() WHERE NOT passed;
-- v7_verify_file_audit
SELECT check_name, expected, actual, hint FROM orchestrator.v7_verify_file_audit() WHERE NOT passed;
-- v7_verify_infrastructure
SELECT check_name, expected, actual, hint FROM orchestrator.v7_verify_infrastructure() WHERE NOT passed;
-- v7_verify_preconditions
SELECT check_name, expected, actual, hint FROM orchestrator.v7_verify_preconditions() WHERE NOT passed;
-- v7_verify_rollback
SELECT check_name, expected, actual, hint FROM orchestrator.v7_verify_rollback() WHERE NOT passed;
-- v7_verify_tables
SELECT check_name, expected, actual, hint FROM orchestrator.v7_verify_tables() WHERE NOT passed;
-- verify
SELECT object, kind, problem, hint FROM orchestrator.verify();
-- verify_audit_seals
SELECT sequence, problem, expected, actual FROM orchestrator.verify_audit_seals();
-- withdraw_decision
SELECT d.status, d.notes FROM orchestrator.withdraw_decision(
    orchestrator.open_gate('0198c5a0-0000-7000-8000-00000000000a', 'agent-1', 'manual', 'May I deploy?'), 'agent-1', 'No longer needed') AS d;
-- workflow_progress
SELECT name, status, completed, tasks, current_sequence, blocked_by FROM orchestrator.workflow_progress ORDER BY last_change_at DESC;
-- workflow_tasks
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence)
SELECT w.id, t.id, 0 FROM orchestrator.workflows AS w, orchestrator.tasks AS t ORDER BY w.created_at DESC, t.created_at DESC LIMIT 1;
-- workflows
INSERT INTO orchestrator.workflows (name, definition) VALUES ('Nightly report', '{"nodes": ["collect", "send"]}') RETURNING id;
