\set VERBOSITY terse
\set QUIET on
SET client_min_messages = warning;
SET datestyle = 'ISO';
CREATE EXTENSION orchestrator_schema;
-- Does some damage, runs every hint of verify() unchanged, and returns the findings, the hints, and the
-- findings after them; then rolls everything back.
CREATE FUNCTION pg_temp.repaired(damage text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hints text[]; hint text; told text := ''; rounds int := 0;
BEGIN
    EXECUTE damage;
    -- Servers word the query of a view in different ways.
    SELECT string_agg(format(E'%s %s %s\n  %s\n', problem, kind, object,
                             regexp_replace(v.hint, '^(CREATE VIEW [^;]* AS )(SELECT|WITH) .*(; ALTER EXTENSION .*)$', '\1(its query)\3')), '')
    INTO told FROM orchestrator.verify() AS v;
    LOOP
        -- A column that a user added is the user's own: its hint is not run.
        SELECT array_agg(v.hint) INTO hints FROM orchestrator.verify() AS v WHERE v.problem <> 'unexpected' OR v.kind <> 'column';
        EXIT WHEN hints IS NULL OR rounds = 3;
        rounds := rounds + 1;
        FOREACH hint IN ARRAY hints LOOP
            EXECUTE hint;
        END LOOP;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = coalesce(told, '') || CASE
        WHEN hints IS NOT NULL THEN 'NOT REPAIRED' WHEN rounds = 1 THEN 'repaired' ELSE 'repaired in ' || rounds || ' rounds' END;
EXCEPTION
    WHEN SQLSTATE 'RB000' THEN RETURN SQLERRM;
    WHEN OTHERS THEN RETURN coalesce(told, '') || 'FAILED AT ' || coalesce(hint, damage) || ': ' || SQLERRM;
END $$;
\pset format unaligned
\pset tuples_only on
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('a', 'b');
INSERT INTO orchestrator.workflows (name, definition) VALUES ('w', '{}');
INSERT INTO orchestrator.knowledge_staging (knowledge_type, content) VALUES ('failure_solution', 'c');
INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES (orchestrator.uuidv7(), 'a', 'manual', 'r');
INSERT INTO orchestrator.prompts (agent_type, version, prompt_text) VALUES ('a', '1.0.0', 't');
INSERT INTO orchestrator.tool_executions (task_id, tool_name) SELECT id, 'x' FROM orchestrator.tasks;
-- Columns.
SELECT pg_temp.repaired('ALTER TABLE orchestrator.knowledge_staging ALTER COLUMN knowledge_type TYPE varchar(40) COLLATE "C"');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.tasks ALTER COLUMN title DROP NOT NULL, ALTER COLUMN title DROP DEFAULT');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.configurations ALTER COLUMN description SET DEFAULT ''my DEFAULT NOT NULL'', ALTER COLUMN description SET NOT NULL');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.prompts DROP COLUMN text_sha256');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.llm_pricing DROP COLUMN status, ADD COLUMN status text GENERATED ALWAYS AS (left(''active'' || model, 6)) STORED NOT NULL');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.tasks ALTER COLUMN description SET STATISTICS 500, ALTER COLUMN description SET STORAGE EXTERNAL, ALTER COLUMN metadata SET COMPRESSION pglz');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.knowledge_staging DROP COLUMN embedded_at');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.orchestrator_runs DROP COLUMN state');
SELECT pg_temp.repaired('DELETE FROM orchestrator.knowledge_staging; ALTER TABLE orchestrator.knowledge_staging DROP COLUMN knowledge_type');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.tasks ADD COLUMN a text, ADD COLUMN b int UNIQUE; ALTER TABLE orchestrator.tasks ADD COLUMN c int REFERENCES orchestrator.tasks (b); CREATE INDEX ON orchestrator.tasks (a)');
-- Renamed columns are renamed back, and added columns stay.
SELECT pg_temp.repaired('ALTER TABLE orchestrator.approvals RENAME COLUMN decision_at TO decided');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.tasks RENAME COLUMN created_at TO made; ALTER TABLE orchestrator.tasks RENAME COLUMN updated_at TO changed; ALTER TABLE orchestrator.tasks RENAME TO jobs; ALTER INDEX orchestrator.idx_tasks_status RENAME TO by_status');
SELECT pg_temp.repaired('ALTER FUNCTION orchestrator.uuidv7() SET SCHEMA public; ALTER FUNCTION public.uuidv7() RENAME TO new_id');
SELECT pg_temp.repaired('CREATE TABLE public.child () INHERITS (orchestrator.tasks, orchestrator.gates)') LIKE '%repaired';
BEGIN;
ALTER SCHEMA orchestrator RENAME TO "My schema";
SELECT * FROM "My schema".verify();
SELECT * FROM "My schema".dump_safety();
ROLLBACK;
-- Constraints and their indexes.
SELECT pg_temp.repaired('ALTER TABLE orchestrator.workflows DROP CONSTRAINT workflows_pkey CASCADE');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.workflows DROP CONSTRAINT workflows_pkey CASCADE, ADD CONSTRAINT "my key" PRIMARY KEY (id)');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.tasks DROP CONSTRAINT tasks_status_check, ADD CONSTRAINT tasks_status_check CHECK (status <> '''') NOT VALID');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.tool_executions DROP CONSTRAINT tool_executions_task_id_fkey, ADD CONSTRAINT tool_executions_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.tasks ON DELETE CASCADE NOT VALID; ALTER TABLE orchestrator.tool_executions DISABLE TRIGGER ALL');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.tasks DISABLE TRIGGER ALL');
SELECT pg_temp.repaired('ALTER INDEX orchestrator.tasks_pkey SET (fillfactor = 50); ALTER INDEX orchestrator.idx_tasks_status SET (fillfactor = 60)');
SELECT pg_temp.repaired('DROP INDEX orchestrator.idx_tasks_status; CREATE INDEX idx_tasks_status ON orchestrator.tasks (status) WHERE status <> ''failed''');
-- Triggers.
SELECT pg_temp.repaired('DROP TRIGGER audit_events_append_only ON orchestrator.audit_events');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.audit_events DISABLE TRIGGER ALL');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.audit_events ENABLE REPLICA TRIGGER audit_events_append_only');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.tasks ENABLE ALWAYS TRIGGER tasks_lifecycle');
SELECT pg_temp.repaired('DROP TRIGGER tasks_lifecycle ON orchestrator.tasks; CREATE TRIGGER tasks_lifecycle AFTER UPDATE ON orchestrator.tasks FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle(''task'', ''status'')');
-- Names with dots and quotes.
SELECT pg_temp.repaired('ALTER TABLE orchestrator.tasks ADD COLUMN "a.b" int, ADD CONSTRAINT "a DROP.CONSTRAINT b" CHECK (true)');
SELECT pg_temp.repaired('CREATE RULE "r.1""" AS ON DELETE TO orchestrator.gates WHERE false DO NOTHING; CREATE POLICY "p.1" ON orchestrator.gates; CREATE TRIGGER "T.a"" ON" AFTER DELETE ON orchestrator.gates FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger(); CREATE INDEX "i.1" ON orchestrator.gates (reason)');
SELECT pg_temp.repaired('CREATE STATISTICS "s.1" ON status, reason FROM orchestrator.gates');
SELECT pg_temp.repaired('CREATE TABLE orchestrator."T.1" (a int PRIMARY KEY, b int UNIQUE); ALTER EXTENSION orchestrator_schema ADD TABLE orchestrator."T.1"');
-- Settings of a table, and of a sequence.
SELECT pg_temp.repaired('ALTER TABLE orchestrator.gates ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, REPLICA IDENTITY FULL, SET (fillfactor = 70, autovacuum_enabled = false)');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.gates REPLICA IDENTITY USING INDEX gates_pkey; ALTER TABLE orchestrator.gates SET UNLOGGED');
SELECT pg_temp.repaired('ALTER SEQUENCE orchestrator.file_audit_id_seq INCREMENT 5 CYCLE');
-- Functions and views.
SELECT pg_temp.repaired('ALTER FUNCTION orchestrator.record_event(text, text, uuid, jsonb) SECURITY INVOKER; ALTER FUNCTION orchestrator.uuidv7() STRICT');
SELECT pg_temp.repaired('ALTER EXTENSION orchestrator_schema DROP FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb, text, text)');
SELECT pg_temp.repaired('ALTER EXTENSION orchestrator_schema DROP FUNCTION orchestrator.next_prompt_version(text, text); DROP FUNCTION orchestrator.next_prompt_version(text, text)');
SELECT pg_temp.repaired('ALTER EXTENSION orchestrator_schema DROP FUNCTION orchestrator.uuidv7(); DROP FUNCTION orchestrator.uuidv7() CASCADE');
SELECT pg_temp.repaired('DO $do$ DECLARE v text; BEGIN FOR v IN SELECT c.oid::regclass FROM pg_class AS c WHERE c.relnamespace = ''orchestrator''::regnamespace AND c.relkind = ''v'' LOOP EXECUTE ''ALTER EXTENSION orchestrator_schema DROP VIEW '' || v; END LOOP; END $do$') LIKE '%repaired';
SELECT pg_temp.repaired('ALTER EXTENSION orchestrator_schema DROP VIEW orchestrator.configuration_listing; DROP VIEW orchestrator.configuration_listing');
SELECT pg_temp.repaired(format('ALTER EXTENSION orchestrator_schema DROP VIEW %1$s; DROP VIEW %1$s', c.oid::regclass)) FROM pg_class AS c
    WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'v' AND c.relname IN ('run_summary', 'v7_migration_dashboard', 'prompt_history')
    ORDER BY c.relname;
SELECT pg_temp.repaired('ALTER VIEW orchestrator.configuration_listing RESET (security_barrier)');
-- Members that belong to no version, and tables removed from the extension.
SELECT pg_temp.repaired('CREATE TYPE public.ws AS ENUM (); CREATE TYPE public.pair AS (a int); CREATE MATERIALIZED VIEW public.mv AS SELECT 1; CREATE DOMAIN public.dom AS int;
    ALTER EXTENSION orchestrator_schema ADD TYPE public.ws; ALTER EXTENSION orchestrator_schema ADD TYPE public.pair; ALTER EXTENSION orchestrator_schema ADD MATERIALIZED VIEW public.mv; ALTER EXTENSION orchestrator_schema ADD DOMAIN public.dom');
SELECT pg_temp.repaired('CREATE SCHEMA "My. schema"; CREATE PROCEDURE public.p(a int) LANGUAGE sql AS ''''; CREATE AGGREGATE public.ag(int) (sfunc = int4pl, stype = int); CREATE CAST (text AS uuid) WITH INOUT;
    ALTER EXTENSION orchestrator_schema ADD SCHEMA "My. schema"; ALTER EXTENSION orchestrator_schema ADD PROCEDURE public.p(int); ALTER EXTENSION orchestrator_schema ADD AGGREGATE public.ag(int); ALTER EXTENSION orchestrator_schema ADD CAST (text AS uuid);
    REVOKE ALL ON PROCEDURE public.p(int) FROM PUBLIC');
SELECT pg_temp.repaired('ALTER EXTENSION orchestrator_schema DROP TABLE orchestrator.workflow_tasks');
-- Privileges granted to PUBLIC.
SELECT pg_temp.repaired('GRANT SELECT ON orchestrator.tasks TO PUBLIC; GRANT UPDATE (title) ON orchestrator.tasks TO PUBLIC; GRANT USAGE ON SEQUENCE orchestrator.file_audit_id_seq TO PUBLIC; GRANT EXECUTE ON FUNCTION orchestrator.uuidv7() TO PUBLIC; GRANT CREATE ON SCHEMA orchestrator TO PUBLIC');
-- A dropped table cannot be restored with its rows.
BEGIN;
ALTER EXTENSION orchestrator_schema DROP TABLE orchestrator.schema_snapshots; DROP TABLE orchestrator.schema_snapshots;
SELECT problem, kind, object, hint FROM orchestrator.verify() WHERE kind = 'table';
ROLLBACK;
-- Below the newest version, the hints restore the installed version.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT pg_temp.repaired('CREATE OR REPLACE VIEW orchestrator.prompt_history AS SELECT * FROM (SELECT * FROM orchestrator.prompts) AS p') LIKE '%FAILED%cannot%';
SELECT pg_temp.repaired('CREATE OR REPLACE VIEW orchestrator.active_sessions AS ' || replace(pg_get_viewdef('orchestrator.active_sessions'), ';', ' LIMIT 5'));
SELECT pg_temp.repaired('ALTER TABLE orchestrator.gates ALTER COLUMN project_id TYPE text');
SELECT pg_temp.repaired('ALTER TABLE orchestrator.gates DROP CONSTRAINT gates_context_check; ALTER TABLE orchestrator.gates ALTER COLUMN context DROP DEFAULT, ALTER COLUMN context TYPE text');
SELECT * FROM orchestrator.verify();
