\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.1'" to load this file. \quit

-- 0.4.0 -> 0.4.1: the five tables of the code-base migration: phases, enum consolidation, impacts,
-- tasks and test results, with their state machines.
-- Locks no existing object. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.4.1');

-- v7_migration_workflow

CREATE TABLE orchestrator.v7_migration_workflow (
    id              uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    phase_number    integer     NOT NULL,
    phase_name      text        NOT NULL,
    status          text        NOT NULL DEFAULT 'not_started',
    lead_persona    text        NOT NULL,
    started_at      timestamptz,
    completed_at    timestamptz,
    approval_status text        NOT NULL DEFAULT 'pending',
    approved_by     text,
    approval_notes  text,
    deliverables    jsonb       NOT NULL DEFAULT '[]',
    blockers        jsonb       NOT NULL DEFAULT '[]',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT v7_migration_workflow_phase_number_key      UNIQUE (phase_number),
    CONSTRAINT v7_migration_workflow_phase_name_key        UNIQUE (phase_name),
    CONSTRAINT v7_migration_workflow_phase_number_check    CHECK (phase_number BETWEEN 1 AND 7),
    CONSTRAINT v7_migration_workflow_phase_name_check      CHECK (btrim(phase_name) <> ''),
    CONSTRAINT v7_migration_workflow_lead_persona_check    CHECK (btrim(lead_persona) <> ''),
    CONSTRAINT v7_migration_workflow_status_check          CHECK (status IN ('not_started', 'in_progress', 'review', 'approved', 'completed', 'blocked', 'rolled_back')),
    CONSTRAINT v7_migration_workflow_approval_status_check CHECK (approval_status IN ('pending', 'approved', 'rejected')),
    CONSTRAINT v7_migration_workflow_deliverables_check    CHECK (jsonb_typeof(deliverables) = 'array'),
    CONSTRAINT v7_migration_workflow_blockers_check        CHECK (jsonb_typeof(blockers) = 'array')
);
COMMENT ON TABLE orchestrator.v7_migration_workflow IS 'The phases of the migration, one row each, with state, leader and approval';
COMMENT ON COLUMN orchestrator.v7_migration_workflow.lead_persona IS 'The persona who is responsible for the phase';
COMMENT ON COLUMN orchestrator.v7_migration_workflow.approval_status IS 'Approval of the present run of the phase. pending: not given; approved: given, the next phase may start; rejected: refused';
COMMENT ON COLUMN orchestrator.v7_migration_workflow.approval_notes IS 'The written approval, and why earlier ones ended';
COMMENT ON COLUMN orchestrator.v7_migration_workflow.deliverables IS 'The results for the review, a JSON array';
COMMENT ON COLUMN orchestrator.v7_migration_workflow.blockers IS 'Reasons why the phase is held up, a JSON array';
COMMENT ON COLUMN orchestrator.v7_migration_workflow.status IS 'State of the phase. not_started: waits for the phase before; in_progress: work is going on; review: waits for approval; approved: can be completed; completed: done; blocked: held up; rolled_back: undone, can start again';

SELECT orchestrator.restore_table('orchestrator.v7_migration_workflow');

CREATE TRIGGER v7_migration_workflow_lifecycle BEFORE UPDATE ON orchestrator.v7_migration_workflow
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_phase', 'status');

SELECT pg_extension_config_dump('orchestrator.v7_migration_workflow', '');

-- v7_enum_migrations

CREATE TABLE orchestrator.v7_enum_migrations (
    id                  uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    current_enum_name   text        NOT NULL,
    current_enum_values text[]      NOT NULL,
    v7_enum_name        text        NOT NULL,
    v7_enum_values      text[]      NOT NULL,
    consolidates_with   text[]      NOT NULL DEFAULT '{}',
    affected_tables     text[]      NOT NULL DEFAULT '{}',
    affected_columns    jsonb       NOT NULL DEFAULT '{}',
    migration_script    text,
    rollback_script     text,
    status              text        NOT NULL DEFAULT 'proposed',
    risk_level          text        NOT NULL DEFAULT 'medium',
    approved_by         text,
    implemented_at      timestamptz,
    validated_at        timestamptz,
    retired_at          timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT v7_enum_migrations_names_key               UNIQUE (current_enum_name, v7_enum_name),
    CONSTRAINT v7_enum_migrations_current_enum_name_check CHECK (btrim(current_enum_name) <> ''),
    CONSTRAINT v7_enum_migrations_v7_enum_name_check      CHECK (btrim(v7_enum_name) <> ''),
    CONSTRAINT v7_enum_migrations_affected_columns_check  CHECK (jsonb_typeof(affected_columns) = 'object'),
    CONSTRAINT v7_enum_migrations_status_check            CHECK (status IN ('proposed', 'approved', 'implemented', 'validated', 'retired', 'rolled_back')),
    CONSTRAINT v7_enum_migrations_risk_level_check        CHECK (risk_level IN ('low', 'medium', 'high', 'critical')),
    CONSTRAINT v7_enum_migrations_approval_check          CHECK (
        status = 'proposed'
        OR (btrim(coalesce(approved_by, '')) <> '' AND btrim(coalesce(rollback_script, '')) <> ''))
);
COMMENT ON TABLE orchestrator.v7_enum_migrations IS 'Consolidation of enum types: each row replaces one type by another, reversibly';
COMMENT ON COLUMN orchestrator.v7_enum_migrations.current_enum_name IS 'The type to replace, as schema.name';
COMMENT ON COLUMN orchestrator.v7_enum_migrations.v7_enum_name IS 'The type that replaces it';
COMMENT ON COLUMN orchestrator.v7_enum_migrations.consolidates_with IS 'Further types that the same type replaces';
COMMENT ON COLUMN orchestrator.v7_enum_migrations.affected_columns IS 'The columns of each table that use the type, a JSON object of arrays';
COMMENT ON COLUMN orchestrator.v7_enum_migrations.rollback_script IS 'The script that undoes the change; required from approval on';
COMMENT ON COLUMN orchestrator.v7_enum_migrations.status IS 'State of the replacement. proposed: waits for an approver; approved: may be implemented; implemented: in place, to be validated; validated: tested; retired: the old type is gone; rolled_back: undone, can be proposed again';
COMMENT ON COLUMN orchestrator.v7_enum_migrations.risk_level IS 'Risk of the replacement. low: little can break; medium: the default; high: much can break; critical: everything can break';

SELECT orchestrator.restore_table('orchestrator.v7_enum_migrations');

CREATE INDEX idx_enum_migrations_status   ON orchestrator.v7_enum_migrations (status);
-- The queue of proposals that wait for an approver, the oldest first.
CREATE INDEX idx_enum_migrations_proposed ON orchestrator.v7_enum_migrations (created_at, id) WHERE status = 'proposed';

CREATE TRIGGER v7_enum_migrations_lifecycle BEFORE UPDATE ON orchestrator.v7_enum_migrations
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_enum', 'status');

SELECT pg_extension_config_dump('orchestrator.v7_enum_migrations', '');

-- v7_global_impacts

CREATE TABLE orchestrator.v7_global_impacts (
    id                   uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    change_type          text        NOT NULL,
    change_detail        jsonb       NOT NULL,
    affected_workflows   text[]      NOT NULL,
    affected_layers      integer[]   NOT NULL,
    impact_description   text        NOT NULL,
    risk_assessment      text        NOT NULL,
    mitigation_strategy  text,
    reviewed_by_personas text[]      NOT NULL DEFAULT '{}',
    approval_status      text        NOT NULL DEFAULT 'pending',
    implementation_notes text,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT v7_global_impacts_change_type_check        CHECK (change_type IN ('enum', 'file', 'api', 'schema', 'config', 'dependency')),
    CONSTRAINT v7_global_impacts_impact_description_check CHECK (btrim(impact_description) <> ''),
    CONSTRAINT v7_global_impacts_risk_assessment_check    CHECK (risk_assessment IN ('low', 'medium', 'high', 'critical')),
    CONSTRAINT v7_global_impacts_approval_status_check    CHECK (approval_status IN ('pending', 'reviewing', 'approved', 'rejected', 'implemented')),
    CONSTRAINT v7_global_impacts_mitigation_check         CHECK (
        risk_assessment NOT IN ('high', 'critical')
        OR approval_status NOT IN ('approved', 'implemented')
        OR btrim(coalesce(mitigation_strategy, '')) <> '')
);
COMMENT ON TABLE orchestrator.v7_global_impacts IS 'Changes that reach beyond one file: their reach, their risk and their approval';
COMMENT ON COLUMN orchestrator.v7_global_impacts.affected_workflows IS 'WF1 to WF7';
COMMENT ON COLUMN orchestrator.v7_global_impacts.affected_layers IS '1 to 7, as in file_audit.layer_number';
COMMENT ON COLUMN orchestrator.v7_global_impacts.mitigation_strategy IS 'The plan against the risk; high and critical impacts need it before they are approved';
COMMENT ON COLUMN orchestrator.v7_global_impacts.approval_status IS 'State of the impact, which is open until it is implemented or rejected. pending: not looked at; reviewing: under review; approved: may be implemented; rejected: will not be implemented; implemented: done';
COMMENT ON COLUMN orchestrator.v7_global_impacts.change_type IS 'Subject of the change. enum: an enum type; file: a file; api: an interface; schema: the database schema; config: configuration; dependency: a dependency';
COMMENT ON COLUMN orchestrator.v7_global_impacts.risk_assessment IS 'Risk of the change. low: little can break; medium: something can break; high: much can break, needs a mitigation; critical: everything can break, needs a mitigation';

SELECT orchestrator.restore_table('orchestrator.v7_global_impacts');

CREATE INDEX idx_global_impacts_risk ON orchestrator.v7_global_impacts (risk_assessment);
-- The queue of open impacts, the oldest first.
CREATE INDEX idx_global_impacts_open ON orchestrator.v7_global_impacts (created_at, id) WHERE approval_status IN ('pending', 'reviewing', 'approved');

CREATE TRIGGER v7_global_impacts_lifecycle BEFORE UPDATE ON orchestrator.v7_global_impacts
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_impact', 'approval_status');

SELECT pg_extension_config_dump('orchestrator.v7_global_impacts', '');

-- v7_subworkflow_tasks

CREATE TABLE orchestrator.v7_subworkflow_tasks (
    id                  uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    parent_phase        integer     NOT NULL,
    task_number         integer     NOT NULL,
    task_name           text        NOT NULL,
    responsible_persona text        NOT NULL,
    status              text        NOT NULL DEFAULT 'pending',
    dart_task_id        text,
    dart_task_url       text,
    started_at          timestamptz,
    completed_at        timestamptz,
    blockers            text[]      NOT NULL DEFAULT '{}',
    dependencies        uuid[]      NOT NULL DEFAULT '{}',
    deliverable_urls    text[]      NOT NULL DEFAULT '{}',
    notes               text,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT v7_subworkflow_tasks_parent_phase_fkey         FOREIGN KEY (parent_phase) REFERENCES orchestrator.v7_migration_workflow (phase_number),
    CONSTRAINT v7_subworkflow_tasks_number_key                UNIQUE (parent_phase, task_number),
    CONSTRAINT v7_subworkflow_tasks_task_name_check           CHECK (btrim(task_name) <> ''),
    CONSTRAINT v7_subworkflow_tasks_responsible_persona_check CHECK (btrim(responsible_persona) <> ''),
    CONSTRAINT v7_subworkflow_tasks_status_check              CHECK (status IN ('pending', 'in_progress', 'blocked', 'review', 'completed', 'cancelled', 'deferred'))
);
COMMENT ON TABLE orchestrator.v7_subworkflow_tasks IS 'The tasks of each phase, in the form in which they are handed to the external tracker';
COMMENT ON COLUMN orchestrator.v7_subworkflow_tasks.dart_task_id IS 'The id of the task in the external tracker; NULL before it is there';
COMMENT ON COLUMN orchestrator.v7_subworkflow_tasks.dependencies IS 'The ids of tasks that must be completed before this one is ready';
COMMENT ON COLUMN orchestrator.v7_subworkflow_tasks.status IS 'State of the task. pending: waits to be started; in_progress: being done; blocked: held up; review: under review; completed: done; cancelled: will not be done; deferred: put off';

SELECT orchestrator.restore_table('orchestrator.v7_subworkflow_tasks');

CREATE INDEX idx_subworkflow_status  ON orchestrator.v7_subworkflow_tasks (status);
-- The queue of tasks to start, phase by phase.
CREATE INDEX idx_subworkflow_pending ON orchestrator.v7_subworkflow_tasks (parent_phase, task_number) WHERE status = 'pending';

CREATE TRIGGER v7_subworkflow_tasks_lifecycle BEFORE UPDATE ON orchestrator.v7_subworkflow_tasks
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_task', 'status');

SELECT pg_extension_config_dump('orchestrator.v7_subworkflow_tasks', '');

-- v7_test_results

CREATE TABLE orchestrator.v7_test_results (
    id                   uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    test_type            text        NOT NULL,
    component_tested     text        NOT NULL,
    v7_file_path         text,
    test_status          text        NOT NULL,
    error_details        text,
    performance_metrics  jsonb,
    backwards_compatible boolean,
    tested_by            text,
    tested_at            timestamptz NOT NULL DEFAULT now(),
    retest_required      boolean     NOT NULL DEFAULT false,
    notes                text,
    CONSTRAINT v7_test_results_test_type_check        CHECK (test_type IN ('unit', 'integration', 'system', 'performance', 'regression', 'smoke')),
    CONSTRAINT v7_test_results_component_tested_check CHECK (btrim(component_tested) <> ''),
    CONSTRAINT v7_test_results_test_status_check      CHECK (test_status IN ('pass', 'fail', 'skip', 'error', 'timeout'))
);
COMMENT ON TABLE orchestrator.v7_test_results IS 'Results of tests of the migrated code, one row per test run';
COMMENT ON COLUMN orchestrator.v7_test_results.test_status IS 'Result of the test. pass: passed; fail: failed; skip: did not run; error: could not run; timeout: did not end in time. A failure is open until the same test of the same component passes';
COMMENT ON COLUMN orchestrator.v7_test_results.backwards_compatible IS 'Whether earlier users of the component still work; NULL if that was not tested';
COMMENT ON COLUMN orchestrator.v7_test_results.test_type IS 'Kind of test. unit: one component; integration: several components together; system: the whole; performance: speed; regression: that older features still work; smoke: that it starts';

SELECT orchestrator.restore_table('orchestrator.v7_test_results');

CREATE INDEX idx_test_results_status   ON orchestrator.v7_test_results (test_status);
-- The queues of failures and of tests to repeat, the oldest first.
CREATE INDEX idx_test_results_failures ON orchestrator.v7_test_results (tested_at, id) WHERE test_status IN ('fail', 'error', 'timeout');
CREATE INDEX idx_test_results_retest   ON orchestrator.v7_test_results (tested_at, id) WHERE retest_required;
-- The latest result of each test of a component.
CREATE INDEX idx_test_results_latest   ON orchestrator.v7_test_results (component_tested, test_type, tested_at, id);

SELECT pg_extension_config_dump('orchestrator.v7_test_results', '');

CREATE FUNCTION orchestrator.v7_verify_tables()
RETURNS TABLE (check_name text, expected text, actual text, passed boolean, hint text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_verify_tables_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_verify_tables() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_verify_tables() IS
    'Checks the five V7 tables: base tables with all their columns, and no other table named v7_ in any schema; a view does not count as a table';
