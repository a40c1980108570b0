\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.3'" to load this file. \quit

-- 0.8.0 -> 0.7.3: removes the rules for decisions, the terms and votes of questions, and the hold of approvals over
-- their tasks; orchestrator_archive keeps the rows. Questions that were withdrawn, or that ask for changes, become
-- denied or rejected; the archive keeps their status.
-- Locks runs, tasks and questions until the transaction ends; time and space grow with the rows of questions.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.7.3');

-- Levels lose what they may do only from 0.8.0 on.
SELECT orchestrator.renew_access('0.8.0', '0.7.3');

-- views. A view cannot lose columns, so one without them takes its place, with the grants of users.

ALTER VIEW orchestrator.decision_cards RENAME TO decision_cards_0_8_0;
ALTER VIEW orchestrator.pending_decisions RENAME TO pending_decisions_0_8_0;
-- The conditions are those of the earlier form: each part is read from the partial index of its queue.
CREATE VIEW orchestrator.pending_decisions AS
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

SELECT orchestrator.copy_grants('orchestrator.decision_cards_0_8_0', 'orchestrator.decision_cards');
SELECT orchestrator.copy_grants('orchestrator.pending_decisions_0_8_0', 'orchestrator.pending_decisions');
DROP VIEW orchestrator.decision_cards_0_8_0;
DROP VIEW orchestrator.pending_decisions_0_8_0;

-- functions

CREATE OR REPLACE FUNCTION orchestrator.decide(decision_id uuid, decision text, decided_by text, notes text DEFAULT NULL, acting_as text DEFAULT NULL)
RETURNS TABLE (kind text, id uuid, status text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'decide_0_7_3_wrapper';
COMMENT ON FUNCTION orchestrator.decide(uuid, text, text, text, text) IS
    'Approves or rejects a pending review, gate or approval by the rules of its kind. Returns its kind, id and status, also if the same caller repeats the decision';

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

CREATE OR REPLACE FUNCTION orchestrator.request_approval(task_id uuid, approver_role text, notes text DEFAULT '', request_key text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_approval_0_7_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.run_maintenance()
RETURNS TABLE (task text, affected bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'run_maintenance_0_7_1_wrapper';

DROP FUNCTION orchestrator.expire_decisions();
DROP FUNCTION orchestrator.withdraw_decision(uuid, text, text);
DROP FUNCTION orchestrator.assign_decision(uuid, text, text, text);
DROP FUNCTION orchestrator.release_decision(uuid, text);
DROP FUNCTION orchestrator.claim_decision(uuid, text, interval);
DROP FUNCTION orchestrator.drop_decision_rule(text, text);
DROP FUNCTION orchestrator.set_decision_rule(text, text, interval, text, text, integer, integer, boolean, text);

-- triggers

DROP TRIGGER tasks_approvals ON orchestrator.tasks;
DROP TRIGGER tasks_questions ON orchestrator.tasks;
DROP TRIGGER orchestrator_runs_questions ON orchestrator.orchestrator_runs;
DROP TRIGGER decision_terms_frozen ON orchestrator.decision_terms;
DROP TRIGGER decision_terms_kept ON orchestrator.decision_terms;
DROP TRIGGER decision_votes_kept ON orchestrator.decision_votes;
DROP TRIGGER decision_votes_by_terms ON orchestrator.decision_votes;
DROP TRIGGER human_review_queue_by_terms ON orchestrator.human_review_queue;
DROP TRIGGER approvals_by_terms ON orchestrator.approvals;
DROP TRIGGER gates_by_terms ON orchestrator.gates;
DROP TRIGGER human_review_queue_terms ON orchestrator.human_review_queue;
DROP TRIGGER approvals_terms ON orchestrator.approvals;
DROP TRIGGER gates_terms ON orchestrator.gates;
DROP FUNCTION orchestrator.enforce_approvals();
DROP FUNCTION orchestrator.withdraw_questions();
DROP FUNCTION orchestrator.enforce_frozen_terms();
DROP FUNCTION orchestrator.enforce_votes();
DROP FUNCTION orchestrator.enforce_terms();
DROP FUNCTION orchestrator.write_terms();

-- questions. No user changed the rows that are filled in below, so no user's trigger runs. Nothing is archived of a
-- table without such rows.

DO $$
BEGIN
    SET LOCAL session_replication_role TO replica;
    IF EXISTS (SELECT FROM orchestrator.gates WHERE status = 'withdrawn') THEN
        PERFORM orchestrator.archive_columns('orchestrator.gates', array['status']);
        UPDATE orchestrator.gates SET status = 'denied' WHERE status = 'withdrawn';
        PERFORM orchestrator.note_filled_in('orchestrator.gates', array['status']);
    END IF;
    IF EXISTS (SELECT FROM orchestrator.approvals WHERE status IN ('changes_requested', 'withdrawn')) THEN
        PERFORM orchestrator.archive_columns('orchestrator.approvals', array['status']);
        UPDATE orchestrator.approvals SET status = 'rejected' WHERE status IN ('changes_requested', 'withdrawn');
        PERFORM orchestrator.note_filled_in('orchestrator.approvals', array['status']);
    END IF;
    IF EXISTS (SELECT FROM orchestrator.human_review_queue WHERE status IN ('changes_requested', 'withdrawn')) THEN
        PERFORM orchestrator.archive_columns('orchestrator.human_review_queue', array['status']);
        UPDATE orchestrator.human_review_queue SET status = 'rejected' WHERE status IN ('changes_requested', 'withdrawn');
        PERFORM orchestrator.note_filled_in('orchestrator.human_review_queue', array['status']);
    END IF;
    SET LOCAL session_replication_role TO origin;
END
$$;

ALTER TABLE orchestrator.human_review_queue
    DROP CONSTRAINT human_review_queue_resolution_notes_check,
    ADD CONSTRAINT human_review_queue_resolution_notes_check CHECK (status <> 'rejected' OR btrim(coalesce(resolution_notes, '')) <> ''),
    DROP CONSTRAINT human_review_queue_status_check,
    ADD CONSTRAINT human_review_queue_status_check CHECK (status IN ('pending', 'approved', 'rejected'));
COMMENT ON COLUMN orchestrator.human_review_queue.status IS 'State of the review. pending: waits for a decision; approved: the run may go on; rejected: the run is killed';
COMMENT ON COLUMN orchestrator.human_review_queue.resolution_notes IS 'The human''s notes on the decision; a rejection needs them';

ALTER TABLE orchestrator.approvals
    DROP CONSTRAINT approvals_status_check,
    ADD CONSTRAINT approvals_status_check CHECK (status IN ('pending', 'approved', 'rejected'));
COMMENT ON COLUMN orchestrator.approvals.status IS 'State of the request. pending: waits for a decision; approved: the role agreed; rejected: the role refused';
COMMENT ON COLUMN orchestrator.approvals.approver_role IS 'The role that was asked; a person decides for it';

ALTER TABLE orchestrator.gates
    DROP CONSTRAINT gates_feedback_check,
    ADD CONSTRAINT gates_feedback_check CHECK (status <> 'denied' OR btrim(coalesce(feedback, '')) <> ''),
    DROP CONSTRAINT gates_status_check,
    ADD CONSTRAINT gates_status_check CHECK (status IN ('pending', 'approved', 'denied'));
COMMENT ON COLUMN orchestrator.gates.status IS 'State of the gate. pending: waits for a decision; approved: the agent may go on; denied: the agent may not, and gets the feedback';
COMMENT ON COLUMN orchestrator.gates.feedback IS 'The human''s message to the agent; a denial needs one';

-- tables

SELECT orchestrator.archive_table('orchestrator.decision_votes');
SELECT orchestrator.archive_table('orchestrator.decision_terms');
SELECT orchestrator.archive_table('orchestrator.decision_rules');
