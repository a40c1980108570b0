\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.0'" to load this file. \quit

-- 0.7.3 -> 0.8.0: rules for decisions: how many must agree and who, until when, and what happens if nobody
-- answers; claims and assignment; request_changes and withdrawal; approvals that hold their task.
-- Locks runs, tasks and questions until the transaction ends. No table is rewritten; the wider CHECKs read the
-- three tables of questions once. Rows and values kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.8.0');

-- decision_rules

CREATE TABLE orchestrator.decision_rules (
    id                   uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    kind                 text        NOT NULL,
    type                 text,
    respond_within       interval,
    on_timeout           text,
    escalate_to          text,
    approvals_needed     integer     NOT NULL DEFAULT 1,
    rejections_needed    integer     NOT NULL DEFAULT 1,
    requester_may_decide boolean     NOT NULL DEFAULT true,
    assigned_to          text,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    updated_by           text,
    CONSTRAINT decision_rules_kind_type_key           UNIQUE NULLS NOT DISTINCT (kind, type),
    CONSTRAINT decision_rules_kind_check              CHECK (kind IN ('review', 'gate', 'approval')),
    CONSTRAINT decision_rules_type_check              CHECK (CASE kind WHEN 'review' THEN type IN ('safety', 'gate_override', 'budget_exceeded')
                                                                       WHEN 'gate' THEN type IN ('loop_detected', 'high_risk', 'collaboration_deadlock', 'manual')
                                                                       ELSE btrim(type) <> '' END),
    CONSTRAINT decision_rules_respond_within_check    CHECK (respond_within > interval '0' AND respond_within <= interval '100 years'),
    CONSTRAINT decision_rules_on_timeout_check        CHECK (on_timeout IN ('approve', 'reject', 'escalate')),
    CONSTRAINT decision_rules_timeout_check           CHECK (on_timeout IS NULL OR respond_within IS NOT NULL),
    CONSTRAINT decision_rules_escalate_to_check       CHECK ((escalate_to IS NOT NULL) = (on_timeout IS NOT DISTINCT FROM 'escalate') AND btrim(escalate_to) <> ''),
    CONSTRAINT decision_rules_approvals_needed_check  CHECK (approvals_needed BETWEEN 1 AND 1000),
    CONSTRAINT decision_rules_rejections_needed_check CHECK (rejections_needed BETWEEN 1 AND 1000),
    CONSTRAINT decision_rules_assigned_to_check       CHECK (btrim(assigned_to) <> '')
);
COMMENT ON TABLE orchestrator.decision_rules IS 'The rules by which questions are decided; a question follows the rule that stands when it is asked';
COMMENT ON COLUMN orchestrator.decision_rules.kind IS 'The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task';
COMMENT ON COLUMN orchestrator.decision_rules.type IS 'The review_type, the gate_type, or the approver_role; NULL for every type without a rule of its own';
COMMENT ON COLUMN orchestrator.decision_rules.respond_within IS 'The time for an answer, from the request on';
COMMENT ON COLUMN orchestrator.decision_rules.on_timeout IS 'What happens without an answer in time. approve: it is approved; reject: it is rejected; escalate: it goes to escalate_to';
COMMENT ON COLUMN orchestrator.decision_rules.escalate_to IS 'The person or role that is asked next';
COMMENT ON COLUMN orchestrator.decision_rules.approvals_needed IS 'The number of different people who must approve';
COMMENT ON COLUMN orchestrator.decision_rules.rejections_needed IS 'The number of different people who must reject';
COMMENT ON COLUMN orchestrator.decision_rules.requester_may_decide IS 'Whether the one who asked may answer';
COMMENT ON COLUMN orchestrator.decision_rules.assigned_to IS 'The person or role that is asked first';
COMMENT ON COLUMN orchestrator.decision_rules.updated_by IS 'The database role that set the rule last';

SELECT orchestrator.restore_table('orchestrator.decision_rules');
SELECT pg_extension_config_dump('orchestrator.decision_rules', '');

CREATE TRIGGER decision_rules_updated_at BEFORE UPDATE ON orchestrator.decision_rules
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle();

-- decision_terms

CREATE TABLE orchestrator.decision_terms (
    decision_id          uuid        PRIMARY KEY,
    kind                 text        NOT NULL,
    due_at               timestamptz,
    on_timeout           text,
    escalate_to          text,
    approvals_needed     integer     NOT NULL,
    rejections_needed    integer     NOT NULL,
    requester_may_decide boolean     NOT NULL,
    requested_as         text        NOT NULL,
    assigned_to          text,
    claimed_by           text,
    claimed_until        timestamptz,
    escalations          integer     NOT NULL DEFAULT 0,
    CONSTRAINT decision_terms_kind_check              CHECK (kind IN ('review', 'gate', 'approval')),
    CONSTRAINT decision_terms_on_timeout_check        CHECK (on_timeout IN ('approve', 'reject', 'escalate')),
    CONSTRAINT decision_terms_timeout_check           CHECK (on_timeout IS NULL OR due_at IS NOT NULL),
    CONSTRAINT decision_terms_escalate_to_check       CHECK ((escalate_to IS NOT NULL) = (on_timeout IS NOT DISTINCT FROM 'escalate') AND btrim(escalate_to) <> ''),
    CONSTRAINT decision_terms_approvals_needed_check  CHECK (approvals_needed >= 1),
    CONSTRAINT decision_terms_rejections_needed_check CHECK (rejections_needed >= 1),
    CONSTRAINT decision_terms_assigned_to_check       CHECK (btrim(assigned_to) <> ''),
    CONSTRAINT decision_terms_claim_check             CHECK ((claimed_by IS NULL) = (claimed_until IS NULL) AND btrim(claimed_by) <> ''),
    CONSTRAINT decision_terms_escalations_check       CHECK (escalations >= 0)
);
COMMENT ON TABLE orchestrator.decision_terms IS 'The terms of a question, as its rule was when it was asked; a question without a rule has none until it is claimed or assigned';
COMMENT ON COLUMN orchestrator.decision_terms.decision_id IS 'The review, gate or approval';
COMMENT ON COLUMN orchestrator.decision_terms.kind IS 'The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task';
COMMENT ON COLUMN orchestrator.decision_terms.due_at IS 'When an answer is due; an escalation sets it anew';
COMMENT ON COLUMN orchestrator.decision_terms.on_timeout IS 'What happens without an answer in time. approve: it is approved; reject: it is rejected; escalate: it goes to escalate_to';
COMMENT ON COLUMN orchestrator.decision_terms.escalate_to IS 'The person or role that is asked next';
COMMENT ON COLUMN orchestrator.decision_terms.approvals_needed IS 'The number of different people who must approve';
COMMENT ON COLUMN orchestrator.decision_terms.rejections_needed IS 'The number of different people who must reject';
COMMENT ON COLUMN orchestrator.decision_terms.requester_may_decide IS 'Whether the one who asked may answer';
COMMENT ON COLUMN orchestrator.decision_terms.requested_as IS 'Who asked, as the server knows it: the login, or behind a shared login the subject of the token or the role in force; empty if no event tells';
COMMENT ON COLUMN orchestrator.decision_terms.assigned_to IS 'The person or role that is asked now; an assigned role may decide an approval like the role that was asked first';
COMMENT ON COLUMN orchestrator.decision_terms.claimed_by IS 'Who is working on the answer; others may not answer until claimed_until';
COMMENT ON COLUMN orchestrator.decision_terms.claimed_until IS 'When the claim ends';
COMMENT ON COLUMN orchestrator.decision_terms.escalations IS 'How often no answer came in time; after the second time nothing more happens';

SELECT orchestrator.restore_table('orchestrator.decision_terms');

SELECT pg_extension_config_dump('orchestrator.decision_terms', '');

-- decision_votes

CREATE TABLE orchestrator.decision_votes (
    decision_id uuid        NOT NULL,
    voter       text        NOT NULL,
    voted_as    text        NOT NULL,
    vote        text        NOT NULL,
    notes       text,
    cast_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (decision_id, voted_as),
    CONSTRAINT decision_votes_decision_id_fkey FOREIGN KEY (decision_id) REFERENCES orchestrator.decision_terms (decision_id),
    CONSTRAINT decision_votes_voter_check      CHECK (btrim(voter) <> ''),
    CONSTRAINT decision_votes_vote_check       CHECK (vote IN ('approved', 'rejected', 'changes_requested'))
);
COMMENT ON TABLE orchestrator.decision_votes IS 'The votes about questions with terms, one of each person; a vote can change while the question is open';
COMMENT ON COLUMN orchestrator.decision_votes.voter IS 'The name that the caller gave';
COMMENT ON COLUMN orchestrator.decision_votes.voted_as IS 'Who voted, as the server knows it: the login, or behind a shared login the subject of the token or the role in force';
COMMENT ON COLUMN orchestrator.decision_votes.vote IS 'The answer. approved: yes; rejected: no; changes_requested: change it and ask again';
COMMENT ON COLUMN orchestrator.decision_votes.cast_at IS 'When the vote was given its present form';

SELECT orchestrator.restore_table('orchestrator.decision_votes');
SELECT pg_extension_config_dump('orchestrator.decision_votes', '');

-- questions: two more answers. The constraints keep their names.

ALTER TABLE orchestrator.gates
    DROP CONSTRAINT gates_status_check,
    ADD CONSTRAINT gates_status_check CHECK (status IN ('pending', 'approved', 'denied', 'withdrawn')),
    DROP CONSTRAINT gates_feedback_check,
    ADD CONSTRAINT gates_feedback_check CHECK (status NOT IN ('denied', 'withdrawn') OR btrim(coalesce(feedback, '')) <> '');
COMMENT ON COLUMN orchestrator.gates.status IS 'State of the gate. pending: waits for a decision; approved: the agent may go on; denied: the agent may not, and gets the feedback; withdrawn: no longer asked';
COMMENT ON COLUMN orchestrator.gates.feedback IS 'The human''s message to the agent, which a denial needs; or the reason of a withdrawal';

ALTER TABLE orchestrator.approvals
    DROP CONSTRAINT approvals_status_check,
    ADD CONSTRAINT approvals_status_check CHECK (status IN ('pending', 'approved', 'rejected', 'changes_requested', 'withdrawn'));
COMMENT ON COLUMN orchestrator.approvals.status IS 'State of the request. pending: waits for a decision; approved: the role agreed; rejected: the role refused; changes_requested: the role wants changes first; withdrawn: no longer asked';
COMMENT ON COLUMN orchestrator.approvals.approver_role IS 'The role that was asked; a person decides for it, or for the role that it was assigned to';

ALTER TABLE orchestrator.human_review_queue
    DROP CONSTRAINT human_review_queue_status_check,
    ADD CONSTRAINT human_review_queue_status_check CHECK (status IN ('pending', 'approved', 'rejected', 'changes_requested', 'withdrawn')),
    DROP CONSTRAINT human_review_queue_resolution_notes_check,
    ADD CONSTRAINT human_review_queue_resolution_notes_check CHECK (status IN ('pending', 'approved') OR btrim(coalesce(resolution_notes, '')) <> '');
COMMENT ON COLUMN orchestrator.human_review_queue.status IS 'State of the review. pending: waits for a decision; approved: the run may go on; rejected: the run is killed; changes_requested: the run is done again as the notes say; withdrawn: no longer asked';
COMMENT ON COLUMN orchestrator.human_review_queue.resolution_notes IS 'The human''s notes on the decision, which every answer but an approval needs';

SELECT orchestrator.restore_columns('orchestrator.gates', array['status']);
SELECT orchestrator.restore_columns('orchestrator.approvals', array['status']);
SELECT orchestrator.restore_columns('orchestrator.human_review_queue', array['status']);

-- triggers

CREATE FUNCTION orchestrator.write_terms()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'write_terms_wrapper';
REVOKE ALL ON FUNCTION orchestrator.write_terms() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.write_terms() IS
    'AFTER INSERT statement trigger (kind) of questions: writes the terms of each question that a rule applies to';

CREATE FUNCTION orchestrator.enforce_terms()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enforce_terms_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_terms() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_terms() IS
    'AFTER UPDATE statement trigger (kind) of questions: refuses an answer that the terms of the question do not allow';

CREATE FUNCTION orchestrator.enforce_votes()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enforce_votes_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_votes() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_votes() IS
    'BEFORE INSERT, UPDATE or DELETE row trigger of decision_votes: each person votes once, as the terms allow, while the question is open; no vote is deleted';

CREATE FUNCTION orchestrator.enforce_frozen_terms()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enforce_frozen_terms_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_frozen_terms() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_frozen_terms() IS
    'BEFORE DELETE or TRUNCATE statement trigger of decision_terms and decision_votes: refuses the statement';

CREATE FUNCTION orchestrator.withdraw_questions()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'withdraw_questions_wrapper';
REVOKE ALL ON FUNCTION orchestrator.withdraw_questions() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.withdraw_questions() IS
    'AFTER UPDATE row trigger of runs and tasks: withdraws the open questions of a run that has ended, and the open approvals of a task that has failed or was cancelled';

CREATE FUNCTION orchestrator.enforce_approvals()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enforce_approvals_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_approvals() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_approvals() IS
    'BEFORE UPDATE row trigger of tasks: a task that waits for an approval does not begin or end, and what is approved does not change';

CREATE TRIGGER gates_terms AFTER INSERT ON orchestrator.gates
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.write_terms('gate');
CREATE TRIGGER approvals_terms AFTER INSERT ON orchestrator.approvals
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.write_terms('approval');
CREATE TRIGGER human_review_queue_terms AFTER INSERT ON orchestrator.human_review_queue
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.write_terms('review');
CREATE TRIGGER gates_by_terms AFTER UPDATE ON orchestrator.gates
    REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_terms('gate');
CREATE TRIGGER approvals_by_terms AFTER UPDATE ON orchestrator.approvals
    REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_terms('approval');
CREATE TRIGGER human_review_queue_by_terms AFTER UPDATE ON orchestrator.human_review_queue
    REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_terms('review');
CREATE TRIGGER decision_votes_by_terms BEFORE INSERT OR UPDATE OR DELETE ON orchestrator.decision_votes
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_votes();
CREATE TRIGGER decision_votes_kept BEFORE TRUNCATE ON orchestrator.decision_votes
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_frozen_terms();
CREATE TRIGGER decision_terms_kept BEFORE DELETE OR TRUNCATE ON orchestrator.decision_terms
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_frozen_terms();
CREATE TRIGGER decision_terms_frozen BEFORE UPDATE ON orchestrator.decision_terms
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_immutable('decision_id', 'kind', 'on_timeout', 'escalate_to', 'approvals_needed', 'rejections_needed', 'requester_may_decide', 'requested_as');
CREATE TRIGGER orchestrator_runs_questions AFTER UPDATE OF phase ON orchestrator.orchestrator_runs
    FOR EACH ROW WHEN (NEW.phase IN ('complete', 'failed') AND OLD.phase NOT IN ('complete', 'failed'))
    EXECUTE FUNCTION orchestrator.withdraw_questions('run');
CREATE TRIGGER tasks_questions AFTER UPDATE OF status ON orchestrator.tasks
    FOR EACH ROW WHEN (NEW.status IN ('failed', 'cancelled') AND OLD.status NOT IN ('failed', 'cancelled'))
    EXECUTE FUNCTION orchestrator.withdraw_questions('task');
CREATE TRIGGER tasks_approvals BEFORE UPDATE OF status, title, description, config, data ON orchestrator.tasks
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_approvals();

-- functions: rules

CREATE FUNCTION orchestrator.set_decision_rule(kind text, type text DEFAULT NULL, respond_within interval DEFAULT NULL, on_timeout text DEFAULT NULL, escalate_to text DEFAULT NULL, approvals_needed integer DEFAULT 1, rejections_needed integer DEFAULT 1, requester_may_decide boolean DEFAULT true, assigned_to text DEFAULT NULL)
RETURNS orchestrator.decision_rules
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_decision_rule_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_decision_rule(text, text, interval, text, text, integer, integer, boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_decision_rule(text, text, interval, text, text, integer, integer, boolean, text) IS
    'Sets the rule by which questions of a kind and type are decided that are asked from now on. Returns the row';

CREATE FUNCTION orchestrator.drop_decision_rule(kind text, type text DEFAULT NULL)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'drop_decision_rule_wrapper';
REVOKE ALL ON FUNCTION orchestrator.drop_decision_rule(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.drop_decision_rule(text, text) IS
    'Removes a rule; questions that were asked before keep their terms. Returns whether there was one';

-- functions: questions

CREATE FUNCTION orchestrator.claim_decision(decision_id uuid, claimed_by text, for_how_long interval DEFAULT '15 minutes')
RETURNS timestamptz
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'claim_decision_wrapper';
REVOKE ALL ON FUNCTION orchestrator.claim_decision(uuid, text, interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.claim_decision(uuid, text, interval) IS
    'Keeps others from answering a question for a while, or extends the caller''s claim. Returns the end of the claim';

CREATE FUNCTION orchestrator.release_decision(decision_id uuid, claimed_by text)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'release_decision_wrapper';
REVOKE ALL ON FUNCTION orchestrator.release_decision(uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.release_decision(uuid, text) IS
    'Ends a claim of a question. Returns whether there was one';

CREATE FUNCTION orchestrator.assign_decision(decision_id uuid, assignee text, assigned_by text, notes text DEFAULT NULL)
RETURNS orchestrator.decisions
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'assign_decision_wrapper';
REVOKE ALL ON FUNCTION orchestrator.assign_decision(uuid, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.assign_decision(uuid, text, text, text) IS
    'Assigns a question to a person or role, which may then decide an approval like the role that was asked. Returns the row of view decisions';

CREATE FUNCTION orchestrator.withdraw_decision(decision_id uuid, withdrawn_by text, reason text)
RETURNS orchestrator.decisions
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'withdraw_decision_wrapper';
REVOKE ALL ON FUNCTION orchestrator.withdraw_decision(uuid, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.withdraw_decision(uuid, text, text) IS
    'Withdraws an open question, by who asked it or an admin. Returns the row of view decisions';

CREATE FUNCTION orchestrator.expire_decisions()
RETURNS TABLE (decision_id uuid, kind text, outcome text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'expire_decisions_wrapper';
REVOKE ALL ON FUNCTION orchestrator.expire_decisions() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.expire_decisions() IS
    'Approves, rejects or escalates the questions without an answer in time, as their terms say. Returns each with its outcome';

-- functions with the same arguments

CREATE OR REPLACE FUNCTION orchestrator.decide(decision_id uuid, decision text, decided_by text, notes text DEFAULT NULL, acting_as text DEFAULT NULL)
RETURNS TABLE (kind text, id uuid, status text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'decide_0_8_0_wrapper';

COMMENT ON FUNCTION orchestrator.decide(uuid, text, text, text, text) IS
    'Approves or rejects a pending review, gate or approval by the rules of its kind and its terms, or requests changes. Returns its kind, id and status, which is pending while more votes are needed';

CREATE OR REPLACE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS orchestrator.gates
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_gate_0_8_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_approval(approval_id uuid, decision text, approver_role text, notes text DEFAULT NULL)
RETURNS orchestrator.approvals
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_approval_0_8_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_review(review_id uuid, decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS orchestrator.human_review_queue
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_review_0_8_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.resolve_reviews(review_ids uuid[], decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS TABLE (review_id uuid, outcome text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_reviews_0_8_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.request_approval(task_id uuid, approver_role text, notes text DEFAULT '', request_key text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_approval_0_8_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.run_maintenance()
RETURNS TABLE (task text, affected bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'run_maintenance_0_8_0_wrapper';

-- views

-- The narrow rows are sorted, and the words are then made for those that are read.
CREATE OR REPLACE VIEW orchestrator.pending_decisions AS
SELECT d.kind, d.id, w.subject, w.asks, w.project_id, w.thread_id, d.requested_at,
       CASE WHEN isfinite(d.requested_at) THEN now() - d.requested_at END AS waiting,
       d.due_at, d.overdue, d.assigned_to,
       CASE WHEN d.claimed_until > now() THEN d.claimed_by END AS claimed_by,
       CASE WHEN d.claimed_until > now() THEN d.claimed_until END AS claimed_until,
       CASE WHEN d.approvals_needed IS NULL THEN 0
            ELSE (SELECT count(*) FROM orchestrator.decision_votes AS v WHERE v.decision_id = d.id AND v.vote = 'approved') END AS votes,
       coalesce(d.approvals_needed, 1) AS votes_needed
FROM (
    SELECT o.kind, o.id, o.requested_at, t.due_at, coalesce(t.due_at <= now(), false) AS overdue, t.assigned_to, t.claimed_by, t.claimed_until, t.approvals_needed
    FROM (
        SELECT 'review' AS kind, q.id, q.created_at AS requested_at FROM orchestrator.human_review_queue AS q WHERE q.status = 'pending'
        UNION ALL
        SELECT 'gate' AS kind, g.id, g.created_at AS requested_at FROM orchestrator.gates AS g WHERE g.status = 'pending'
        UNION ALL
        SELECT 'approval' AS kind, a.id, a.created_at AS requested_at FROM orchestrator.approvals AS a WHERE a.status = 'pending'
    ) AS o
    LEFT JOIN orchestrator.decision_terms AS t ON t.decision_id = o.id AND t.kind = o.kind
    ORDER BY 5 DESC, o.requested_at, o.id
) AS d
CROSS JOIN LATERAL (
    SELECT q.review_type || ' review of story ' || (SELECT r.story_id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = q.thread_id) AS subject,
           q.reason AS asks,
           (SELECT r.project_id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = q.thread_id) AS project_id,
           q.thread_id
    FROM orchestrator.human_review_queue AS q WHERE d.kind = 'review' AND q.id = d.id
    UNION ALL
    SELECT g.gate_type || ' gate of agent ' || g.agent_id, g.reason, g.project_id, coalesce(g.thread_id, g.context ->> 'thread_id')
    FROM orchestrator.gates AS g WHERE d.kind = 'gate' AND g.id = d.id
    UNION ALL
    SELECT 'approval by ' || a.approver_role || ' of task ' || coalesce(nullif(btrim(t.title), ''), left(btrim(t.description), 200)),
           coalesce(nullif(btrim(a.notes), ''), t.description, ''),
           (SELECT r.project_id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = t.thread_id), t.thread_id
    FROM orchestrator.approvals AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id WHERE d.kind = 'approval' AND a.id = d.id
) AS w
ORDER BY d.overdue DESC, d.requested_at, d.id;
COMMENT ON VIEW orchestrator.pending_decisions IS 'Everything that waits for a human, what is overdue first, then the oldest. The next page is WHERE (NOT overdue, requested_at, id) > (those of the last row). Never poll with it, because a late commit has an earlier requested_at. To poll, LISTEN orchestrator_decisions, read all rows after each connect, and after each notification the ids that it holds, or all rows if its count is greater';
COMMENT ON COLUMN orchestrator.pending_decisions.due_at IS 'When an answer is due; NULL without a deadline';
COMMENT ON COLUMN orchestrator.pending_decisions.overdue IS 'Whether the time has passed';
COMMENT ON COLUMN orchestrator.pending_decisions.assigned_to IS 'The person or role that is asked now; NULL for anyone who may decide, or the role of an approval';
COMMENT ON COLUMN orchestrator.pending_decisions.claimed_by IS 'Who is working on the answer; NULL if nobody is';
COMMENT ON COLUMN orchestrator.pending_decisions.claimed_until IS 'When the claim ends';
COMMENT ON COLUMN orchestrator.pending_decisions.votes IS 'The number of approvals so far';
COMMENT ON COLUMN orchestrator.pending_decisions.votes_needed IS 'The number of approvals that are needed';

-- Subqueries with OFFSET 0 are looked up by key for each question, whatever the statistics. They compare
-- the status in a way that no index supports, for the same reason.
CREATE OR REPLACE VIEW orchestrator.decision_cards AS
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
       concat_ws(' ',
           CASE WHEN d.votes_needed - d.votes > 1 THEN 'This is one of ' || d.votes_needed - d.votes || ' approvals that are still needed. Then:' END,
           CASE d.kind WHEN 'review' THEN w.goes_on
                       WHEN 'gate' THEN coalesce(w.goes_on, 'The agent goes on.')
                       ELSE concat_ws(' ', 'The task is approved.', w.goes_on) END) AS if_approved,
       concat_ws(' ',
           CASE WHEN n.needed > 1 THEN 'This is one of ' || n.needed || ' rejections that are still needed. Then:' END,
           CASE WHEN d.kind = 'approval' THEN concat_ws(' ', 'The task is not approved: it waits for another approval.', w.goes_on)
                WHEN r.id IS NULL THEN 'The agent does not go on; the notes say how it proceeds.'
                WHEN r.phase IN ('complete', 'failed') THEN w.goes_on
                WHEN d.kind = 'review' THEN 'The run is killed: it ends as failed, and the notes are its error.'
                WHEN r.gate_status = 'kill' OR r.held_by IS NOT NULL THEN w.goes_on
                WHEN r.holding > 0 THEN 'The run is done again as the notes say, once the other questions that hold it are answered.'
                ELSE 'The run is done again as the notes say.' END) AS if_rejected,
       d.due_at, d.overdue, d.assigned_to, d.claimed_by, d.claimed_until, d.votes, d.votes_needed
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
LEFT JOIN LATERAL (
    SELECT o.rejections_needed - (SELECT count(*) FROM orchestrator.decision_votes AS v WHERE v.decision_id = o.decision_id AND v.vote = 'rejected') AS needed
    FROM orchestrator.decision_terms AS o WHERE o.decision_id = d.id AND o.kind = d.kind OFFSET 0
) AS n ON true
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
ORDER BY d.overdue DESC, d.requested_at, d.id;
COMMENT ON VIEW orchestrator.decision_cards IS 'Everything that waits for a human, what is overdue first, then the oldest, with all that a person needs to decide. Filter by id for one card, or LIMIT a page as in pending_decisions';
COMMENT ON COLUMN orchestrator.decision_cards.due_at IS 'When an answer is due; NULL without a deadline';
COMMENT ON COLUMN orchestrator.decision_cards.overdue IS 'Whether the time has passed';
COMMENT ON COLUMN orchestrator.decision_cards.assigned_to IS 'The person or role that is asked now; NULL for anyone who may decide, or the role of an approval';
COMMENT ON COLUMN orchestrator.decision_cards.claimed_by IS 'Who is working on the answer; NULL if nobody is';
COMMENT ON COLUMN orchestrator.decision_cards.claimed_until IS 'When the claim ends';
COMMENT ON COLUMN orchestrator.decision_cards.votes IS 'The number of approvals so far';
COMMENT ON COLUMN orchestrator.decision_cards.votes_needed IS 'The number of approvals that are needed';

-- Roles with a level get what their level may do from here on.
SELECT orchestrator.renew_access('0.7.3', '0.8.0');
