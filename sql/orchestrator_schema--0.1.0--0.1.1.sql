\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.1'" to load this file. \quit

-- 0.1.0 -> 0.1.1: workflows, definitions of work that consists of tasks.
-- Locks no existing object. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.1.1');

CREATE TABLE orchestrator.workflows (
    id          uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    name        text        NOT NULL,
    description text,
    definition  jsonb       NOT NULL,
    status      text        NOT NULL DEFAULT 'draft',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workflows_name_check       CHECK (btrim(name) <> ''),
    CONSTRAINT workflows_definition_check CHECK (jsonb_typeof(definition) = 'object'),
    CONSTRAINT workflows_status_check     CHECK (status IN ('draft', 'active', 'archived', 'paused'))
);
COMMENT ON TABLE orchestrator.workflows IS 'Definitions of work in several tasks; workflow_tasks lists the tasks of each';
COMMENT ON COLUMN orchestrator.workflows.name IS 'The name for people; several definitions may share it';
COMMENT ON COLUMN orchestrator.workflows.definition IS 'Nodes and edges in the orchestrator''s own form, a JSON object';
COMMENT ON COLUMN orchestrator.workflows.status IS 'State of the definition. draft: being written; active: in use; paused: not in use for now; archived: out of use for good';

SELECT orchestrator.restore_table('orchestrator.workflows');

CREATE INDEX idx_workflows_status  ON orchestrator.workflows (status);
CREATE INDEX idx_workflows_created ON orchestrator.workflows (created_at);
CREATE INDEX idx_workflows_name    ON orchestrator.workflows (name);

SELECT pg_extension_config_dump('orchestrator.workflows', '');
