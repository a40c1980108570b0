\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5'" to load this file. \quit

-- 0.3.0 -> 0.2.5: removes approvals, audit_events and the new columns of tasks and sessions; rows and
-- values stay in orchestrator_archive. The older version requires a title for every task and a client
-- for every session. This script fills in missing ones, and the upgrade removes them again unless
-- somebody changed them meanwhile.
-- Locks tasks and sessions until the transaction ends; time and space grow with their rows.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.2.5');

CREATE OR REPLACE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS orchestrator.gates
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_gate_0_2_4_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.open_gate(project_id uuid, agent_id text, gate_type text, reason text, context jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'open_gate_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.finish_tool_execution(execution_id uuid, status text, output text DEFAULT NULL, error text DEFAULT NULL)
RETURNS orchestrator.tool_executions
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'finish_tool_execution_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.start_tool_execution(task_id uuid, tool_name text, arguments jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'start_tool_execution_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.session_heartbeat(session_id uuid)
RETURNS timestamptz
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'session_heartbeat_wrapper';

DROP FUNCTION orchestrator.purge_audit_events(interval);
DROP FUNCTION orchestrator.record_event(text, text, uuid, jsonb);
DROP FUNCTION orchestrator.resolve_approval(uuid, text, text, text);
DROP FUNCTION orchestrator.request_approval(uuid, text, text);
DROP FUNCTION orchestrator.expire_sessions(interval);
DROP FUNCTION orchestrator.move_session(uuid, text);
DROP FUNCTION orchestrator.release_idempotency_keys(interval);
DROP FUNCTION orchestrator.route_task(text, text, text, text, jsonb, uuid, uuid);
DROP VIEW orchestrator.pending_approvals;
DROP VIEW orchestrator.active_sessions;

SELECT orchestrator.archive_table('orchestrator.audit_events');
DROP FUNCTION orchestrator.enforce_append_only();
SELECT orchestrator.archive_table('orchestrator.approvals');

-- No user changed the rows that are filled in below, so their updated_at stays, and no user's trigger
-- runs.

SELECT orchestrator.archive_columns('orchestrator.sessions', array['role', 'task_id', 'status', 'client_id']);
SET LOCAL session_replication_role TO replica;
UPDATE orchestrator.sessions SET client_id = 'role ' || role WHERE client_id IS NULL;
SET LOCAL session_replication_role TO origin;
SELECT orchestrator.note_filled_in('orchestrator.sessions', array['client_id']);

DROP TRIGGER sessions_lifecycle ON orchestrator.sessions;
DROP INDEX orchestrator.idx_sessions_open;
DROP INDEX orchestrator.idx_sessions_status;
DROP INDEX orchestrator.idx_sessions_task_id;
ALTER TABLE orchestrator.sessions
    DROP CONSTRAINT sessions_task_id_fkey,
    DROP CONSTRAINT sessions_status_check,
    DROP CONSTRAINT sessions_party_check,
    DROP CONSTRAINT sessions_role_check,
    DROP COLUMN status,
    DROP COLUMN task_id,
    DROP COLUMN role,
    ALTER COLUMN client_id SET NOT NULL;
COMMENT ON TABLE orchestrator.sessions IS 'Client connections with the time of their last heartbeat';
COMMENT ON COLUMN orchestrator.sessions.client_id IS 'The client; one client may have several sessions';
COMMENT ON COLUMN orchestrator.sessions.is_active IS 'Whether a client is attached';
CREATE TRIGGER sessions_updated_at BEFORE UPDATE ON orchestrator.sessions
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle();

SELECT orchestrator.archive_columns('orchestrator.tasks',
    array['from_role', 'to_role', 'data', 'trace_id', 'idempotency_key', 'title']);
SET LOCAL session_replication_role TO replica;
UPDATE orchestrator.tasks SET title = task_type || ' from ' || from_role || ' to ' || to_role WHERE btrim(title) = '';
SET LOCAL session_replication_role TO origin;
SELECT orchestrator.note_filled_in('orchestrator.tasks', array['title']);

DROP INDEX orchestrator.idx_tasks_keyed;
DROP INDEX orchestrator.idx_tasks_trace_id;
ALTER TABLE orchestrator.tasks
    DROP CONSTRAINT tasks_idempotency_key_key,
    DROP CONSTRAINT tasks_routed_check,
    DROP CONSTRAINT tasks_data_check,
    DROP CONSTRAINT tasks_to_role_check,
    DROP CONSTRAINT tasks_from_role_check,
    DROP CONSTRAINT tasks_title_check,
    DROP COLUMN idempotency_key,
    DROP COLUMN trace_id,
    DROP COLUMN data,
    DROP COLUMN to_role,
    DROP COLUMN from_role,
    ALTER COLUMN title DROP DEFAULT,
    ADD CONSTRAINT tasks_title_check CHECK (btrim(title) <> '');
COMMENT ON COLUMN orchestrator.tasks.title IS NULL;
