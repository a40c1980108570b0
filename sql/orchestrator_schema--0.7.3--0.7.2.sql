\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.2'" to load this file. \quit

-- 0.7.3 -> 0.7.2: removes the vocabulary over all questions, the cards, and the person who decided an
-- approval; orchestrator_archive keeps these names.
-- Locks approvals until the transaction ends; time and space grow with its rows.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.7.2');

-- Levels lose what they may do only from 0.7.3 on.
SELECT orchestrator.renew_access('0.7.3', '0.7.2');

-- views

DROP VIEW orchestrator.decision_cards;

DROP FUNCTION orchestrator.decision(uuid);
DROP VIEW orchestrator.decisions;

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

-- announcements

CREATE OR REPLACE FUNCTION orchestrator.announce_decisions()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'announce_decisions_wrapper';
COMMENT ON FUNCTION orchestrator.announce_decisions() IS
    'AFTER INSERT or UPDATE statement trigger (kind): NOTIFY orchestrator_decisions with kind, change and count; off with orchestrator_schema.notify. The server delivers equal notifications of one transaction once, so the count cannot be summed: read pending_decisions';

-- decisions

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

CREATE FUNCTION orchestrator.decide(decision_id uuid, decision text, decided_by text, notes text DEFAULT NULL)
RETURNS TABLE (kind text, id uuid, status text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'decide_0_7_0_wrapper';
REVOKE ALL ON FUNCTION orchestrator.decide(uuid, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.decide(uuid, text, text, text) IS
    'Approves or rejects a pending review, gate or approval by the rules of its kind. Returns its kind, id and status';

SELECT orchestrator.copy_grants('orchestrator.decide(uuid, text, text, text, text)', 'orchestrator.decide(uuid, text, text, text)');
DROP FUNCTION orchestrator.decide(uuid, text, text, text, text);

-- approvals

SELECT orchestrator.archive_columns('orchestrator.approvals', array['decided_by']);
ALTER TABLE orchestrator.approvals
    DROP CONSTRAINT approvals_decided_by_check,
    DROP COLUMN decided_by;
COMMENT ON COLUMN orchestrator.approvals.approver_role IS 'The only role that may decide';

-- Forms of functions for floats.
DROP FUNCTION orchestrator.request_review(text, text, text, double precision, jsonb, text);
DROP FUNCTION orchestrator.record_safety(text, double precision, text[]);
DROP FUNCTION orchestrator.record_run_progress(text, text, text, bigint, double precision, text[], text);
DROP FUNCTION orchestrator.record_run_progress(text, double precision, text, bigint, numeric, text[], text, text);
DROP FUNCTION orchestrator.set_price(text, double precision, double precision, date, text, text);
