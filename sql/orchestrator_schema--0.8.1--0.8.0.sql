\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.0'" to load this file. \quit

-- 0.8.1 -> 0.8.0: removes the seals over the audit trail, and the events of sign-offs, approved phases, levels and
-- prices; orchestrator_archive keeps the rows.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.8.0');

-- Levels lose what they may do only from 0.8.1 on.
SELECT orchestrator.renew_access('0.8.1', '0.8.0');

-- functions

CREATE OR REPLACE FUNCTION orchestrator.set_price(model text, input_cost_per_million double precision, output_cost_per_million double precision, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_0_7_3_float_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.set_price(model text, input_cost_per_million numeric, output_cost_per_million numeric, effective_date date DEFAULT NULL, notes text DEFAULT NULL, updated_by text DEFAULT NULL)
RETURNS orchestrator.llm_pricing
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_price_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.revoke_access(grantee regrole)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'revoke_access_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.grant_access(grantee regrole, level text)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'grant_access_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.v7_approve_phase(phase_number integer, approved_by text, notes text)
RETURNS orchestrator.v7_migration_workflow
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_approve_phase_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.v7_sign(phase_number integer, stage text, item text, signed_by text, notes text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_sign_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.run_maintenance()
RETURNS TABLE (task text, affected bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'run_maintenance_0_8_0_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.purge_audit_events(older_than interval)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'purge_audit_events_wrapper';

COMMENT ON FUNCTION orchestrator.purge_audit_events(interval) IS
    'Deletes audit events older than the argument says, which is at least one day, and records their number. Nothing else can delete events. Returns the number of deleted events';

DROP FUNCTION orchestrator.audit_head();
DROP FUNCTION orchestrator.verify_audit_seals(bigint, bytea);
DROP FUNCTION orchestrator.seal_audit_events();

-- tables

SELECT orchestrator.archive_table('orchestrator.audit_seals');
