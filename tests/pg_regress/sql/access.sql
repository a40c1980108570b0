\i head.sql
\pset null '·'
CREATE ROLE regress_agent;
CREATE ROLE regress_ada;
CREATE ROLE "regress Bob ""the boss""";
-- No role has a level, and nothing is granted to PUBLIC.
SELECT * FROM orchestrator.access();
SET ROLE regress_agent;
SELECT pg_temp.refusal('SELECT * FROM orchestrator.tasks');
SELECT pg_temp.refusal('SELECT orchestrator.verify()');
RESET ROLE;
-- Each role gets one level; granting it again changes nothing.
SELECT orchestrator.grant_access('regress_agent', 'worker') > 0, orchestrator.grant_access(grantee => 'regress_ada', level => 'reviewer') > 0;
SELECT orchestrator.grant_access('"regress Bob ""the boss"""', 'admin') > 0;
SELECT orchestrator.grant_access('regress_agent', 'worker');
SELECT * FROM orchestrator.access();
SELECT * FROM orchestrator.verify();
-- An agent works and asks for a decision.
SET ROLE regress_agent;
SELECT orchestrator.start_run('t1', '0198c5a0-0000-7000-8000-000000000001', 'S-1') IS NOT NULL;
SELECT gate_status FROM orchestrator.record_safety('t1', 0.4, '{"drops a table"}');
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('write a test', 'tool');
UPDATE orchestrator.tasks SET status = 'running' RETURNING status, started_at IS NOT NULL;
SELECT id AS review FROM orchestrator.pending_decisions \gset
-- It cannot decide itself, and it cannot write without the functions.
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'review', 'approve', 'agent'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'approved', 'agent'));
SELECT pg_temp.refusal('UPDATE orchestrator.human_review_queue SET status = ''approved'', resolved_by = ''agent''');
SELECT pg_temp.refusal('UPDATE orchestrator.orchestrator_runs SET gate_status = ''go''');
SELECT pg_temp.refusal('DELETE FROM orchestrator.audit_events');
SELECT pg_temp.refusal('DELETE FROM orchestrator.tasks');
SELECT pg_temp.refusal('UPDATE orchestrator.tasks SET from_role = ''manager''');
SELECT pg_temp.refusal('SELECT orchestrator.publish_prompt(''coder'', ''1.0.0'', ''x'')');
-- A reviewer decides; the trail records the login role.
SET ROLE regress_ada;
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'ada');
SELECT role, metadata ->> 'session_user' = session_user FROM orchestrator.audit_events WHERE event_type = 'review_approved';
SELECT pg_temp.refusal('UPDATE orchestrator.human_review_queue SET resolution_notes = ''better''');
SELECT pg_temp.refusal('SELECT orchestrator.start_run(''t2'', NULL, ''S'')');
-- An admin changes settings, sees secrets, and grants levels; no lower level sees a secret.
SET ROLE "regress Bob ""the boss""";
SELECT key FROM orchestrator.set_configuration('api_key', 'hunter2', is_secret => true);
SELECT key FROM orchestrator.set_configuration('retries', '3', 'integer');
SELECT orchestrator.get_configuration('api_key'), orchestrator.configuration_value('api_key');
SELECT orchestrator.grant_access('regress_ada', 'reader') > 0;
SET ROLE regress_ada;
SELECT * FROM orchestrator.access();
SELECT pg_temp.refusal('SELECT orchestrator.get_configuration(''api_key'')');
SELECT pg_temp.refusal('SELECT orchestrator.configuration_value(''api_key'', ''1'')');
SELECT pg_temp.refusal('SELECT orchestrator.get_configuration(''none'')');
SELECT pg_temp.refusal('SELECT value FROM orchestrator.configurations');
SELECT key, value FROM orchestrator.configuration_listing ORDER BY key;
SELECT orchestrator.get_configuration('retries'), orchestrator.configuration_value('retries'), orchestrator.configuration_value('none', '7');
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'review', 'approve', 'ada'));
RESET ROLE;
-- Privileges granted or revoked by hand are reported, and the hint corrects them.
GRANT UPDATE ON orchestrator.gates TO regress_ada;
REVOKE EXECUTE ON FUNCTION orchestrator.start_run(text, uuid, text) FROM regress_agent;
SELECT object, kind, problem, expected, actual, hint FROM orchestrator.verify();
SELECT orchestrator.grant_access('regress_ada', 'reader'), orchestrator.grant_access('regress_agent', 'worker');
SELECT * FROM orchestrator.verify();
-- For a role that lost the mark of its level, the hint names the level of which it has most privileges; no hint demotes a role.
REVOKE EXECUTE ON FUNCTION orchestrator.route_task(text, text, text, text, jsonb, uuid, uuid) FROM regress_agent;
REVOKE EXECUTE ON FUNCTION orchestrator.grant_access(regrole, text) FROM "regress Bob ""the boss""";
SELECT * FROM orchestrator.access();
SELECT object, expected, actual, hint FROM orchestrator.verify();
SELECT hint FROM orchestrator.verify() \gexec
SELECT * FROM orchestrator.access();
SELECT * FROM orchestrator.verify();
-- Without the mark that all levels have, a role has no level: it is listed, and the hint grants the level of which it has most privileges.
REVOKE EXECUTE ON FUNCTION orchestrator.access() FROM regress_agent;
SELECT * FROM orchestrator.access();
SELECT object, expected, actual, hint FROM orchestrator.verify();
SELECT hint FROM orchestrator.verify() \gexec
SELECT * FROM orchestrator.access();
SELECT * FROM orchestrator.verify();
-- Privileges granted by hand to a role without a level are listed; the owner decides about them.
CREATE ROLE regress_stranger;
GRANT SELECT (title) ON orchestrator.tasks TO regress_stranger;
SELECT * FROM orchestrator.access() WHERE grantee = 'regress_stranger';
SELECT * FROM orchestrator.verify();
SELECT orchestrator.revoke_access('regress_stranger');
DROP ROLE regress_stranger;
-- Refused.
SELECT pg_temp.refusal('SELECT orchestrator.grant_access(NULL, ''reader'')');
SELECT pg_temp.refusal('SELECT orchestrator.grant_access(''regress_ada'', NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.grant_access(''regress_ada'', ''boss'')');
SELECT pg_temp.refusal('SELECT orchestrator.grant_access(4294967290, ''reader'')');
SELECT pg_temp.refusal('SELECT orchestrator.grant_access(''-'', ''reader'')');
SELECT pg_temp.refusal('SELECT orchestrator.grant_access(''pg_database_owner'', ''reader'')');
SELECT pg_temp.refusal(format('SELECT orchestrator.grant_access(%L, %L)', current_user, 'reader'));
SELECT pg_temp.refusal('SELECT orchestrator.revoke_access(NULL)');
SELECT pg_temp.refusal(format('SELECT orchestrator.revoke_access(%L)', current_user));
-- A downgrade reports that it keeps the levels, and the upgrade restores them. With the setting "refuse", the error
-- names the rows of this step, and the version below which each other table is removed.
SET orchestrator_schema.downgrade = 'refuse';
SELECT pg_temp.refusal($$ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.3'$$);
RESET orchestrator_schema.downgrade;
SELECT step, object, action, rows FROM orchestrator.downgrade_plan('0.5.0') WHERE rows > 0;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.5.0';
SELECT object, rows FROM orchestrator.archived();
SELECT * FROM orchestrator.verify();
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT * FROM orchestrator.access();
SELECT * FROM orchestrator.verify();
-- After the level is revoked, the role holds no privilege and can be dropped.
SELECT orchestrator.revoke_access('regress_agent') > 0, orchestrator.revoke_access('regress_ada') > 0, orchestrator.revoke_access('"regress Bob ""the boss"""') > 0;
SELECT orchestrator.revoke_access('regress_agent');
SELECT * FROM orchestrator.access();
DROP ROLE regress_agent, regress_ada, "regress Bob ""the boss""";
SELECT * FROM orchestrator.verify();
