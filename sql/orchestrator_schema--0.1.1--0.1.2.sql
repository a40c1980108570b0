\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.2'" to load this file. \quit

-- 0.1.1 -> 0.1.2: the tasks of each workflow, in their order.
-- The foreign keys lock tasks and workflows against writing until the transaction ends. Rows kept by
-- an earlier downgrade are restored; a link without its task or workflow stays archived.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.1.2');

CREATE TABLE orchestrator.workflow_tasks (
    workflow_id uuid        NOT NULL,
    task_id     uuid        NOT NULL,
    sequence    integer     NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workflow_id, task_id),
    CONSTRAINT workflow_tasks_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES orchestrator.workflows (id) ON DELETE CASCADE,
    CONSTRAINT workflow_tasks_task_id_fkey     FOREIGN KEY (task_id) REFERENCES orchestrator.tasks (id) ON DELETE CASCADE,
    CONSTRAINT workflow_tasks_sequence_check   CHECK (sequence >= 0)
);
COMMENT ON TABLE orchestrator.workflow_tasks IS 'The tasks of each workflow; a workflow has a task at most once';
COMMENT ON COLUMN orchestrator.workflow_tasks.sequence IS 'Place in the order of the workflow, from 0; tasks with the same number may run side by side';

SELECT orchestrator.restore_table('orchestrator.workflow_tasks');

CREATE INDEX idx_workflow_tasks_task     ON orchestrator.workflow_tasks (task_id);
CREATE INDEX idx_workflow_tasks_sequence ON orchestrator.workflow_tasks (workflow_id, sequence);

SELECT pg_extension_config_dump('orchestrator.workflow_tasks', '');
