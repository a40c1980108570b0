\i head.sql
-- Knowledge that is embedded outside a transaction, fails, is given up, and is embedded again by a new model.
SELECT orchestrator.stage_knowledge('collaboration', 'lesson ' || n) IS NOT NULL FROM generate_series(1, 4) AS n;
UPDATE orchestrator.knowledge_staging SET created_at = created_at - interval '1 hour' * (10 - right(content, 1)::integer);
CREATE FUNCTION pg_temp.ids(contents text[]) RETURNS uuid[] LANGUAGE sql AS $$ SELECT array_agg(k.id) FROM orchestrator.knowledge_staging AS k WHERE k.content = ANY (contents) $$;
CREATE VIEW pg_temp.states AS SELECT k.content, k.attempts, k.last_error, k.retry_at > now() AS waits, k.given_up_at IS NOT NULL AS given_up, k.embedding_model, k.claimed_by, k.lease_expires_at > now() AS leased, k.embedded
FROM orchestrator.knowledge_staging AS k ORDER BY k.content;
-- A lease: others get the rest. Without a name the role is the worker.
SELECT content FROM orchestrator.claim_knowledge(2, 'embedder 1', '1 hour');
SELECT content FROM orchestrator.claim_knowledge(1, lease => '1 hour');
SELECT content FROM orchestrator.claim_knowledge();
SELECT * FROM pg_temp.states;
-- A failure waits; a mark ends the claim.
SELECT orchestrator.fail_knowledge(pg_temp.ids('{lesson 1}'), 'the model refuses the text');
SELECT orchestrator.mark_knowledge_embedded(pg_temp.ids('{lesson 2}'), 'model-1');
SELECT content FROM orchestrator.claim_knowledge();
-- A lease that has ended counts as an attempt. Its entry is claimed alone, because it may stop its embedder again.
UPDATE orchestrator.knowledge_staging SET lease_expires_at = now() - interval '1 s' WHERE claimed_by = current_user;
SELECT content FROM orchestrator.claim_knowledge(10, 'embedder 2', '1 hour');
SELECT content FROM orchestrator.claim_knowledge(10, 'embedder 2', '1 hour');
SELECT * FROM pg_temp.states;
-- After the configured number of attempts it is given up: a failure, and a lease that ended without a result.
SELECT key FROM orchestrator.set_configuration('knowledge_max_attempts', '2', 'integer');
SELECT orchestrator.fail_knowledge(pg_temp.ids('{lesson 1,lesson 2,lesson 4}'), 'the model refuses the text', '0');
UPDATE orchestrator.knowledge_staging SET lease_expires_at = now() - interval '1 s' WHERE content = 'lesson 3';
SELECT content FROM orchestrator.claim_knowledge();
SELECT content, attempts, last_error FROM orchestrator.knowledge_staging WHERE NOT embedded AND given_up_at IS NOT NULL ORDER BY content;
SELECT event_type, metadata ->> 'error' AS error, jsonb_array_length(metadata -> 'knowledge_ids') AS entries FROM orchestrator.audit_events WHERE event_type = 'knowledge_given_up' ORDER BY id;
SELECT orchestrator.fail_knowledge(pg_temp.ids('{lesson 1,lesson 2}'), 'given up and embedded entries stay as they are');
-- A worker whose claim another one has taken over fails nothing.
SELECT orchestrator.restage_knowledge('model-1', given_up_only => true);
SELECT content FROM orchestrator.claim_knowledge(1, 'embedder 3', '1 hour');
SELECT orchestrator.fail_knowledge(pg_temp.ids('{lesson 1}'), 'too late', worker => 'embedder 1');
SELECT orchestrator.fail_knowledge(pg_temp.ids('{lesson 1}'), 'the model refuses the text', '0', 'embedder 3');
SELECT * FROM pg_temp.states;
-- A new model: what another model embedded, and what was given up, waits again.
SELECT orchestrator.restage_knowledge('model-1');
SELECT orchestrator.mark_knowledge_embedded(pg_temp.ids('{lesson 1}'), 'model-2');
SELECT orchestrator.restage_knowledge('model-2');
SELECT * FROM pg_temp.states;
-- Refused.
SELECT pg_temp.refusal(call) FROM unnest(ARRAY[
    $$SELECT orchestrator.claim_knowledge(0)$$, $$SELECT orchestrator.claim_knowledge(1, ' ', '1 hour')$$, $$SELECT orchestrator.claim_knowledge(1, 'w', '0')$$, $$SELECT orchestrator.claim_knowledge(1, 'w', '-1 hour')$$,
    $$SELECT orchestrator.fail_knowledge(NULL, 'e')$$, $$SELECT orchestrator.fail_knowledge(ARRAY[NULL]::uuid[], 'e')$$, $$SELECT orchestrator.fail_knowledge('{}', ' ')$$, $$SELECT orchestrator.fail_knowledge('{}', 'e', '-1 s')$$,
    $$SELECT orchestrator.fail_knowledge('{}', 'e', worker => ' ')$$,
    $$SELECT orchestrator.fail_knowledge('{0198c5a0-0000-7000-8000-000000000001}', 'e')$$, $$SELECT orchestrator.mark_knowledge_embedded('{}', ' ')$$,
    $$SELECT orchestrator.restage_knowledge(NULL)$$, $$SELECT orchestrator.restage_knowledge('')$$]) AS call;
SELECT key FROM orchestrator.set_configuration('knowledge_max_attempts', '0', 'integer');
SELECT pg_temp.refusal($$SELECT orchestrator.claim_knowledge()$$);
SELECT split_part(pg_temp.refusal(call), E'\n', 1) FROM unnest(ARRAY[
    $$UPDATE orchestrator.knowledge_staging SET attempts = -1$$, $$UPDATE orchestrator.knowledge_staging SET claimed_by = 'w'$$, $$UPDATE orchestrator.knowledge_staging SET embedding_model = ' '$$]) AS call;
