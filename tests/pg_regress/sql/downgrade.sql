\set VERBOSITY default
\set SHOW_CONTEXT never
\set QUIET on
SET client_min_messages = notice;
SET datestyle = 'ISO';
CREATE EXTENSION orchestrator_schema VERSION '0.3.0';
\pset format unaligned
\pset tuples_only on
-- The plan and the downgrade name every object of a user that depends on a removed column, table, view or
-- function; and nothing has changed.
CREATE FUNCTION pg_temp.blocked(made text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan text; code text; message text; detail text; hint text;
BEGIN
    EXECUTE made;
    SELECT string_agg(object || ' ' || action, E'\n') INTO plan
    FROM orchestrator.downgrade_plan('0.2.4') WHERE action LIKE 'blocked%';
    ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.4';
    RETURN 'NOT BLOCKED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', plan, code || ': ' || message, detail, hint);
END $$;
SELECT pg_temp.blocked('CREATE FUNCTION public.fx() RETURNS text BEGIN ATOMIC SELECT from_role FROM orchestrator.tasks LIMIT 1; END');
SET client_min_messages = error;  -- the server warns about its wal_level
SELECT pg_temp.blocked('CREATE PUBLICATION p FOR TABLE orchestrator.tasks (id, from_role)');
SELECT pg_temp.blocked('CREATE PUBLICATION p FOR TABLE orchestrator.tasks WHERE (from_role = ''a'')');
SELECT pg_temp.blocked('CREATE PUBLICATION p FOR TABLE orchestrator.approvals');
SET client_min_messages = notice;
SELECT pg_temp.blocked('CREATE STATISTICS public.s ON trace_id, from_role FROM orchestrator.tasks');
SELECT pg_temp.blocked('ALTER TABLE orchestrator.tasks ADD COLUMN up2 text GENERATED ALWAYS AS (from_role || ''x'') STORED');
SELECT pg_temp.blocked('ALTER TABLE orchestrator.tasks ADD CONSTRAINT "my.check" CHECK (from_role <> ''x'')');
SELECT pg_temp.blocked('CREATE POLICY po ON orchestrator.tasks USING (from_role = current_user)');
SELECT pg_temp.blocked('CREATE RULE ru AS ON UPDATE TO orchestrator.tasks WHERE new.from_role = ''x'' DO INSTEAD NOTHING');
SELECT pg_temp.blocked('CREATE TRIGGER tr BEFORE UPDATE OF from_role ON orchestrator.tasks FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()');
SELECT pg_temp.blocked('CREATE INDEX mine ON orchestrator.tasks (from_role)');
SELECT pg_temp.blocked('CREATE TABLE public.other (k uuid REFERENCES orchestrator.tasks (idempotency_key))');
SELECT pg_temp.blocked('CREATE SEQUENCE orchestrator.sq OWNED BY orchestrator.tasks.from_role');
SELECT pg_temp.blocked('CREATE VIEW public.v AS SELECT from_role FROM orchestrator.tasks');
SELECT pg_temp.blocked('CREATE STATISTICS public.s ON status, decision_at FROM orchestrator.approvals');
SELECT pg_temp.blocked('CREATE MATERIALIZED VIEW public.v AS SELECT count(*) FROM orchestrator.approvals');
SELECT pg_temp.blocked('CREATE DOMAIN public.d AS orchestrator.approvals CHECK ((VALUE).status <> '''')');
SELECT pg_temp.blocked('CREATE VIEW public.v AS SELECT * FROM orchestrator.active_sessions');
SELECT pg_temp.blocked('CREATE FUNCTION public.f(orchestrator.pending_approvals[]) RETURNS int LANGUAGE sql AS ''SELECT 1''');
SELECT pg_temp.blocked('CREATE RULE ru AS ON DELETE TO orchestrator.active_sessions DO INSTEAD NOTHING');
SELECT pg_temp.blocked('CREATE TRIGGER tr INSTEAD OF DELETE ON orchestrator.active_sessions FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()');
SELECT pg_temp.blocked('CREATE TRIGGER "my.trigger" BEFORE DELETE ON orchestrator.workflows EXECUTE FUNCTION orchestrator.enforce_append_only()');
SELECT pg_temp.blocked('CREATE TABLE public.notes (a int); CREATE TRIGGER tr BEFORE DELETE ON public.notes EXECUTE FUNCTION orchestrator.enforce_append_only()');
SELECT pg_temp.blocked('CREATE FUNCTION public.fx() RETURNS uuid BEGIN ATOMIC SELECT orchestrator.record_event(''a'', ''b'', NULL, ''{}''); END');
SELECT pg_temp.blocked('ALTER TABLE orchestrator.workflows ALTER COLUMN description SET DEFAULT (orchestrator.expire_sessions(interval ''1 day''))::text');
SELECT pg_temp.blocked('CREATE VIEW public.v AS SELECT orchestrator.llm_cost(''a'', 1, 1, now())');
-- A trigger of ours that a user disabled is still ours.
BEGIN;
ALTER TABLE orchestrator.audit_events DISABLE TRIGGER ALL;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
ROLLBACK;
-- Grants on removed functions and views are lost; the plan and a NOTICE report them. Grants on tables are kept.
CREATE ROLE "Regress bob";
GRANT SELECT ON orchestrator.approvals, orchestrator.active_sessions TO "Regress bob";
GRANT EXECUTE ON FUNCTION orchestrator.move_session(uuid, text), orchestrator.stage_knowledge(text, text, jsonb) TO "Regress bob" WITH GRANT OPTION;
SELECT * FROM orchestrator.downgrade_plan('0.2.5') WHERE action LIKE 'lose%';
BEGIN;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT has_table_privilege('Regress bob', 'orchestrator.approvals', 'SELECT');
ROLLBACK;
DROP OWNED BY "Regress bob";
DROP ROLE "Regress bob";
-- Settings that a user made on a table are restored with it, once.
BEGIN;
ALTER TABLE orchestrator.gates ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, REPLICA IDENTITY FULL, SET (fillfactor = 70, autovacuum_analyze_scale_factor = 0.5);
ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.6';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT actual FROM orchestrator.verify();
ROLLBACK;
-- A restored row that is deleted later does not return, also if it had a value in a column of a user.
ALTER TABLE orchestrator.knowledge_staging ADD COLUMN stars int, ADD COLUMN colour text;
INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, stars) VALUES ('collaboration', 'secret', 5), ('collaboration', 'kept', 4), ('collaboration', 'plain', NULL);
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.3';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT object, from_version, rows FROM orchestrator.archived();
DELETE FROM orchestrator.knowledge_staging WHERE content = 'secret';
SELECT * FROM orchestrator.restore_archived();
SELECT content FROM orchestrator.knowledge_staging ORDER BY content;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.3';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT content FROM orchestrator.knowledge_staging ORDER BY content;
-- The values are restored with the columns.
ALTER TABLE orchestrator.knowledge_staging ADD COLUMN stars int, ADD COLUMN colour text;
SELECT * FROM orchestrator.restore_archived();
SELECT content, stars FROM orchestrator.knowledge_staging ORDER BY content;
DROP SCHEMA orchestrator_archive CASCADE;
ALTER TABLE orchestrator.knowledge_staging DROP COLUMN stars, DROP COLUMN colour;
-- Values of a changed table that do not fit the version's own table stay in the archive, and the upgrade succeeds.
BEGIN;
INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES (orchestrator.uuidv7(), 'a', 'manual', 'r');
ALTER TABLE orchestrator.gates ALTER COLUMN project_id TYPE text;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.6';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT * FROM orchestrator.restore_archived();
ALTER TABLE orchestrator_archive.gates ALTER COLUMN project_id TYPE uuid USING project_id::uuid;
SELECT * FROM orchestrator.restore_archived();
SELECT count(*) FROM orchestrator.archived();
ROLLBACK;
BEGIN;
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('a', 'b');
SELECT (orchestrator.route_task('routing', 'd', 'from', 'to', '{}')).created;
ALTER TABLE orchestrator.tasks ALTER COLUMN idempotency_key TYPE text;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT count(*) FROM orchestrator.tasks;
ALTER TABLE orchestrator_archive.tasks_columns ALTER COLUMN idempotency_key TYPE uuid USING idempotency_key::uuid;
SELECT * FROM orchestrator.restore_archived();
SELECT title, from_role FROM orchestrator.tasks ORDER BY title;
ROLLBACK;
BEGIN;
INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES (orchestrator.uuidv7(), 'a', 'manual', 'r');
ALTER TABLE orchestrator.gates DROP COLUMN reason;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.6';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
ROLLBACK;
BEGIN;
INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES (orchestrator.uuidv7(), 'a', 'manual', 'r');
ALTER TABLE orchestrator.gates DROP COLUMN id, DROP COLUMN context, DROP COLUMN status;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.6';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
ROLLBACK;
BEGIN;
INSERT INTO orchestrator.tool_executions (task_id, tool_name) SELECT (orchestrator.route_task('routing', 'd', 'from', 'to', '{}')).task_id, 'x';
ALTER TABLE orchestrator.tool_executions DROP CONSTRAINT tool_executions_task_id_fkey, ALTER COLUMN task_id TYPE text, ALTER COLUMN id TYPE text, DROP COLUMN arguments;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
ROLLBACK;
-- verify() reports a dropped column with the statement that creates it again.
BEGIN;
ALTER TABLE orchestrator.tasks DROP COLUMN trace_id;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
ROLLBACK;
SELECT * FROM orchestrator.verify();
