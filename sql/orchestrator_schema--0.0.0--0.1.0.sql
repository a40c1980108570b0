\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.0'" to load this file. \quit

-- 0.0.0 -> 0.1.0: tasks, the unit of work.
-- Locks no existing object. Rows kept by an earlier downgrade are restored before the indexes are
-- built, which is cheaper than filling the indexes row by row.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.1.0');

CREATE TABLE orchestrator.tasks (
    id             uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    title          text        NOT NULL,
    description    text,
    task_type      text        NOT NULL,
    status         text        NOT NULL DEFAULT 'pending',
    config         jsonb       NOT NULL DEFAULT '{}',
    metadata       jsonb,
    workspace_path text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    completed_at   timestamptz,
    error          text,
    CONSTRAINT tasks_title_check        CHECK (btrim(title) <> ''),
    CONSTRAINT tasks_task_type_check    CHECK (btrim(task_type) <> ''),
    CONSTRAINT tasks_status_check       CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    CONSTRAINT tasks_config_check       CHECK (jsonb_typeof(config) = 'object'),
    CONSTRAINT tasks_completed_at_check CHECK (completed_at >= started_at)
);
COMMENT ON TABLE orchestrator.tasks IS 'Units of work, from the request to the end';
COMMENT ON COLUMN orchestrator.tasks.task_type IS 'The kind of work; free text, for example tool, script, validation';
COMMENT ON COLUMN orchestrator.tasks.config IS 'The worker''s instructions, a JSON object';
COMMENT ON COLUMN orchestrator.tasks.metadata IS 'Any further data of the caller';
COMMENT ON COLUMN orchestrator.tasks.workspace_path IS 'The directory of the work';
COMMENT ON COLUMN orchestrator.tasks.started_at IS 'When it last became running';
COMMENT ON COLUMN orchestrator.tasks.completed_at IS 'When it became completed, failed or cancelled';
COMMENT ON COLUMN orchestrator.tasks.error IS 'Why it failed';
COMMENT ON COLUMN orchestrator.tasks.status IS 'State of the task. pending: waits to be started; running: in progress; completed: done; failed: ended with an error, can become pending again; cancelled: ended without being done';

SELECT orchestrator.restore_table('orchestrator.tasks');

CREATE INDEX idx_tasks_status    ON orchestrator.tasks (status);
CREATE INDEX idx_tasks_type      ON orchestrator.tasks (task_type);
CREATE INDEX idx_tasks_created   ON orchestrator.tasks (created_at);
CREATE INDEX idx_tasks_workspace ON orchestrator.tasks (workspace_path);
-- The queue of waiting tasks, in the order in which they are served.
CREATE INDEX idx_tasks_pending   ON orchestrator.tasks (created_at, id) WHERE status = 'pending';

SELECT pg_extension_config_dump('orchestrator.tasks', '');
