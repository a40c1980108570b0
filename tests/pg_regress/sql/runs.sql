\i head.sql
\pset null '·'
\set project '0198c5a0-0000-7000-8000-000000000001'
-- A run starts, works and ends; its tokens and costs are added up.
SELECT orchestrator.start_run('t1', :'project', 'S-1') AS run \gset
SELECT thread_id, project_id = :'project', story_id, phase, current_agent, gate_status, safety_score, violations, requires_human_review, tokens_used, cost_usd, completed_at, files_created, error FROM orchestrator.orchestrator_runs WHERE id = :'run';
SELECT phase, current_agent, tokens_used, cost_usd, files_created FROM orchestrator.record_run_progress('t1', 'development', 'dev', 1200, 0.0345, '{src/a.rs}');
SELECT phase, current_agent, tokens_used, cost_usd, files_created, error FROM orchestrator.record_run_progress(thread_id => 't1', tokens => 34, cost => 0.00000000014, files => '{"src/a b.rs",src/a.rs}', error => 'a warning');
SELECT phase, current_agent, tokens_used, error FROM orchestrator.record_run_progress('t1');
SELECT phase, current_agent FROM orchestrator.record_run_progress('t1', 'testing', 'qa');
SELECT phase, current_agent FROM orchestrator.record_run_progress('t1', 'development', 'dev', error => 'a test failed');
SELECT phase FROM orchestrator.record_run_progress('t1', 'testing');
SELECT phase, completed_at = now(), tokens_used, cost_usd, error FROM orchestrator.record_run_progress('t1', 'complete');
SELECT event_type, role, metadata - 'session_user' - 'role' FROM orchestrator.audit_events WHERE trace_id = :'run' ORDER BY id;
-- One run per thread.
SELECT pg_temp.refusal(format('SELECT orchestrator.start_run(%L, %L, %L)', 't1', :'project', 'S-1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.start_run(%L, %L, %L)', ' ', :'project', 'S-1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.start_run(%L, %L, %L)', repeat('字', 501), :'project', 'S-1'));
SELECT pg_temp.refusal(format('SELECT orchestrator.start_run(%L, %L, %L)', 't', :'project', E'\n'));
SELECT pg_temp.refusal(format('SELECT orchestrator.start_run(NULL, %L, %L)', :'project', 'S-1'));
SELECT pg_temp.refusal('SELECT orchestrator.start_run(''t'', NULL, ''S-1'')');
SELECT pg_temp.refusal(format('SELECT orchestrator.start_run(%L, %L, NULL)', 't', :'project'));
-- A run in an end state stays there.
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t1'', tokens => 1)');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t1'', ''complete'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t1'', 1)');
SELECT pg_temp.refusal('SELECT orchestrator.pause_run(''t1'', ''why not'')');
SELECT pg_temp.refusal('SELECT orchestrator.resume_run(''t1'')');
SELECT pg_temp.refusal('SELECT orchestrator.kill_run(''t1'', ''why not'')');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t1'', ''safety'', ''why not'')');
SELECT pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET phase = ''planning'' WHERE thread_id = ''t1''');
SELECT count(*) FROM orchestrator.audit_events WHERE trace_id = :'run';
-- Refused calls, and the run is unchanged.
SELECT orchestrator.start_run('t2', :'project', 'S-2') AS run \gset
SELECT tokens_used, cost_usd FROM orchestrator.record_run_progress('t2', tokens => 9223372036854775806, cost => 99999999.9999999998);
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', ''testing'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', ''banana'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', current_agent => '' '')');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', tokens => -1)');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', tokens => 2)');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', cost => -0.01)');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', cost => 0.00000000015)');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', cost => 100000000)');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', cost => 1e100000)');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', cost => ''NaN'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', cost => ''infinity'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t2'', files => ''{a,NULL}'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(''t9'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_run_progress(NULL)');
SELECT phase, current_agent, tokens_used, cost_usd, files_created FROM orchestrator.record_run_progress('t2', tokens => 1, cost => 0.0000000001);
SELECT count(*) FROM orchestrator.audit_events WHERE trace_id = :'run';
-- Pausing and resuming. The trail has the reason.
SELECT orchestrator.start_run('t3', :'project', 'S-3') AS run \gset
SELECT gate_status, phase FROM orchestrator.pause_run('t3', 'lunch');
SELECT gate_status, phase FROM orchestrator.pause_run('t3', 'a long lunch');
SELECT gate_status FROM orchestrator.record_run_progress('t3', tokens => 5);
SELECT gate_status FROM orchestrator.resume_run('t3');
SELECT gate_status FROM orchestrator.resume_run('t3');
SELECT pg_temp.refusal('SELECT orchestrator.pause_run(''t3'', '' '')');
SELECT pg_temp.refusal('SELECT orchestrator.pause_run(''t3'', NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.pause_run(NULL, ''x'')');
SELECT pg_temp.refusal('SELECT orchestrator.pause_run(''t9'', ''x'')');
SELECT pg_temp.refusal('SELECT orchestrator.resume_run(''t9'')');
SELECT pg_temp.refusal('SELECT orchestrator.resume_run(NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.kill_run(''t3'', '''')');
SELECT pg_temp.refusal('SELECT orchestrator.kill_run(''t3'', NULL)');
SELECT gate_status, phase, error, completed_at = now() FROM orchestrator.kill_run('t3', 'out of money');
SELECT pg_temp.refusal('SELECT orchestrator.kill_run(''t3'', ''again'')');
SELECT event_type, metadata - 'session_user' - 'role' - 'thread_id' - 'paused_by' FROM orchestrator.audit_events WHERE trace_id = :'run' ORDER BY id;
-- Scores. A score at the threshold passes; the lowest score is kept; at most one safety review is open, and it gets lower scores.
SELECT orchestrator.start_run('t4', :'project', 'S-4') AS run \gset
SELECT safety_score, gate_status, requires_human_review, violations FROM orchestrator.record_safety('t4', 0.85);
SELECT safety_score, gate_status, requires_human_review, violations FROM orchestrator.record_safety('t4', 0.849, '{"writes outside"}');
SELECT review_type, reason, safety_score, context, status FROM orchestrator.human_review_queue WHERE thread_id = 't4';
SELECT safety_score, gate_status, requires_human_review FROM orchestrator.record_safety('t4', 0.70);
SELECT safety_score, gate_status, requires_human_review FROM orchestrator.record_safety('t4', 0.6999999, '{"rm -rf","rm -rf"}');
SELECT safety_score, gate_status, requires_human_review, violations FROM orchestrator.record_safety('t4', 1);
SELECT safety_score, gate_status FROM orchestrator.record_safety('t4', 0.8, '{"milder"}');
SELECT review_type, reason, safety_score, context, status FROM orchestrator.human_review_queue WHERE thread_id = 't4';
SELECT asks FROM orchestrator.pending_decisions WHERE thread_id = 't4';
-- A review that a caller requested does not count, nor does a resolved one.
SELECT outcome FROM orchestrator.resolve_reviews(ARRAY(SELECT id FROM orchestrator.human_review_queue WHERE thread_id = 't4'), 'approved', 'ada');
SELECT gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't4';
SELECT orchestrator.request_review('t4', 'gate_override', 'please') IS NOT NULL;
SELECT safety_score, gate_status FROM orchestrator.record_safety('t4', 0);
SELECT review_type, reason, safety_score, status FROM orchestrator.human_review_queue WHERE thread_id = 't4' ORDER BY id;
SELECT event_type, metadata - 'session_user' - 'role' - 'thread_id' - 'review_id' FROM orchestrator.audit_events WHERE trace_id = :'run' ORDER BY id;
-- Keys that others wrote are kept; the score is the lowest.
SELECT orchestrator.start_run('t6', :'project', 'S-6') IS NOT NULL;
SELECT orchestrator.request_review('t6', 'safety', 'safety score of the vendor', 0.9, '{"threshold": 1}') IS NOT NULL;
SELECT gate_status FROM orchestrator.record_safety('t6', 0.2, '{"deletes production"}');
SELECT reason, safety_score, context FROM orchestrator.human_review_queue WHERE thread_id = 't6';
-- Scores are compared to the last digit.
SELECT orchestrator.start_run('t7', :'project', 'S-7') IS NOT NULL;
SELECT safety_score, requires_human_review FROM orchestrator.record_safety('t7', 0.8500000000000000000000000000);
SELECT safety_score, gate_status, requires_human_review FROM orchestrator.record_safety('t7', 0.8499999999999999999999999999);
SELECT safety_score, gate_status FROM orchestrator.record_safety('t7', 0.6999999999999999999999999999999999);
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t7'', 1.00000000000000000000000001)');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t7'', -0.00000000000000000000000001)');
-- Thresholds are configured.
SELECT orchestrator.start_run('t5', :'project', 'S-5') IS NOT NULL;
SELECT key FROM orchestrator.set_configuration('safety_block_below', '0.5', 'float');
SELECT key FROM orchestrator.set_configuration('safety_review_below', ' 0.6 ');
SELECT gate_status, requires_human_review FROM orchestrator.record_safety('t5', 0.6);
SELECT gate_status, requires_human_review FROM orchestrator.record_safety('t5', 0.59);
SELECT gate_status, requires_human_review FROM orchestrator.record_safety('t5', 0.49);
SELECT key FROM orchestrator.set_configuration('safety_block_below', 'low', 'string', is_secret => true);
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t5'', 0.1)');
SELECT key FROM orchestrator.set_configuration('safety_block_below', '70', 'integer');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t5'', 0.1)');
DELETE FROM orchestrator.configurations;
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t5'', 1.01)');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t5'', -0.01)');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t5'', ''NaN'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t5'', ''-infinity'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t5'', NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t5'', 0.1, ''{NULL}'')');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(NULL, 0.1)');
SELECT pg_temp.refusal('SELECT orchestrator.record_safety(''t9'', 0.1)');
SELECT safety_score FROM orchestrator.orchestrator_runs WHERE thread_id = 't5';
-- Rows written without the functions must satisfy triggers and CHECKs.
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET phase = ''banana'' WHERE thread_id = ''t5'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET gate_status = ''nope'' WHERE thread_id = ''t5'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET safety_score = 9.50 WHERE thread_id = ''t5'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET safety_score = ''NaN'' WHERE thread_id = ''t5'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET tokens_used = -1 WHERE thread_id = ''t5'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET cost_usd = ''NaN'' WHERE thread_id = ''t5'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET violations = ''{NULL}'' WHERE thread_id = ''t5'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET phase = ''complete'' WHERE thread_id = ''t5'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET gate_status = ''go'' WHERE thread_id = ''t3'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('DELETE FROM orchestrator.orchestrator_runs WHERE thread_id = ''t4'''), E'\n', 1);
-- The summary: the phase of each run, the number of events of its thread, and of its pending reviews.
SELECT orchestrator.record_event('artifact_stored', 'dev', orchestrator.uuidv7(), '{"thread_id": "t5", "bytes": 7}') IS NOT NULL;
SELECT orchestrator.record_event('artifact_stored', 'dev', orchestrator.uuidv7(), jsonb_build_object('thread_id', repeat('字', 5000))) IS NOT NULL;
SELECT orchestrator.record_event('artifact_stored', 'dev', orchestrator.uuidv7(), '{"thread": "t5"}') IS NOT NULL;
SELECT thread_id, phase, current_agent, safety_score, gate_status, tokens_used, cost_usd, actions, pending_reviews, story_id, completed_at IS NOT NULL, error, pending_gates, pending_approvals, held_by FROM orchestrator.run_summary ORDER BY thread_id;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT actions, pending_reviews FROM orchestrator.run_summary WHERE thread_id = 't5';
RESET enable_seqscan;
SELECT * FROM orchestrator.verify();
