\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.5.0'" to load this file. \quit

-- 0.6.0 -> 0.5.0: removes inbox, notifications, levels and maintenance; functions run with the caller's
-- rights again. orchestrator_archive keeps the level of each role, and an upgrade restores it. Privileges
-- of a level on objects that stay remain granted. A job of pg_cron stays, and fails until the upgrade.
-- Locks gates, approvals and the queue of reviews until the transaction ends; no row is read or
-- written.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.5.0');

-- A role may be renamed before the upgrade, so its identifier is kept beside its name, with the cluster
-- to which the identifier belongs. pg_upgrade gives a cluster another identifier, and leaves those of roles
-- and tables: the identifier of this table distinguishes it from a dump. Grants by hand on objects that
-- stay remain.
CREATE TABLE orchestrator.access_levels (
    grantee           text        NOT NULL,
    level             text        NOT NULL,
    kept_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    role              oid         NOT NULL,
    system_identifier bigint      NOT NULL,
    kept_in           oid         NOT NULL,
    PRIMARY KEY (grantee, kept_at)
);
INSERT INTO orchestrator.access_levels (grantee, level, role, system_identifier, kept_in)
SELECT a.grantee, a.level, r.oid, (pg_control_system()).system_identifier, 'orchestrator.access_levels'::regclass
FROM orchestrator.access() AS a JOIN pg_roles AS r ON r.rolname = a.grantee
WHERE a.level <> 'custom';
SELECT orchestrator.archive_table('orchestrator.access_levels');

DROP FUNCTION orchestrator.unschedule_maintenance();
DROP FUNCTION orchestrator.schedule_maintenance(text);
DROP FUNCTION orchestrator.run_maintenance();

ALTER FUNCTION orchestrator.start_tool_execution(uuid, text, jsonb) SECURITY INVOKER;
ALTER FUNCTION orchestrator.finish_tool_execution(uuid, text, text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.session_heartbeat(uuid) SECURITY INVOKER;
ALTER FUNCTION orchestrator.deactivate_stale_sessions(interval) SECURITY INVOKER;
ALTER FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb) SECURITY INVOKER;
ALTER FUNCTION orchestrator.request_collaboration(text, text, text, text, jsonb, text, uuid) SECURITY INVOKER;
ALTER FUNCTION orchestrator.answer_collaboration(uuid, text, text, double precision, integer) SECURITY INVOKER;
ALTER FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamp with time zone) SECURITY INVOKER;
ALTER FUNCTION orchestrator.stage_knowledge(text, text, jsonb) SECURITY INVOKER;
ALTER FUNCTION orchestrator.claim_knowledge(integer) SECURITY INVOKER;
ALTER FUNCTION orchestrator.mark_knowledge_embedded(uuid[]) SECURITY INVOKER;
ALTER FUNCTION orchestrator.route_task(text, text, text, text, jsonb, uuid, uuid) SECURITY INVOKER;
ALTER FUNCTION orchestrator.move_session(uuid, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.request_approval(uuid, text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.record_event(text, text, uuid, jsonb) SECURITY INVOKER;
ALTER FUNCTION orchestrator.start_run(text, uuid, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.record_run_progress(text, text, text, bigint, numeric, text[], text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.record_safety(text, numeric, text[]) SECURITY INVOKER;
ALTER FUNCTION orchestrator.pause_run(text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.resume_run(text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.kill_run(text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb) SECURITY INVOKER;
ALTER FUNCTION orchestrator.resolve_gate(uuid, text, text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.resolve_approval(uuid, text, text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.resolve_review(uuid, text, text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.resolve_reviews(uuid[], text, text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.archived() SECURITY INVOKER;
ALTER FUNCTION orchestrator.restore_archived() SECURITY INVOKER;
ALTER FUNCTION orchestrator.downgrade_plan(text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.publish_prompt(text, text, text, text, text, boolean) SECURITY INVOKER;
ALTER FUNCTION orchestrator.activate_prompt(text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.purge_knowledge(interval) SECURITY INVOKER;
ALTER FUNCTION orchestrator.set_price(text, numeric, numeric, date, text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.load_default_prices() SECURITY INVOKER;
ALTER FUNCTION orchestrator.expire_sessions(interval) SECURITY INVOKER;
ALTER FUNCTION orchestrator.release_idempotency_keys(interval) SECURITY INVOKER;
ALTER FUNCTION orchestrator.purge_audit_events(interval) SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_issue_task(integer, text, text, uuid[], text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_start_phase(integer) SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_request_review(integer, jsonb) SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_complete_phase(integer) SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_sign(integer, text, text, text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_approve_phase(integer, text, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_load_plan() SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_roll_back_phase(integer, text) SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_note_change() SECURITY INVOKER;
ALTER FUNCTION orchestrator.v7_note_hand_over() SECURITY INVOKER;

CREATE OR REPLACE FUNCTION orchestrator.configuration_value(key text, fallback jsonb DEFAULT NULL)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configuration_value_wrapper';
COMMENT ON FUNCTION orchestrator.configuration_value(text, jsonb) IS
    'The value of a setting as JSON of its type; for an unknown key the fallback, or an error without one';

CREATE OR REPLACE FUNCTION orchestrator.get_configuration(key text)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'get_configuration_wrapper';
COMMENT ON FUNCTION orchestrator.get_configuration(text) IS
    'The value of a setting as text; an unknown key is an error';

DROP FUNCTION orchestrator.renew_access(text, text);
DROP FUNCTION orchestrator.revoke_access(regrole);
DROP FUNCTION orchestrator.grant_access(regrole, text);
DROP FUNCTION orchestrator.access();

DROP TRIGGER human_review_queue_decided ON orchestrator.human_review_queue;
DROP TRIGGER human_review_queue_requested ON orchestrator.human_review_queue;
DROP TRIGGER approvals_decided ON orchestrator.approvals;
DROP TRIGGER approvals_requested ON orchestrator.approvals;
DROP TRIGGER gates_decided ON orchestrator.gates;
DROP TRIGGER gates_requested ON orchestrator.gates;
DROP FUNCTION orchestrator.announce_decisions();

DROP FUNCTION orchestrator.decide(uuid, text, text, text);
DROP VIEW orchestrator.pending_decisions;
