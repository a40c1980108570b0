-- Seals over the audit trail: what they cover, what they find, and what a purge leaves.
\i head.sql
\pset null '·'
SELECT count(*) FROM orchestrator.seal_audit_events();
SELECT count(*) FROM orchestrator.audit_head();
SELECT * FROM orchestrator.verify_audit_seals();
SELECT orchestrator.record_event('first', 'r', '0198c5a0-0000-7000-8000-000000000001', '{"a": 1.50, "b": [true, null, {"zz": "x", "y": 2e3}], "": ""}') IS NOT NULL;
SELECT orchestrator.record_event('second', 'r', '0198c5a0-0000-7000-8000-000000000001') IS NOT NULL;
SELECT sequence, events, previous, length(digest), purged_at FROM orchestrator.seal_audit_events();
-- Nothing new, and nothing of the own transaction.
SELECT count(*) FROM orchestrator.seal_audit_events();
BEGIN;
SELECT orchestrator.record_event('third', 'r', '0198c5a0-0000-7000-8000-000000000001') IS NOT NULL;
SELECT count(*) FROM orchestrator.seal_audit_events();
COMMIT;
SELECT sequence, events, previous = (SELECT s.digest FROM orchestrator.audit_seals AS s WHERE s.sequence = 1) AS chained FROM orchestrator.seal_audit_events();
SELECT h.sequence, h.sealed_until = s.sealed_until AND h.digest = s.digest AS is_last FROM orchestrator.audit_head() AS h JOIN orchestrator.audit_seals AS s USING (sequence);
SELECT digest AS head FROM orchestrator.audit_head() \gset
SELECT * FROM orchestrator.verify_audit_seals();
SELECT * FROM orchestrator.verify_audit_seals(2, :'head');
-- Settings change nothing.
SET DateStyle = 'German'; SET TimeZone = 'Asia/Kathmandu'; SET extra_float_digits = -15; SET bytea_output = 'escape';
SELECT * FROM orchestrator.verify_audit_seals();
RESET ALL;
-- Bad arguments.
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.verify_audit_seals(3)$$);
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.verify_audit_seals(0)$$);
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.verify_audit_seals(expected_head => 'short')$$);
SELECT sequence, problem, actual LIKE 'the last seal has %' AS known FROM orchestrator.verify_audit_seals(expected_head => sha256('another'));
-- Seals are written by their function alone.
SELECT pg_temp.refusal($$UPDATE orchestrator.audit_seals SET purged_at = now()$$);
SELECT pg_temp.refusal($$DELETE FROM orchestrator.audit_seals$$);
SELECT pg_temp.refusal($$TRUNCATE orchestrator.audit_seals$$);
SELECT pg_temp.refusal($$SELECT orchestrator.record_event('audit_events_purged', 'r', orchestrator.uuidv7())$$);
-- Every way to change the trail, by a superuser.
CREATE FUNCTION pg_temp.found(VARIADIC changes text[]) RETURNS TABLE (sequence bigint, problem text) LANGUAGE plpgsql AS $$
DECLARE
    change text;
BEGIN
    BEGIN
        ALTER TABLE orchestrator.audit_events DISABLE TRIGGER ALL;
        ALTER TABLE orchestrator.audit_seals DISABLE TRIGGER ALL;
        FOREACH change IN ARRAY changes LOOP
            EXECUTE change;
        END LOOP;
        RAISE EXCEPTION SQLSTATE 'SEALS' USING MESSAGE = (SELECT coalesce(jsonb_agg(v), '[]') FROM orchestrator.verify_audit_seals() AS v)::text;
    EXCEPTION WHEN SQLSTATE 'SEALS' THEN
        RETURN QUERY SELECT (v ->> 'sequence')::bigint, v ->> 'problem' FROM jsonb_array_elements(SQLERRM::jsonb) AS v;
    END;
END
$$;
SELECT * FROM pg_temp.found('SELECT 1');
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_events SET id = orchestrator.uuidv7() WHERE event_type = 'first'$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_events SET event_type = 'First' WHERE event_type = 'first'$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_events SET role = 'other' WHERE event_type = 'third'$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_events SET trace_id = orchestrator.uuidv7() WHERE event_type = 'third'$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_events SET metadata = metadata || '{"a": 1.5}' WHERE event_type = 'first'$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_events SET "timestamp" = "timestamp" - interval '1 microsecond' WHERE event_type = 'first'$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_events SET "timestamp" = "timestamp" + interval '1 day' WHERE event_type = 'first'$$);
SELECT * FROM pg_temp.found($$DELETE FROM orchestrator.audit_events WHERE event_type = 'second'$$);
SELECT * FROM pg_temp.found('TRUNCATE orchestrator.audit_events');
SELECT * FROM pg_temp.found($$INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id) SELECT 'x', 'r', "timestamp", trace_id FROM orchestrator.audit_events WHERE event_type = 'first'$$);
SELECT * FROM pg_temp.found($$WITH gone AS (DELETE FROM orchestrator.audit_events WHERE event_type = 'first' RETURNING *) INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id) SELECT 'x', role, "timestamp", trace_id FROM gone$$);
SELECT * FROM pg_temp.found('ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.decision_cards', 'DROP VIEW orchestrator.decision_cards', 'ALTER TABLE orchestrator.audit_events ALTER COLUMN role TYPE varchar USING upper(role)');
SELECT * FROM pg_temp.found('ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.decision_cards', 'DROP VIEW orchestrator.decision_cards', 'ALTER TABLE orchestrator.audit_events ALTER COLUMN role TYPE varchar');
SELECT * FROM pg_temp.found('UPDATE orchestrator.audit_seals SET sealed_at = sealed_at + interval ''1 second'' WHERE sequence = 1');
SELECT * FROM pg_temp.found('UPDATE orchestrator.audit_seals SET sealed_until = sealed_until + interval ''1 microsecond'' WHERE sequence = 2');
SELECT * FROM pg_temp.found('UPDATE orchestrator.audit_seals SET events = 1 WHERE sequence = 1');
SELECT * FROM pg_temp.found('UPDATE orchestrator.audit_seals SET digest = sha256(''x'') WHERE sequence = 1');
SELECT * FROM pg_temp.found('UPDATE orchestrator.audit_seals SET previous = sha256(''x'') WHERE sequence = 2');
SELECT * FROM pg_temp.found('UPDATE orchestrator.audit_seals SET sequence = 3 WHERE sequence = 2');
SELECT * FROM pg_temp.found('UPDATE orchestrator.audit_seals SET purged_at = now() WHERE sequence = 1');
SELECT * FROM pg_temp.found('DELETE FROM orchestrator.audit_seals WHERE sequence = 1');
-- Whoever makes the whole chain anew is found by the head alone.
BEGIN;
ALTER TABLE orchestrator.audit_events DISABLE TRIGGER ALL;
ALTER TABLE orchestrator.audit_seals DISABLE TRIGGER ALL;
DELETE FROM orchestrator.audit_seals;
DELETE FROM orchestrator.audit_events WHERE event_type = 'first';
SELECT sequence, events FROM orchestrator.seal_audit_events();
SELECT * FROM orchestrator.verify_audit_seals();
SELECT sequence, problem FROM orchestrator.verify_audit_seals(expected_head => :'head');
ROLLBACK;
-- A purge deletes whole seals, marks them, and keeps the pauses that an approval has to find.
INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id) SELECT 'too early', 'r', now() - interval '9 days', orchestrator.uuidv7();
SELECT sequence, problem FROM orchestrator.verify_audit_seals();
SELECT orchestrator.purge_audit_events('2 days');
DROP EXTENSION orchestrator_schema;
CREATE EXTENSION orchestrator_schema;
INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id)
SELECT v.event_type, 'r', now() - v.age, v.trace FROM (VALUES
    ('old', interval '40 days', '0198c5a0-0000-7000-8000-000000000001'::uuid), ('run_paused', '40 days', '0198c5a0-0000-7000-8000-000000000002'), ('new', '1 hour', '0198c5a0-0000-7000-8000-000000000003')) AS v (event_type, age, trace);
SELECT orchestrator.purge_audit_events('30 days');
SELECT sequence, events, purged_at IS NOT NULL AS purged FROM orchestrator.audit_seals ORDER BY sequence;
SELECT event_type, metadata - 'before' - 'kept_sha256' - 'seals_sha256' AS metadata FROM orchestrator.audit_events ORDER BY "timestamp";
SELECT sequence, events FROM orchestrator.seal_audit_events();
SELECT * FROM orchestrator.verify_audit_seals();
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_events SET role = 'x' WHERE event_type = 'run_paused'$$);
SELECT * FROM pg_temp.found($$DELETE FROM orchestrator.audit_events WHERE event_type = 'run_paused'$$);
-- Marks of a purge that nobody did, of one that did less, and marks that are gone.
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_seals SET purged_at = (SELECT s.purged_at FROM orchestrator.audit_seals AS s WHERE s.sequence = 1) WHERE sequence = 2$$, $$DELETE FROM orchestrator.audit_events WHERE event_type = 'new'$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_seals SET purged_at = '-infinity' WHERE sequence = 2$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_seals SET purged_at = NULL$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_seals SET events = 1 WHERE sequence = 1$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_seals SET sealed_at = sealed_at - interval '1 day' WHERE sequence = 1$$);
SELECT * FROM pg_temp.found($$DELETE FROM orchestrator.audit_events WHERE event_type = 'audit_events_purged'$$);
SELECT * FROM pg_temp.found($$UPDATE orchestrator.audit_events SET metadata = metadata || '{"kept": "all", "seals": 1.5}' WHERE event_type = 'audit_events_purged'$$);
-- A purge that nobody did, with an event about it by somebody who knows the digests: it may only leave pauses, and no more than a purge would.
CREATE FUNCTION pg_temp.feign(purged_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    seals text; kept text;
BEGIN
    UPDATE orchestrator.audit_seals AS s SET purged_at = feign.purged_at;
    INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) VALUES ('audit_events_purged', 'system', orchestrator.uuidv7(), '{"seals": 2, "purged": 2}');
    SELECT split_part(actual, ', ', 2) INTO seals FROM orchestrator.verify_audit_seals() WHERE actual LIKE 'seals to 2, %';
    UPDATE orchestrator.audit_events SET metadata = metadata || jsonb_build_object('seals_sha256', seals) WHERE metadata ->> 'seals' = '2';
    SELECT actual INTO kept FROM orchestrator.verify_audit_seals() WHERE actual LIKE '% kept, %';
    UPDATE orchestrator.audit_events SET metadata = metadata || jsonb_build_object('kept', split_part(kept, ' ', 1)::integer, 'kept_sha256', split_part(kept, ', ', 2)) WHERE metadata ->> 'seals' = '2';
END
$$;
SELECT * FROM pg_temp.found($$SELECT pg_temp.feign(now() + interval '1 day')$$);
SELECT * FROM pg_temp.found($$DELETE FROM orchestrator.audit_events WHERE event_type <> 'run_paused'$$, $$SELECT pg_temp.feign(now())$$);
-- The head of a seal before the first one to look at is known.
SELECT * FROM orchestrator.verify_audit_seals(2, (SELECT digest FROM orchestrator.audit_seals WHERE sequence = 1));
-- A seal that ends later keeps its events.
SELECT orchestrator.purge_audit_events('1 day');
-- Down and up.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.0';
SELECT orchestrator.record_event('between', 'r', orchestrator.uuidv7()) IS NOT NULL;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.1';
SELECT * FROM orchestrator.verify_audit_seals();
-- A purge by a version without seals.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.0';
INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id) VALUES ('run_resumed', 'r', now() - interval '35 days', '0198c5a0-0000-7000-8000-000000000002');
SELECT orchestrator.purge_audit_events('1 day');
ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.1';
SELECT sequence, problem FROM orchestrator.verify_audit_seals();
-- It may touch a span of which a part is new, and which the next purge leaves alone.
DROP EXTENSION orchestrator_schema;
CREATE EXTENSION orchestrator_schema;
INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id)
SELECT v.event_type, 'r', now() - v.age, orchestrator.uuidv7() FROM (VALUES ('old', interval '40 days'), ('later', '10 days'), ('new', '2 hours')) AS v (event_type, age);
SELECT events FROM orchestrator.seal_audit_events();
ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.0';
SELECT orchestrator.purge_audit_events('30 days');
ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.1';
SELECT sequence, problem FROM orchestrator.verify_audit_seals();
SELECT event_type, metadata - 'before' - 'kept_sha256' - 'seals_sha256' AS metadata FROM orchestrator.audit_events ORDER BY "timestamp", id;
SELECT * FROM pg_temp.found($$DELETE FROM orchestrator.audit_events WHERE event_type = 'later'$$);
SELECT orchestrator.purge_audit_events('1 day');
SELECT sequence, problem FROM orchestrator.verify_audit_seals();
-- A purge does not hide what was changed before it.
DROP EXTENSION orchestrator_schema;
CREATE EXTENSION orchestrator_schema;
INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id) VALUES ('older', 'r', now() - interval '50 days', orchestrator.uuidv7());
SELECT orchestrator.purge_audit_events('60 days');
SELECT count(*) FROM orchestrator.seal_audit_events();
ALTER TABLE orchestrator.audit_events DISABLE TRIGGER USER;
UPDATE orchestrator.audit_events SET role = 's';
ALTER TABLE orchestrator.audit_events ENABLE ALWAYS TRIGGER audit_events_append_only, ENABLE ALWAYS TRIGGER audit_events_append_only_rows;
INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id) VALUES ('at the end of time', 'r', '294276-12-31 12:00+00', orchestrator.uuidv7()), ('never', 'r', 'infinity', orchestrator.uuidv7());
ALTER TABLE orchestrator.audit_seals DISABLE TRIGGER USER;
UPDATE orchestrator.audit_seals SET sealed_until = now() - interval '40 days';
ALTER TABLE orchestrator.audit_seals ENABLE ALWAYS TRIGGER audit_seals_append_only, ENABLE ALWAYS TRIGGER audit_seals_append_only_rows;
SELECT sequence, problem FROM orchestrator.verify_audit_seals();
SELECT orchestrator.purge_audit_events('30 days');
SELECT metadata -> 'purged' AS purged, metadata -> 'differing' AS differing FROM orchestrator.audit_events WHERE event_type = 'audit_events_purged';
SELECT sequence, problem FROM orchestrator.verify_audit_seals();
SELECT * FROM orchestrator.run_maintenance() WHERE task = 'seal_audit_events';
SELECT * FROM orchestrator.verify_audit_seals() WHERE sequence > 1;
-- A secret age shows in whole days only.
DROP EXTENSION orchestrator_schema;
CREATE EXTENSION orchestrator_schema;
SELECT key FROM orchestrator.set_configuration('audit_retention_days', '37.25', 'float', is_secret => true);
INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id) SELECT 'daily', 'r', now() - day * interval '1 day', orchestrator.uuidv7() FROM generate_series(30, 39) AS day;
SELECT task FROM orchestrator.run_maintenance() WHERE affected > 0;
SELECT count(*), count(purged_at) > 0 AS purged, every(sealed_until = date_trunc('day', sealed_until, 'UTC')) FROM orchestrator.audit_seals WHERE sealed_until < now() - interval '1 day';
-- Events that were missing.
CREATE ROLE regress_sealed;
SELECT orchestrator.grant_access('regress_sealed', 'reader') > 0, orchestrator.grant_access('regress_sealed', 'reader'), orchestrator.revoke_access('regress_sealed') > 0, orchestrator.revoke_access('regress_sealed');
SELECT (orchestrator.set_price('m', 1.5, 2, '2026-01-01', updated_by => 'ada')).model, (orchestrator.set_price('m', 1.5::float8, 2.5::float8, '2026-01-01')).model;
SELECT orchestrator.v7_load_plan() IS NOT NULL;
SELECT orchestrator.v7_sign(4, 'before', 'The Architect', 'ada', 'fine') IS NOT NULL;
SELECT (orchestrator.v7_start_phase(1)).status, (orchestrator.v7_request_review(1, '[]')).status, (orchestrator.v7_approve_phase(1, 'ada', 'good')).status;
SELECT event_type, role, metadata - 'privileges' - 'sign_off_id' - 'price_id' - 'replaces' - 'session_user' - 'role' AS metadata FROM orchestrator.audit_events
WHERE event_type IN ('access_granted', 'access_revoked', 'price_set', 'migration_signed_off', 'phase_approved') ORDER BY id;
