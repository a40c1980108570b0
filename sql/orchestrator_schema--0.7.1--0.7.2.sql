\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.2'" to load this file. \quit

-- 0.7.1 -> 0.7.2: workflows that advance. Workflows are started and paused by functions, a failed task is tried
-- again by one, and a view shows how far each workflow is.
-- Locks no rows and writes none.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.7.2');

CREATE FUNCTION orchestrator.start_workflow(workflow_id uuid)
RETURNS orchestrator.workflows
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'start_workflow_wrapper';
REVOKE ALL ON FUNCTION orchestrator.start_workflow(uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.start_workflow(uuid) IS
    'Lets the first tasks of a workflow be claimed, or those at which a pause stopped it. Returns the row';

CREATE FUNCTION orchestrator.pause_workflow(workflow_id uuid, reason text)
RETURNS orchestrator.workflows
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pause_workflow_wrapper';
REVOKE ALL ON FUNCTION orchestrator.pause_workflow(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.pause_workflow(uuid, text) IS
    'Keeps the tasks of a workflow from being claimed, until it is started again. Tasks that workers hold go on. Returns the row';

CREATE FUNCTION orchestrator.retry_task(task_id uuid, max_attempts integer DEFAULT NULL)
RETURNS orchestrator.tasks
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'retry_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.retry_task(uuid, integer) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.retry_task(uuid, integer) IS
    'Lets a task that failed be claimed again, for one more attempt or up to a number of attempts. Returns the row';

CREATE VIEW orchestrator.workflow_progress AS
SELECT w.id AS workflow_id, w.name, w.status, p.tasks, p.pending, p.running, p.completed, p.failed, p.cancelled,
       p.current_sequence, p.blocked_by,
       least(p.started_at, (SELECT min(a.claimed_at) FROM orchestrator.workflow_tasks AS l JOIN orchestrator.task_attempts AS a ON a.task_id = l.task_id
                            WHERE l.workflow_id = w.id)) AS started_at,
       greatest(w.updated_at, p.last_change_at) AS last_change_at
FROM orchestrator.workflows AS w,
     LATERAL (SELECT count(*) AS tasks,
                     count(*) FILTER (WHERE t.status = 'pending') AS pending,
                     count(*) FILTER (WHERE t.status = 'running') AS running,
                     count(*) FILTER (WHERE t.status = 'completed') AS completed,
                     count(*) FILTER (WHERE t.status = 'failed') AS failed,
                     count(*) FILTER (WHERE t.status = 'cancelled') AS cancelled,
                     min(l.sequence) FILTER (WHERE NOT l.done) AS current_sequence,
                     array_agg(t.id ORDER BY l.sequence, t.id) FILTER (WHERE t.status = 'failed') AS blocked_by,
                     min(t.started_at) AS started_at, max(t.updated_at) AS last_change_at
              FROM orchestrator.workflow_tasks AS l JOIN orchestrator.tasks AS t ON t.id = l.task_id
              WHERE l.workflow_id = w.id) AS p;
COMMENT ON VIEW orchestrator.workflow_progress IS 'How far each workflow is: its tasks by status, and the ones that stop it';
COMMENT ON COLUMN orchestrator.workflow_progress.status IS 'State of the workflow; its tasks are claimed only while it is active';
COMMENT ON COLUMN orchestrator.workflow_progress.tasks IS 'Tasks of the workflow; the next five columns count them by status';
COMMENT ON COLUMN orchestrator.workflow_progress.current_sequence IS 'The lowest sequence with a task that is neither completed nor cancelled; NULL if there is none';
COMMENT ON COLUMN orchestrator.workflow_progress.blocked_by IS 'The failed tasks, which stop those of a higher sequence until retry_task or cancel_task; NULL if there is none';
COMMENT ON COLUMN orchestrator.workflow_progress.started_at IS 'When the first of its tasks began, also if it waits again since';
COMMENT ON COLUMN orchestrator.workflow_progress.last_change_at IS 'When the workflow or one of its tasks last changed';

-- Roles with a level get what their level may do from here on.
SELECT orchestrator.renew_access('0.7.1', '0.7.2');
