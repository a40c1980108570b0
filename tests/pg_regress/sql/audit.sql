\i head.sql
SET timezone = 'UTC';
\pset null '·'
\set trace '0198c5a0-0000-7000-8000-000000000001'
-- A trail lists, in order, the events that functions recorded in their own transactions.
SELECT task_id AS task FROM orchestrator.route_task('approval', 'pay invoice 7', 'finance', 'manager', trace_id => :'trace') \gset
SELECT orchestrator.request_approval(:'task', 'manager', 'over the limit') AS approval \gset
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'approval', 'approved', 'finance'));
SELECT status FROM orchestrator.resolve_approval(:'approval', 'approved', 'manager');
INSERT INTO orchestrator.sessions (role, client_id, task_id) VALUES ('manager', 'browser', :'task') RETURNING id AS session \gset
SELECT status FROM orchestrator.move_session(:'session', 'activate');
SELECT orchestrator.start_tool_execution(:'task', 'bank', '{"invoice": 7}') AS execution \gset
SELECT status FROM orchestrator.finish_tool_execution(:'execution', 'completed', 'paid');
SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'payer', 'high_risk', 'a large sum', format('{"trace_id": "%s"}', :'trace')::jsonb) AS gate \gset
SELECT status FROM orchestrator.resolve_gate(:'gate', 'approved', 'ada');
SELECT status FROM orchestrator.move_session(:'session', 'complete');
SELECT orchestrator.record_event('invoice_filed', 'finance', :'trace', '{"shelf": 3, "session_user": "somebody else"}') IS NOT NULL;
SELECT event_type, role, regexp_replace(replace((metadata - 'session_user' - 'role')::text, :'trace', '<trace>'), '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g'), metadata ->> 'session_user' = session_user
FROM orchestrator.audit_events WHERE trace_id = :'trace' ORDER BY id;
-- A failed call is not recorded. A task without a trace leaves no events of its tools; a gate without a trace has a trail of its own.
BEGIN;
SELECT created FROM orchestrator.route_task('routing', 'never', 'finance', 'manager');
ROLLBACK;
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('plain', 'tool') RETURNING id AS plain \gset
SELECT status FROM orchestrator.finish_tool_execution(orchestrator.start_tool_execution(:'plain', 'cargo'), 'failed');
SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'dev', 'manual', 'may I?', '{"trace_id": "none"}') AS gate \gset
SELECT status FROM orchestrator.resolve_gate(:'gate', 'denied', 'ada', 'no');
SELECT event_type, role, trace_id = :'gate' FROM orchestrator.audit_events WHERE trace_id <> :'trace' ORDER BY id;
SELECT count(*) FROM orchestrator.audit_events;
SELECT pg_temp.refusal(format('SELECT orchestrator.record_event(NULL, %L, %L)', 'a', :'trace'));
SELECT pg_temp.refusal(format('SELECT orchestrator.record_event(%L, %L, %L)', E'\n', 'a', :'trace'));
SELECT pg_temp.refusal(format('SELECT orchestrator.record_event(%L, %L, %L)', repeat('字', 501), 'a', :'trace'));
SELECT pg_temp.refusal(format('SELECT orchestrator.record_event(%L, NULL, %L)', 'x', :'trace'));
SELECT pg_temp.refusal(format('SELECT orchestrator.record_event(%L, %L, %L)', 'x', '', :'trace'));
SELECT pg_temp.refusal('SELECT orchestrator.record_event(''x'', ''a'', NULL)');
SELECT pg_temp.refusal(format('SELECT orchestrator.record_event(%L, %L, %L, %L)', 'x', 'a', :'trace', '"text"'));
-- A long text or list stays whole in its row, and the event has an excerpt. Messages repeat the beginning of a value.
SELECT orchestrator.start_run('long', orchestrator.uuidv7(), 'S-1') IS NOT NULL;
SELECT gate_status FROM orchestrator.pause_run('long', repeat('why ', 100000));
SELECT orchestrator.request_review('long', 'safety', repeat('look ', 100000)) AS review \gset
SELECT status, length(resolution_notes) FROM orchestrator.resolve_review(:'review', 'approved', repeat('ada ', 1000), repeat('fine ', 100000));
SELECT orchestrator.request_review('long', 'safety', repeat('look ', 100000)) AS review \gset
SELECT outcome FROM orchestrator.resolve_reviews(array[:'review']::uuid[], 'approved', repeat('ada ', 1000), repeat('fine ', 100000));
SELECT array_length(files_created, 1), length(error) FROM orchestrator.record_run_progress('long', files => ARRAY(SELECT 'file ' || n FROM generate_series(1, 100000) AS n), error => repeat('no ', 100000));
SELECT gate_status FROM orchestrator.record_safety('long', 0.9, ARRAY[repeat('bad ', 100000), 'x']);
SELECT phase, length(error) FROM orchestrator.kill_run('long', repeat('enough ', 100000));
SELECT event_type, length(role), length(metadata::text) < 9000, metadata -> 'excerpts', length(coalesce(metadata ->> 'reason', metadata ->> 'notes', metadata ->> 'error')),
       jsonb_typeof(metadata -> 'files'), metadata #>> '{files,9}', jsonb_typeof(metadata -> 'violations')
FROM orchestrator.audit_events WHERE metadata ->> 'thread_id' = 'long' ORDER BY id;
SELECT length(metadata ->> 'mine') FROM orchestrator.audit_events WHERE id = orchestrator.record_event('x', 'a', :'trace', jsonb_build_object('mine', repeat('z', 100000)));
SELECT length(pg_temp.refusal(format('SELECT orchestrator.kill_run(%L, %L)', repeat('t', 100000), 'x')));
SELECT length(pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', repeat('yes', 100000), 'ada')));
SELECT length(pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'approved', 'ada'))) < 25000;
-- Nobody can change the trail: not the owner, not a superuser, not in replica mode.
SELECT rolsuper FROM pg_roles WHERE rolname = current_user;
SELECT pg_temp.refusal('UPDATE orchestrator.audit_events SET role = ''nobody''');
SELECT pg_temp.refusal('UPDATE orchestrator.audit_events SET role = role WHERE false');
SELECT pg_temp.refusal('DELETE FROM orchestrator.audit_events');
SELECT pg_temp.refusal('DELETE FROM ONLY orchestrator.audit_events WHERE "timestamp" < now() - interval ''10 years''');
SELECT pg_temp.refusal('TRUNCATE orchestrator.audit_events');
SELECT pg_temp.refusal('TRUNCATE orchestrator.audit_events CASCADE');
SELECT pg_temp.refusal('INSERT INTO orchestrator.audit_events SELECT * FROM orchestrator.audit_events ON CONFLICT (id) DO UPDATE SET role = ''nobody''');
SELECT pg_temp.refusal('MERGE INTO orchestrator.audit_events AS e USING (VALUES (1)) AS v (n) ON true WHEN MATCHED THEN DELETE');
SELECT pg_temp.refusal('WITH gone AS (DELETE FROM orchestrator.audit_events RETURNING id) SELECT count(*) FROM gone');
SET session_replication_role = replica;
SELECT split_part(pg_temp.refusal('DELETE FROM orchestrator.audit_events'), E'\n', 1);
SELECT split_part(pg_temp.refusal('TRUNCATE orchestrator.audit_events'), E'\n', 1);
RESET session_replication_role;
SET client_min_messages = warning;
SELECT split_part(pg_temp.refusal('TRUNCATE orchestrator.tasks, orchestrator.audit_events CASCADE'), E'\n', 1);
SET client_min_messages = notice;
-- Nor can a table to which the trail refers, or a table that inherits it, be used to change it.
CREATE TABLE public.catalogue (event_type text PRIMARY KEY);
INSERT INTO public.catalogue SELECT DISTINCT event_type FROM orchestrator.audit_events;
ALTER TABLE orchestrator.audit_events ADD CONSTRAINT named FOREIGN KEY (event_type) REFERENCES public.catalogue ON DELETE CASCADE;
SELECT split_part(pg_temp.refusal('TRUNCATE public.catalogue CASCADE'), E'\n', 1);
SELECT split_part(pg_temp.refusal('DELETE FROM public.catalogue'), E'\n', 1);
SELECT object, severity FROM orchestrator.dump_safety();
ALTER TABLE orchestrator.audit_events DROP CONSTRAINT named;
DROP TABLE public.catalogue;
CREATE TABLE public.everything (id uuid, role text);
ALTER TABLE orchestrator.audit_events INHERIT public.everything;
SELECT split_part(pg_temp.refusal('DELETE FROM public.everything'), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE public.everything SET role = ''nobody'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('TRUNCATE public.everything'), E'\n', 1);
ALTER TABLE orchestrator.audit_events NO INHERIT public.everything;
DROP TABLE public.everything;
-- verify() reports disabled triggers.
ALTER TABLE orchestrator.audit_events DISABLE TRIGGER audit_events_append_only_rows;
SELECT object, problem, hint FROM orchestrator.verify();
ALTER TABLE orchestrator.audit_events ENABLE ALWAYS TRIGGER audit_events_append_only_rows;
SELECT count(*) FROM orchestrator.audit_events;
-- Only purge_audit_events deletes: events older than a day at least, and it records that in the trail.
INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id) VALUES
    ('old',   'a', now() - interval '40 days', :'trace'),
    ('older', 'a', '-infinity',                :'trace'),
    ('young', 'a', now() - interval '20 days', :'trace');
SELECT pg_temp.refusal('SELECT orchestrator.purge_audit_events(NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.purge_audit_events(interval ''23:59:59.999999'')');
SELECT pg_temp.refusal('SELECT orchestrator.purge_audit_events(interval ''-30 days'')');
SELECT pg_temp.refusal('SELECT orchestrator.purge_audit_events(interval ''170000000 years'')');
SELECT pg_temp.refusal('SELECT orchestrator.purge_audit_events(interval ''-12 months 361 days'')');
SELECT pg_temp.refusal('SELECT orchestrator.purge_audit_events(interval ''-48 months 1461 days 1 hour'')');
SELECT orchestrator.purge_audit_events(interval '30 days'), orchestrator.purge_audit_events(older_than => interval '30 days');
SELECT event_type, role, metadata - 'before' - 'session_user' - 'role' - 'seals_sha256', (metadata ->> 'before')::timestamptz < now() - interval '29 days' FROM orchestrator.audit_events WHERE event_type LIKE '%purge%';
SELECT event_type FROM orchestrator.audit_events WHERE event_type IN ('old', 'older', 'young');
SELECT split_part(pg_temp.refusal('DELETE FROM orchestrator.audit_events WHERE event_type = ''young'''), E'\n', 1);
-- A role that may only call the functions records events through them, and can neither read nor write the trail itself.
CREATE ROLE regress_recorder;
GRANT USAGE ON SCHEMA orchestrator TO regress_recorder;
GRANT EXECUTE ON FUNCTION orchestrator.record_event TO regress_recorder;
SET ROLE regress_recorder;
SELECT orchestrator.record_event('seen', 'recorder', :'trace') IS NOT NULL, current_user;
SELECT pg_temp.refusal('INSERT INTO orchestrator.audit_events (event_type, role, trace_id) VALUES (''forged'', ''a'', orchestrator.uuidv7())');
SELECT pg_temp.refusal('SELECT orchestrator.purge_audit_events(interval ''30 days'')');
RESET ROLE;
DROP OWNED BY regress_recorder;
DROP ROLE regress_recorder;
-- A downgrade archives the trail, the functions below work without it, and the upgrade restores it.
SELECT count(*) AS events FROM orchestrator.audit_events \gset
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
SELECT status FROM orchestrator.finish_tool_execution(orchestrator.start_tool_execution(:'task', 'bank'), 'timeout');
SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'dev', 'manual', 'below') IS NOT NULL;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT count(*) = :events FROM orchestrator.audit_events;
SELECT pg_temp.refusal('TRUNCATE orchestrator.audit_events');
SELECT * FROM orchestrator.verify();
