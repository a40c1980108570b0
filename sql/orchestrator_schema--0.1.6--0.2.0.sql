\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.0'" to load this file. \quit

-- 0.1.6 -> 0.2.0: gates, where an agent stops until a human has decided.
-- Locks no existing object. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.2.0');

CREATE TABLE orchestrator.gates (
    id          uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    project_id  uuid        NOT NULL,
    agent_id    text        NOT NULL,
    gate_type   text        NOT NULL,
    reason      text        NOT NULL,
    context     jsonb       NOT NULL DEFAULT '{}',
    status      text        NOT NULL DEFAULT 'pending',
    created_at  timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolved_by text,
    feedback    text,
    CONSTRAINT gates_agent_id_check   CHECK (btrim(agent_id) <> ''),
    CONSTRAINT gates_gate_type_check  CHECK (gate_type IN ('loop_detected', 'high_risk', 'collaboration_deadlock', 'manual')),
    CONSTRAINT gates_reason_check     CHECK (btrim(reason) <> ''),
    CONSTRAINT gates_context_check    CHECK (jsonb_typeof(context) = 'object'),
    CONSTRAINT gates_status_check     CHECK (status IN ('pending', 'approved', 'denied')),
    CONSTRAINT gates_resolution_check CHECK (CASE status WHEN 'pending' THEN resolved_at IS NULL AND resolved_by IS NULL
                                                         ELSE resolved_at IS NOT NULL AND btrim(coalesce(resolved_by, '')) <> '' END),
    CONSTRAINT gates_feedback_check   CHECK (status <> 'denied' OR btrim(coalesce(feedback, '')) <> '')
);
COMMENT ON TABLE orchestrator.gates IS 'Approval gates: an agent waits, and a human decides';
COMMENT ON COLUMN orchestrator.gates.project_id IS 'The project, which is stored elsewhere';
COMMENT ON COLUMN orchestrator.gates.agent_id IS 'The agent that waits';
COMMENT ON COLUMN orchestrator.gates.gate_type IS 'Why the agent stopped. loop_detected: it repeats the same error; high_risk: its next step is risky; collaboration_deadlock: agents ask each other in circles; manual: any other reason';
COMMENT ON COLUMN orchestrator.gates.reason IS 'Why a human has to decide';
COMMENT ON COLUMN orchestrator.gates.context IS 'Facts for the decision, a JSON object';
COMMENT ON COLUMN orchestrator.gates.feedback IS 'The human''s message to the agent; a denial needs one';
COMMENT ON COLUMN orchestrator.gates.status IS 'State of the gate. pending: waits for a decision; approved: the agent may go on; denied: the agent may not, and gets the feedback';

SELECT orchestrator.restore_table('orchestrator.gates');

CREATE INDEX idx_gates_project ON orchestrator.gates (project_id);
CREATE INDEX idx_gates_status  ON orchestrator.gates (status);
CREATE INDEX idx_gates_agent   ON orchestrator.gates (agent_id);
CREATE INDEX idx_gates_created ON orchestrator.gates (created_at);
-- The queue of pending gates, the longest wait first.
CREATE INDEX idx_gates_pending ON orchestrator.gates (created_at, id) WHERE status = 'pending';

SELECT pg_extension_config_dump('orchestrator.gates', '');

CREATE TRIGGER gates_lifecycle BEFORE UPDATE ON orchestrator.gates
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('gate', 'status');

CREATE FUNCTION orchestrator.open_gate(project_id uuid, agent_id text, gate_type text, reason text, context jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'open_gate_wrapper';
REVOKE ALL ON FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb) IS
    'Opens a gate, at which an agent waits until a human decides. Returns the id of the gate';

CREATE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS orchestrator.gates
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_gate_wrapper';
REVOKE ALL ON FUNCTION orchestrator.resolve_gate(uuid, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.resolve_gate(uuid, text, text, text) IS
    'Resolves a pending gate as approved or denied, once. Returns the row. A denial needs feedback';
