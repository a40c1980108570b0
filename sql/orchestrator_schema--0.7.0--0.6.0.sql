\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.6.0'" to load this file. \quit

-- 0.7.0 -> 0.6.0: takes tasks, gates and token usage apart from their runs, and removes the state of runs
-- and the keys of questions; orchestrator_archive keeps the values. A run that a gate holds stays on hold
-- until resume_run.
-- Locks runs, reviews, gates, approvals, tasks and token usage until the transaction ends; time and space
-- grow with their rows.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.6.0');

-- Reviewers lose the right to pause, resume and kill runs.
SELECT orchestrator.renew_access('0.7.0', '0.6.0');

-- views

CREATE OR REPLACE VIEW orchestrator.pending_decisions AS
SELECT d.kind, d.id, d.subject, d.asks, d.project_id, d.thread_id, d.requested_at,
       CASE WHEN isfinite(d.requested_at) THEN now() - d.requested_at END AS waiting
FROM (
    SELECT 'review' AS kind, q.id, q.status,
           q.review_type || ' review of story ' || (SELECT r.story_id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = q.thread_id) AS subject,
           q.reason AS asks,
           (SELECT r.project_id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = q.thread_id) AS project_id,
           q.thread_id, q.created_at AS requested_at
    FROM orchestrator.human_review_queue AS q
    UNION ALL
    SELECT 'gate' AS kind, g.id, g.status,
           g.gate_type || ' gate of agent ' || g.agent_id AS subject,
           g.reason AS asks, g.project_id, g.context ->> 'thread_id' AS thread_id, g.created_at AS requested_at
    FROM orchestrator.gates AS g
    UNION ALL
    SELECT 'approval' AS kind, a.id, a.status,
           'approval by ' || a.approver_role || ' of task ' || (SELECT coalesce(nullif(btrim(t.title), ''), t.task_type) FROM orchestrator.tasks AS t WHERE t.id = a.task_id) AS subject,
           coalesce(nullif(btrim(a.notes), ''), (SELECT t.description FROM orchestrator.tasks AS t WHERE t.id = a.task_id), '') AS asks,
           NULL AS project_id, NULL AS thread_id, a.created_at AS requested_at
    FROM orchestrator.approvals AS a
) AS d
WHERE d.status = 'pending'
ORDER BY d.requested_at, d.id;
COMMENT ON VIEW orchestrator.pending_decisions IS 'Everything that waits for a human, the oldest first. The next page is WHERE (requested_at, id) > (those of the last row). Never poll with it, because a late commit has an earlier requested_at. To poll, LISTEN orchestrator_decisions, read all rows after each connect and each notification, and remember the ids';
COMMENT ON COLUMN orchestrator.pending_decisions.project_id IS 'The project; NULL for an approval';
COMMENT ON COLUMN orchestrator.pending_decisions.thread_id IS 'The run of a review; for a gate the thread that its context names';

DROP VIEW orchestrator.run_costs;

-- A view cannot lose columns, so one without them takes its place, with the grants of users.
ALTER VIEW orchestrator.run_summary RENAME TO run_summary_0_7_0;
CREATE VIEW orchestrator.run_summary AS
SELECT r.thread_id, r.phase, r.current_agent, r.safety_score, r.gate_status, r.tokens_used, r.cost_usd,
       (SELECT count(*) FROM orchestrator.audit_events AS e
        WHERE left(e.metadata ->> 'thread_id', 500) = left(r.thread_id, 500)
          AND e.metadata ->> 'thread_id' = r.thread_id) AS actions,
       (SELECT count(*) FROM orchestrator.human_review_queue AS q
        WHERE q.thread_id = r.thread_id AND q.status IS NOT DISTINCT FROM 'pending') AS pending_reviews
FROM orchestrator.orchestrator_runs AS r;
COMMENT ON VIEW orchestrator.run_summary IS 'Every run with the number of its audit events and of its pending reviews';
COMMENT ON COLUMN orchestrator.run_summary.actions IS 'Audit events whose metadata names the thread';
SELECT orchestrator.copy_grants('orchestrator.run_summary_0_7_0', 'orchestrator.run_summary');
DROP VIEW orchestrator.run_summary_0_7_0;

-- Functions with the same arguments

CREATE OR REPLACE FUNCTION orchestrator.start_run(thread_id text, project_id uuid, story_id text)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'start_run_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.record_run_progress(thread_id text, phase text DEFAULT NULL, current_agent text DEFAULT NULL, tokens bigint DEFAULT 0, cost numeric DEFAULT 0, files text[] DEFAULT '{}', error text DEFAULT NULL)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_run_progress_wrapper';
COMMENT ON FUNCTION orchestrator.record_run_progress(text, text, text, bigint, numeric, text[], text) IS
    'Adds tokens, cost and files to a run, and sets its phase, agent or error if given. Returns the row';

CREATE OR REPLACE FUNCTION orchestrator.record_safety(thread_id text, score numeric, violations text[] DEFAULT '{}')
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_safety_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.pause_run(thread_id text, reason text)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pause_run_wrapper';
COMMENT ON FUNCTION orchestrator.pause_run(text, text) IS
    'Holds a run. Returns the row';

CREATE OR REPLACE FUNCTION orchestrator.resume_run(thread_id text)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resume_run_wrapper';
COMMENT ON FUNCTION orchestrator.resume_run(text) IS
    'Lets a run without pending reviews go on. Returns the row';

CREATE OR REPLACE FUNCTION orchestrator.start_tool_execution(task_id uuid, tool_name text, arguments jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'start_tool_execution_0_3_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS orchestrator.gates
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_gate_0_3_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_approval(approval_id uuid, decision text, approver_role text, notes text DEFAULT NULL)
RETURNS orchestrator.approvals
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_approval_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_review(review_id uuid, decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS orchestrator.human_review_queue
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_review_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_reviews(review_ids uuid[], decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS TABLE (review_id uuid, outcome text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_reviews_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.decide(decision_id uuid, decision text, decided_by text, notes text DEFAULT NULL)
RETURNS TABLE (kind text, id uuid, status text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'decide_wrapper';

-- Functions with fewer arguments. Grants of users go over to the earlier form.

CREATE FUNCTION orchestrator.request_approval(task_id uuid, approver_role text, notes text DEFAULT '')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_approval_wrapper';
REVOKE ALL ON FUNCTION orchestrator.request_approval(uuid, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.request_approval(uuid, text, text) IS
    'Asks a role to approve a task, and records it. Returns the id of the approval';

SELECT orchestrator.copy_grants('orchestrator.request_approval(uuid, text, text, text)', 'orchestrator.request_approval(uuid, text, text)');
DROP FUNCTION orchestrator.request_approval(uuid, text, text, text);

CREATE FUNCTION orchestrator.request_review(thread_id text, review_type text, reason text, safety_score numeric DEFAULT NULL, context jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_review_wrapper';
REVOKE ALL ON FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb) IS
    'Asks a human about a run. Returns the id of the review';

SELECT orchestrator.copy_grants('orchestrator.request_review(text, text, text, numeric, jsonb, text)', 'orchestrator.request_review(text, text, text, numeric, jsonb)');
DROP FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb, text);

CREATE FUNCTION orchestrator.open_gate(project_id uuid, agent_id text, gate_type text, reason text, context jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'open_gate_0_3_0_wrapper';
REVOKE ALL ON FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb) IS
    'Opens a gate, at which an agent waits until a human decides. Returns the id of the gate';

SELECT orchestrator.copy_grants('orchestrator.open_gate(uuid, text, text, text, jsonb, text, text)', 'orchestrator.open_gate(uuid, text, text, text, jsonb)');
DROP FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb, text, text);

CREATE FUNCTION orchestrator.record_token_usage(model text, input_tokens bigint, output_tokens bigint, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, at timestamptz DEFAULT now())
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_token_usage_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz) IS
    'Records a call of a language model with its tokens. Returns the id of the row';

SELECT orchestrator.copy_grants('orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz, text, uuid, text)', 'orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz)');
DROP FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz, text, uuid, text);

DROP FUNCTION orchestrator.run_trail(text);
DROP FUNCTION orchestrator.save_run_state(text, jsonb, boolean);
DROP FUNCTION orchestrator.ensure_run(text, uuid, text);

-- columns

SELECT orchestrator.archive_columns('orchestrator.llm_token_usage', array['thread_id', 'task_id', 'call_id']);
DROP INDEX orchestrator.uq_llm_token_usage_call_id;
DROP INDEX orchestrator.idx_token_usage_thread;
ALTER TABLE orchestrator.llm_token_usage
    DROP CONSTRAINT llm_token_usage_call_id_check,
    DROP CONSTRAINT llm_token_usage_thread_id_check,
    DROP COLUMN call_id,
    DROP COLUMN task_id,
    DROP COLUMN thread_id;

SELECT orchestrator.archive_columns('orchestrator.approvals', array['request_key']);
DROP INDEX orchestrator.uq_approvals_request_key;
ALTER TABLE orchestrator.approvals
    DROP CONSTRAINT approvals_request_key_check,
    DROP COLUMN request_key;

SELECT orchestrator.archive_columns('orchestrator.human_review_queue', array['request_key']);
DROP INDEX orchestrator.uq_human_review_request_key;
ALTER TABLE orchestrator.human_review_queue
    DROP CONSTRAINT human_review_queue_request_key_check,
    DROP COLUMN request_key;

SELECT orchestrator.archive_columns('orchestrator.gates', array['thread_id', 'request_key']);
DROP INDEX orchestrator.uq_gates_request_key;
DROP INDEX orchestrator.idx_gates_thread;
ALTER TABLE orchestrator.gates
    DROP CONSTRAINT gates_request_key_check,
    DROP CONSTRAINT gates_thread_id_fkey,
    DROP COLUMN request_key,
    DROP COLUMN thread_id;

SELECT orchestrator.archive_columns('orchestrator.tasks', array['thread_id']);
DROP INDEX orchestrator.idx_tasks_thread;
ALTER TABLE orchestrator.tasks
    DROP CONSTRAINT tasks_thread_id_fkey,
    DROP COLUMN thread_id;

SELECT orchestrator.archive_columns('orchestrator.orchestrator_runs', array['state', 'held_by', 'hold_reason']);
ALTER TABLE orchestrator.orchestrator_runs
    DROP CONSTRAINT orchestrator_runs_pause_check,
    DROP CONSTRAINT orchestrator_runs_held_by_check,
    DROP CONSTRAINT orchestrator_runs_state_check,
    DROP COLUMN hold_reason,
    DROP COLUMN held_by,
    DROP COLUMN state;
