\echo Use "CREATE EXTENSION orchestrator_schema" to load this file. \quit

-- 0.0.0: the base of every later version: the schema, ids that grow with time, and archiving, so that
-- no downgrade loses a row. Creates no table, locks no existing object.

SET LOCAL search_path TO pg_catalog, pg_temp;

CREATE SCHEMA orchestrator;
COMMENT ON SCHEMA orchestrator IS 'State of an AI-agent orchestrator, kept by extension orchestrator_schema';
-- The owner of the database may grant levels, once they exist, without a superuser. The grant is here
-- and not beside the levels, because a script that grants on an older object makes PostgreSQL count
-- users' grants on it as the extension's, and pg_dump leaves those out.
GRANT USAGE ON SCHEMA orchestrator TO pg_database_owner;

-- This function pins no search_path: it looks up no name, and runs once per inserted row.
CREATE FUNCTION orchestrator.uuidv7()
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'uuidv7_wrapper';
REVOKE ALL ON FUNCTION orchestrator.uuidv7() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.uuidv7() IS
    'A new time-ordered UUID (version 7), greater than every earlier one of the same backend';

CREATE FUNCTION orchestrator.archive_table(relation regclass)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'archive_table_wrapper';
REVOKE ALL ON FUNCTION orchestrator.archive_table(regclass) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.archive_table(regclass) IS
    'For down scripts: moves a table to schema orchestrator_archive and takes it out of the extension. Returns the number of rows kept';

CREATE FUNCTION orchestrator.archive_columns(relation regclass, columns text[])
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'archive_columns_wrapper';
REVOKE ALL ON FUNCTION orchestrator.archive_columns(regclass, text[]) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.archive_columns(regclass, text[]) IS
    'For down scripts: keeps the values of columns, with the key of their row, before the columns are dropped. Returns the number of rows kept';

CREATE FUNCTION orchestrator.note_filled_in(relation regclass, columns text[])
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'note_filled_in_wrapper';
REVOKE ALL ON FUNCTION orchestrator.note_filled_in(regclass, text[]) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.note_filled_in(regclass, text[]) IS
    'For down scripts: records the values that the script wrote into archived columns that stay. Returns the number of rows recorded';

CREATE FUNCTION orchestrator.restore_table(relation regclass)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'restore_table_wrapper';
REVOKE ALL ON FUNCTION orchestrator.restore_table(regclass) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.restore_table(regclass) IS
    'For up scripts: restores the rows of a table that a downgrade kept. Returns the number of restored rows';

CREATE FUNCTION orchestrator.restore_columns(relation regclass, columns text[])
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'restore_columns_wrapper';
REVOKE ALL ON FUNCTION orchestrator.restore_columns(regclass, text[]) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.restore_columns(regclass, text[]) IS
    'For up scripts: restores the values of columns that a downgrade kept. Returns the number of rows whose values were restored';

CREATE FUNCTION orchestrator.copy_grants(source text, target text)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'copy_grants_wrapper';
REVOKE ALL ON FUNCTION orchestrator.copy_grants(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.copy_grants(text, text) IS
    'For scripts: copies the grants on function or view source to target, which takes its place. Returns the number of grants';

CREATE FUNCTION orchestrator.archived()
RETURNS TABLE (object text, from_version text, archived_at timestamptz, rows bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'archived_wrapper';
REVOKE ALL ON FUNCTION orchestrator.archived() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.archived() IS
    'The tables and columns in schema orchestrator_archive that downgrades kept and no upgrade has restored yet';

CREATE FUNCTION orchestrator.restore_archived()
RETURNS TABLE (object text, restored bigint, left_behind bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'restore_archived_wrapper';
REVOKE ALL ON FUNCTION orchestrator.restore_archived() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.restore_archived() IS
    'Restores by hand the rows that an upgrade would restore, for example after a dump with an archive was restored';

CREATE FUNCTION orchestrator.downgrade_plan(target text)
RETURNS TABLE (step text, object text, action text, rows bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'downgrade_plan_wrapper';
REVOKE ALL ON FUNCTION orchestrator.downgrade_plan(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.downgrade_plan(text) IS
    'Everything that a downgrade to that version would archive, drop or replace, and the objects that would stop it; changes nothing';

CREATE FUNCTION orchestrator.begin_downgrade(target text)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'begin_downgrade_wrapper';
REVOKE ALL ON FUNCTION orchestrator.begin_downgrade(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.begin_downgrade(text) IS
    'For down scripts: locks every table that the downgrade needs, and stops if a user''s object depends on something that the script removes';

CREATE FUNCTION orchestrator.begin_upgrade(target text)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'begin_upgrade_wrapper';
REVOKE ALL ON FUNCTION orchestrator.begin_upgrade(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.begin_upgrade(text) IS
    'For up scripts: locks every table that the update needs';

CREATE FUNCTION orchestrator.manifest(version text DEFAULT NULL)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'manifest_wrapper';
REVOKE ALL ON FUNCTION orchestrator.manifest(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.manifest(text) IS
    'Every member of a version with its definition; NULL means the installed version';

CREATE FUNCTION orchestrator.verify()
RETURNS TABLE (object text, kind text, problem text, expected text, actual text, hint text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'verify_wrapper';
REVOKE ALL ON FUNCTION orchestrator.verify() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.verify() IS
    'Every difference between the live schema and the manifest of the installed version, with the statement that repairs it; no row if there is none';

CREATE FUNCTION orchestrator.dump_safety()
RETURNS TABLE (object text, kind text, severity text, consequence text, hint text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'dump_safety_wrapper';
REVOKE ALL ON FUNCTION orchestrator.dump_safety() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.dump_safety() IS
    'Additions of users to the extension''s tables that pg_dump would lose; severity error means that rows would be lost';

CREATE FUNCTION orchestrator.fingerprint()
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'fingerprint_wrapper';
REVOKE ALL ON FUNCTION orchestrator.fingerprint() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.fingerprint() IS
    'SHA-256 of every live member and its definition; equal schemas have equal fingerprints, whatever upgrades led to them';

CREATE FUNCTION orchestrator.help(topic text DEFAULT NULL)
RETURNS SETOF text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'help_wrapper';
REVOKE ALL ON FUNCTION orchestrator.help(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.help(text) IS
    'Lists everything that exists, or describes one table, view, function or state machine in full, with an example; lines of text';
