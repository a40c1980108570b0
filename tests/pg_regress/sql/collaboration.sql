\i head.sql
-- One agent asks another, and gets two answers; then it asks a third one.
SELECT orchestrator.request_collaboration('security_review', 'backend_developer', 'security_expert', 'Is the login safe as it is?', '{"file": "login.rs"}', 'high') AS talk \gset
SELECT question, urgency, requests, outcomes, best_confidence, tokens_used, last_answer_at IS NULL, status FROM orchestrator.collaboration_status;
SELECT orchestrator.answer_collaboration(:'talk', 'security_expert', 'I am not sure.', 0.25) IS NOT NULL;
SELECT orchestrator.answer_collaboration(:'talk', 'security_expert', 'No: the salt is missing.', 0.9, 120) IS NOT NULL;
SELECT requests, outcomes, best_confidence, tokens_used, status FROM orchestrator.collaboration_status;
SELECT orchestrator.request_collaboration('infrastructure', 'backend_developer', 'devops_engineer', 'Where does the salt live?', collaboration_id => :'talk') = :'talk';
SELECT question, specialist_agent, requests, outcomes, status FROM orchestrator.collaboration_status;
SELECT orchestrator.answer_collaboration(collaboration_id => :'talk', specialist_agent => 'devops_engineer', response => 'In the vault.', confidence => 1, tokens_used => 0) IS NOT NULL;
SELECT requests, outcomes, best_confidence, tokens_used, opened_at < last_request_at, last_request_at < last_answer_at, status FROM orchestrator.collaboration_status;
SELECT request_type, specialist_agent, urgency, context FROM orchestrator.collaboration_requests ORDER BY created_at;
-- Other collaborations stay separate.
SELECT orchestrator.request_collaboration('requirements', 'a', 'b', '0123456789') IS NOT NULL;
SELECT orchestrator.request_collaboration('model_data', 'a', 'b', repeat('ü', 2000), collaboration_id => '0198c5a1-0000-7000-8000-000000000001');
SELECT left(question, 10), requests, outcomes, status FROM orchestrator.collaboration_status ORDER BY opened_at;
-- Refused requests.
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('gossip', 'a', 'b', 'a long question')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', 'a', 'a', 'a long question')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', 'a', 'b', 'too short')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', 'a', 'b', repeat('ü', 2001))$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', 'a', 'b', repeat(' ', 20))$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', ' ', 'b', 'a long question')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', 'a', repeat('b', 501), 'a long question')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', 'a', 'b', 'a long question', '"text"')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', 'a', 'b', 'a long question', urgency => 'normal')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration(NULL, 'a', 'b', 'a long question')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', NULL, 'b', 'a long question')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', 'a', NULL, 'a long question')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.request_collaboration('model_data', 'a', 'b', NULL)$$);
-- Refused answers.
SELECT pg_temp.refusal($$SELECT orchestrator.answer_collaboration(orchestrator.uuidv7(), 'b', 'x', 1)$$);
SELECT pg_temp.refusal(format('SELECT orchestrator.answer_collaboration(%L, %L, %L, %s)', :'talk', 'b', 'x', confidence)) FROM unnest(ARRAY['1.0000001', '-0.1', '''NaN''', '''Infinity''', 'NULL']) AS confidence;
SELECT pg_temp.refusal(format('SELECT orchestrator.answer_collaboration(%L, %L, %L, 1, -1)', :'talk', 'b', 'x'));
SELECT pg_temp.refusal(format('SELECT orchestrator.answer_collaboration(%L, %L, %L, 1)', :'talk', 'b', ' '));
SELECT pg_temp.refusal(format('SELECT orchestrator.answer_collaboration(%L, %L, %L, 1)', :'talk', '', 'x'));
SELECT pg_temp.refusal(format('SELECT orchestrator.answer_collaboration(%L, NULL, %L, 1)', :'talk', 'x'));
SELECT pg_temp.refusal(format('SELECT orchestrator.answer_collaboration(%L, %L, NULL, 1)', :'talk', 'x'));
SELECT pg_temp.refusal($$SELECT orchestrator.answer_collaboration(NULL, 'b', 'x', 1)$$);
SELECT count(*) FROM orchestrator.collaboration_requests;
SELECT count(*) FROM orchestrator.collaboration_outcomes;
-- Rows written without the functions must satisfy the CHECKs; verify() reports an answer without a request.
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.collaboration_requests SET urgency = 'normal'$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.collaboration_requests SET question = 'short'$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.collaboration_requests SET specialist_agent = requesting_agent$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.collaboration_outcomes SET confidence = 'NaN'$$), E'\n', 1);
INSERT INTO orchestrator.collaboration_outcomes (id, collaboration_id, specialist_agent, response, confidence)
VALUES ('0198c5a1-0000-7000-8000-00000000000e', orchestrator.uuidv7(), 'b', 'to whom?', 1);
SELECT object, kind, problem, expected, actual, hint FROM orchestrator.verify();
SELECT format('SELECT specialist_agent, response FROM (%s) AS found', rtrim(hint, ';')) FROM orchestrator.verify() \gexec
DELETE FROM orchestrator.collaboration_outcomes WHERE response = 'to whom?';
SELECT * FROM orchestrator.verify();
