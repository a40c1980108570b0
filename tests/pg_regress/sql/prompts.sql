\i head.sql
-- A prompt is published, activated, corrected by a new version, and activated again in its old version.
SELECT orchestrator.next_prompt_version('writer'), orchestrator.next_prompt_version('writer', 'major');
SELECT orchestrator.publish_prompt('writer', '1.0.0', 'Write.', 'ada', 'the first') IS NOT NULL;
SELECT pg_temp.refusal($$SELECT orchestrator.active_prompt('writer')$$);
SELECT version, is_active, created_by, notes FROM orchestrator.activate_prompt('writer', '1.0.0');
SELECT orchestrator.active_prompt('writer');
SELECT orchestrator.publish_prompt('writer', orchestrator.next_prompt_version('writer'), 'Write well.', activate => true) IS NOT NULL;
SELECT orchestrator.active_prompt('writer');
SELECT version FROM orchestrator.activate_prompt('writer', '1.0.0');
SELECT version FROM orchestrator.activate_prompt(agent_type => 'writer', version => '1.0.0');
SELECT orchestrator.active_prompt('writer');
-- The highest version is the one with the highest numbers, not the active or the last one.
SELECT orchestrator.publish_prompt('writer', version, 'Text of ' || version) IS NOT NULL FROM unnest(ARRAY['1.10.0', '1.9.0', '1.9.11', '0.99.99']) AS version;
SELECT agent_type, version, is_active, created_by, notes, prompt_text FROM orchestrator.prompt_history;
SELECT bump, orchestrator.next_prompt_version('writer', bump) FROM unnest(ARRAY['major', 'minor', 'patch']) AS bump;
SELECT orchestrator.compare_versions('1.10.0', '1.9.0'), orchestrator.compare_versions('1.9.0', '1.10.0'), orchestrator.compare_versions(a => '4294967295.0.0', b => '4294967295.0.0');
-- Agent types do not mix.
SELECT orchestrator.publish_prompt('reader', '3.0.4294967295', 'Read.', activate => true) IS NOT NULL;
SELECT agent_type, version FROM orchestrator.prompts WHERE is_active ORDER BY agent_type;
SELECT pg_temp.refusal($$SELECT orchestrator.next_prompt_version('reader')$$);
SELECT orchestrator.next_prompt_version('reader', 'minor');
-- A published prompt cannot be changed, except its author and its notes.
SELECT pg_temp.refusal($$SELECT orchestrator.publish_prompt('writer', '1.0.0', 'Write.', 'ada')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.publish_prompt('writer', '1.9.0', 'Other text', activate => true)$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.prompts SET prompt_text = 'Other text' WHERE version = '1.9.0'$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.prompts SET version = '9.9.9' WHERE version = '1.9.0'$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.prompts SET agent_type = 'editor' WHERE version = '1.9.0'$$);
SELECT pg_temp.refusal($$UPDATE orchestrator.prompts SET created_at = now() + interval '1 s' WHERE version = '1.9.0'$$);
UPDATE orchestrator.prompts SET notes = 'too short', created_by = 'eve', prompt_text = prompt_text || '' WHERE agent_type = 'writer' AND version = '1.9.0' RETURNING version, created_by, notes;
-- No statement can make two prompts active.
SELECT split_part(pg_temp.refusal($$UPDATE orchestrator.prompts SET is_active = true WHERE version = '1.9.0'$$), E'\n', 1);
SELECT split_part(pg_temp.refusal($$INSERT INTO orchestrator.prompts (agent_type, version, prompt_text, is_active) VALUES ('writer', '5.0.0', 'x', true)$$), E'\n', 1);
-- Refused versions.
SELECT pg_temp.refusal(format('SELECT orchestrator.publish_prompt(%L, %L, %L)', 'writer', version, 'x'))
FROM unnest(ARRAY['', '1', '1.2', '1.2.3.4', '01.2.3', '1.2.03', 'v1.2.3', '1.2.3-beta', '1.2.3+7', '1.2.x', '-1.2.3', ' 1.2.3', '1.2.4294967296', '99999999999999999999999.0.0']) AS version;
SELECT split_part(pg_temp.refusal(format('INSERT INTO orchestrator.prompts (agent_type, version, prompt_text) VALUES (%L, %L, %L)', 'writer', version, 'x')), E'\n', 1)
FROM unnest(ARRAY['1.2', '1.02.3', '1.2.3-beta', '1.2.4294967296', E'1.2.3\n']) AS version;
SELECT pg_temp.refusal($$SELECT orchestrator.compare_versions('1.0.0', 'newest')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.compare_versions(NULL, '1.0.0')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.compare_versions('1.0.0', NULL)$$);
-- Other refusals.
SELECT pg_temp.refusal($$SELECT orchestrator.activate_prompt('writer', '7.0.0')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.activate_prompt('nobody', '1.0.0')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.activate_prompt(NULL, '1.0.0')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.activate_prompt('writer', NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.activate_prompt('writer', 'newest')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.active_prompt('nobody')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.active_prompt(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.next_prompt_version('writer', 'huge')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.next_prompt_version(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.publish_prompt(NULL, '1.0.0', 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.publish_prompt(' ', '1.0.0', 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.publish_prompt(repeat('w', 501), '1.0.0', 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.publish_prompt('writer', NULL, 'x')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.publish_prompt('writer', '7.0.0', NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.publish_prompt('writer', '7.0.0', ' ')$$);
SELECT version, is_active FROM orchestrator.prompt_history WHERE agent_type = 'writer';
SELECT * FROM orchestrator.verify();
