\i head.sql
\pset null '·'
-- One call handles every row that is due by the age of its task.
INSERT INTO orchestrator.audit_events (event_type, role, "timestamp", trace_id) VALUES ('old', 'r', now() - interval '400 days', orchestrator.uuidv7());
SELECT * FROM orchestrator.run_maintenance();
INSERT INTO orchestrator.sessions (client_id, status, last_heartbeat, updated_at) VALUES
    ('silent', 'active', now() - interval '2 min', now()), ('gone', 'active', now() - interval '8 days', now() - interval '8 days');
INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, embedded, embedded_at) VALUES ('collaboration', 'old', true, now() - interval '366 days');
SELECT orchestrator.route_task('routing', 'd', 'a', 'b', '{}', NULL, '0198c5a0-0000-7000-8000-000000000002') IS NOT NULL;
SELECT * FROM orchestrator.run_maintenance();
SELECT client_id, is_active, status FROM orchestrator.sessions ORDER BY client_id;
-- Events are kept unless an age is set for them.
SELECT key FROM orchestrator.set_configuration('audit_retention_days', '365', 'integer');
SELECT * FROM orchestrator.run_maintenance();
-- An invalid age stops the whole maintenance.
SELECT key FROM orchestrator.set_configuration('knowledge_retention_days', 'a year');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.run_maintenance()');
SELECT key FROM orchestrator.set_configuration('knowledge_retention_days', '365', 'integer');
SELECT key FROM orchestrator.set_configuration('audit_retention_days', '0.5', 'float');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.run_maintenance()');
-- Without pg_cron the error names the statement to run.
SELECT pg_temp.refusal('SELECT orchestrator.schedule_maintenance()');
SELECT pg_temp.refusal('SELECT orchestrator.schedule_maintenance(cron => ''0 3 * * *'')');
SELECT pg_temp.refusal('SELECT orchestrator.schedule_maintenance('' '')');
SELECT pg_temp.refusal('SELECT orchestrator.unschedule_maintenance()');
-- A role without privileges on pg_cron, which grants none by default, gets an error with the reason.
BEGIN;
SET LOCAL allow_system_table_mods = on;
CREATE SCHEMA cron;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) VALUES (4000000000, 'pg_cron', 10, 11, false, '1.6');
SELECT split_part(pg_temp.refusal('SELECT orchestrator.schedule_maintenance()'), ';', 1);
CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql AS 'SELECT 7';
CREATE ROLE "regress Ops";
SELECT orchestrator.grant_access('"regress Ops"', 'admin') > 0;
SET ROLE "regress Ops";
SELECT pg_temp.refusal('SELECT orchestrator.schedule_maintenance()');
SELECT pg_temp.refusal('SELECT orchestrator.unschedule_maintenance()');
ROLLBACK;
-- Its trigger function reports a trigger of a wrong form.
CREATE TRIGGER mine AFTER DELETE ON orchestrator.gates FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('gate');
SELECT pg_temp.refusal('DELETE FROM orchestrator.gates');
DROP TRIGGER mine ON orchestrator.gates;
CREATE TABLE public.mine (status integer);
CREATE TRIGGER mine AFTER INSERT ON public.mine REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('gate');
SELECT pg_temp.refusal('INSERT INTO public.mine VALUES (1)');
ALTER TABLE public.mine DROP COLUMN status;
SELECT pg_temp.refusal('INSERT INTO public.mine DEFAULT VALUES');
-- Other triggers read the same transition tables before and after it.
DROP TABLE public.mine;
CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% sees % rows, % of them pending', TG_NAME, (SELECT count(*) FROM added), (SELECT count(*) FROM added AS a WHERE a.status = 'pending');
    RETURN NULL;
END $$;
CREATE TRIGGER a AFTER INSERT ON orchestrator.gates REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.mine();
CREATE TRIGGER z AFTER INSERT ON orchestrator.gates REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.mine();
BEGIN;
INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) SELECT orchestrator.uuidv7(), 'a', 'manual', 'r' FROM generate_series(1, 3);
ROLLBACK;
DROP FUNCTION public.mine() CASCADE;
SELECT * FROM orchestrator.verify();
