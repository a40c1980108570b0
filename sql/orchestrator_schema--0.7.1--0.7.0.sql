\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.0'" to load this file. \quit

-- 0.7.1 -> 0.7.0: removes the claims of tasks with their attempts, the order and the times of tasks, and the
-- keys of steps; orchestrator_archive keeps the values and rows. A claimed task stays running. The list of
-- waiting tasks is dropped, because an update makes it again.
-- Locks tasks, workflows, tool executions and runs until the transaction ends; time and space grow with their rows.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.7.0');

SELECT orchestrator.renew_access('0.7.1', '0.7.0');

-- views

DROP VIEW orchestrator.tool_stats;
DROP VIEW orchestrator.task_stats;
DROP VIEW orchestrator.task_queue;

-- functions

CREATE OR REPLACE FUNCTION orchestrator.run_maintenance()
RETURNS TABLE (task text, affected bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'run_maintenance_wrapper';

DROP FUNCTION orchestrator.rebuild_task_queue();
DROP FUNCTION orchestrator.reclaim_expired_tasks();
DROP FUNCTION orchestrator.cancel_task(uuid, text);
DROP FUNCTION orchestrator.release_task(uuid, text, interval);
DROP FUNCTION orchestrator.fail_task(uuid, text, text, interval, boolean);
DROP FUNCTION orchestrator.complete_tasks(uuid[], text, jsonb[]);
DROP FUNCTION orchestrator.complete_task(uuid, text, jsonb);
DROP FUNCTION orchestrator.renew_claim(uuid, text, interval);
DROP FUNCTION orchestrator.claim_tasks(text, text[], text, integer, interval);
DROP FUNCTION orchestrator.create_task(text, text, jsonb, text, smallint, timestamptz, integer, text, jsonb, text, uuid);
DROP FUNCTION orchestrator.begin_step(uuid, text, text, jsonb);

-- tool_executions

SELECT orchestrator.archive_columns('orchestrator.tool_executions', array['step_key']);
DROP INDEX orchestrator.uq_tool_executions_step;
ALTER TABLE orchestrator.tool_executions
    DROP CONSTRAINT tool_executions_step_key_check,
    DROP COLUMN step_key;

-- triggers

DROP TRIGGER approvals_queue ON orchestrator.approvals;
DROP TRIGGER workflows_queue ON orchestrator.workflows;
DROP TRIGGER workflow_tasks_queue ON orchestrator.workflow_tasks;
DROP TRIGGER workflow_tasks_done ON orchestrator.workflow_tasks;
DROP TRIGGER tasks_workflows ON orchestrator.tasks;
DROP TRIGGER orchestrator_runs_queue ON orchestrator.orchestrator_runs;
DROP TRIGGER tasks_queue ON orchestrator.tasks;
DROP TRIGGER tasks_queue_new ON orchestrator.tasks;
DROP TRIGGER tasks_defaults ON orchestrator.tasks;
DROP TRIGGER queued_tasks_restored ON orchestrator.queued_tasks;
DROP FUNCTION orchestrator.replace_queued_task();
DROP FUNCTION orchestrator.advance_workflows();
DROP FUNCTION orchestrator.queue_tasks_of_workflow();
DROP FUNCTION orchestrator.queue_linked_tasks();
DROP FUNCTION orchestrator.mark_done();
DROP FUNCTION orchestrator.queue_task_of_approval();
DROP FUNCTION orchestrator.queue_tasks_of_run();
DROP FUNCTION orchestrator.queue_task();
DROP FUNCTION orchestrator.enforce_defaults();

-- tables

-- No row is kept: each follows from its task.
TRUNCATE orchestrator.queued_tasks;
SELECT orchestrator.archive_table('orchestrator.queued_tasks');

SELECT orchestrator.archive_table('orchestrator.task_attempts');

-- workflow_tasks

SELECT orchestrator.archive_columns('orchestrator.workflow_tasks', array['done']);
DROP INDEX orchestrator.idx_workflow_tasks_open;
ALTER TABLE orchestrator.workflow_tasks DROP COLUMN done;

-- tasks

CREATE INDEX idx_tasks_pending ON orchestrator.tasks (created_at, id) WHERE status = 'pending';

SELECT orchestrator.archive_columns('orchestrator.tasks', array['priority', 'run_after', 'max_attempts', 'result']);
ALTER TABLE orchestrator.tasks
    DROP CONSTRAINT tasks_max_attempts_check,
    DROP COLUMN result,
    DROP COLUMN max_attempts,
    DROP COLUMN run_after,
    DROP COLUMN priority;
COMMENT ON COLUMN orchestrator.tasks.started_at IS 'When it last became running';
COMMENT ON COLUMN orchestrator.tasks.error IS 'Why it failed';
