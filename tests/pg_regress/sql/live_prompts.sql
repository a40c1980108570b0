\i head.sql
-- Which version of a prompt is live when, for whom, and who made it so.
CREATE FUNCTION pg_temp.history() RETURNS TABLE (label text, version text, weight integer, activated_by text) LANGUAGE sql AS $$
    SELECT a.label, p.version, a.weight, a.activated_by FROM orchestrator.prompt_activations AS a LEFT JOIN orchestrator.prompts AS p ON p.id = a.prompt_id
    ORDER BY a.activated_at $$;
SELECT orchestrator.publish_prompt('coder', '1.0.0', E'You write Rust.\nBe brief.', 'ada', activate => true) IS NOT NULL;
SELECT orchestrator.publish_prompt('coder', '1.1.0', E'You write Rust.\nBe kind.\nAsk.', 'ada') IS NOT NULL;
-- The same text under another number.
SELECT orchestrator.publish_prompt('coder', '1.2.0', E'You write Rust.\nBe kind.\nAsk.', 'ada') IS NOT NULL;
SELECT version, text_sha256 = sha256(convert_to(prompt_text, 'UTF8')) FROM orchestrator.prompts ORDER BY version;
SELECT * FROM orchestrator.prompt_diff('coder', '1.0.0', '1.1.0');
SELECT * FROM orchestrator.prompt_diff('coder', '1.1.0', '1.2.0');
-- A label of its own.
SELECT version, is_active FROM orchestrator.activate_prompt('coder', '1.1.0', 'staging', activated_by => 'bob');
SELECT orchestrator.active_prompt('coder', 'staging'), orchestrator.active_prompt('coder');
-- A split: a tenth of the keys, the same ones each time. Without a key the greatest share is taken.
SELECT version, is_active FROM orchestrator.activate_prompt('coder', '1.1.0', weight => 10);
CREATE FUNCTION pg_temp.moved() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM generate_series(1, 1000) AS n WHERE orchestrator.active_prompt('coder', key => 'session ' || n) LIKE '%Ask.' $$;
SELECT pg_temp.moved(), pg_temp.moved();
SELECT orchestrator.active_prompt('coder');
SELECT version, is_active FROM orchestrator.activate_prompt('coder', '1.1.0', weight => 50);
SELECT pg_temp.moved();
-- Out of the split, and back to an older version for all.
SELECT version, is_active FROM orchestrator.activate_prompt('coder', '1.1.0', weight => 0);
SELECT pg_temp.moved();
SELECT version, is_active FROM orchestrator.activate_prompt('coder', '1.1.0');
SELECT version, is_active FROM orchestrator.activate_prompt('coder', '1.0.0', activated_by => 'carol');
SELECT version, is_active FROM orchestrator.prompts ORDER BY version;
SELECT * FROM pg_temp.history();
-- As it was before.
SELECT a.weight, orchestrator.active_prompt('coder', at => a.activated_at) FROM orchestrator.prompt_activations AS a WHERE a.label = 'production' ORDER BY a.activated_at;
SELECT pg_temp.refusal($$SELECT orchestrator.active_prompt('coder', at => '2020-01-01')$$);
-- Plain statements enter the history.
UPDATE orchestrator.prompts SET is_active = false WHERE is_active;
SELECT pg_temp.refusal($$SELECT orchestrator.active_prompt('coder')$$);
UPDATE orchestrator.prompts SET is_active = true WHERE version = '1.2.0';
INSERT INTO orchestrator.prompt_activations (agent_type, prompt_id, activated_by) SELECT 'coder', p.id, 'dan' FROM orchestrator.prompts AS p WHERE p.version = '1.1.0';
INSERT INTO orchestrator.prompt_activations (agent_type, activated_by) VALUES ('coder', 'nobody is live');
SELECT version, is_active FROM orchestrator.prompts ORDER BY version;
SELECT h.version, h.activated_by FROM pg_temp.history() AS h OFFSET 7;
-- Refused.
SELECT pg_temp.refusal(call) FROM unnest(ARRAY[
    $$DELETE FROM orchestrator.prompts$$, $$TRUNCATE orchestrator.prompts CASCADE$$,
    $$UPDATE orchestrator.prompt_activations SET weight = 1$$, $$DELETE FROM orchestrator.prompt_activations$$, $$TRUNCATE orchestrator.prompt_activations$$,
    $$SELECT orchestrator.activate_prompt('coder', '9.0.0')$$, $$SELECT orchestrator.activate_prompt('coder', '1.0')$$, $$SELECT orchestrator.activate_prompt(NULL, '1.0.0')$$,
    $$SELECT orchestrator.activate_prompt('coder', '1.0.0', weight => 101)$$, $$SELECT orchestrator.activate_prompt('coder', '1.0.0', weight => -1)$$,
    $$SELECT orchestrator.activate_prompt('coder', '1.0.0', ' ')$$, $$SELECT orchestrator.activate_prompt('coder', '1.0.0', activated_by => '')$$,
    $$SELECT orchestrator.active_prompt('coder', 'canary')$$, $$SELECT orchestrator.active_prompt('coder', '')$$, $$SELECT orchestrator.active_prompt(NULL)$$, $$SELECT orchestrator.active_prompt('coder', at => 'infinity')$$,
    $$SELECT orchestrator.prompt_diff('coder', '1.0.0', '9.0.0')$$, $$SELECT orchestrator.prompt_diff('coder', NULL, '1.0.0')$$]) AS call;
SELECT orchestrator.publish_prompt('writer', '1.0.0', 'x') AS other \gset
SELECT pg_temp.refusal(format($$INSERT INTO orchestrator.prompt_activations (agent_type, prompt_id) VALUES ('coder', %L)$$, :'other')) = 'x' AS same, split_part(pg_temp.refusal(format($$INSERT INTO orchestrator.prompt_activations (agent_type, prompt_id) VALUES ('coder', %L)$$, :'other')), ' ', 1) AS code;
SELECT split_part(pg_temp.refusal($$INSERT INTO orchestrator.prompt_activations (agent_type, prompt_id, activated_at) SELECT 'coder', p.id, clock_timestamp() + interval '1 day' FROM orchestrator.prompts AS p WHERE p.agent_type = 'coder' AND p.version = '1.0.0'$$), ' ', 1);
-- A rule: an activation needs a decision.
SELECT kind, type, approvals_needed FROM orchestrator.set_decision_rule('gate', 'prompt_activation', requester_may_decide => true);
SET client_min_messages TO warning;
SELECT version, is_active FROM orchestrator.activate_prompt('coder', '1.1.0', activated_by => 'erin');
SELECT orchestrator.publish_prompt('coder', '2.0.0', 'new', 'erin', activate => true) IS NOT NULL;
RESET client_min_messages;
SELECT subject, asks FROM orchestrator.pending_decisions;
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.prompts SET is_active = true WHERE version = '1.0.0'$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$INSERT INTO orchestrator.prompt_activations (agent_type, prompt_id) SELECT agent_type, id FROM orchestrator.prompts WHERE version = '1.2.0'$$), E'\n', 1);
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions WHERE asks LIKE '%1.1.0%'), 'approved', 'frank');
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions WHERE asks LIKE '%2.0.0%'), 'rejected', 'frank', 'not yet');
SELECT version, is_active FROM orchestrator.prompts WHERE agent_type = 'coder' ORDER BY version;
SELECT h.version, h.activated_by FROM pg_temp.history() AS h OFFSET 11;
-- A gate that no function opened.
INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES (orchestrator.uuidv7(), 'a', 'prompt_activation', 'r') RETURNING id AS gate \gset
SELECT split_part(pg_temp.refusal(format($$SELECT orchestrator.resolve_gate(%L, 'approved', 'x')$$, :'gate')), ' ', 1);
SELECT pg_temp.refusal($$SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'prompt_activation', 'r')$$);
SELECT orchestrator.drop_decision_rule('gate', 'prompt_activation');
SELECT version, is_active FROM orchestrator.activate_prompt('coder', '1.0.0');
SELECT * FROM orchestrator.verify();
