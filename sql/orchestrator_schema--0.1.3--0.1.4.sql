\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.4'" to load this file. \quit

-- 0.1.3 -> 0.1.4: sessions, the client connections.
-- Locks no existing object. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.1.4');

CREATE TABLE orchestrator.sessions (
    id              uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    client_id       text        NOT NULL,
    user_id         text,
    connection_type text        NOT NULL DEFAULT 'websocket',
    is_active       boolean     NOT NULL DEFAULT true,
    metadata        jsonb,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    last_heartbeat  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sessions_client_id_check       CHECK (btrim(client_id) <> ''),
    CONSTRAINT sessions_connection_type_check CHECK (connection_type IN ('websocket', 'http', 'grpc'))
);
COMMENT ON TABLE orchestrator.sessions IS 'Client connections with the time of their last heartbeat';
COMMENT ON COLUMN orchestrator.sessions.client_id IS 'The client; one client may have several sessions';
COMMENT ON COLUMN orchestrator.sessions.is_active IS 'Whether a client is attached';
COMMENT ON COLUMN orchestrator.sessions.last_heartbeat IS 'The client''s last heartbeat';
COMMENT ON COLUMN orchestrator.sessions.connection_type IS 'Protocol of the client. websocket: WebSocket; http: HTTP requests; grpc: gRPC';

SELECT orchestrator.restore_table('orchestrator.sessions');

CREATE INDEX idx_sessions_client    ON orchestrator.sessions (client_id);
CREATE INDEX idx_sessions_user      ON orchestrator.sessions (user_id);
CREATE INDEX idx_sessions_active    ON orchestrator.sessions (is_active);
CREATE INDEX idx_sessions_heartbeat ON orchestrator.sessions (last_heartbeat);
CREATE INDEX idx_sessions_created   ON orchestrator.sessions (created_at);
-- Attached sessions, the longest silence first.
CREATE INDEX idx_sessions_attached  ON orchestrator.sessions (last_heartbeat, id) WHERE is_active;

SELECT pg_extension_config_dump('orchestrator.sessions', '');

CREATE FUNCTION orchestrator.session_heartbeat(session_id uuid)
RETURNS timestamptz
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'session_heartbeat_wrapper';
REVOKE ALL ON FUNCTION orchestrator.session_heartbeat(uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.session_heartbeat(uuid) IS
    'Records that the client of a session is alive and attached. Returns the time of this heartbeat';

CREATE FUNCTION orchestrator.deactivate_stale_sessions(silent_for interval DEFAULT '60 seconds')
RETURNS SETOF uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'deactivate_stale_sessions_wrapper';
REVOKE ALL ON FUNCTION orchestrator.deactivate_stale_sessions(interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.deactivate_stale_sessions(interval) IS
    'Marks sessions without a heartbeat for longer than silent_for as inactive. Returns their ids';
