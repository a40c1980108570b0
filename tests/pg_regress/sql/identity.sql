\i head.sql
\pset null '·'
-- An event says who recorded it: the role that is logged in, the role in force, and the subject of the token that a gateway checked.
CREATE ROLE regress_gateway;
CREATE ROLE regress_web;
GRANT regress_web TO regress_gateway;
SELECT orchestrator.grant_access(name, 'admin') > 0 FROM unnest(ARRAY['regress_gateway', 'regress_web']::regrole[]) AS name;
INSERT INTO orchestrator.sessions (role, client_id) VALUES ('r', 'c');
SET SESSION AUTHORIZATION regress_gateway;
SET ROLE regress_web;
SET request.jwt.claims = '{"sub": "ada@example.com", "role": "web", "aud": ["a", "b"]}';
-- Every way to record: one event, one of a review, those of many reviews, and those of many rows.
SELECT orchestrator.start_run('t', '0198c5a0-0000-7000-8000-000000000001', 's') IS NOT NULL;
SELECT orchestrator.request_review('t', 'safety', 'r') AS one, orchestrator.request_review('t', 'safety', 'r') AS two \gset
SELECT status FROM orchestrator.resolve_review(:'one', 'approved', 'the president');
SELECT outcome FROM orchestrator.resolve_reviews(ARRAY[:'two']::uuid[], 'approved', 'the president', 'fine');
SELECT orchestrator.expire_sessions('0') > 0;
RESET SESSION AUTHORIZATION;
SELECT event_type, role, metadata ->> 'session_user' AS logged_in, metadata ->> 'role' AS in_force, metadata ->> 'subject' AS subject FROM orchestrator.audit_events ORDER BY id;
-- The keys are the server's: those of a caller are replaced, and without claims there is no subject.
CREATE FUNCTION pg_temp.recorded(facts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE event uuid := orchestrator.record_event('said', 'me', '0198c5a0-0000-7000-8000-000000000001', facts);
BEGIN
    RETURN (SELECT metadata FROM orchestrator.audit_events WHERE id = event);
END $$;
\set forged '{"session_user": "eve", "role": "postgres", "subject": "eve", "n": 1}'
SET ROLE regress_web;
SELECT pg_temp.recorded(:'forged') - 'session_user';
SET request.jwt.claims = '{"sub": "eve"}';
SELECT pg_temp.recorded('{}') - 'session_user';
SET request.jwt.claims = '';
SELECT pg_temp.recorded(:'forged') - 'session_user';
RESET request.jwt.claims;
SELECT pg_temp.recorded(:'forged') - 'session_user';
RESET ROLE;
-- The setting of one transaction ends with it, as a gateway sets it.
BEGIN;
SELECT set_config('request.jwt.claims', '{"sub": "for one transaction"}', true) IS NOT NULL;
SELECT pg_temp.recorded('{}') ->> 'subject';
COMMIT;
SELECT pg_temp.recorded('{}') ? 'subject';
-- The role in force is the caller's, also within functions with the rights of their owner.
CREATE FUNCTION public.wrapped() RETURNS uuid LANGUAGE sql SECURITY DEFINER AS $$
    SELECT orchestrator.record_event('wrapped', 'me', '0198c5a0-0000-7000-8000-000000000001') $$;
SET ROLE regress_web;
SELECT public.wrapped() AS event \gset
SELECT metadata ->> 'role' FROM orchestrator.audit_events WHERE id = :'event';
RESET ROLE;
DROP FUNCTION public.wrapped();
-- Claims that name no subject stop no event.
SELECT claims, (SELECT pg_temp.recorded('{}') ->> 'subject' FROM set_config('request.jwt.claims', claims, false) WHERE set_config IS NOT NULL) AS subject
FROM unnest(ARRAY['{}', 'null', '7', '"ada"', '[{"sub": "ada"}]', 'ada', '{"sub": "ada"', '{"sub": 7}', '{"sub": null}', '{"sub": ["ada"]}', '{"sub": ""}', '{"sub": " "}',
                  '{"sub": "a\u0000b"}', '{"sub": "\ud800"}', '{"sub": "\u65e5\u672c"}', '{"sub": "日本", "n": 1e999}', '{"sub": "a''b\"c"}', '{"SUB": "ada"}', '{"sub": "ada", "sub": "eve"}']) AS claims;
SELECT length(pg_temp.recorded('{}') ->> 'subject') FROM set_config('request.jwt.claims', json_build_object('sub', repeat('字', 501))::text, false);
SELECT length(pg_temp.recorded('{}') ->> 'subject') FROM set_config('request.jwt.claims', repeat('[', 100000), false);
RESET request.jwt.claims;
-- A text of the caller in its own claims does not become SQL.
SELECT pg_temp.recorded('{}') ->> 'subject' FROM set_config('request.jwt.claims', '{"sub": "''); DROP TABLE x; --"}', false);
\set ECHO none
SET client_min_messages = warning;
DROP OWNED BY regress_gateway, regress_web;
DROP ROLE regress_gateway, regress_web;
