\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.2'" to load this file. \quit

-- 0.4.1 -> 0.4.2: the inventory of files gets its twelve V7 columns. Every row starts as
-- pending_assessment, and no other value changes. file_audit_baseline keeps the values of the old
-- columns, so that v7_verify_file_audit can prove it.
-- Locks file_audit until the transaction ends. The new columns rewrite no row; the new CHECKs and
-- the baseline read each row once. Values kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.4.2');

-- This function pins no search_path: it looks up no name, and a CHECK runs it per row.
CREATE FUNCTION orchestrator.v7_is_valid_file_name(file_name text)
RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'v7_is_valid_file_name_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_is_valid_file_name(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_is_valid_file_name(text) IS
    'Whether a file name is WF[1-7]_V7_L[1-7]_<n>of<m>_<Name>.py with 1 <= n <= m';

CREATE FUNCTION orchestrator.v7_parse_file_name(file_name text)
RETURNS TABLE (workflow integer, layer integer, part integer, parts integer, name text)
LANGUAGE c IMMUTABLE PARALLEL SAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_parse_file_name_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_parse_file_name(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_parse_file_name(text) IS
    'The parts of a file name that follows the rule of V7; no row if the name breaks it';

CREATE TABLE orchestrator.file_audit_baseline (
    id                 integer     PRIMARY KEY,
    file_number        text        NOT NULL,
    file_path          text        NOT NULL,
    file_name          text        NOT NULL,
    layer_number       integer     NOT NULL,
    layer_name         text        NOT NULL,
    status             text        NOT NULL,
    workflows          text[]      NOT NULL,
    has_technical_debt boolean     NOT NULL,
    technical_debt     text,
    jira_tickets       text[]      NOT NULL,
    audit_status       text        NOT NULL,
    audit_date         timestamptz,
    audited_by         text,
    notes              text,
    created_at         timestamptz NOT NULL
);
COMMENT ON TABLE orchestrator.file_audit_baseline IS 'The values of the old columns of file_audit when the V7 columns were added, one row per file of that time; deleting a row accepts later changes';

SELECT orchestrator.restore_table('orchestrator.file_audit_baseline');

SELECT pg_extension_config_dump('orchestrator.file_audit_baseline', '');

ALTER TABLE orchestrator.file_audit
    ADD COLUMN v7_workflow_status       text NOT NULL DEFAULT 'pending_assessment',
    ADD COLUMN v7_target_name           text,
    ADD COLUMN v7_database_enums        jsonb,
    ADD COLUMN v7_enum_mappings         jsonb,
    ADD COLUMN v7_dependencies          text[],
    ADD COLUMN v7_dependents            text[],
    ADD COLUMN v7_impact_score          integer,
    ADD COLUMN v7_review_status         text,
    ADD COLUMN v7_reviewed_by           text[],
    ADD COLUMN v7_implementation_status text,
    ADD COLUMN v7_test_status           text,
    ADD COLUMN v7_retirement_date       date,
    ADD CONSTRAINT file_audit_v7_workflow_status_check CHECK (v7_workflow_status IN ('pending_assessment', 'assessed', 'designed', 'approved', 'implementing', 'testing', 'migrated', 'retired')),
    -- CASE, because the function refuses NULL.
    ADD CONSTRAINT file_audit_v7_target_name_check     CHECK (CASE WHEN v7_target_name IS NOT NULL THEN orchestrator.v7_is_valid_file_name(v7_target_name) END),
    ADD CONSTRAINT file_audit_v7_impact_score_check    CHECK (v7_impact_score BETWEEN 1 AND 10);
COMMENT ON COLUMN orchestrator.file_audit.v7_workflow_status IS 'Progress of the migration of the file. pending_assessment: to be assessed; assessed: impact known; designed: target designed; approved: design approved; implementing: being rewritten; testing: being tested; migrated: in use; retired: the old file is gone';
COMMENT ON COLUMN orchestrator.file_audit.v7_target_name IS 'Its name after the migration: WF[1-7]_V7_L[1-7]_<n>of<m>_<Name>.py';
COMMENT ON COLUMN orchestrator.file_audit.v7_database_enums IS 'The enum types that the file uses';
COMMENT ON COLUMN orchestrator.file_audit.v7_enum_mappings IS 'The new type of each of these types, and the mapping of their values';
COMMENT ON COLUMN orchestrator.file_audit.v7_dependencies IS 'Files that this file needs';
COMMENT ON COLUMN orchestrator.file_audit.v7_dependents IS 'Files that need this file';
COMMENT ON COLUMN orchestrator.file_audit.v7_impact_score IS 'How much a fault of the file breaks, 1 to 10';
COMMENT ON COLUMN orchestrator.file_audit.v7_retirement_date IS 'The day on which the old file was retired';

-- The first upgrade takes the baseline of the existing rows; later upgrades keep it.
DO $$
BEGIN
    IF orchestrator.restore_columns('orchestrator.file_audit', ARRAY[
        'v7_workflow_status', 'v7_target_name', 'v7_database_enums', 'v7_enum_mappings', 'v7_dependencies', 'v7_dependents',
        'v7_impact_score', 'v7_review_status', 'v7_reviewed_by', 'v7_implementation_status', 'v7_test_status', 'v7_retirement_date']) = 0
    THEN
        INSERT INTO orchestrator.file_audit_baseline
        SELECT f.id, f.file_number, f.file_path, f.file_name, f.layer_number, f.layer_name, f.status, f.workflows, f.has_technical_debt,
               f.technical_debt, f.jira_tickets, f.audit_status, f.audit_date, f.audited_by, f.notes, f.created_at
        FROM orchestrator.file_audit AS f
        WHERE NOT EXISTS (SELECT FROM orchestrator.file_audit_baseline AS b WHERE b.id = f.id);
    END IF;
END
$$;

CREATE INDEX idx_file_audit_v7_status ON orchestrator.file_audit (v7_workflow_status);

DROP TRIGGER file_audit_updated_at ON orchestrator.file_audit;
CREATE TRIGGER file_audit_lifecycle BEFORE UPDATE ON orchestrator.file_audit
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_file', 'v7_workflow_status');

CREATE FUNCTION orchestrator.v7_verify_file_audit()
RETURNS TABLE (check_name text, expected text, actual text, passed boolean, hint text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_verify_file_audit_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_verify_file_audit() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_verify_file_audit() IS
    'Checks the inventory under V7: its twelve columns, a V7 status on every row, and no old value changed or row deleted since the upgrade';
