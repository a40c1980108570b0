\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.5'" to load this file. \quit

-- 0.1.6 -> 0.1.5: removes the state machines and the triggers that set updated_at; no row changes.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.1.5');

DROP TRIGGER configurations_updated_at ON orchestrator.configurations;
DROP TRIGGER sessions_updated_at ON orchestrator.sessions;
DROP TRIGGER tool_executions_lifecycle ON orchestrator.tool_executions;
DROP TRIGGER workflows_lifecycle ON orchestrator.workflows;
DROP TRIGGER tasks_lifecycle ON orchestrator.tasks;
DROP FUNCTION orchestrator.allowed_transitions(text);
DROP FUNCTION orchestrator.enforce_lifecycle();
