\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.1'" to load this file. \quit

-- 0.8.0 -> 0.8.1: a sealed trail: seals over the audit trail, and events of sign-offs, approved phases, levels and prices.
-- Rows and values kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.8.1');

-- audit_seals

CREATE TABLE orchestrator.audit_seals (
    sequence     bigint      PRIMARY KEY,
    sealed_at    timestamptz NOT NULL DEFAULT now(),
    sealed_until timestamptz NOT NULL,
    events       bigint      NOT NULL,
    digest       bytea       NOT NULL,
    previous     bytea       NOT NULL,
    purged_at    timestamptz,
    CONSTRAINT audit_seals_sequence_check CHECK (sequence > 0),
    CONSTRAINT audit_seals_events_check   CHECK (events > 0),
    CONSTRAINT audit_seals_digest_check   CHECK (length(digest) = 32),
    CONSTRAINT audit_seals_previous_check CHECK (length(previous) = 32)
);
COMMENT ON TABLE orchestrator.audit_seals IS 'Seals over audit_events: each has the SHA-256 of the seal before it and of the events of a span';
COMMENT ON COLUMN orchestrator.audit_seals.sequence IS 'The number of the seal, counted from 1';
COMMENT ON COLUMN orchestrator.audit_seals.sealed_until IS 'The end of the span, which begins with the end of the span before; an event with this time is in the next one';
COMMENT ON COLUMN orchestrator.audit_seals.events IS 'The number of events in the span';
COMMENT ON COLUMN orchestrator.audit_seals.digest IS 'The SHA-256 of the digest before, the events, and the other columns of the seal';
COMMENT ON COLUMN orchestrator.audit_seals.previous IS 'The digest of the seal before; zeros in the first one';
COMMENT ON COLUMN orchestrator.audit_seals.purged_at IS 'When the events of the span were purged; NULL while they are there';

SELECT orchestrator.restore_table('orchestrator.audit_seals');
-- A purge by a version without seals marked none.
CREATE FUNCTION orchestrator.mark_purged_seals()
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mark_purged_seals_wrapper';
REVOKE ALL ON FUNCTION orchestrator.mark_purged_seals() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.mark_purged_seals() IS
    'Marks the seals whose events a version without seals has purged';
SELECT orchestrator.mark_purged_seals();
DROP FUNCTION orchestrator.mark_purged_seals();
SELECT pg_extension_config_dump('orchestrator.audit_seals', '');

CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON orchestrator.audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_append_only();
CREATE TRIGGER audit_seals_append_only_rows BEFORE UPDATE OR DELETE ON orchestrator.audit_seals
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_append_only();
ALTER TABLE orchestrator.audit_seals
    ENABLE ALWAYS TRIGGER audit_seals_append_only,
    ENABLE ALWAYS TRIGGER audit_seals_append_only_rows;

-- functions: audit

CREATE FUNCTION orchestrator.seal_audit_events()
RETURNS SETOF orchestrator.audit_seals
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'seal_audit_events_wrapper';
REVOKE ALL ON FUNCTION orchestrator.seal_audit_events() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.seal_audit_events() IS
    'Seals the audit events to which no transaction can add any more. Returns the seal; no row if there is nothing new';

CREATE FUNCTION orchestrator.verify_audit_seals(from_sequence bigint DEFAULT NULL, expected_head bytea DEFAULT NULL)
RETURNS TABLE (sequence bigint, problem text, expected text, actual text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'verify_audit_seals_wrapper';
REVOKE ALL ON FUNCTION orchestrator.verify_audit_seals(bigint, bytea) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.verify_audit_seals(bigint, bytea) IS
    'Compares the audit events with their seals. Returns what was changed, deleted or added since; no row if nothing was';

CREATE FUNCTION orchestrator.audit_head()
RETURNS TABLE (sequence bigint, sealed_until timestamptz, digest bytea)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'audit_head_wrapper';
REVOKE ALL ON FUNCTION orchestrator.audit_head() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.audit_head() IS
    'Returns the last seal over the audit events, to be kept outside of the database; verify_audit_seals takes its digest';

-- functions with the same arguments

CREATE OR REPLACE FUNCTION orchestrator.purge_audit_events(older_than interval)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'purge_audit_events_0_8_1_wrapper';

COMMENT ON FUNCTION orchestrator.purge_audit_events(interval) IS
    'Deletes the events of the seals that end before older_than ago, at least one day; events that are not sealed yet are sealed first. Returns the number of deleted events';

CREATE OR REPLACE FUNCTION orchestrator.run_maintenance()
RETURNS TABLE (task text, affected bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'run_maintenance_0_8_1_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.v7_sign(phase_number integer, stage text, item text, signed_by text, notes text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_sign_0_8_1_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.v7_approve_phase(phase_number integer, approved_by text, notes text)
RETURNS orchestrator.v7_migration_workflow
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_approve_phase_0_8_1_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.grant_access(grantee regrole, level text)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'grant_access_0_8_1_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.revoke_access(grantee regrole)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'revoke_access_0_8_1_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.set_price(model text, input_cost_per_million numeric, output_cost_per_million numeric, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_0_8_1_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.set_price(model text, input_cost_per_million double precision, output_cost_per_million double precision, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_0_8_1_float_wrapper';

-- Roles that have a level may use what is new.
SELECT orchestrator.renew_access('0.8.0', '0.8.1');
