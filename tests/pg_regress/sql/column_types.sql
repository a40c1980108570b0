\i head.sql
-- The owner of a table can change the types of its columns. If a trigger cannot read or write one, the statement fails with the reason.
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('t', 't') RETURNING id AS task \gset
SELECT orchestrator.start_tool_execution(:'task', 'x') AS execution \gset
BEGIN;
ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.decision_cards;
DROP VIEW orchestrator.decision_cards;
ALTER TABLE orchestrator.tool_executions ALTER COLUMN duration_ms TYPE numeric;
SELECT pg_temp.refusal($$UPDATE orchestrator.tool_executions SET status = 'failed'$$);
UPDATE orchestrator.tool_executions SET status = 'failed', duration_ms = 1.5 RETURNING duration_ms;
ROLLBACK;
BEGIN;
ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.decision_cards;
DROP VIEW orchestrator.decision_cards;
ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.tool_stats;
DROP VIEW orchestrator.tool_stats;
ALTER TABLE orchestrator.tool_executions ALTER COLUMN created_at DROP DEFAULT, ALTER COLUMN created_at TYPE date, DROP CONSTRAINT tool_executions_completed_at_check;
SELECT pg_temp.refusal($$UPDATE orchestrator.tool_executions SET status = 'failed'$$);
ROLLBACK;
-- A state that is not a text, and one with another name for text.
CREATE TYPE public.state AS ENUM ('draft', 'active', 'paused', 'archived');
BEGIN;
ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.workflow_progress;
DROP VIEW orchestrator.workflow_progress;
ALTER TABLE orchestrator.workflows DROP CONSTRAINT workflows_status_check, ALTER COLUMN status DROP DEFAULT;
ALTER TABLE orchestrator.workflows ALTER COLUMN status TYPE public.state USING status::public.state;
INSERT INTO orchestrator.workflows (name, definition, status) VALUES ('w', '{}', 'draft');
SELECT pg_temp.refusal($$UPDATE orchestrator.workflows SET status = 'active'$$);
ALTER TABLE orchestrator.workflows ALTER COLUMN status TYPE character(8);
SELECT pg_temp.refusal($$UPDATE orchestrator.workflows SET status = 'active'$$);
ALTER TABLE orchestrator.workflows ALTER COLUMN status TYPE character varying(20);
UPDATE orchestrator.workflows SET status = 'active' RETURNING status;
SELECT pg_temp.refusal($$UPDATE orchestrator.workflows SET status = 'draft'$$);
ROLLBACK;
BEGIN;
INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES (orchestrator.uuidv7(), 'a', 'manual', 'r');
ALTER EXTENSION orchestrator_schema DROP FUNCTION orchestrator.decision(uuid);
DROP FUNCTION orchestrator.decision(uuid);
ALTER EXTENSION orchestrator_schema DROP FUNCTION orchestrator.assign_decision(uuid, text, text, text);
DROP FUNCTION orchestrator.assign_decision(uuid, text, text, text);
ALTER EXTENSION orchestrator_schema DROP FUNCTION orchestrator.withdraw_decision(uuid, text, text);
DROP FUNCTION orchestrator.withdraw_decision(uuid, text, text);
ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.decisions;
DROP VIEW orchestrator.decisions;
ALTER TABLE orchestrator.gates DROP CONSTRAINT gates_resolution_check, ALTER COLUMN resolved_at TYPE date;
SELECT pg_temp.refusal($$UPDATE orchestrator.gates SET status = 'approved', resolved_by = 'me'$$);
ROLLBACK;
-- The triggers on a user's table.
CREATE TABLE public.own (id int, status int, updated_at text);
CREATE TRIGGER machine BEFORE UPDATE ON public.own FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('task', 'status');
INSERT INTO public.own VALUES (1, 1, 'yesterday');
SELECT pg_temp.refusal('UPDATE public.own SET status = 2');
SELECT pg_temp.refusal('UPDATE public.own SET id = 2');
ALTER TABLE public.own ALTER COLUMN updated_at TYPE date USING current_date, ALTER COLUMN status TYPE bytea USING 'pending', ADD COLUMN "Quoted ""x" uuid;
SELECT pg_temp.refusal('UPDATE public.own SET id = 2');
SELECT pg_temp.refusal($$UPDATE public.own SET status = 'running'$$);
CREATE TRIGGER keep BEFORE UPDATE ON public.own FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_immutable('id', 'Quoted "x');
SELECT pg_temp.refusal('UPDATE public.own SET id = 2');
-- Domains over the types work, too, and their own rules apply.
CREATE DOMAIN public.state_text AS text;
CREATE DOMAIN public.past AS timestamptz CHECK (value < '2000-01-01');
CREATE DOMAIN public.moment AS timestamptz;
CREATE TABLE public.own2 (status public.state_text, started_at public.moment, completed_at public.moment, updated_at public.moment);
CREATE TRIGGER machine BEFORE UPDATE ON public.own2 FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('task', 'status');
INSERT INTO public.own2 VALUES ('pending');
UPDATE public.own2 SET status = 'running' RETURNING status, started_at = now(), updated_at = now();
ALTER TABLE public.own2 ALTER COLUMN completed_at TYPE public.past;
SELECT pg_temp.refusal($$UPDATE public.own2 SET status = 'failed'$$);
-- Infinite times have no duration.
UPDATE orchestrator.tool_executions SET created_at = '-infinity';
BEGIN;
UPDATE orchestrator.tool_executions SET status = 'completed' RETURNING completed_at = now(), duration_ms;
ROLLBACK;
SELECT completed_at = now(), duration_ms FROM orchestrator.finish_tool_execution(:'execution', 'completed');
-- An end is never before its start, even if a transaction that began later has written the start.
UPDATE orchestrator.tasks SET status = 'running', started_at = now() + interval '1 minute';
UPDATE orchestrator.tasks SET status = 'completed' RETURNING completed_at = started_at, completed_at > now();
INSERT INTO orchestrator.tool_executions (task_id, tool_name, status, created_at) SELECT :'task', 'late', 'running', now() + interval '1 minute' FROM generate_series(1, 2);
SELECT id AS late FROM orchestrator.tool_executions WHERE tool_name = 'late' LIMIT 1 \gset
SELECT completed_at = created_at, duration_ms FROM orchestrator.finish_tool_execution(:'late', 'completed');
UPDATE orchestrator.tool_executions SET status = 'failed' WHERE status = 'running' RETURNING completed_at = created_at, duration_ms;
SELECT * FROM orchestrator.verify();
