\i head.sql
\pset null '·'
\set project '0198c5a0-0000-7000-8000-000000000001'
-- A worker that comes back finds its run and its state.
SELECT run_id AS run, created FROM orchestrator.ensure_run('t1', :'project', 'S-1') \gset
SELECT :'created' AS created;
SELECT run_id = :'run' AS same, created FROM orchestrator.ensure_run('t1', :'project', 'S-1');
SELECT pg_temp.refusal(format('SELECT orchestrator.ensure_run(%L, %L, %L)', 't1', :'project', 'S-2'));
SELECT pg_temp.refusal(format('SELECT orchestrator.ensure_run(%L, %L, %L)', 't1', '0198c5a0-0000-7000-8000-000000000009', 'S-1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.start_run(%L, %L, %L)', 't1', :'project', 'S-1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.ensure_run(%L, %L, %L)', ' ', :'project', 'S-1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.ensure_run(%L, %L, %L)', repeat('字', 501), :'project', 'S-1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.ensure_run(%L, NULL, %L)', 't', 'S-1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.ensure_run(NULL, %L, NULL)', :'project'));
SELECT state FROM orchestrator.save_run_state('t1', '{"step": 1, "files": {"a": 1}}');
SELECT state FROM orchestrator.save_run_state('t1', '{"step": 2, "files": {"b": 1}, "n": 1e400}');
SELECT state FROM orchestrator.save_run_state('t1', '{"step": 3}', merge => false);
SELECT pg_temp.refusal('SELECT orchestrator.save_run_state(''t1'', ''[1]'')');
SELECT pg_temp.refusal('SELECT orchestrator.save_run_state(''t1'', NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.save_run_state(''t9'', ''{}'')');
SELECT pg_temp.refusal('SELECT orchestrator.save_run_state(NULL, ''{}'')');
-- Usage is added to its run, exactly, and a call counts once.
SELECT model FROM orchestrator.set_price('m', 0.05, 0.4, '2026-01-01');
SELECT orchestrator.record_token_usage('m', 1, 3, thread_id => 't1', call_id => 'c1', at => '2026-05-05 12:00+00') AS call \gset
SELECT tokens_used, cost_usd FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT orchestrator.record_token_usage('m', 1, 3, thread_id => 't1', call_id => 'c1') = :'call' AS same;
SELECT orchestrator.record_token_usage('no price', 10, 20, thread_id => 't1', task_id => :'project') IS NOT NULL;
SELECT tokens_used, cost_usd FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT * FROM orchestrator.run_costs;
SELECT pg_temp.refusal('SELECT orchestrator.record_token_usage(''m'', 2, 3, thread_id => ''t1'', call_id => ''c1'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_token_usage(''m'', 1, 3, call_id => ''c1'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_token_usage(''m'', 1, 3, thread_id => ''t9'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_token_usage(''m'', 1, 3, thread_id => '' '')');
SELECT pg_temp.refusal('SELECT orchestrator.record_token_usage(''m'', 1, 3, call_id => '''')');
SELECT pg_temp.refusal('SELECT orchestrator.record_token_usage(''m'', 1, 3, call_id => repeat(''x'', 501))');
SELECT pg_temp.refusal('SELECT orchestrator.record_token_usage(''m'', 9223372036854775807, 1, thread_id => ''t1'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_token_usage(''m'', 9223372036854775807, 0, thread_id => ''t1'')');
SELECT tokens_used, cost_usd, (SELECT count(*) FROM orchestrator.llm_token_usage) AS calls FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
-- An open gate holds its run: no tool starts, no phase but failed is reported; running tools finish, usage is recorded.
SELECT phase FROM orchestrator.record_run_progress('t1', 'development', 'dev');
INSERT INTO orchestrator.tasks (id, title, task_type, thread_id) VALUES ('0198c5a0-0000-7000-8000-0000000000a1', 'code', 'build', 't1');
SELECT orchestrator.start_tool_execution('0198c5a0-0000-7000-8000-0000000000a1', 'bash') AS tool \gset
SELECT orchestrator.open_gate(:'project', 'dev', 'high_risk', 'drop the table?', thread_id => 't1', request_key => 'k1') AS gate \gset
SELECT orchestrator.open_gate(:'project', 'dev', 'high_risk', 'drop the table?', thread_id => 't1', request_key => 'k1') = :'gate' AS same;
SELECT gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT pending_reviews, pending_gates, pending_approvals, held_by FROM orchestrator.run_summary WHERE thread_id = 't1';
SELECT thread_id, project_id = :'project' FROM orchestrator.pending_decisions;
SELECT pg_temp.refusal('SELECT orchestrator.start_tool_execution(''0198c5a0-0000-7000-8000-0000000000a1'', ''bash'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t1'', ''testing'')');
SELECT pg_temp.refusal('SELECT orchestrator.resume_run(''t1'')');
SELECT status FROM orchestrator.finish_tool_execution(:'tool', 'completed');
SELECT orchestrator.record_token_usage('m', 1, 1, thread_id => 't1') IS NOT NULL;
SELECT tokens_used, phase FROM orchestrator.record_run_progress('t1', tokens => 1);
-- The last answer frees it.
SELECT orchestrator.request_approval('0198c5a0-0000-7000-8000-0000000000a1', 'boss', 'ship it?', 'k2') AS approval \gset
SELECT orchestrator.request_approval('0198c5a0-0000-7000-8000-0000000000a1', 'boss', 'ship it?', 'k2') = :'approval' AS same;
SELECT pg_temp.refusal('SELECT orchestrator.request_approval(''0198c5a0-0000-7000-8000-0000000000a1'', ''boss'', ''ship?'', ''k2'')');
SELECT kind, thread_id, project_id = :'project' FROM orchestrator.pending_decisions ORDER BY kind;
SELECT kind, status FROM orchestrator.decide(:'gate', 'approve', 'ada');
SELECT gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT pg_temp.refusal('SELECT orchestrator.start_tool_execution(''0198c5a0-0000-7000-8000-0000000000a1'', ''bash'')') LIKE '%waits for approval%';
SELECT status FROM orchestrator.resolve_approval(:'approval', 'rejected', 'boss', 'not today');
SELECT gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT orchestrator.request_approval('0198c5a0-0000-7000-8000-0000000000a1', 'boss', 'ship it?', 'k2') = :'approval' AS same;
-- A denial sends the run back, and it goes on once no question is open.
SELECT orchestrator.open_gate(:'project', 'dev', 'manual', 'first?', thread_id => 't1') AS one, orchestrator.open_gate(:'project', 'dev', 'manual', 'second?', thread_id => 't1') AS two \gset
SELECT kind, status FROM orchestrator.decide(:'one', 'deny', 'ada', 'use a view');
SELECT gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT pg_temp.refusal('SELECT orchestrator.start_tool_execution(''0198c5a0-0000-7000-8000-0000000000a1'', ''bash'')') LIKE '%waits for a human%';
SELECT gate_status FROM orchestrator.record_safety('t1', 0.1);
SELECT outcome FROM orchestrator.resolve_reviews(ARRAY(SELECT id FROM orchestrator.human_review_queue WHERE thread_id = 't1'), 'approved', 'ada');
SELECT kind, status FROM orchestrator.decide(:'two', 'approve', 'ada');
SELECT gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT orchestrator.start_tool_execution('0198c5a0-0000-7000-8000-0000000000a1', 'bash') IS NOT NULL;
SELECT gate_status FROM orchestrator.resume_run('t1');
-- A run that waits for a human cannot become complete, also if it is not on hold.
SELECT phase FROM orchestrator.record_run_progress('t1', 'testing');
SELECT orchestrator.request_review('t1', 'gate_override', 'may it pass?', request_key => 'k3') AS review \gset
SELECT orchestrator.request_review('t1', 'gate_override', 'may it pass?', request_key => 'k3') = :'review' AS same;
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t1'', ''gate_override'', ''may it pass?'', 0.5, request_key => ''k3'')');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t1'', ''safety'', ''other'', context => ''{"a": 1}'', request_key => ''k3'')');
SELECT gate_status FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t1'', ''complete'')');
SELECT pg_temp.refusal('SELECT orchestrator.resume_run(''t1'')');
SELECT status FROM orchestrator.resolve_review(:'review', 'approved', 'ada');
SELECT phase FROM orchestrator.record_run_progress('t1', 'complete');
-- A run that has ended takes no questions, but its usage.
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, ''dev'', ''manual'', ''late?'', thread_id => ''t1'')', :'project'));
SELECT pg_temp.refusal('SELECT orchestrator.save_run_state(''t1'', ''{}'')');
SELECT orchestrator.request_review('t1', 'gate_override', 'may it pass?', request_key => 'k3') = :'review' AS same;
SELECT orchestrator.record_token_usage('m', 1, 1, thread_id => 't1') IS NOT NULL;
SELECT orchestrator.request_approval('0198c5a0-0000-7000-8000-0000000000a1', 'boss') IS NOT NULL;
SELECT requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
-- A pause outlasts the answers.
SELECT run_id AS run FROM orchestrator.ensure_run('t2', :'project', 'S-2') \gset
SELECT gate_status, held_by = current_user AS by_me, hold_reason FROM orchestrator.pause_run('t2', 'lunch');
SELECT gate_status, hold_reason FROM orchestrator.pause_run('t2', 'a long lunch');
SELECT orchestrator.open_gate(:'project', 'dev', 'manual', 'which?', thread_id => 't2') AS gate \gset
SELECT kind, status FROM orchestrator.decide(:'gate', 'deny', 'ada', 'neither');
SELECT gate_status, requires_human_review, hold_reason FROM orchestrator.orchestrator_runs WHERE thread_id = 't2';
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', ''development'')');
SELECT gate_status, held_by, hold_reason FROM orchestrator.resume_run('t2');
SELECT gate_status, held_by, hold_reason FROM orchestrator.pause_run('t2', 'once more') \gset
SELECT gate_status, phase, held_by FROM orchestrator.kill_run('t2', 'enough');
SELECT pg_temp.refusal('INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id, held_by) VALUES (''t'', gen_random_uuid(), ''S'', ''ada'')');
SELECT pg_temp.refusal('INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id, gate_status, held_by, hold_reason) VALUES (''t'', gen_random_uuid(), ''S'', ''go'', ''ada'', ''x'')');
SELECT pg_temp.refusal('INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id, state) VALUES (''t'', gen_random_uuid(), ''S'', ''[]'')');
-- The work of a killed run is refused.
INSERT INTO orchestrator.tasks (id, title, task_type, thread_id) VALUES ('0198c5a0-0000-7000-8000-0000000000a2', 'code', 'build', 't2');
SELECT pg_temp.refusal('SELECT orchestrator.start_tool_execution(''0198c5a0-0000-7000-8000-0000000000a2'', ''bash'')');
SELECT pg_temp.refusal('INSERT INTO orchestrator.tasks (title, task_type, thread_id) VALUES (''x'', ''build'', ''t9'')');
-- A hold without a question, made by hand.
SELECT orchestrator.start_run('t3', :'project', 'S-3') IS NOT NULL;
UPDATE orchestrator.orchestrator_runs SET gate_status = 'hold' WHERE thread_id = 't3';
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t3'', ''development'')');
SELECT phase FROM orchestrator.record_run_progress('t3', 'failed', error => 'given up');
-- Keys: other content, blank, too long.
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, ''qa'', ''manual'', ''x'', ''{"a": 1}'', ''k1'')', :'project'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, ''qa'', ''manual'', ''x'', request_key => '' '')', :'project'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, ''qa'', ''manual'', ''x'', request_key => repeat(''k'', 501))', :'project'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, ''qa'', ''manual'', ''x'', thread_id => ''t9'')', :'project'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, ''qa'', ''manual'', ''x'', thread_id => '''')', :'project'));
SELECT pg_temp.refusal('INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, request_key) VALUES (gen_random_uuid(), ''a'', ''manual'', ''r'', ''k1'')');
-- A renamed run keeps its tasks, gates and trail; a resolved gate changes in nothing else.
UPDATE orchestrator.orchestrator_runs SET thread_id = 't1, renamed' WHERE thread_id = 't1';
SELECT DISTINCT thread_id FROM orchestrator.gates WHERE thread_id LIKE 't1%';
SELECT thread_id FROM orchestrator.tasks WHERE thread_id LIKE 't1%';
SELECT pg_temp.refusal(format('UPDATE orchestrator.gates SET thread_id = NULL WHERE id = %L', :'one'));
SELECT event_type, metadata - 'session_user' - 'role' - 'gate_id' - 'review_id' - 'approval_id' - 'project_id' - 'execution_id' - 'task_id' FROM orchestrator.run_trail('t1, renamed');
SELECT count(*) FROM orchestrator.run_trail('t9');
SELECT pg_temp.refusal('SELECT orchestrator.run_trail('' '')');
SELECT pg_temp.refusal('SELECT orchestrator.run_trail(NULL)');
SELECT * FROM orchestrator.verify();
