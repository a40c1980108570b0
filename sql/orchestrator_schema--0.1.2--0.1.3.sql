\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.3'" to load this file. \quit

-- 0.1.2 -> 0.1.3: tool_executions, the audit log of tools.
-- The foreign key locks tasks against writing until the transaction ends. Rows kept by an earlier
-- downgrade are restored; the rows of a deleted task stay archived.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.1.3');

CREATE TABLE orchestrator.tool_executions (
    id           uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    task_id      uuid        NOT NULL,
    tool_name    text        NOT NULL,
    arguments    jsonb       NOT NULL DEFAULT '{}',
    output       text,
    status       text        NOT NULL DEFAULT 'pending',
    error        text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    duration_ms  bigint,
    -- No cascade: deleting a task must not delete its log.
    CONSTRAINT tool_executions_task_id_fkey       FOREIGN KEY (task_id) REFERENCES orchestrator.tasks (id),
    CONSTRAINT tool_executions_tool_name_check    CHECK (btrim(tool_name) <> ''),
    CONSTRAINT tool_executions_status_check       CHECK (status IN ('pending', 'running', 'completed', 'failed', 'timeout')),
    CONSTRAINT tool_executions_duration_ms_check  CHECK (duration_ms >= 0),
    CONSTRAINT tool_executions_completed_at_check CHECK (completed_at >= created_at)
);
COMMENT ON TABLE orchestrator.tool_executions IS 'The log of tools: every call by a task, and its end';
COMMENT ON COLUMN orchestrator.tool_executions.arguments IS 'The arguments of the call';
COMMENT ON COLUMN orchestrator.tool_executions.output IS 'The output of the tool';
COMMENT ON COLUMN orchestrator.tool_executions.completed_at IS 'When it became completed, failed or timeout';
COMMENT ON COLUMN orchestrator.tool_executions.duration_ms IS 'Milliseconds from created_at to completed_at';
COMMENT ON COLUMN orchestrator.tool_executions.status IS 'State of the call. pending: not started; running: in progress; completed: the tool returned; failed: the tool returned an error; timeout: the tool did not return in time';

SELECT orchestrator.restore_table('orchestrator.tool_executions');

CREATE INDEX idx_tool_executions_task    ON orchestrator.tool_executions (task_id);
CREATE INDEX idx_tool_executions_tool    ON orchestrator.tool_executions (tool_name);
CREATE INDEX idx_tool_executions_status  ON orchestrator.tool_executions (status);
CREATE INDEX idx_tool_executions_created ON orchestrator.tool_executions (created_at);

SELECT pg_extension_config_dump('orchestrator.tool_executions', '');

CREATE FUNCTION orchestrator.start_tool_execution(task_id uuid, tool_name text, arguments jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'start_tool_execution_wrapper';
REVOKE ALL ON FUNCTION orchestrator.start_tool_execution(uuid, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.start_tool_execution(uuid, text, jsonb) IS
    'Records that a tool call of a task starts now. Returns the id of the execution';

CREATE FUNCTION orchestrator.finish_tool_execution(execution_id uuid, status text, output text DEFAULT NULL, error text DEFAULT NULL)
RETURNS orchestrator.tool_executions
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'finish_tool_execution_wrapper';
REVOKE ALL ON FUNCTION orchestrator.finish_tool_execution(uuid, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.finish_tool_execution(uuid, text, text, text) IS
    'Records that a tool call ended as completed, failed or timeout, once. Returns the row';
