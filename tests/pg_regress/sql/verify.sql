\i head.sql
-- verify() finds every kind of change; each is undone by its hint, or by ROLLBACK.
SELECT * FROM orchestrator.verify();
CREATE VIEW pg_temp.found AS SELECT problem, kind, object, hint FROM orchestrator.verify();
BEGIN; ALTER TABLE orchestrator.tasks ADD COLUMN note text; TABLE pg_temp.found; SELECT severity, object, consequence FROM orchestrator.dump_safety(); ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks DROP COLUMN metadata; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks ALTER COLUMN max_attempts TYPE bigint; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks ALTER COLUMN status SET DEFAULT 'running'; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks ALTER COLUMN title DROP NOT NULL; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks DROP CONSTRAINT tasks_status_check; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks DROP CONSTRAINT tasks_config_check, ADD CONSTRAINT tasks_config_check CHECK (jsonb_typeof(config) = 'object') NOT VALID; TABLE pg_temp.found; ROLLBACK;
BEGIN; DROP INDEX orchestrator.idx_tasks_status; TABLE pg_temp.found; ROLLBACK;
BEGIN; CREATE INDEX mine ON orchestrator.tasks (error); TABLE pg_temp.found; SELECT severity, object, consequence FROM orchestrator.dump_safety(); ROLLBACK;
BEGIN; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orchestrator.idx_tasks_type'::regclass; TABLE pg_temp.found; ROLLBACK;
BEGIN; DROP TRIGGER tasks_lifecycle ON orchestrator.tasks; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks DISABLE TRIGGER tasks_lifecycle; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.workflow_tasks DISABLE TRIGGER ALL; TABLE pg_temp.found; ROLLBACK;
BEGIN; CREATE OR REPLACE VIEW orchestrator.configuration_listing AS SELECT key, value, value_type, description, is_secret, created_at, updated_at FROM orchestrator.configurations; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER FUNCTION orchestrator.get_configuration(text) VOLATILE; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER FUNCTION orchestrator.get_configuration(text) STRICT; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER FUNCTION orchestrator.get_configuration(text) SECURITY DEFINER; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER FUNCTION orchestrator.get_configuration(text) RESET search_path; TABLE pg_temp.found; ROLLBACK;
BEGIN; CREATE OR REPLACE FUNCTION orchestrator.get_configuration(key text) RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path TO pg_catalog, pg_temp AS 'SELECT $1'; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER EXTENSION orchestrator_schema DROP FUNCTION orchestrator.get_configuration(text); DROP FUNCTION orchestrator.get_configuration(text); TABLE pg_temp.found; ROLLBACK;
BEGIN; GRANT SELECT ON orchestrator.tasks TO PUBLIC; GRANT EXECUTE ON FUNCTION orchestrator.uuidv7() TO PUBLIC; GRANT USAGE ON SCHEMA orchestrator TO PUBLIC; TABLE pg_temp.found; ROLLBACK;
BEGIN; UPDATE pg_extension SET extconfig = extconfig[2:], extcondition = extcondition[2:] WHERE extname = 'orchestrator_schema'; TABLE pg_temp.found; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON orchestrator.tasks USING (true); TABLE pg_temp.found; ROLLBACK;
-- dump_safety() reports objects that would lose rows, and how to prevent it before the dump.
CREATE VIEW pg_temp.lost AS SELECT severity, kind, object, consequence, hint FROM orchestrator.dump_safety();
BEGIN; ALTER TABLE orchestrator.migration_sign_offs DROP COLUMN phase_number; TABLE pg_temp.lost; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks DROP COLUMN metadata; TABLE pg_temp.lost; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks DROP CONSTRAINT tasks_title_check; TABLE pg_temp.lost; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.prompts DROP CONSTRAINT uq_prompts_agent_version; TABLE pg_temp.lost; ROLLBACK;
BEGIN; DROP INDEX orchestrator.uq_prompts_active; TABLE pg_temp.lost; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.workflow_tasks DISABLE TRIGGER ALL; TABLE pg_temp.lost; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks ALTER COLUMN max_attempts TYPE bigint; TABLE pg_temp.lost; ROLLBACK;
BEGIN; CREATE STATISTICS public.mine ON status, task_type FROM orchestrator.tasks; TABLE pg_temp.lost; ROLLBACK;
BEGIN; ALTER TABLE orchestrator.tasks ADD UNIQUE (error), ALTER COLUMN title SET STATISTICS 500, ALTER COLUMN title SET STORAGE EXTERNAL; TABLE pg_temp.lost; ROLLBACK;
BEGIN; CREATE TABLE public.mine (a int PRIMARY KEY); CREATE VIEW public.seen AS SELECT 1 AS a; ALTER EXTENSION orchestrator_schema ADD TABLE public.mine; ALTER EXTENSION orchestrator_schema ADD VIEW public.seen; TABLE pg_temp.lost; ROLLBACK;
-- Equal schemas have equal fingerprints, on every path to them.
SELECT orchestrator.fingerprint() AS before \gset
ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0';
SELECT orchestrator.fingerprint() = :'before';
SELECT orchestrator.manifest() = orchestrator.manifest('0.0.0');
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT orchestrator.fingerprint() = :'before', length(:'before');
SELECT pg_temp.refusal($$SELECT orchestrator.manifest('9.9.9')$$) LIKE 'P0002: version "9.9.9"%';
SELECT * FROM orchestrator.verify();
