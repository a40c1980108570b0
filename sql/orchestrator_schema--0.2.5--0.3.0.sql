\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0'" to load this file. \quit

-- 0.2.5 -> 0.3.0: session persistence: sessions of roles, tasks routed from one role to another,
-- approvals, and an audit trail that nobody can change.
-- Locks tasks and sessions until the transaction ends. The new columns rewrite no table. Only sessions
-- without an attached client are updated, to 'expired'. The new CHECKs read both tables once. Values
-- and rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.3.0');

-- tasks: a task can be routed.

ALTER TABLE orchestrator.tasks
    ALTER COLUMN title SET DEFAULT '',
    ADD COLUMN from_role       text,
    ADD COLUMN to_role         text,
    ADD COLUMN data            jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN trace_id        uuid,
    ADD COLUMN idempotency_key uuid,
    DROP CONSTRAINT tasks_title_check,
    ADD CONSTRAINT tasks_title_check     CHECK (btrim(title) <> '' OR from_role IS NOT NULL),
    ADD CONSTRAINT tasks_from_role_check CHECK (btrim(from_role) <> ''),
    ADD CONSTRAINT tasks_to_role_check   CHECK (btrim(to_role) <> ''),
    ADD CONSTRAINT tasks_data_check      CHECK (jsonb_typeof(data) = 'object'),
    ADD CONSTRAINT tasks_routed_check    CHECK (
        from_role IS NULL
        OR (to_role IS NOT NULL AND trace_id IS NOT NULL
            AND description IS NOT NULL AND btrim(description) <> ''
            AND task_type IN ('notification', 'approval', 'routing'))),
    ADD CONSTRAINT tasks_idempotency_key_key UNIQUE (idempotency_key);
COMMENT ON COLUMN orchestrator.tasks.title IS 'The name for people; may be blank on a routed task, which has its description';
COMMENT ON COLUMN orchestrator.tasks.from_role IS 'The role that routed the task; set only on routed tasks';
COMMENT ON COLUMN orchestrator.tasks.to_role IS 'The role that has to do the task';
COMMENT ON COLUMN orchestrator.tasks.data IS 'Input for the role, a JSON object';
COMMENT ON COLUMN orchestrator.tasks.trace_id IS 'The trace of the task; audit_events with this trace_id are its history';
COMMENT ON COLUMN orchestrator.tasks.idempotency_key IS 'The caller''s key: routing twice with it creates one task; NULL after it was released';

SELECT orchestrator.restore_columns('orchestrator.tasks',
    array['from_role', 'to_role', 'data', 'trace_id', 'idempotency_key', 'title']);

CREATE INDEX idx_tasks_trace_id ON orchestrator.tasks (trace_id);
-- Idempotency keys that can be released, the oldest first.
CREATE INDEX idx_tasks_keyed    ON orchestrator.tasks (created_at, id) WHERE idempotency_key IS NOT NULL;

-- sessions: the work of a role, or of a client, or both. Existing sessions belong to clients: active
-- while the client is attached, else over. The default of the new column makes attached ones active
-- without rewriting their rows.

DROP TRIGGER sessions_updated_at ON orchestrator.sessions;
ALTER TABLE orchestrator.sessions
    ALTER COLUMN client_id DROP NOT NULL,
    ADD COLUMN role    text,
    ADD COLUMN task_id uuid,
    ADD COLUMN status  text NOT NULL DEFAULT 'active',
    ADD CONSTRAINT sessions_role_check   CHECK (btrim(role) <> ''),
    ADD CONSTRAINT sessions_party_check  CHECK (client_id IS NOT NULL OR role IS NOT NULL),
    ADD CONSTRAINT sessions_status_check CHECK (status IN ('pending', 'active', 'completed', 'failed', 'expired')),
    ADD CONSTRAINT sessions_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.tasks (id) ON DELETE SET NULL;
ALTER TABLE orchestrator.sessions
    ALTER COLUMN status SET DEFAULT 'pending';
COMMENT ON TABLE orchestrator.sessions IS 'Work of a role or of a client, and the client connection that carries it';
COMMENT ON COLUMN orchestrator.sessions.client_id IS 'The client; one client may have several sessions, and the session of a role may have no client';
COMMENT ON COLUMN orchestrator.sessions.is_active IS 'Whether a client is attached; the state of the work is in status';
COMMENT ON COLUMN orchestrator.sessions.role IS 'The role that works, for example finance or manager';
COMMENT ON COLUMN orchestrator.sessions.task_id IS 'The task of the session';
COMMENT ON COLUMN orchestrator.sessions.status IS 'State of the work. pending: not begun; active: in progress; completed: done; failed: ended with an error; expired: ended after a long silence';

-- No user changed these rows, so their updated_at stays, and no user's trigger runs.
SET LOCAL session_replication_role TO replica;
UPDATE orchestrator.sessions SET status = 'expired' WHERE NOT is_active;
SET LOCAL session_replication_role TO origin;

SELECT orchestrator.restore_columns('orchestrator.sessions', array['role', 'task_id', 'status', 'client_id']);

CREATE TRIGGER sessions_lifecycle BEFORE UPDATE ON orchestrator.sessions
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('session', 'status');

CREATE INDEX idx_sessions_task_id ON orchestrator.sessions (task_id);
CREATE INDEX idx_sessions_status  ON orchestrator.sessions (status);
-- Sessions that can expire, the longest silence first.
CREATE INDEX idx_sessions_open    ON orchestrator.sessions (greatest(last_heartbeat, updated_at), id) WHERE status IN ('pending', 'active');

-- approvals

CREATE TABLE orchestrator.approvals (
    id            uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    task_id       uuid        NOT NULL,
    approver_role text        NOT NULL,
    status        text        NOT NULL DEFAULT 'pending',
    decision_at   timestamptz,
    notes         text        NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT approvals_task_id_fkey        FOREIGN KEY (task_id) REFERENCES orchestrator.tasks (id) ON DELETE CASCADE,
    CONSTRAINT approvals_approver_role_check CHECK (btrim(approver_role) <> ''),
    CONSTRAINT approvals_status_check        CHECK (status IN ('pending', 'approved', 'rejected')),
    CONSTRAINT approvals_decision_at_check   CHECK ((status = 'pending') = (decision_at IS NULL))
);
COMMENT ON TABLE orchestrator.approvals IS 'Requests to a role to approve a task, with the decision; a task may need several';
COMMENT ON COLUMN orchestrator.approvals.approver_role IS 'The only role that may decide';
COMMENT ON COLUMN orchestrator.approvals.decision_at IS 'When it was decided; NULL exactly while it is pending';
COMMENT ON COLUMN orchestrator.approvals.notes IS 'The notes of the request; notes of the decision replace them';
COMMENT ON COLUMN orchestrator.approvals.status IS 'State of the request. pending: waits for a decision; approved: the role agreed; rejected: the role refused';

SELECT orchestrator.restore_table('orchestrator.approvals');

CREATE INDEX idx_approvals_task_id ON orchestrator.approvals (task_id);
CREATE INDEX idx_approvals_status  ON orchestrator.approvals (status);
-- The queue of pending approvals, the oldest first.
CREATE INDEX idx_approvals_pending ON orchestrator.approvals (created_at, id) WHERE status = 'pending';

SELECT pg_extension_config_dump('orchestrator.approvals', '');

CREATE TRIGGER approvals_lifecycle BEFORE UPDATE ON orchestrator.approvals
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('approval', 'status');

-- audit_events

CREATE TABLE orchestrator.audit_events (
    id          uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    event_type  text        NOT NULL,
    role        text        NOT NULL,
    "timestamp" timestamptz NOT NULL DEFAULT now(),
    trace_id    uuid        NOT NULL,
    metadata    jsonb       NOT NULL DEFAULT '{}',
    CONSTRAINT audit_events_event_type_check CHECK (btrim(event_type) <> ''),
    CONSTRAINT audit_events_role_check       CHECK (btrim(role) <> ''),
    CONSTRAINT audit_events_metadata_check   CHECK (jsonb_typeof(metadata) = 'object')
);
COMMENT ON TABLE orchestrator.audit_events IS 'The audit trail. An event is written in the transaction that it describes, and never changed; only purge_audit_events deletes events';
COMMENT ON COLUMN orchestrator.audit_events.event_type IS 'The kind of event, for example task_routed, approval_rejected, session_active';
COMMENT ON COLUMN orchestrator.audit_events.role IS 'The role that acted, or that is asked; client for a session without a role, system where no role is involved';
COMMENT ON COLUMN orchestrator.audit_events."timestamp" IS 'The time of the transaction; events of one transaction are in the order of their ids';
COMMENT ON COLUMN orchestrator.audit_events.trace_id IS 'The trail that the event belongs to: the id of the run, or the trace_id of the task or of the context of the gate; without a trace_id the id of the task, session or gate; an id of its own for a purge';
COMMENT ON COLUMN orchestrator.audit_events.metadata IS 'The ids and facts of the event, a JSON object; the recording function writes the login role into its key session_user, the role in force into role, and the subject of request.jwt.claims, if it is set, into subject';

SELECT orchestrator.restore_table('orchestrator.audit_events');

CREATE INDEX idx_audit_events_trace_id   ON orchestrator.audit_events (trace_id);
CREATE INDEX idx_audit_events_timestamp  ON orchestrator.audit_events ("timestamp" DESC);
CREATE INDEX idx_audit_events_event_type ON orchestrator.audit_events (event_type);

SELECT pg_extension_config_dump('orchestrator.audit_events', '');

CREATE FUNCTION orchestrator.enforce_append_only()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enforce_append_only_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_append_only() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_append_only() IS
    'BEFORE UPDATE OR DELETE OR TRUNCATE trigger: refuses the statement and every row of it, for every role; only purge_audit_events may delete';

-- The first trigger refuses statements, including TRUNCATE and statements that match no row. The second
-- refuses rows that a statement on another table reaches by inheritance. Both fire with every value of
-- session_replication_role.
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON orchestrator.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_append_only();
CREATE TRIGGER audit_events_append_only_rows BEFORE UPDATE OR DELETE ON orchestrator.audit_events
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_append_only();
ALTER TABLE orchestrator.audit_events
    ENABLE ALWAYS TRIGGER audit_events_append_only,
    ENABLE ALWAYS TRIGGER audit_events_append_only_rows;

-- views

CREATE VIEW orchestrator.active_sessions AS
SELECT s.id, s.role, s.task_id, s.created_at, s.updated_at
FROM orchestrator.sessions AS s
WHERE s.status = 'active'
ORDER BY s.updated_at DESC, s.id DESC;
COMMENT ON VIEW orchestrator.active_sessions IS 'Active sessions, the last updated first';

CREATE VIEW orchestrator.pending_approvals AS
SELECT a.id, a.task_id, a.approver_role, a.created_at, t.description, t.from_role, t.to_role
FROM orchestrator.approvals AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id
WHERE a.status = 'pending'
ORDER BY a.created_at, a.id;
COMMENT ON VIEW orchestrator.pending_approvals IS 'Pending approvals with their tasks, the oldest first';

-- functions

CREATE FUNCTION orchestrator.route_task(task_type text, description text, from_role text, to_role text, data jsonb DEFAULT '{}', trace_id uuid DEFAULT NULL, idempotency_key uuid DEFAULT NULL)
RETURNS TABLE (task_id uuid, created boolean)
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'route_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.route_task(text, text, text, text, jsonb, uuid, uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.route_task(text, text, text, text, jsonb, uuid, uuid) IS
    'Routes a task from one role to another. The same idempotency_key with the same content returns the first task again, with created false';

CREATE FUNCTION orchestrator.release_idempotency_keys(ttl interval DEFAULT NULL)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'release_idempotency_keys_wrapper';
REVOKE ALL ON FUNCTION orchestrator.release_idempotency_keys(interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.release_idempotency_keys(interval) IS
    'Releases the keys of ended tasks that are older than ttl, so that the keys can be used again. Returns the number of keys. A task that is pending, running or waits for an approval keeps its key. NULL: configuration idempotency_ttl_seconds, else 86400 seconds';

CREATE FUNCTION orchestrator.move_session(session_id uuid, event text)
RETURNS orchestrator.sessions
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'move_session_wrapper';
REVOKE ALL ON FUNCTION orchestrator.move_session(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.move_session(uuid, text) IS
    'Moves a session by activate, complete, fail or expire, and records it. Returns the row';

CREATE FUNCTION orchestrator.expire_sessions(retention interval DEFAULT NULL)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'expire_sessions_wrapper';
REVOKE ALL ON FUNCTION orchestrator.expire_sessions(interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.expire_sessions(interval) IS
    'Expires pending and active sessions without heartbeat or update for longer than the argument says, and records each. Returns the number of sessions. The session of a task that is pending, running or waits for an approval is kept. NULL: configuration session_retention_days, else 7 days';

CREATE FUNCTION orchestrator.request_approval(task_id uuid, approver_role text, notes text DEFAULT '')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_approval_wrapper';
REVOKE ALL ON FUNCTION orchestrator.request_approval(uuid, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.request_approval(uuid, text, text) IS
    'Asks a role to approve a task, and records it. Returns the id of the approval';

CREATE FUNCTION orchestrator.resolve_approval(approval_id uuid, decision text, approver_role text, notes text DEFAULT NULL)
RETURNS orchestrator.approvals
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_approval_wrapper';
REVOKE ALL ON FUNCTION orchestrator.resolve_approval(uuid, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.resolve_approval(uuid, text, text, text) IS
    'Decides a pending approval as approved or rejected, only by the role that was asked, and records it. Returns the row';

CREATE FUNCTION orchestrator.record_event(event_type text, role text, trace_id uuid, metadata jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_event_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_event(text, text, uuid, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_event(text, text, uuid, jsonb) IS
    'Adds an event to the audit trail, with the rights of the owner of the trail. Returns its id. The function adds the keys session_user, role and subject to the metadata';

CREATE FUNCTION orchestrator.purge_audit_events(older_than interval)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'purge_audit_events_wrapper';
REVOKE ALL ON FUNCTION orchestrator.purge_audit_events(interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.purge_audit_events(interval) IS
    'Deletes audit events older than the argument says, which is at least one day, and records their number. Nothing else can delete events. Returns the number of deleted events';

-- From here on a late heartbeat does not make an ended session active again.
CREATE OR REPLACE FUNCTION orchestrator.session_heartbeat(session_id uuid)
RETURNS timestamptz
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'session_heartbeat_0_3_0_wrapper';

-- From here on tool executions of a task with a trace record events in that trace.
CREATE OR REPLACE FUNCTION orchestrator.start_tool_execution(task_id uuid, tool_name text, arguments jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'start_tool_execution_0_3_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.finish_tool_execution(execution_id uuid, status text, output text DEFAULT NULL, error text DEFAULT NULL)
RETURNS orchestrator.tool_executions
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'finish_tool_execution_0_3_0_wrapper';

-- From here on gates record events in the trace that their context names, or else in one of their own.
CREATE OR REPLACE FUNCTION orchestrator.open_gate(project_id uuid, agent_id text, gate_type text, reason text, context jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'open_gate_0_3_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS orchestrator.gates
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_gate_0_3_0_wrapper';
