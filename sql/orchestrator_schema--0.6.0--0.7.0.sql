\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.0'" to load this file. \quit

-- 0.6.0 -> 0.7.0: a run ties its tasks, gates and token usage together, keeps a state for the worker that
-- comes back, and a hold stops its work. Questions take a key, so that an agent that starts again asks once.
-- Locks runs, reviews, gates, approvals, tasks and token usage until the transaction ends. The new columns
-- rewrite no table. The new CHECKs and foreign keys read their tables once. Only runs that are paused are
-- updated. Values kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.7.0');

-- orchestrator_runs: the state of its worker, and who paused it.

ALTER TABLE orchestrator.orchestrator_runs
    ADD COLUMN state       jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN held_by     text,
    ADD COLUMN hold_reason text,
    ADD CONSTRAINT orchestrator_runs_state_check CHECK (jsonb_typeof(state) = 'object');
COMMENT ON COLUMN orchestrator.orchestrator_runs.state IS 'Where a worker that comes back goes on, a JSON object of the application';
COMMENT ON COLUMN orchestrator.orchestrator_runs.held_by IS 'The role that paused the run; NULL unless it is paused';
COMMENT ON COLUMN orchestrator.orchestrator_runs.hold_reason IS 'Why the run was paused; NULL unless it is paused';

-- When a downgrade kept these columns: events before that are in their values already.
-- The time is written in a way that every DateStyle and TimeZone reads alike.
SELECT set_config('orchestrator.kept_at',
                  coalesce(to_char(max(k.archived_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '-infinity'), true)
FROM orchestrator.archived() AS k WHERE starts_with(k.object, 'orchestrator.orchestrator_runs (');
SELECT orchestrator.restore_columns('orchestrator.orchestrator_runs', array['state', 'held_by', 'hold_reason']);

-- A run is paused if it is on hold, and no event since its last pause let it go on. A restored pause stays
-- unless such an event came after it. No user changed the rows, so their updated_at stays, and no user's
-- trigger runs.
SET LOCAL session_replication_role TO replica;
UPDATE orchestrator.orchestrator_runs AS r
SET held_by = CASE WHEN r.gate_status = 'hold' THEN p.paused_by END,
    hold_reason = CASE WHEN r.gate_status = 'hold' THEN p.reason END
FROM (
    SELECT o.id,
           CASE WHEN l.id IS NULL AND o.held_by IS NOT NULL THEN o.held_by ELSE e.paused_by END AS paused_by,
           CASE WHEN l.id IS NULL AND o.held_by IS NOT NULL THEN o.hold_reason ELSE e.reason END AS reason
    FROM orchestrator.orchestrator_runs AS o
    LEFT JOIN LATERAL (
        SELECT a.id FROM orchestrator.audit_events AS a
        WHERE a.trace_id = o.id AND a."timestamp" > current_setting('orchestrator.kept_at')::timestamptz
          AND (a.event_type = 'run_resumed'
               OR (a.event_type = 'review_approved' AND a.metadata ->> 'gate_status' = 'go'))
        ORDER BY a.id DESC LIMIT 1
    ) AS l ON true
    LEFT JOIN LATERAL (
        SELECT a.metadata ->> 'session_user' AS paused_by, a.metadata ->> 'reason' AS reason
        FROM orchestrator.audit_events AS a
        WHERE a.trace_id = o.id AND a."timestamp" > current_setting('orchestrator.kept_at')::timestamptz
          AND a.event_type = 'run_paused' AND (l.id IS NULL OR a.id > l.id)
          AND btrim(a.metadata ->> 'session_user') <> '' AND a.metadata ->> 'reason' IS NOT NULL
        ORDER BY a.id DESC LIMIT 1
    ) AS e ON true
    WHERE o.gate_status = 'hold' OR o.held_by IS NOT NULL
) AS p
WHERE r.id = p.id AND (r.held_by IS NOT NULL OR p.paused_by IS NOT NULL);
SET LOCAL session_replication_role TO origin;

ALTER TABLE orchestrator.orchestrator_runs
    ADD CONSTRAINT orchestrator_runs_held_by_check CHECK (btrim(held_by) <> ''),
    ADD CONSTRAINT orchestrator_runs_pause_check   CHECK (
        (held_by IS NULL) = (hold_reason IS NULL) AND (held_by IS NULL OR gate_status = 'hold'));

-- tasks and gates of a run

ALTER TABLE orchestrator.tasks
    ADD COLUMN thread_id text,
    ADD CONSTRAINT tasks_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES orchestrator.orchestrator_runs (thread_id) ON UPDATE CASCADE;
COMMENT ON COLUMN orchestrator.tasks.thread_id IS 'The run that the task belongs to; if its thread_id changes, this column follows';

SELECT orchestrator.restore_columns('orchestrator.tasks', array['thread_id']);

CREATE INDEX idx_tasks_thread ON orchestrator.tasks (thread_id) WHERE thread_id IS NOT NULL;

ALTER TABLE orchestrator.gates
    ADD COLUMN thread_id   text,
    ADD COLUMN request_key text,
    ADD CONSTRAINT gates_thread_id_fkey    FOREIGN KEY (thread_id) REFERENCES orchestrator.orchestrator_runs (thread_id) ON UPDATE CASCADE,
    ADD CONSTRAINT gates_request_key_check CHECK (btrim(request_key) <> '');
COMMENT ON COLUMN orchestrator.gates.thread_id IS 'The run that the gate holds while it is pending; if its thread_id changes, this column follows, also in a resolved gate';
COMMENT ON COLUMN orchestrator.gates.request_key IS 'The agent''s key of the question: asking again with it opens no second gate';

SELECT orchestrator.restore_columns('orchestrator.gates', array['thread_id', 'request_key']);

CREATE INDEX        idx_gates_thread     ON orchestrator.gates (thread_id) WHERE thread_id IS NOT NULL;
CREATE UNIQUE INDEX uq_gates_request_key ON orchestrator.gates (request_key) WHERE request_key IS NOT NULL;

ALTER TABLE orchestrator.human_review_queue
    ADD COLUMN request_key text,
    ADD CONSTRAINT human_review_queue_request_key_check CHECK (btrim(request_key) <> '');
COMMENT ON COLUMN orchestrator.human_review_queue.request_key IS 'The agent''s key of the question: asking again with it requests no second review';

SELECT orchestrator.restore_columns('orchestrator.human_review_queue', array['request_key']);

CREATE UNIQUE INDEX uq_human_review_request_key ON orchestrator.human_review_queue (request_key) WHERE request_key IS NOT NULL;

ALTER TABLE orchestrator.approvals
    ADD COLUMN request_key text,
    ADD CONSTRAINT approvals_request_key_check CHECK (btrim(request_key) <> '');
COMMENT ON COLUMN orchestrator.approvals.request_key IS 'The agent''s key of the question: asking again with it requests no second approval';

SELECT orchestrator.restore_columns('orchestrator.approvals', array['request_key']);

CREATE UNIQUE INDEX uq_approvals_request_key ON orchestrator.approvals (request_key) WHERE request_key IS NOT NULL;

-- token usage of a run. No foreign keys: the log outlives the runs and tasks that it is about.

ALTER TABLE orchestrator.llm_token_usage
    ADD COLUMN thread_id text,
    ADD COLUMN task_id   uuid,
    ADD COLUMN call_id   text,
    ADD CONSTRAINT llm_token_usage_thread_id_check CHECK (btrim(thread_id) <> ''),
    ADD CONSTRAINT llm_token_usage_call_id_check   CHECK (btrim(call_id) <> '');
COMMENT ON COLUMN orchestrator.llm_token_usage.thread_id IS 'The run of the call, by its name at that time; NULL for none';
COMMENT ON COLUMN orchestrator.llm_token_usage.task_id IS 'The task of the call; NULL for none';
COMMENT ON COLUMN orchestrator.llm_token_usage.call_id IS 'The caller''s or the provider''s id of the call: reporting it again adds nothing';

SELECT orchestrator.restore_columns('orchestrator.llm_token_usage', array['thread_id', 'task_id', 'call_id']);

-- Calls without a run or an id cost these indexes nothing.
CREATE INDEX        idx_token_usage_thread     ON orchestrator.llm_token_usage (thread_id) WHERE thread_id IS NOT NULL;
CREATE UNIQUE INDEX uq_llm_token_usage_call_id ON orchestrator.llm_token_usage (call_id) WHERE call_id IS NOT NULL;

-- runs

CREATE FUNCTION orchestrator.ensure_run(thread_id text, project_id uuid, story_id text)
RETURNS TABLE (run_id uuid, created boolean)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'ensure_run_wrapper';
REVOKE ALL ON FUNCTION orchestrator.ensure_run(text, uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.ensure_run(text, uuid, text) IS
    'Starts the run of a thread, or finds it. Returns its id, and whether this call started it';

CREATE FUNCTION orchestrator.save_run_state(thread_id text, state jsonb, merge boolean DEFAULT true)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'save_run_state_wrapper';
REVOKE ALL ON FUNCTION orchestrator.save_run_state(text, jsonb, boolean) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.save_run_state(text, jsonb, boolean) IS
    'Saves where a worker that comes back goes on: merged into the state key by key, or in its place. Returns the row';

CREATE FUNCTION orchestrator.run_trail(thread_id text)
RETURNS SETOF orchestrator.audit_events
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'run_trail_wrapper';
REVOKE ALL ON FUNCTION orchestrator.run_trail(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.run_trail(text) IS
    'The audit events of a run, of its tasks and of its gates, the oldest first';

-- Functions with new arguments. Grants of users on the earlier form go over to the new one.

CREATE FUNCTION orchestrator.record_token_usage(model text, input_tokens bigint, output_tokens bigint, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, at timestamptz DEFAULT now(), thread_id text DEFAULT NULL, task_id uuid DEFAULT NULL, call_id text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_token_usage_0_7_0_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz, text, uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz, text, uuid, text) IS
    'Records a call of a language model, and adds its tokens and cost to its run. A call_id counts once. Returns the id of the row';

SELECT orchestrator.copy_grants('orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz)', 'orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz, text, uuid, text)');
DROP FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz);

CREATE FUNCTION orchestrator.open_gate(project_id uuid, agent_id text, gate_type text, reason text, context jsonb DEFAULT '{}', request_key text DEFAULT NULL, thread_id text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'open_gate_0_7_0_wrapper';
REVOKE ALL ON FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb, text, text) IS
    'Opens a gate, at which an agent waits, and holds its run. The same request_key finds the first gate. Returns its id';

SELECT orchestrator.copy_grants('orchestrator.open_gate(uuid, text, text, text, jsonb)', 'orchestrator.open_gate(uuid, text, text, text, jsonb, text, text)');
DROP FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb);

CREATE FUNCTION orchestrator.request_review(thread_id text, review_type text, reason text, safety_score numeric DEFAULT NULL, context jsonb DEFAULT '{}', request_key text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_review_0_7_0_wrapper';
REVOKE ALL ON FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb, text) IS
    'Asks a human about a run. The same request_key finds the first review. Returns its id';

SELECT orchestrator.copy_grants('orchestrator.request_review(text, text, text, numeric, jsonb)', 'orchestrator.request_review(text, text, text, numeric, jsonb, text)');
DROP FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb);

CREATE FUNCTION orchestrator.request_approval(task_id uuid, approver_role text, notes text DEFAULT '', request_key text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_approval_0_7_0_wrapper';
REVOKE ALL ON FUNCTION orchestrator.request_approval(uuid, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.request_approval(uuid, text, text, text) IS
    'Asks a role to approve a task. The same request_key finds the first approval. Returns its id';

SELECT orchestrator.copy_grants('orchestrator.request_approval(uuid, text, text)', 'orchestrator.request_approval(uuid, text, text, text)');
DROP FUNCTION orchestrator.request_approval(uuid, text, text);

-- Functions with the same arguments

CREATE OR REPLACE FUNCTION orchestrator.start_run(thread_id text, project_id uuid, story_id text)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'start_run_0_7_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.record_run_progress(thread_id text, phase text DEFAULT NULL, current_agent text DEFAULT NULL, tokens bigint DEFAULT 0, cost numeric DEFAULT 0, files text[] DEFAULT '{}', error text DEFAULT NULL)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_run_progress_0_7_0_wrapper';
COMMENT ON FUNCTION orchestrator.record_run_progress(text, text, text, bigint, numeric, text[], text) IS
    'Adds tokens, cost and files to a run, and sets its phase, agent or error if given. A run on hold takes no phase but failed. Returns the row';

CREATE OR REPLACE FUNCTION orchestrator.record_safety(thread_id text, score numeric, violations text[] DEFAULT '{}')
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_safety_0_7_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.pause_run(thread_id text, reason text)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pause_run_0_7_0_wrapper';
COMMENT ON FUNCTION orchestrator.pause_run(text, text) IS
    'Holds a run until resume_run, also beyond the answers to its questions. Returns the row';

CREATE OR REPLACE FUNCTION orchestrator.resume_run(thread_id text)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resume_run_0_7_0_wrapper';
COMMENT ON FUNCTION orchestrator.resume_run(text) IS
    'Lets a run without open questions go on. A pause by a reviewer or an admin is lifted only by one. Returns the row';

CREATE OR REPLACE FUNCTION orchestrator.start_tool_execution(task_id uuid, tool_name text, arguments jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'start_tool_execution_0_7_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS orchestrator.gates
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_gate_0_7_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_approval(approval_id uuid, decision text, approver_role text, notes text DEFAULT NULL)
RETURNS orchestrator.approvals
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_approval_0_7_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_review(review_id uuid, decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS orchestrator.human_review_queue
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_review_0_7_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_reviews(review_ids uuid[], decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS TABLE (review_id uuid, outcome text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_reviews_0_7_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.decide(decision_id uuid, decision text, decided_by text, notes text DEFAULT NULL)
RETURNS TABLE (kind text, id uuid, status text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'decide_0_7_0_wrapper';

-- views

CREATE OR REPLACE VIEW orchestrator.run_summary AS
SELECT r.thread_id, r.phase, r.current_agent, r.safety_score, r.gate_status, r.tokens_used, r.cost_usd,
       (SELECT count(*) FROM orchestrator.audit_events AS e
        WHERE left(e.metadata ->> 'thread_id', 500) = left(r.thread_id, 500)
          AND e.metadata ->> 'thread_id' = r.thread_id) AS actions,
       (SELECT count(*) FROM orchestrator.human_review_queue AS q
        WHERE q.thread_id = r.thread_id AND q.status IS NOT DISTINCT FROM 'pending') AS pending_reviews,
       r.project_id, r.story_id, r.started_at, r.updated_at, r.completed_at, r.error,
       (SELECT count(*) FROM orchestrator.gates AS g
        WHERE g.thread_id = r.thread_id AND g.status IS NOT DISTINCT FROM 'pending') AS pending_gates,
       (SELECT count(*) FROM orchestrator.tasks AS t JOIN orchestrator.approvals AS a ON a.task_id = t.id
        WHERE t.thread_id = r.thread_id AND a.status IS NOT DISTINCT FROM 'pending') AS pending_approvals,
       r.held_by, r.hold_reason
FROM orchestrator.orchestrator_runs AS r;
COMMENT ON VIEW orchestrator.run_summary IS 'Every run with the number of its audit events and of its open questions, and who paused it';
COMMENT ON COLUMN orchestrator.run_summary.pending_gates IS 'Open gates of the run';
COMMENT ON COLUMN orchestrator.run_summary.pending_approvals IS 'Pending approvals of its tasks';
COMMENT ON COLUMN orchestrator.run_summary.held_by IS 'The role that paused the run';

-- Calls of one day and model have one price, so they are added up before they are priced.
CREATE VIEW orchestrator.run_costs AS
SELECT u.thread_id, sum(u.calls)::bigint AS calls, sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,
       coalesce(sum((u.input_tokens * p.input_cost_per_million + u.output_tokens * p.output_cost_per_million) * 0.000001), 0) AS cost,
       coalesce(sum(u.calls) FILTER (WHERE p.price_id IS NULL), 0)::bigint AS unpriced_calls
FROM (SELECT c.thread_id, (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.model,
             count(*) AS calls, sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens
      FROM orchestrator.llm_token_usage AS c WHERE c.thread_id IS NOT NULL
      GROUP BY c.thread_id, (c."timestamp" AT TIME ZONE 'UTC')::date, c.model) AS u
LEFT JOIN orchestrator.llm_price_periods AS p
       ON p.model = u.model AND u.day >= p.valid_from AND (p.valid_until IS NULL OR u.day < p.valid_until)
GROUP BY u.thread_id;
COMMENT ON VIEW orchestrator.run_costs IS 'The recorded calls of each run with their tokens and exact cost';
COMMENT ON COLUMN orchestrator.run_costs.thread_id IS 'The name of the run when the calls were recorded';
COMMENT ON COLUMN orchestrator.run_costs.cost IS 'USD, exact; calls without a price add nothing';
COMMENT ON COLUMN orchestrator.run_costs.unpriced_calls IS 'Calls of models that had no price on their day';

-- The conditions are those of the earlier form: each part is read from the partial index of its queue.
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
           g.reason AS asks, g.project_id, coalesce(g.thread_id, g.context ->> 'thread_id') AS thread_id, g.created_at AS requested_at
    FROM orchestrator.gates AS g
    UNION ALL
    SELECT 'approval' AS kind, a.id, a.status,
           'approval by ' || a.approver_role || ' of task ' || (SELECT coalesce(nullif(btrim(t.title), ''), t.task_type) FROM orchestrator.tasks AS t WHERE t.id = a.task_id) AS subject,
           coalesce(nullif(btrim(a.notes), ''), (SELECT t.description FROM orchestrator.tasks AS t WHERE t.id = a.task_id), '') AS asks,
           (SELECT r.project_id FROM orchestrator.tasks AS t JOIN orchestrator.orchestrator_runs AS r ON r.thread_id = t.thread_id WHERE t.id = a.task_id) AS project_id,
           (SELECT t.thread_id FROM orchestrator.tasks AS t WHERE t.id = a.task_id) AS thread_id, a.created_at AS requested_at
    FROM orchestrator.approvals AS a
) AS d
WHERE d.status = 'pending'
ORDER BY d.requested_at, d.id;
COMMENT ON VIEW orchestrator.pending_decisions IS 'Everything that waits for a human, the oldest first. The next page is WHERE (requested_at, id) > (those of the last row). Never poll with it, because a late commit has an earlier requested_at. To poll, LISTEN orchestrator_decisions, read all rows after each connect and each notification, and remember the ids';
COMMENT ON COLUMN orchestrator.pending_decisions.project_id IS 'The project of the run, or of the gate; NULL for an approval of a task without a run';
COMMENT ON COLUMN orchestrator.pending_decisions.thread_id IS 'The run; for a gate without one the thread that its context names';

-- Roles with a level get what their level may do from here on: the new functions, and for reviewers to
-- pause, resume and kill runs.
SELECT orchestrator.renew_access('0.6.0', '0.7.0');
