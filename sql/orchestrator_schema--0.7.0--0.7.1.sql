\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.1'" to load this file. \quit

-- 0.7.0 -> 0.7.1: tasks are taken. A worker claims a task for the time of a lease, renews it, and completes,
-- fails or releases the task; an attempt is kept for each claim. A narrow table lists the waiting tasks, in
-- the order of their workflows, and a step of a task that was paid for runs once.
-- Locks tasks, workflows, tool executions and runs until the transaction ends. The new columns rewrite no table.
-- One entry is written for each pending task, and one link for each task of a workflow that is over. Values and
-- rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.7.1');

-- tasks: their order, their time, their attempts, their result.

ALTER TABLE orchestrator.tasks
    ADD COLUMN priority     smallint    NOT NULL DEFAULT 0,
    ADD COLUMN run_after    timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN max_attempts integer     NOT NULL DEFAULT 1,
    ADD COLUMN result       jsonb,
    ADD CONSTRAINT tasks_max_attempts_check CHECK (max_attempts >= 1);
COMMENT ON COLUMN orchestrator.tasks.priority IS 'Tasks with a greater number are claimed first';
COMMENT ON COLUMN orchestrator.tasks.run_after IS 'No worker claims the task before this time';
COMMENT ON COLUMN orchestrator.tasks.max_attempts IS 'The number of attempts after which a failure is final; released attempts do not count';
COMMENT ON COLUMN orchestrator.tasks.result IS 'The result of the work, any JSON value of the application';
COMMENT ON COLUMN orchestrator.tasks.started_at IS 'When it last became running; NULL again while it waits for the next attempt';
COMMENT ON COLUMN orchestrator.tasks.error IS 'Why it failed or was cancelled; task_attempts has the errors of earlier attempts';

SELECT orchestrator.restore_columns('orchestrator.tasks', array['priority', 'run_after', 'max_attempts', 'result']);

-- Waiting tasks are read from queued_tasks.
DROP INDEX orchestrator.idx_tasks_pending;

-- task_attempts

CREATE TABLE orchestrator.task_attempts (
    task_id          uuid        NOT NULL,
    attempt          integer     NOT NULL,
    worker           text        NOT NULL,
    claimed_at       timestamptz NOT NULL DEFAULT now(),
    lease_expires_at timestamptz NOT NULL,
    ended_at         timestamptz,
    outcome          text,
    error            text,
    claimed_as       text        NOT NULL DEFAULT session_user,
    PRIMARY KEY (task_id, attempt),
    CONSTRAINT task_attempts_task_id_fkey  FOREIGN KEY (task_id) REFERENCES orchestrator.tasks (id) ON DELETE CASCADE,
    CONSTRAINT task_attempts_attempt_check CHECK (attempt >= 1),
    CONSTRAINT task_attempts_worker_check  CHECK (btrim(worker) <> ''),
    CONSTRAINT task_attempts_outcome_check CHECK (outcome IN ('completed', 'failed', 'released', 'expired', 'cancelled')),
    CONSTRAINT task_attempts_end_check     CHECK ((outcome IS NULL) = (ended_at IS NULL) AND ended_at >= claimed_at)
);
COMMENT ON TABLE orchestrator.task_attempts IS 'Each claim of a task, with its lease and its end; the open one is the claim that holds the task';
COMMENT ON COLUMN orchestrator.task_attempts.attempt IS 'The number of the claim of its task, from 1';
COMMENT ON COLUMN orchestrator.task_attempts.worker IS 'The name that the worker gave itself';
COMMENT ON COLUMN orchestrator.task_attempts.lease_expires_at IS 'From this time on the task can be taken back, unless the lease is renewed';
COMMENT ON COLUMN orchestrator.task_attempts.ended_at IS 'When the attempt ended; NULL exactly while the worker holds the task';
COMMENT ON COLUMN orchestrator.task_attempts.outcome IS 'End of the attempt. completed: the task is done; failed: the worker reported an error; released: the worker gave the task back; expired: the lease ran out; cancelled: the task was cancelled';
COMMENT ON COLUMN orchestrator.task_attempts.error IS 'The error that the worker reported, or the reason of the cancellation';
COMMENT ON COLUMN orchestrator.task_attempts.claimed_as IS 'The database role that was logged in';

SELECT orchestrator.restore_table('orchestrator.task_attempts');

-- A task has one worker at most.
CREATE UNIQUE INDEX uq_task_attempts_open ON orchestrator.task_attempts (task_id) WHERE ended_at IS NULL;
-- Leases that can expire, the earliest first. Only searches for leases say outcome IS NULL, so that no search
-- for the attempt of a task reads all of this index.
CREATE INDEX idx_task_attempts_lease ON orchestrator.task_attempts (lease_expires_at) WHERE outcome IS NULL;
CREATE INDEX idx_task_attempts_ended ON orchestrator.task_attempts (ended_at) WHERE ended_at IS NOT NULL;

SELECT pg_extension_config_dump('orchestrator.task_attempts', '');

-- workflow_tasks: the end of each task, so that the next ones are found without the tasks before them.

ALTER TABLE orchestrator.workflow_tasks
    ADD COLUMN done boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN orchestrator.workflow_tasks.done IS 'Whether the task is completed or cancelled, and later ones may begin; kept up by triggers';

SELECT orchestrator.restore_columns('orchestrator.workflow_tasks', array['done']);

CREATE INDEX idx_workflow_tasks_open ON orchestrator.workflow_tasks (workflow_id, sequence) WHERE NOT done;

-- queued_tasks. A trigger on tasks writes it: it has one row for each pending task, and no other.

CREATE TABLE orchestrator.queued_tasks (
    task_id    uuid        PRIMARY KEY,
    task_type  text        NOT NULL,
    to_role    text,
    priority   smallint    NOT NULL,
    run_after  timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    attempts   integer     NOT NULL,
    ready      boolean     NOT NULL,
    CONSTRAINT queued_tasks_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.tasks (id) ON DELETE CASCADE
);
COMMENT ON TABLE orchestrator.queued_tasks IS 'The pending tasks in the order of claims; kept up by triggers, and written by nothing else';
COMMENT ON COLUMN orchestrator.queued_tasks.task_type IS 'The first 200 characters of the task''s';
COMMENT ON COLUMN orchestrator.queued_tasks.to_role IS 'The first 200 characters of the task''s';
COMMENT ON COLUMN orchestrator.queued_tasks.created_at IS 'When the task was created';
COMMENT ON COLUMN orchestrator.queued_tasks.attempts IS 'The number of the last attempt, or 0';
COMMENT ON COLUMN orchestrator.queued_tasks.ready IS 'Whether neither its run, nor a workflow, nor an approval keeps it back';

-- A downgrade keeps no rows of this table, because the tasks can change before the next update.
SELECT orchestrator.restore_table('orchestrator.queued_tasks');

CREATE FUNCTION orchestrator.rebuild_task_queue()
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'rebuild_task_queue_wrapper';
REVOKE ALL ON FUNCTION orchestrator.rebuild_task_queue() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.rebuild_task_queue() IS
    'Writes queued_tasks again from the pending tasks, marks the links of tasks that are over, and ends open attempts of tasks that are not running. Needed only if triggers were off. Returns the number of rows';

-- While the older version was installed, tasks could end, or wait again, without their worker.
SELECT orchestrator.rebuild_task_queue();

-- The order of claims: of all tasks, for each type, and for each type of a role.
CREATE INDEX idx_queued_tasks_order ON orchestrator.queued_tasks (priority DESC, run_after, created_at, task_id) WHERE ready;
CREATE INDEX idx_queued_tasks_type ON orchestrator.queued_tasks (task_type, priority DESC, run_after, created_at, task_id) WHERE ready;
CREATE INDEX idx_queued_tasks_role ON orchestrator.queued_tasks (to_role, task_type, priority DESC, run_after, created_at, task_id) WHERE ready AND to_role IS NOT NULL;

SELECT pg_extension_config_dump('orchestrator.queued_tasks', '');

CREATE FUNCTION orchestrator.enforce_defaults()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enforce_defaults_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_defaults() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_defaults() IS
    'BEFORE INSERT row trigger (column [, column ...]): refuses a value other than the default in a column that the role may not update';

CREATE FUNCTION orchestrator.queue_task()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'queue_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.queue_task() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.queue_task() IS
    'AFTER INSERT or UPDATE row trigger of tasks: keeps queued_tasks up to date, announces tasks that can be claimed, and refuses to move a claimed task by UPDATE';

CREATE FUNCTION orchestrator.queue_tasks_of_run()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'queue_tasks_of_run_wrapper';
REVOKE ALL ON FUNCTION orchestrator.queue_tasks_of_run() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.queue_tasks_of_run() IS
    'AFTER UPDATE row trigger of orchestrator_runs: keeps the tasks of a run that is on hold or was killed from being claimed';

CREATE FUNCTION orchestrator.queue_task_of_approval()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'queue_task_of_approval_wrapper';
REVOKE ALL ON FUNCTION orchestrator.queue_task_of_approval() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.queue_task_of_approval() IS
    'AFTER INSERT, UPDATE or DELETE row trigger of approvals: keeps a task from being claimed while it waits for an approval';

CREATE FUNCTION orchestrator.mark_done()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mark_done_wrapper';
REVOKE ALL ON FUNCTION orchestrator.mark_done() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.mark_done() IS
    'BEFORE INSERT or UPDATE row trigger of workflow_tasks: sets done as the task is';

CREATE FUNCTION orchestrator.queue_linked_tasks()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'queue_linked_tasks_wrapper';
REVOKE ALL ON FUNCTION orchestrator.queue_linked_tasks() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.queue_linked_tasks() IS
    'AFTER INSERT, UPDATE or DELETE row trigger of workflow_tasks: keeps tasks from being claimed before their turn';

CREATE FUNCTION orchestrator.queue_tasks_of_workflow()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'queue_tasks_of_workflow_wrapper';
REVOKE ALL ON FUNCTION orchestrator.queue_tasks_of_workflow() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.queue_tasks_of_workflow() IS
    'AFTER UPDATE row trigger of workflows: keeps the tasks of a workflow that is not active from being claimed';

CREATE FUNCTION orchestrator.advance_workflows()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'advance_workflows_wrapper';
REVOKE ALL ON FUNCTION orchestrator.advance_workflows() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.advance_workflows() IS
    'AFTER UPDATE statement trigger of tasks: lets the tasks be claimed that come next in the workflows of those that are over';

CREATE FUNCTION orchestrator.replace_queued_task()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'replace_queued_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.replace_queued_task() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.replace_queued_task() IS
    'BEFORE INSERT row trigger of queued_tasks: while a dump is restored, its rows replace those that the tasks have made';

CREATE TRIGGER queued_tasks_restored BEFORE INSERT ON orchestrator.queued_tasks
    FOR EACH ROW EXECUTE FUNCTION orchestrator.replace_queued_task();
CREATE TRIGGER tasks_defaults BEFORE INSERT ON orchestrator.tasks
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_defaults('created_at', 'updated_at', 'started_at', 'completed_at', 'from_role', 'to_role', 'data', 'trace_id', 'idempotency_key');
CREATE TRIGGER tasks_queue_new AFTER INSERT ON orchestrator.tasks
    FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION orchestrator.queue_task();
CREATE TRIGGER tasks_queue AFTER UPDATE OF status, task_type, to_role, priority, run_after, created_at, thread_id ON orchestrator.tasks
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status OR NEW.status = 'pending')
    EXECUTE FUNCTION orchestrator.queue_task();
CREATE TRIGGER tasks_workflows AFTER UPDATE OF status ON orchestrator.tasks
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.advance_workflows();
CREATE TRIGGER workflow_tasks_done BEFORE INSERT OR UPDATE ON orchestrator.workflow_tasks
    FOR EACH ROW EXECUTE FUNCTION orchestrator.mark_done();
CREATE TRIGGER workflow_tasks_queue AFTER INSERT OR UPDATE OR DELETE ON orchestrator.workflow_tasks
    FOR EACH ROW EXECUTE FUNCTION orchestrator.queue_linked_tasks();
CREATE TRIGGER workflows_queue AFTER UPDATE ON orchestrator.workflows
    FOR EACH ROW EXECUTE FUNCTION orchestrator.queue_tasks_of_workflow();
CREATE TRIGGER approvals_queue AFTER INSERT OR UPDATE OR DELETE ON orchestrator.approvals
    FOR EACH ROW EXECUTE FUNCTION orchestrator.queue_task_of_approval();
-- A decision about a run that is to be done again writes its row: a question that held its tasks may be gone.
CREATE TRIGGER orchestrator_runs_queue AFTER UPDATE ON orchestrator.orchestrator_runs
    FOR EACH ROW
    WHEN ((OLD.gate_status IN ('hold', 'kill')) IS DISTINCT FROM (NEW.gate_status IN ('hold', 'kill'))
          OR (NEW.gate_status = 'recycle' AND OLD.requires_human_review AND NOT NEW.requires_human_review)
          OR (NEW.gate_status = 'recycle' AND OLD.gate_status = 'recycle' AND NEW.phase = OLD.phase AND NEW.tokens_used = OLD.tokens_used
              AND NEW.current_agent IS NOT DISTINCT FROM OLD.current_agent))
    EXECUTE FUNCTION orchestrator.queue_tasks_of_run();

-- tool_executions: a step of a task has a key.

ALTER TABLE orchestrator.tool_executions
    ADD COLUMN step_key text,
    ADD CONSTRAINT tool_executions_step_key_check CHECK (btrim(step_key) <> '');
COMMENT ON COLUMN orchestrator.tool_executions.step_key IS 'The worker''s key of the step within its task: begin_step finds the completed execution by it';

SELECT orchestrator.restore_columns('orchestrator.tool_executions', array['step_key']);

-- A step that failed can be tried again.
CREATE UNIQUE INDEX uq_tool_executions_step ON orchestrator.tool_executions (task_id, step_key) WHERE step_key IS NOT NULL AND status NOT IN ('failed', 'timeout');

CREATE FUNCTION orchestrator.begin_step(task_id uuid, step_key text, tool_name text, arguments jsonb DEFAULT '{}')
RETURNS TABLE (execution_id uuid, done boolean, output text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'begin_step_wrapper';
REVOKE ALL ON FUNCTION orchestrator.begin_step(uuid, text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.begin_step(uuid, text, text, jsonb) IS
    'Starts the tool of a step, or returns the output of the step if it is done already. Finish it with finish_tool_execution';

-- tasks

CREATE FUNCTION orchestrator.create_task(task_type text, title text, config jsonb DEFAULT '{}', thread_id text DEFAULT NULL, priority smallint DEFAULT 0, run_after timestamptz DEFAULT NULL, max_attempts integer DEFAULT 1, description text DEFAULT NULL, metadata jsonb DEFAULT NULL, workspace_path text DEFAULT NULL, idempotency_key uuid DEFAULT NULL)
RETURNS TABLE (task_id uuid, created boolean)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'create_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.create_task(text, text, jsonb, text, smallint, timestamptz, integer, text, jsonb, text, uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.create_task(text, text, jsonb, text, smallint, timestamptz, integer, text, jsonb, text, uuid) IS
    'Creates a task for workers to claim, once per idempotency key. Returns its id, and whether this call created it';

CREATE FUNCTION orchestrator.claim_tasks(worker text, task_types text[] DEFAULT NULL, to_role text DEFAULT NULL, batch integer DEFAULT 1, lease interval DEFAULT '5 minutes')
RETURNS SETOF orchestrator.tasks
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'claim_tasks_wrapper';
REVOKE ALL ON FUNCTION orchestrator.claim_tasks(text, text[], text, integer, interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.claim_tasks(text, text[], text, integer, interval) IS
    'Takes waiting tasks for a worker, the most urgent first, until their lease expires. Returns their rows';

CREATE FUNCTION orchestrator.renew_claim(task_id uuid, worker text, lease interval DEFAULT '5 minutes')
RETURNS timestamptz
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'renew_claim_wrapper';
REVOKE ALL ON FUNCTION orchestrator.renew_claim(uuid, text, interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.renew_claim(uuid, text, interval) IS
    'Extends the lease of a task that the worker holds. Returns its new end';

CREATE FUNCTION orchestrator.complete_task(task_id uuid, worker text, result jsonb DEFAULT NULL)
RETURNS orchestrator.tasks
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'complete_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.complete_task(uuid, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.complete_task(uuid, text, jsonb) IS
    'Completes a task that the worker holds. Repeating the call changes nothing. Returns the row';

CREATE FUNCTION orchestrator.complete_tasks(task_ids uuid[], worker text, results jsonb[] DEFAULT NULL)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'complete_tasks_wrapper';
REVOKE ALL ON FUNCTION orchestrator.complete_tasks(uuid[], text, jsonb[]) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.complete_tasks(uuid[], text, jsonb[]) IS
    'Completes tasks that the worker holds: all of them, or none. Returns the number that this call completed';

CREATE FUNCTION orchestrator.fail_task(task_id uuid, worker text, error text, retry_in interval DEFAULT NULL, final boolean DEFAULT false)
RETURNS orchestrator.tasks
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'fail_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.fail_task(uuid, text, text, interval, boolean) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.fail_task(uuid, text, text, interval, boolean) IS
    'Ends the attempt of a task that the worker holds with an error: the task waits for its next attempt, or failed if none is left. Returns the row';

CREATE FUNCTION orchestrator.release_task(task_id uuid, worker text, retry_in interval DEFAULT '0')
RETURNS orchestrator.tasks
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'release_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.release_task(uuid, text, interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.release_task(uuid, text, interval) IS
    'Puts a task that the worker holds back into the queue; the attempt does not count. Returns the row';

CREATE FUNCTION orchestrator.cancel_task(task_id uuid, reason text)
RETURNS orchestrator.tasks
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'cancel_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.cancel_task(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.cancel_task(uuid, text) IS
    'Cancels a task that has not ended; the claim of a worker ends with it. Returns the row';

CREATE FUNCTION orchestrator.reclaim_expired_tasks()
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'reclaim_expired_tasks_wrapper';
REVOKE ALL ON FUNCTION orchestrator.reclaim_expired_tasks() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.reclaim_expired_tasks() IS
    'Takes tasks with an expired lease back: they wait for their next attempt, or failed if none is left. Returns their number';

CREATE OR REPLACE FUNCTION orchestrator.run_maintenance()
RETURNS TABLE (task text, affected bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'run_maintenance_0_7_1_wrapper';

-- views

CREATE VIEW orchestrator.task_queue AS
SELECT w.task_type, w.to_role,
       sum(w.waiting)::bigint AS waiting, sum(w.scheduled)::bigint AS scheduled, sum(w.blocked)::bigint AS blocked,
       sum(w.running)::bigint AS running, sum(w.expired_leases)::bigint AS expired_leases,
       CASE WHEN isfinite(min(w.waits_since)) THEN now() - min(w.waits_since) END AS oldest_wait
FROM (
    SELECT q.task_type, q.to_role,
           count(*) FILTER (WHERE q.ready AND q.run_after <= now()) AS waiting,
           count(*) FILTER (WHERE q.ready AND q.run_after > now()) AS scheduled,
           count(*) FILTER (WHERE NOT q.ready) AS blocked,
           0 AS running, 0 AS expired_leases,
           min(greatest(q.created_at, q.run_after)) FILTER (WHERE q.ready AND q.run_after <= now()) AS waits_since
    FROM orchestrator.queued_tasks AS q GROUP BY q.task_type, q.to_role
    UNION ALL
    SELECT left(t.task_type, 200) AS task_type, left(t.to_role, 200) AS to_role, 0 AS waiting, 0 AS scheduled, 0 AS blocked,
           count(*) AS running, count(*) FILTER (WHERE a.lease_expires_at < now()) AS expired_leases, NULL::timestamptz AS waits_since
    FROM orchestrator.task_attempts AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id
    WHERE a.ended_at IS NULL GROUP BY left(t.task_type, 200), left(t.to_role, 200)
) AS w
GROUP BY w.task_type, w.to_role;
COMMENT ON VIEW orchestrator.task_queue IS 'Open tasks by type and role: claimable, due later, kept back, and held by workers';
COMMENT ON COLUMN orchestrator.task_queue.waiting IS 'Tasks that a worker can claim now, unless their run is to be done again and waits for another answer';
COMMENT ON COLUMN orchestrator.task_queue.scheduled IS 'Tasks that can be claimed after their run_after';
COMMENT ON COLUMN orchestrator.task_queue.blocked IS 'Tasks whose run is on hold or was killed, or which wait in a workflow';
COMMENT ON COLUMN orchestrator.task_queue.running IS 'Tasks that a worker holds';
COMMENT ON COLUMN orchestrator.task_queue.expired_leases IS 'Those of them whose lease has expired: the next claim takes them back';
COMMENT ON COLUMN orchestrator.task_queue.oldest_wait IS 'How long the longest waiting of the claimable tasks has been claimable';

CREATE VIEW orchestrator.task_stats AS
SELECT t.task_type, count(*) AS count, count(*) FILTER (WHERE a.outcome <> 'completed') AS failures,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN isfinite(a.claimed_at) AND isfinite(a.ended_at) THEN a.ended_at - a.claimed_at END) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY CASE WHEN isfinite(a.claimed_at) AND isfinite(a.ended_at) THEN a.ended_at - a.claimed_at END) AS p95
FROM orchestrator.task_attempts AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id
WHERE a.ended_at > now() - interval '24 hours' AND a.outcome IN ('completed', 'failed', 'expired')
GROUP BY t.task_type;
COMMENT ON VIEW orchestrator.task_stats IS 'Attempts of tasks that ended in the last 24 hours, by type of task; released and cancelled ones are left out';
COMMENT ON COLUMN orchestrator.task_stats.failures IS 'Attempts that failed, or whose lease expired';
COMMENT ON COLUMN orchestrator.task_stats.p50 IS 'The median time from the claim to the end of an attempt';
COMMENT ON COLUMN orchestrator.task_stats.p95 IS 'The time that 95 of 100 attempts took at most';

CREATE VIEW orchestrator.tool_stats AS
SELECT e.tool_name, count(*) AS count, count(*) FILTER (WHERE e.status <> 'completed') AS failures,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN isfinite(e.created_at) AND isfinite(e.completed_at) THEN e.completed_at - e.created_at END) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY CASE WHEN isfinite(e.created_at) AND isfinite(e.completed_at) THEN e.completed_at - e.created_at END) AS p95
FROM orchestrator.tool_executions AS e
WHERE e.created_at > now() - interval '24 hours' AND e.status IN ('completed', 'failed', 'timeout')
GROUP BY e.tool_name;
COMMENT ON VIEW orchestrator.tool_stats IS 'Tool executions that were started in the last 24 hours and have ended, by tool';
COMMENT ON COLUMN orchestrator.tool_stats.failures IS 'Executions that failed or timed out';
COMMENT ON COLUMN orchestrator.tool_stats.p50 IS 'The median time of an execution';
COMMENT ON COLUMN orchestrator.tool_stats.p95 IS 'The time that 95 of 100 executions took at most';

-- Roles with a level get what their level may do from here on.
SELECT orchestrator.renew_access('0.7.0', '0.7.1');
