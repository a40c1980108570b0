\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.6'" to load this file. \quit

-- 0.1.5 -> 0.1.6: a state machine checks every UPDATE, and the database sets updated_at.
-- Locks five tables against writing until the transaction ends. No row is read: each keeps its state,
-- and only its next step is checked.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.1.6');

-- This function pins no search_path, because it runs once per updated row. Its one statement names the
-- schema of everything that it uses.
CREATE FUNCTION orchestrator.enforce_lifecycle()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'enforce_lifecycle_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_lifecycle() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_lifecycle() IS
    'BEFORE UPDATE row trigger (machine, column [, machine, column ...]): refuses steps that allowed_transitions does not list, and sets the times of states and updated_at';

CREATE FUNCTION orchestrator.allowed_transitions(machine text)
RETURNS TABLE (from_status text, to_status text)
LANGUAGE c IMMUTABLE PARALLEL SAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'allowed_transitions_wrapper';
REVOKE ALL ON FUNCTION orchestrator.allowed_transitions(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.allowed_transitions(text) IS
    'The steps that a state machine allows: task, workflow, tool_execution, session, gate, approval, review, run_phase, run_gate, v7_phase, v7_file, v7_enum, v7_task or v7_impact';

CREATE TRIGGER tasks_lifecycle BEFORE UPDATE ON orchestrator.tasks
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('task', 'status');
CREATE TRIGGER workflows_lifecycle BEFORE UPDATE ON orchestrator.workflows
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('workflow', 'status');
CREATE TRIGGER tool_executions_lifecycle BEFORE UPDATE ON orchestrator.tool_executions
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('tool_execution', 'status');
CREATE TRIGGER sessions_updated_at BEFORE UPDATE ON orchestrator.sessions
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle();
CREATE TRIGGER configurations_updated_at BEFORE UPDATE ON orchestrator.configurations
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle();
