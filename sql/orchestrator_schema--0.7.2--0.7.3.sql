\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.3'" to load this file. \quit

-- 0.7.2 -> 0.7.3: answers: one vocabulary for every question and its answer, a card with all that a person
-- needs to decide, approvals decided by a person for a role, and decisions that may be repeated.
-- Locks approvals until the transaction ends. The new column rewrites no table; its CHECK reads the table
-- once. Values kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.7.3');

-- approvals: the person who decided for the role

ALTER TABLE orchestrator.approvals
    ADD COLUMN decided_by text,
    ADD CONSTRAINT approvals_decided_by_check CHECK (decided_by IS NULL OR (status <> 'pending' AND btrim(decided_by) <> ''));
COMMENT ON COLUMN orchestrator.approvals.decided_by IS 'Who decided: the person for the role, or the role; NULL for a decision from before this column, or by a plain UPDATE';
COMMENT ON COLUMN orchestrator.approvals.approver_role IS 'The role that was asked; a person decides for it';

SELECT orchestrator.restore_columns('orchestrator.approvals', array['decided_by']);

-- decisions

CREATE FUNCTION orchestrator.decide(decision_id uuid, decision text, decided_by text, notes text DEFAULT NULL, acting_as text DEFAULT NULL)
RETURNS TABLE (kind text, id uuid, status text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'decide_0_7_3_wrapper';
REVOKE ALL ON FUNCTION orchestrator.decide(uuid, text, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.decide(uuid, text, text, text, text) IS
    'Approves or rejects a pending review, gate or approval by the rules of its kind. Returns its kind, id and status, also if the same caller repeats the decision';

SELECT orchestrator.copy_grants('orchestrator.decide(uuid, text, text, text)', 'orchestrator.decide(uuid, text, text, text, text)');
DROP FUNCTION orchestrator.decide(uuid, text, text, text);

-- The same decision again by the same person and login returns the row.

CREATE OR REPLACE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS orchestrator.gates
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_gate_0_7_3_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_approval(approval_id uuid, decision text, approver_role text, notes text DEFAULT NULL)
RETURNS orchestrator.approvals
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_approval_0_7_3_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_review(review_id uuid, decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS orchestrator.human_review_queue
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_review_0_7_3_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_reviews(review_ids uuid[], decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS TABLE (review_id uuid, outcome text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_reviews_0_7_3_wrapper';

-- announcements

CREATE OR REPLACE FUNCTION orchestrator.announce_decisions()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'announce_decisions_0_7_3_wrapper';
COMMENT ON FUNCTION orchestrator.announce_decisions() IS
    'AFTER INSERT or UPDATE statement trigger (kind): NOTIFY orchestrator_decisions with kind, change, count and ids, as many as fit; off with orchestrator_schema.notify';

-- views

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
           'approval by ' || a.approver_role || ' of task ' || (SELECT coalesce(nullif(btrim(t.title), ''), left(btrim(t.description), 200)) FROM orchestrator.tasks AS t WHERE t.id = a.task_id) AS subject,
           coalesce(nullif(btrim(a.notes), ''), (SELECT t.description FROM orchestrator.tasks AS t WHERE t.id = a.task_id), '') AS asks,
           (SELECT r.project_id FROM orchestrator.tasks AS t JOIN orchestrator.orchestrator_runs AS r ON r.thread_id = t.thread_id WHERE t.id = a.task_id) AS project_id,
           (SELECT t.thread_id FROM orchestrator.tasks AS t WHERE t.id = a.task_id) AS thread_id, a.created_at AS requested_at
    FROM orchestrator.approvals AS a
) AS d
WHERE d.status = 'pending'
ORDER BY d.requested_at, d.id;
COMMENT ON VIEW orchestrator.pending_decisions IS 'Everything that waits for a human, the oldest first. The next page is WHERE (requested_at, id) > (those of the last row). Never poll with it, because a late commit has an earlier requested_at. To poll, LISTEN orchestrator_decisions, read all rows after each connect, and after each notification the ids that it holds, or all rows if its count is greater';

-- A denied gate has a part of its own, so that a condition on the status is read from an index there, too.
-- The view locks its tables in the order of its text, which is that of the functions.
CREATE VIEW orchestrator.decisions AS
SELECT 'review' AS kind, q.id, q.status,
       q.review_type || ' review of story ' || r.story_id AS subject,
       q.reason AS asks, NULL::text AS requested_by, q.created_at AS requested_at,
       q.resolved_by AS decided_by, q.resolved_at AS decided_at, q.resolution_notes AS notes,
       r.project_id, q.thread_id, NULL::uuid AS task_id
FROM orchestrator.orchestrator_runs AS r
RIGHT JOIN orchestrator.human_review_queue AS q ON q.thread_id = r.thread_id
UNION ALL
SELECT 'gate' AS kind, g.id, g.status,
       g.gate_type || ' gate of agent ' || g.agent_id AS subject,
       g.reason AS asks, g.agent_id AS requested_by, g.created_at AS requested_at,
       g.resolved_by AS decided_by, g.resolved_at AS decided_at, g.feedback AS notes,
       g.project_id, coalesce(g.thread_id, g.context ->> 'thread_id') AS thread_id, NULL::uuid AS task_id
FROM orchestrator.gates AS g
WHERE g.status <> 'denied'
UNION ALL
SELECT 'gate' AS kind, g.id, 'rejected' AS status,
       g.gate_type || ' gate of agent ' || g.agent_id AS subject,
       g.reason AS asks, g.agent_id AS requested_by, g.created_at AS requested_at,
       g.resolved_by AS decided_by, g.resolved_at AS decided_at, g.feedback AS notes,
       g.project_id, coalesce(g.thread_id, g.context ->> 'thread_id') AS thread_id, NULL::uuid AS task_id
FROM orchestrator.gates AS g
WHERE g.status = 'denied'
UNION ALL
SELECT 'approval' AS kind, a.id, a.status,
       'approval by ' || a.approver_role || ' of task ' || coalesce(nullif(btrim(t.title), ''), left(btrim(t.description), 200)) AS subject,
       coalesce(CASE WHEN a.status = 'pending' THEN nullif(btrim(a.notes), '') END, t.description, '') AS asks,
       t.from_role AS requested_by, a.created_at AS requested_at,
       CASE WHEN a.status <> 'pending' THEN coalesce(a.decided_by, a.approver_role) END AS decided_by,
       a.decision_at AS decided_at,
       CASE WHEN a.status <> 'pending' THEN nullif(btrim(a.notes), '') END AS notes,
       r.project_id, t.thread_id, a.task_id
FROM orchestrator.orchestrator_runs AS r
RIGHT JOIN orchestrator.tasks AS t ON t.thread_id = r.thread_id
JOIN orchestrator.approvals AS a ON a.task_id = t.id;
COMMENT ON VIEW orchestrator.decisions IS 'Every question to a human, open or decided, in one vocabulary. pending_decisions lists the open ones in order';
COMMENT ON COLUMN orchestrator.decisions.kind IS 'The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task';
COMMENT ON COLUMN orchestrator.decisions.status IS 'State of the question. pending: waits for a decision; approved: yes; rejected: no, also of a denied gate; changes_requested: change it and ask again; withdrawn: no longer asked, both since 0.8.0';
COMMENT ON COLUMN orchestrator.decisions.subject IS 'The subject in words';
COMMENT ON COLUMN orchestrator.decisions.asks IS 'The reason of the question; for an approval its notes while it is pending, else the description of the task';
COMMENT ON COLUMN orchestrator.decisions.requested_by IS 'The agent that waits at a gate, or the role that routed the task of an approval; NULL for a review, whose event review_requested has the role that was logged in';
COMMENT ON COLUMN orchestrator.decisions.decided_by IS 'The person who decided or withdrew it, or timeout at a deadline; for an approval that no person decided, the role that was asked';
COMMENT ON COLUMN orchestrator.decisions.notes IS 'The notes of the decision, or the feedback of a gate; for an approval that was decided without notes those of the request';
COMMENT ON COLUMN orchestrator.decisions.project_id IS 'The project of the run, or of the gate; NULL for an approval of a task without a run';
COMMENT ON COLUMN orchestrator.decisions.thread_id IS 'The run; for a gate without one the thread that its context names';
COMMENT ON COLUMN orchestrator.decisions.task_id IS 'The task of an approval';

CREATE FUNCTION orchestrator.decision(decision_id uuid)
RETURNS orchestrator.decisions
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'decision_wrapper';
REVOKE ALL ON FUNCTION orchestrator.decision(uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.decision(uuid) IS
    'The question with this id, open or decided: the row of view decisions';

-- Subqueries with OFFSET 0 are looked up by key for each question, whatever the statistics. They compare
-- the status in a way that no index supports, for the same reason.
CREATE VIEW orchestrator.decision_cards AS
SELECT d.kind, d.id, d.subject, d.asks, d.project_id, d.thread_id, d.requested_at, d.waiting,
       q.context, r.violations,
       t.id AS task_id, t.title AS task_title, t.description AS task_description, t.data AS task_data,
       r.phase AS run_phase, r.current_agent AS run_agent, r.cost_usd AS run_cost_usd, r.tokens_used AS run_tokens_used,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'at', e."timestamp", 'event_type', e.event_type, 'role', e.role,
                   'metadata', CASE WHEN length(e.metadata::text) <= 2000 THEN e.metadata ELSE to_jsonb(left(e.metadata::text, 2000) || '...') END)
                   ORDER BY e.id DESC), '[]')
        FROM orchestrator.audit_events AS e
        WHERE e.id = ANY (CASE WHEN r.id IS NOT NULL THEN (
                  SELECT (array_agg(p.id ORDER BY p.id DESC))[1:5]
                  FROM (SELECT o.id FROM orchestrator.audit_events AS o WHERE o.trace_id = r.id
                        UNION
                        SELECT o.id FROM orchestrator.audit_events AS o
                        WHERE left(o.metadata ->> 'thread_id', 500) = left(r.thread_id, 500) AND o.metadata ->> 'thread_id' = r.thread_id) AS p)
              ELSE (
                  SELECT (array_agg(o.id ORDER BY o.id DESC))[1:5]
                  FROM orchestrator.audit_events AS o WHERE o.trace_id = coalesce(t.trace_id, t.id)) END)) AS last_events,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'at', x.created_at, 'tool_name', x.tool_name, 'status', x.status,
                   'arguments', CASE WHEN length(x.arguments::text) <= 2000 THEN x.arguments ELSE to_jsonb(left(x.arguments::text, 2000) || '...') END,
                   'output', left(x.output, 2000), 'error', left(x.error, 2000), 'duration_ms', x.duration_ms)
                   ORDER BY x.created_at DESC, x.id DESC), '[]')
        FROM orchestrator.tool_executions AS x
        WHERE x.id = ANY (CASE WHEN r.id IS NOT NULL THEN (
                  SELECT (array_agg(o.id ORDER BY o.created_at DESC, o.id DESC))[1:5]
                  FROM (SELECT n.id FROM orchestrator.tasks AS n WHERE n.thread_id = r.thread_id OFFSET 0) AS n,
                       LATERAL (SELECT o.id, o.created_at FROM orchestrator.tool_executions AS o WHERE o.task_id = n.id OFFSET 0) AS o)
              ELSE (
                  SELECT (array_agg(o.id ORDER BY o.created_at DESC, o.id DESC))[1:5]
                  FROM orchestrator.tool_executions AS o WHERE o.task_id = t.id) END)) AS last_tool_calls,
       q.asked_role,
       d.kind <> 'approval' AS rejection_needs_notes,
       CASE d.kind WHEN 'review' THEN w.goes_on
                   WHEN 'gate' THEN coalesce(w.goes_on, 'The agent goes on.')
                   ELSE concat_ws(' ', 'The task is approved.', w.goes_on) END AS if_approved,
       CASE WHEN d.kind = 'approval' THEN concat_ws(' ', 'The task is not approved.', w.goes_on)
            WHEN r.id IS NULL THEN 'The agent does not go on; the notes say how it proceeds.'
            WHEN r.phase IN ('complete', 'failed') THEN w.goes_on
            WHEN d.kind = 'review' THEN 'The run is killed: it ends as failed, and the notes are its error.'
            WHEN r.gate_status = 'kill' OR r.held_by IS NOT NULL THEN w.goes_on
            WHEN r.holding > 0 THEN 'The run is done again as the notes say, once the other questions that hold it are answered.'
            ELSE 'The run is done again as the notes say.' END AS if_rejected
FROM orchestrator.pending_decisions AS d
CROSS JOIN LATERAL (
    SELECT o.context, o.thread_id, NULL::uuid AS task_id, NULL::text AS asked_role
    FROM orchestrator.human_review_queue AS o WHERE d.kind = 'review' AND o.id = d.id
    UNION ALL
    SELECT o.context, o.thread_id, NULL::uuid AS task_id, NULL::text AS asked_role
    FROM orchestrator.gates AS o WHERE d.kind = 'gate' AND o.id = d.id
    UNION ALL
    SELECT NULL::jsonb AS context, d.thread_id, o.task_id, o.approver_role AS asked_role
    FROM orchestrator.approvals AS o WHERE d.kind = 'approval' AND o.id = d.id
) AS q
LEFT JOIN LATERAL (
    SELECT o.id, o.title, o.description, o.data, o.trace_id FROM orchestrator.tasks AS o WHERE o.id = q.task_id OFFSET 0
) AS t ON true
LEFT JOIN LATERAL (
    SELECT o.id, o.thread_id, o.phase, o.gate_status, o.current_agent, o.cost_usd, o.tokens_used, o.violations, o.held_by,
           -- The other open questions about the run, and those of them that hold it.
           (SELECT count(*) FROM orchestrator.human_review_queue AS n
            WHERE n.thread_id = o.thread_id AND n.status IS NOT DISTINCT FROM 'pending')
           + (SELECT count(*) FROM orchestrator.gates AS n
              WHERE n.thread_id = o.thread_id AND n.status IS NOT DISTINCT FROM 'pending')
           + (SELECT count(*)
              FROM (SELECT n.id FROM orchestrator.tasks AS n WHERE n.thread_id = o.thread_id OFFSET 0) AS n,
                   LATERAL (SELECT FROM orchestrator.approvals AS a
                            WHERE a.task_id = n.id AND a.status IS NOT DISTINCT FROM 'pending' OFFSET 0) AS a) - 1 AS others,
           (SELECT count(*) FROM orchestrator.human_review_queue AS n
            WHERE n.thread_id = o.thread_id AND n.status IS NOT DISTINCT FROM 'pending' AND n.review_type = 'safety' AND n.id <> d.id)
           + (SELECT count(*) FROM orchestrator.gates AS n
              WHERE n.thread_id = o.thread_id AND n.status IS NOT DISTINCT FROM 'pending' AND n.id <> d.id) AS holding
    FROM orchestrator.orchestrator_runs AS o WHERE o.thread_id = q.thread_id OFFSET 0
) AS r ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN r.id IS NULL THEN NULL
                WHEN r.phase IN ('complete', 'failed') THEN 'The run has ended and does not change.'
                WHEN r.gate_status = 'kill' THEN 'The run was killed and does not go on.'
                WHEN r.held_by IS NOT NULL THEN 'The run stays on hold until the pause by role ' || quote_ident(r.held_by) || ' is lifted.'
                WHEN r.gate_status = 'hold' AND r.others > 0 THEN 'The run goes on once the other open questions about it (' || r.others || ') are answered.'
                WHEN r.gate_status = 'recycle' AND r.holding > 0 THEN 'The run is done again once the other questions that hold it (' || r.holding || ') are answered.'
                WHEN r.gate_status = 'recycle' THEN 'The run is done again, because a gate was denied.'
                ELSE 'The run goes on.' END AS goes_on
) AS w
ORDER BY d.requested_at, d.id;
COMMENT ON VIEW orchestrator.decision_cards IS 'Everything that waits for a human, the oldest first, with all that a person needs to decide. Filter by id for one card, or LIMIT a page as in pending_decisions';
COMMENT ON COLUMN orchestrator.decision_cards.kind IS 'The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task. decide() takes the id of each';
COMMENT ON COLUMN orchestrator.decision_cards.subject IS 'The subject in words';
COMMENT ON COLUMN orchestrator.decision_cards.asks IS 'The reason or the notes of the question, else the description of the task';
COMMENT ON COLUMN orchestrator.decision_cards.project_id IS 'The project of the run, or of the gate; NULL for an approval of a task without a run';
COMMENT ON COLUMN orchestrator.decision_cards.thread_id IS 'The run; for a gate without one the thread that its context names';
COMMENT ON COLUMN orchestrator.decision_cards.waiting IS 'How long it has waited';
COMMENT ON COLUMN orchestrator.decision_cards.context IS 'The facts that came with a review or a gate, a JSON object';
COMMENT ON COLUMN orchestrator.decision_cards.violations IS 'The findings of the scorers about the run';
COMMENT ON COLUMN orchestrator.decision_cards.task_id IS 'The task of an approval';
COMMENT ON COLUMN orchestrator.decision_cards.task_data IS 'Input for the role of the task, a JSON object';
COMMENT ON COLUMN orchestrator.decision_cards.run_phase IS 'Phase of the run; NULL without a run, as in the other columns of the run';
COMMENT ON COLUMN orchestrator.decision_cards.run_agent IS 'The agent at work';
COMMENT ON COLUMN orchestrator.decision_cards.run_cost_usd IS 'Sum of the costs of the run, in USD';
COMMENT ON COLUMN orchestrator.decision_cards.last_events IS 'The last five audit events of the run, without a run those of the task, the newest first: at, event_type, role, metadata. Longer metadata is a text of 2,000 characters';
COMMENT ON COLUMN orchestrator.decision_cards.last_tool_calls IS 'The last five tool calls of the run, without a run those of the task, the newest first: at, tool_name, status, arguments, output, error, duration_ms. Texts are cut to 2,000 characters';
COMMENT ON COLUMN orchestrator.decision_cards.asked_role IS 'The role that is asked to approve: acting_as of decide(); NULL if anyone who may decide is asked';
COMMENT ON COLUMN orchestrator.decision_cards.rejection_needs_notes IS 'Whether decide() rejects it only with notes';
COMMENT ON COLUMN orchestrator.decision_cards.if_approved IS 'The consequence of a yes, in words';
COMMENT ON COLUMN orchestrator.decision_cards.if_rejected IS 'The consequence of a no, in words';

-- Forms of functions for floats, with the grants of the forms for numeric. Decision floats-have-forms-of-their-own.
-- A float has no default, so that a call without it finds only the form for numeric.

CREATE FUNCTION orchestrator.set_price(model text, input_cost_per_million double precision, output_cost_per_million double precision, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_0_7_3_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_price(text, double precision, double precision, date, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_price(text, double precision, double precision, date, text, text) IS
    'Sets the price of a model from a UTC day on, as the form for numeric does. Returns the row';
SELECT orchestrator.copy_grants('orchestrator.set_price(text, numeric, numeric, date, text, text)', 'orchestrator.set_price(text, double precision, double precision, date, text, text)');

-- The argument unused keeps the types of a call by place apart from those of the form for numeric.
CREATE FUNCTION orchestrator.record_run_progress(thread_id text, cost double precision, phase text DEFAULT NULL, tokens bigint DEFAULT 0, unused numeric DEFAULT NULL, files text[] DEFAULT '{}', current_agent text DEFAULT NULL, error text DEFAULT NULL)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_run_progress_0_7_3_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_run_progress(text, double precision, text, bigint, numeric, text[], text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_run_progress(text, double precision, text, bigint, numeric, text[], text, text) IS
    'Adds tokens, cost and files to a run, as the form for numeric does, in a call by name. Returns the row';
SELECT orchestrator.copy_grants('orchestrator.record_run_progress(text, text, text, bigint, numeric, text[], text)', 'orchestrator.record_run_progress(text, double precision, text, bigint, numeric, text[], text, text)');

CREATE FUNCTION orchestrator.record_run_progress(thread_id text, phase text, current_agent text, tokens bigint, cost_usd double precision, files text[] DEFAULT '{}', error text DEFAULT NULL)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_run_progress_0_7_3_float_by_place_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_run_progress(text, text, text, bigint, double precision, text[], text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_run_progress(text, text, text, bigint, double precision, text[], text) IS
    'Adds tokens, cost and files to a run, as the form for numeric does, in a call by place. Returns the row';
SELECT orchestrator.copy_grants('orchestrator.record_run_progress(text, text, text, bigint, numeric, text[], text)', 'orchestrator.record_run_progress(text, text, text, bigint, double precision, text[], text)');

CREATE FUNCTION orchestrator.record_safety(thread_id text, score double precision, violations text[] DEFAULT '{}')
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_safety_0_7_3_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_safety(text, double precision, text[]) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_safety(text, double precision, text[]) IS
    'Records a safety score, as the form for numeric does. Returns the row';
SELECT orchestrator.copy_grants('orchestrator.record_safety(text, numeric, text[])', 'orchestrator.record_safety(text, double precision, text[])');

CREATE FUNCTION orchestrator.request_review(thread_id text, review_type text, reason text, safety_score double precision, context jsonb DEFAULT '{}', request_key text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_review_0_7_3_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.request_review(text, text, text, double precision, jsonb, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.request_review(text, text, text, double precision, jsonb, text) IS
    'Asks a human about a run, as the form for numeric does. The same request_key finds the first review. Returns its id';
SELECT orchestrator.copy_grants('orchestrator.request_review(text, text, text, numeric, jsonb, text)', 'orchestrator.request_review(text, text, text, double precision, jsonb, text)');

-- Roles with a level get what their level may do from here on.
SELECT orchestrator.renew_access('0.7.2', '0.7.3');
