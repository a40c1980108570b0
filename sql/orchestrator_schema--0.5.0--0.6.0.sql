\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.6.0'" to load this file. \quit

-- 0.5.0 -> 0.6.0: one inbox for all pending decisions, four access levels, notifications of decisions,
-- and maintenance.
-- Functions that check every rule themselves now run with their owner's rights: a role with a grant of
-- EXECUTE by hand no longer needs privileges on the tables.
-- Locks gates, approvals and the queue of reviews until the transaction ends, for their triggers; no
-- row is read or written. Levels that an earlier downgrade kept are granted again.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.6.0');

-- decisions

-- The condition on the status is outside the union: the planner then reads each part from the partial
-- index of its queue, and merges the three without a sort. Subqueries run only for the returned rows.
-- Each part names its columns, so that pg_upgrade keeps the text of the view.
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
COMMENT ON COLUMN orchestrator.pending_decisions.kind IS 'The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task. decide() takes the id of each';
COMMENT ON COLUMN orchestrator.pending_decisions.subject IS 'The subject in words';
COMMENT ON COLUMN orchestrator.pending_decisions.asks IS 'The reason or the notes of the question, else the description of the task';
COMMENT ON COLUMN orchestrator.pending_decisions.project_id IS 'The project; NULL for an approval';
COMMENT ON COLUMN orchestrator.pending_decisions.thread_id IS 'The run of a review; for a gate the thread that its context names';
COMMENT ON COLUMN orchestrator.pending_decisions.waiting IS 'How long it has waited';

CREATE FUNCTION orchestrator.decide(decision_id uuid, decision text, decided_by text, notes text DEFAULT NULL)
RETURNS TABLE (kind text, id uuid, status text)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'decide_wrapper';
REVOKE ALL ON FUNCTION orchestrator.decide(uuid, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.decide(uuid, text, text, text) IS
    'Approves or rejects a pending review, gate or approval by the rules of its kind. Returns its kind, id and status';

-- announcements

-- The triggers fire per statement: a thousand decisions in one statement send one notification. A
-- restored dump sends none.
CREATE FUNCTION orchestrator.announce_decisions()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'announce_decisions_wrapper';
REVOKE ALL ON FUNCTION orchestrator.announce_decisions() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.announce_decisions() IS
    'AFTER INSERT or UPDATE statement trigger (kind): NOTIFY orchestrator_decisions with kind, change and count; off with orchestrator_schema.notify. The server delivers equal notifications of one transaction once, so the count cannot be summed: read pending_decisions';

CREATE TRIGGER gates_requested AFTER INSERT ON orchestrator.gates
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('gate');
CREATE TRIGGER gates_decided AFTER UPDATE ON orchestrator.gates
    REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('gate');
CREATE TRIGGER approvals_requested AFTER INSERT ON orchestrator.approvals
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('approval');
CREATE TRIGGER approvals_decided AFTER UPDATE ON orchestrator.approvals
    REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('approval');
CREATE TRIGGER human_review_queue_requested AFTER INSERT ON orchestrator.human_review_queue
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('review');
CREATE TRIGGER human_review_queue_decided AFTER UPDATE ON orchestrator.human_review_queue
    REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('review');

-- access

CREATE FUNCTION orchestrator.access()
RETURNS TABLE (grantee text, level text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'access_wrapper';
REVOKE ALL ON FUNCTION orchestrator.access() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.access() IS
    'Every role with privileges on the extension''s objects: reader, worker, reviewer or admin; custom for privileges without a level';

CREATE FUNCTION orchestrator.grant_access(grantee regrole, level text)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'grant_access_wrapper';
REVOKE ALL ON FUNCTION orchestrator.grant_access(regrole, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.grant_access(regrole, text) IS
    'Gives a role exactly the privileges of a level, including those of functions that updates brought. Returns the number of changed privileges';

CREATE FUNCTION orchestrator.revoke_access(grantee regrole)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'revoke_access_wrapper';
REVOKE ALL ON FUNCTION orchestrator.revoke_access(regrole) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.revoke_access(regrole) IS
    'Revokes all privileges of a role on the extension''s objects. Returns their number';

CREATE FUNCTION orchestrator.renew_access(origin text, target text)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'renew_access_wrapper';
REVOKE ALL ON FUNCTION orchestrator.renew_access(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.renew_access(text, text) IS
    'For scripts: grants each role with a level the privileges that its level gains from version origin to version target, and revokes those that it loses. Returns the number of roles';

-- The owner of the database may grant levels without a superuser.
GRANT EXECUTE ON FUNCTION orchestrator.access(), orchestrator.grant_access(regrole, text), orchestrator.revoke_access(regrole) TO pg_database_owner;

-- Secrets are for admins; every other setting is for all levels.
CREATE OR REPLACE FUNCTION orchestrator.get_configuration(key text)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'get_configuration_0_6_0_wrapper';
COMMENT ON FUNCTION orchestrator.get_configuration(text) IS
    'The value of a setting as text; an unknown key is an error, and so is a secret for a role that may not read the table';

CREATE OR REPLACE FUNCTION orchestrator.configuration_value(key text, fallback jsonb DEFAULT NULL)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configuration_value_0_6_0_wrapper';
COMMENT ON FUNCTION orchestrator.configuration_value(text, jsonb) IS
    'The value of a setting as JSON of its type; for an unknown key the fallback, or an error without one. A secret is an error for a role that may not read the table';

-- Levels may call these functions without privileges on the tables, because they check every rule themselves.
ALTER FUNCTION orchestrator.start_tool_execution(uuid, text, jsonb) SECURITY DEFINER;
ALTER FUNCTION orchestrator.finish_tool_execution(uuid, text, text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.session_heartbeat(uuid) SECURITY DEFINER;
ALTER FUNCTION orchestrator.deactivate_stale_sessions(interval) SECURITY DEFINER;
ALTER FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb) SECURITY DEFINER;
ALTER FUNCTION orchestrator.request_collaboration(text, text, text, text, jsonb, text, uuid) SECURITY DEFINER;
ALTER FUNCTION orchestrator.answer_collaboration(uuid, text, text, double precision, integer) SECURITY DEFINER;
ALTER FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamp with time zone) SECURITY DEFINER;
ALTER FUNCTION orchestrator.stage_knowledge(text, text, jsonb) SECURITY DEFINER;
ALTER FUNCTION orchestrator.claim_knowledge(integer) SECURITY DEFINER;
ALTER FUNCTION orchestrator.mark_knowledge_embedded(uuid[]) SECURITY DEFINER;
ALTER FUNCTION orchestrator.route_task(text, text, text, text, jsonb, uuid, uuid) SECURITY DEFINER;
ALTER FUNCTION orchestrator.move_session(uuid, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.request_approval(uuid, text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.record_event(text, text, uuid, jsonb) SECURITY DEFINER;
ALTER FUNCTION orchestrator.start_run(text, uuid, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.record_run_progress(text, text, text, bigint, numeric, text[], text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.record_safety(text, numeric, text[]) SECURITY DEFINER;
ALTER FUNCTION orchestrator.pause_run(text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.resume_run(text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.kill_run(text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb) SECURITY DEFINER;
ALTER FUNCTION orchestrator.resolve_gate(uuid, text, text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.resolve_approval(uuid, text, text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.resolve_review(uuid, text, text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.resolve_reviews(uuid[], text, text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.archived() SECURITY DEFINER;
ALTER FUNCTION orchestrator.restore_archived() SECURITY DEFINER;
ALTER FUNCTION orchestrator.downgrade_plan(text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.publish_prompt(text, text, text, text, text, boolean) SECURITY DEFINER;
ALTER FUNCTION orchestrator.activate_prompt(text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.purge_knowledge(interval) SECURITY DEFINER;
ALTER FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.load_default_prices() SECURITY DEFINER;
ALTER FUNCTION orchestrator.expire_sessions(interval) SECURITY DEFINER;
ALTER FUNCTION orchestrator.release_idempotency_keys(interval) SECURITY DEFINER;
ALTER FUNCTION orchestrator.purge_audit_events(interval) SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_issue_task(integer, text, text, uuid[], text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_start_phase(integer) SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_request_review(integer, jsonb) SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_complete_phase(integer) SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_sign(integer, text, text, text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_approve_phase(integer, text, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_load_plan() SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_roll_back_phase(integer, text) SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_note_change() SECURITY DEFINER;
ALTER FUNCTION orchestrator.v7_note_hand_over() SECURITY DEFINER;

-- maintenance

CREATE FUNCTION orchestrator.run_maintenance()
RETURNS TABLE (task text, affected bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'run_maintenance_wrapper';
REVOKE ALL ON FUNCTION orchestrator.run_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.run_maintenance() IS
    'Expires, releases and purges, each by its configured age. Returns every task with the number of rows';

CREATE FUNCTION orchestrator.schedule_maintenance(cron text DEFAULT '*/15 * * * *')
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'schedule_maintenance_wrapper';
REVOKE ALL ON FUNCTION orchestrator.schedule_maintenance(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.schedule_maintenance(text) IS
    'Makes pg_cron call run_maintenance() as the caller. Returns the id of the job. A second call replaces the schedule';

CREATE FUNCTION orchestrator.unschedule_maintenance()
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'unschedule_maintenance_wrapper';
REVOKE ALL ON FUNCTION orchestrator.unschedule_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.unschedule_maintenance() IS
    'Removes the caller''s job from pg_cron. Returns whether there was one';

-- Levels that a downgrade kept are granted again. The table exists only in this script: the privileges
-- themselves are the record of a level. In the same cluster the identifier of a role decides, so that a
-- renamed role gets its level and a new role with the old name does not; in another cluster the name
-- decides. The level of a missing role stays in the archive. Of two levels of one role the later counts.
CREATE TABLE orchestrator.access_levels (
    grantee           text        NOT NULL,
    level             text        NOT NULL,
    kept_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    role              oid         NOT NULL,
    system_identifier bigint      NOT NULL,
    kept_in           oid         NOT NULL,
    PRIMARY KEY (grantee, kept_at),
    CONSTRAINT access_levels_level_check CHECK (level IN ('reader', 'worker', 'reviewer', 'admin')),
    -- regrole prints the number of an identifier that no role has.
    CONSTRAINT access_levels_role_check CHECK (
        CASE WHEN system_identifier = (pg_control_system()).system_identifier THEN role <> 0 AND role::regrole::text <> role::text
             ELSE to_regrole(quote_ident(grantee)) IS NOT NULL END)
);
COMMENT ON TABLE orchestrator.access_levels IS 'The level of each role before a downgrade';
SELECT pg_extension_config_dump('orchestrator.access_levels', '');
SELECT orchestrator.restore_table('orchestrator.access_levels');
SELECT orchestrator.grant_access(kept.role, kept.level)
FROM (SELECT DISTINCT ON (r.oid) r.oid::regrole AS role, l.level
      FROM orchestrator.access_levels AS l JOIN pg_roles AS r
           ON CASE WHEN l.system_identifier = (pg_control_system()).system_identifier THEN r.oid = l.role
                   ELSE r.rolname = l.grantee END
      -- A role that has become the owner of the extension needs no level, nor does the owner of the database.
      WHERE r.rolname <> 'pg_database_owner'
        AND r.oid NOT IN (SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'orchestrator')
      ORDER BY r.oid, l.kept_at DESC) AS kept;
ALTER EXTENSION orchestrator_schema DROP TABLE orchestrator.access_levels;
DROP TABLE orchestrator.access_levels;
