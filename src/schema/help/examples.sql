-- access
SELECT grantee, level FROM orchestrator.access();
-- activate_prompt
SELECT version, is_active FROM orchestrator.activate_prompt('backend_developer', '1.10.0');
-- active_prompt
SELECT orchestrator.active_prompt('backend_developer');
-- allowed_transitions
SELECT * FROM orchestrator.allowed_transitions('task');
-- answer_collaboration
SELECT orchestrator.answer_collaboration(collaboration_id, specialist_agent, 'It fails on empty input.', 0.9, tokens_used => 1200)
FROM orchestrator.collaboration_requests ORDER BY created_at DESC LIMIT 1;
-- archive_columns
SELECT orchestrator.archive_columns('orchestrator.tasks', '{workspace_path}');  -- in a down script
-- archive_table
SELECT orchestrator.archive_table('orchestrator.tasks');  -- in a down script
-- archived
SELECT object, from_version, rows FROM orchestrator.archived();
-- begin_downgrade
SELECT orchestrator.begin_downgrade('0.5.0');  -- first in the down script to 0.5.0
-- begin_upgrade
SELECT orchestrator.begin_upgrade('0.6.0');  -- first in the up script to 0.6.0
-- capture_snapshot
SELECT orchestrator.capture_snapshot('before the migration');
-- claim_knowledge
SELECT id, content FROM orchestrator.claim_knowledge(100);  -- mark what was embedded before COMMIT
-- compare_snapshots
SELECT object, change, was, now FROM orchestrator.compare_snapshots('before the migration', 'after it');
-- compare_versions
SELECT orchestrator.compare_versions('1.10.0', '1.9.0');  -- 1: it comes after
-- configuration_value
SELECT orchestrator.configuration_value('session_retention_days', fallback => '7');
-- deactivate_stale_sessions
SELECT count(*) FROM orchestrator.deactivate_stale_sessions('5 minutes');
-- decide
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions LIMIT 1), 'approve', 'ada');
-- downgrade_plan
SELECT step, object, action, rows FROM orchestrator.downgrade_plan('0.1.6');
-- dump_safety
SELECT severity, object, consequence, hint FROM orchestrator.dump_safety();
-- enum_duplicates
SELECT enum_a, enum_b, reason, similarity FROM orchestrator.enum_duplicates(minimum_similarity => 0.9);
-- expire_sessions
SELECT orchestrator.expire_sessions('14 days');
-- fingerprint
SELECT orchestrator.fingerprint();
-- finish_tool_execution
SELECT status, duration_ms FROM orchestrator.finish_tool_execution(
    (SELECT id FROM orchestrator.tool_executions WHERE status = 'running' LIMIT 1), 'completed', output => '3 files changed');
-- get_configuration
SELECT orchestrator.get_configuration('session_retention_days');
-- grant_access
SELECT orchestrator.grant_access('pg_monitor', 'reader');
-- help
SELECT orchestrator.help('verify');
-- is_valid_configuration
SELECT orchestrator.is_valid_configuration('[1, 2]', 'json');
-- json_schema
SELECT jsonb_pretty(orchestrator.json_schema('orchestrator_runs'));
-- kill_run
SELECT phase, gate_status FROM orchestrator.kill_run('thread-1', 'out of budget');
-- llm_cost
SELECT orchestrator.llm_cost('gpt-5', input_tokens => 27147, output_tokens => 351);
-- load_default_prices
SELECT orchestrator.load_default_prices();
-- manifest
SELECT jsonb_pretty(orchestrator.manifest('0.1.0'));
-- mark_knowledge_embedded
SELECT orchestrator.mark_knowledge_embedded(ARRAY(SELECT id FROM orchestrator.claim_knowledge(100)));
-- move_session
SELECT status FROM orchestrator.move_session((SELECT id FROM orchestrator.sessions WHERE status = 'pending' LIMIT 1), 'activate');
-- next_prompt_version
SELECT orchestrator.next_prompt_version('backend_developer', 'minor');
-- note_filled_in
SELECT orchestrator.note_filled_in('orchestrator.tasks', '{title}');  -- in a down script
-- open_gate
SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'backend_developer', 'loop_detected', 'the same error three times');
-- pause_run
SELECT gate_status FROM orchestrator.pause_run('thread-1', 'waiting for the customer');
-- publish_prompt
SELECT orchestrator.publish_prompt('backend_developer', '1.0.0', 'You write Rust.', created_by => 'ada', activate => true);
-- purge_audit_events
SELECT orchestrator.purge_audit_events('365 days');
-- purge_knowledge
SELECT orchestrator.purge_knowledge('90 days');
-- record_event
SELECT orchestrator.record_event('report_sent', 'finance', trace_id => orchestrator.uuidv7(), metadata => '{"pages": 3}');
-- record_run_progress
SELECT phase, tokens_used FROM orchestrator.record_run_progress('thread-1', phase => 'development', current_agent => 'backend_developer',
    tokens => 1200, cost => 0.0042, files => '{src/lib.rs}');
-- record_safety
SELECT safety_score, gate_status, requires_human_review FROM orchestrator.record_safety('thread-1', 0.82, '{unreviewed_dependency}');
-- record_token_usage
SELECT orchestrator.record_token_usage('gpt-5', 27147, 351, agent_id => 'backend_developer');
-- release_idempotency_keys
SELECT orchestrator.release_idempotency_keys('1 hour');
-- request_approval
SELECT orchestrator.request_approval((SELECT id FROM orchestrator.tasks LIMIT 1), 'manager', 'over the limit');
-- request_collaboration
SELECT orchestrator.request_collaboration('bug_debugging', 'backend_developer', 'qa_engineer', 'Which input makes it fail?', urgency => 'high');
-- request_review
SELECT orchestrator.request_review('thread-1', 'budget_exceeded', 'twice the estimate');
-- resolve_approval
SELECT status FROM orchestrator.resolve_approval((SELECT id FROM orchestrator.pending_approvals LIMIT 1), 'approved', 'manager');
-- resolve_gate
SELECT status FROM orchestrator.resolve_gate((SELECT id FROM orchestrator.gates WHERE status = 'pending' LIMIT 1),
    'denied', 'ada', feedback => 'read the error before trying again');
-- resolve_review
SELECT status FROM orchestrator.resolve_review((SELECT id FROM orchestrator.human_review_queue WHERE status = 'pending' LIMIT 1), 'approved', 'ada');
-- resolve_reviews
SELECT outcome, count(*) FROM orchestrator.resolve_reviews(
    ARRAY(SELECT id FROM orchestrator.human_review_queue WHERE status = 'pending'), 'approved', 'ada') GROUP BY outcome;
-- restore_archived
SELECT object, restored, left_behind FROM orchestrator.restore_archived();
-- restore_columns
SELECT orchestrator.restore_columns('orchestrator.tasks', '{workspace_path}');  -- in an up script
-- restore_table
SELECT orchestrator.restore_table('orchestrator.tasks');  -- in an up script
-- resume_run
SELECT gate_status FROM orchestrator.resume_run('thread-1');
-- revoke_access
SELECT orchestrator.revoke_access('pg_monitor');
-- route_task
SELECT task_id, created FROM orchestrator.route_task('approval', 'Pay invoice 17', from_role => 'finance', to_role => 'manager',
    data => '{"amount": 1250.00}', idempotency_key => '0198c5a0-0000-7000-8000-000000000017');
-- run_maintenance
SELECT task, affected FROM orchestrator.run_maintenance();
-- schedule_maintenance
SELECT orchestrator.schedule_maintenance('*/15 * * * *');
-- session_heartbeat
SELECT orchestrator.session_heartbeat((SELECT id FROM orchestrator.sessions LIMIT 1));
-- set_configuration
SELECT key, value FROM orchestrator.set_configuration('session_retention_days', '14', 'integer');
-- set_price
SELECT model, effective_date FROM orchestrator.set_price('gpt-5', 1.25, 10.00, effective_date => '2026-01-01');
-- stage_knowledge
SELECT orchestrator.stage_knowledge('failure_solution', 'Empty input needs a guard.', '{"technology": "rust"}');
-- start_run
SELECT orchestrator.start_run('thread-1', project_id => orchestrator.uuidv7(), story_id => 'story-7');
-- start_tool_execution
SELECT orchestrator.start_tool_execution((SELECT id FROM orchestrator.tasks LIMIT 1), 'read_file', '{"path": "src/lib.rs"}');
-- typescript_types
SELECT orchestrator.typescript_types();
-- unschedule_maintenance
SELECT orchestrator.unschedule_maintenance();
-- uuidv7
SELECT orchestrator.uuidv7();
-- v7_approve_phase
SELECT status, approved_by FROM orchestrator.v7_approve_phase(1, 'The Architect', 'as reported');
-- v7_complete_phase
SELECT status FROM orchestrator.v7_complete_phase(1);
-- v7_is_valid_file_name
SELECT orchestrator.v7_is_valid_file_name('WF4_V7_L2_1of3_ContactSchemas.py');
-- v7_issue_task
SELECT orchestrator.v7_issue_task(4, 'Restore test', 'Test Sentinel', dart_task_id => 'dart-9');
-- v7_load_plan
SELECT loaded, rows FROM orchestrator.v7_load_plan();
-- v7_missing_sign_offs
SELECT * FROM orchestrator.v7_missing_sign_offs(4, 'before');
-- v7_parse_file_name
SELECT workflow, layer, part, parts, name FROM orchestrator.v7_parse_file_name('WF4_V7_L2_1of3_ContactSchemas.py');
-- v7_record_enum_duplicates
SELECT orchestrator.v7_record_enum_duplicates();
-- v7_request_review
SELECT status FROM orchestrator.v7_request_review(1, deliverables => '["report"]');
-- v7_roll_back_phase
SELECT status FROM orchestrator.v7_roll_back_phase(4, 'the restore test failed');
-- v7_sign
SELECT orchestrator.v7_sign(4, 'before', 'DB Team Lead', signed_by => 'grace');
-- v7_start_phase
SELECT status FROM orchestrator.v7_start_phase(1);
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
