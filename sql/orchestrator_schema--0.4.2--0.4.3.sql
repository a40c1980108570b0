\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.3'" to load this file. \quit

-- 0.4.2 -> 0.4.3: the plan, sign-offs and steps of the phases, views of the progress, and the rest of
-- the verification. From here on no phase starts or completes without approval, by any UPDATE.
-- Locks v7_migration_workflow and v7_subworkflow_tasks until the transaction ends, for their new
-- triggers. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.4.3');

-- migration_sign_offs

CREATE TABLE orchestrator.migration_sign_offs (
    id           uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    phase_number integer     NOT NULL,
    stage        text        NOT NULL,
    item         text        NOT NULL,
    signed_by    text        NOT NULL,
    signed_at    timestamptz NOT NULL DEFAULT now(),
    notes        text,
    CONSTRAINT migration_sign_offs_phase_number_fkey FOREIGN KEY (phase_number) REFERENCES orchestrator.v7_migration_workflow (phase_number),
    CONSTRAINT migration_sign_offs_item_key          UNIQUE (phase_number, stage, item),
    CONSTRAINT migration_sign_offs_stage_check       CHECK (stage IN ('before', 'after')),
    CONSTRAINT migration_sign_offs_item_check        CHECK (btrim(item) <> ''),
    CONSTRAINT migration_sign_offs_signed_by_check   CHECK (btrim(signed_by) <> '')
);
COMMENT ON TABLE orchestrator.migration_sign_offs IS 'Signatures before a phase starts and after its work is done; v7_missing_sign_offs lists the missing ones';
COMMENT ON COLUMN orchestrator.migration_sign_offs.stage IS 'Time of the signature. before: before the phase starts; after: after its work is done';
COMMENT ON COLUMN orchestrator.migration_sign_offs.item IS 'The signed item: the consent of a persona, or a fact';
COMMENT ON COLUMN orchestrator.migration_sign_offs.notes IS 'Notes; the only column that can be changed later';

SELECT orchestrator.restore_table('orchestrator.migration_sign_offs');

CREATE TRIGGER migration_sign_offs_immutable BEFORE UPDATE ON orchestrator.migration_sign_offs
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_immutable('id', 'phase_number', 'stage', 'item', 'signed_by', 'signed_at');

SELECT pg_extension_config_dump('orchestrator.migration_sign_offs', '');

-- migration_hand_overs

CREATE TABLE orchestrator.migration_hand_overs (
    task_id        uuid        PRIMARY KEY,
    dart_task_id   text        NOT NULL,
    handed_over_at timestamptz NOT NULL DEFAULT now(),
    changed_at     timestamptz,
    CONSTRAINT migration_hand_overs_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.v7_subworkflow_tasks (id) ON DELETE CASCADE
);
COMMENT ON TABLE orchestrator.migration_hand_overs IS 'When a task was handed over to the external tracker, and whether it was changed later; triggers of v7_subworkflow_tasks write it';
COMMENT ON COLUMN orchestrator.migration_hand_overs.handed_over_at IS 'When dart_task_id or dart_task_url was last written';
COMMENT ON COLUMN orchestrator.migration_hand_overs.changed_at IS 'When the task was first changed after that; NULL while the tracker has the present form';

SELECT orchestrator.restore_table('orchestrator.migration_hand_overs');

-- The queue of tasks that the tracker has in an older form, the oldest change first.
CREATE INDEX idx_migration_hand_overs_changed ON orchestrator.migration_hand_overs (changed_at, task_id) WHERE changed_at IS NOT NULL;

SELECT pg_extension_config_dump('orchestrator.migration_hand_overs', '');

-- triggers

CREATE FUNCTION orchestrator.v7_enforce_approval()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_enforce_approval_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_enforce_approval() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_enforce_approval() IS
    'BEFORE UPDATE trigger of the phases: no phase starts, is approved or is completed while a requirement is missing; rolling one back cancels its open tasks';

CREATE FUNCTION orchestrator.v7_enforce_dependencies()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_enforce_dependencies_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_enforce_dependencies() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_enforce_dependencies() IS
    'BEFORE UPDATE trigger of the tasks: the dependencies of a task exist and form no cycle, and no task moves into a phase that is over';

CREATE FUNCTION orchestrator.v7_note_change()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_note_change_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_note_change() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_note_change() IS
    'AFTER UPDATE trigger of the tasks: records that the external tracker has the task in an older form';

CREATE FUNCTION orchestrator.v7_note_hand_over()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_note_hand_over_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_note_hand_over() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_note_hand_over() IS
    'AFTER UPDATE trigger of the tasks: records that the external tracker has the present form of the task';

-- Triggers of one kind fire in the order of their names: this one before v7_migration_workflow_lifecycle.
CREATE TRIGGER v7_migration_workflow_approval BEFORE UPDATE ON orchestrator.v7_migration_workflow
    FOR EACH ROW EXECUTE FUNCTION orchestrator.v7_enforce_approval();

CREATE TRIGGER v7_subworkflow_tasks_dependencies BEFORE UPDATE ON orchestrator.v7_subworkflow_tasks
    FOR EACH ROW WHEN ((old.parent_phase, old.dependencies) IS DISTINCT FROM (new.parent_phase, new.dependencies))
    EXECUTE FUNCTION orchestrator.v7_enforce_dependencies();

-- The names decide the order here too: a statement that changes a task and hands it over leaves it
-- handed over.
CREATE TRIGGER v7_subworkflow_tasks_change AFTER UPDATE ON orchestrator.v7_subworkflow_tasks
    -- Compare column by column: pg_upgrade would change the text of a comparison of rows.
    FOR EACH ROW WHEN (
        old.parent_phase IS DISTINCT FROM new.parent_phase OR
        old.task_number IS DISTINCT FROM new.task_number OR
        old.task_name IS DISTINCT FROM new.task_name OR
        old.responsible_persona IS DISTINCT FROM new.responsible_persona OR
        old.status IS DISTINCT FROM new.status OR
        old.started_at IS DISTINCT FROM new.started_at OR
        old.completed_at IS DISTINCT FROM new.completed_at OR
        old.blockers IS DISTINCT FROM new.blockers OR
        old.dependencies IS DISTINCT FROM new.dependencies OR
        old.deliverable_urls IS DISTINCT FROM new.deliverable_urls OR
        old.notes IS DISTINCT FROM new.notes)
    EXECUTE FUNCTION orchestrator.v7_note_change();
CREATE TRIGGER v7_subworkflow_tasks_hand_over AFTER UPDATE OF dart_task_id, dart_task_url ON orchestrator.v7_subworkflow_tasks
    FOR EACH ROW EXECUTE FUNCTION orchestrator.v7_note_hand_over();

-- plan, sign-offs and steps

CREATE FUNCTION orchestrator.v7_load_plan()
RETURNS TABLE (loaded text, rows bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_load_plan_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_load_plan() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_load_plan() IS
    'Loads the seven phases and the tasks of phases 1 and 4; existing rows stay unchanged';

CREATE FUNCTION orchestrator.v7_record_enum_duplicates(minimum_similarity double precision DEFAULT 0.8)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_record_enum_duplicates_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_record_enum_duplicates(double precision) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_record_enum_duplicates(double precision) IS
    'Records every pair of duplicate enum types as a proposal, none twice. Returns the number of new proposals';

CREATE FUNCTION orchestrator.v7_issue_task(phase_number integer, task_name text, responsible_persona text, dependencies uuid[] DEFAULT '{}', dart_task_id text DEFAULT NULL, dart_task_url text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_issue_task_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_issue_task(integer, text, text, uuid[], text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_issue_task(integer, text, text, uuid[], text, text) IS
    'Issues a task of a phase with the next number. Returns its id';

CREATE FUNCTION orchestrator.v7_sign(phase_number integer, stage text, item text, signed_by text, notes text DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_sign_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_sign(integer, text, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_sign(integer, text, text, text, text) IS
    'Signs an item before or after a phase, once. Returns the id of the sign-off';

CREATE FUNCTION orchestrator.v7_missing_sign_offs(phase_number integer, stage text)
RETURNS SETOF text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_missing_sign_offs_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_missing_sign_offs(integer, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_missing_sign_offs(integer, text) IS
    'The required sign-offs before or after a phase that nobody has given';

CREATE FUNCTION orchestrator.v7_start_phase(phase_number integer)
RETURNS orchestrator.v7_migration_workflow
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_start_phase_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_start_phase(integer) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_start_phase(integer) IS
    'Starts a phase, if the phase before is completed and approved and no sign-off is missing. Returns the row';

CREATE FUNCTION orchestrator.v7_request_review(phase_number integer, deliverables jsonb)
RETURNS orchestrator.v7_migration_workflow
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_request_review_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_request_review(integer, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_request_review(integer, jsonb) IS
    'Puts a phase in progress under review, with its results, a JSON array. Returns the row';

CREATE FUNCTION orchestrator.v7_approve_phase(phase_number integer, approved_by text, notes text)
RETURNS orchestrator.v7_migration_workflow
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_approve_phase_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_approve_phase(integer, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_approve_phase(integer, text, text) IS
    'Approves a phase under review, in writing. Returns the row';

CREATE FUNCTION orchestrator.v7_complete_phase(phase_number integer)
RETURNS orchestrator.v7_migration_workflow
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_complete_phase_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_complete_phase(integer) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_complete_phase(integer) IS
    'Completes an approved phase, if no task is open and no sign-off is missing. Returns the row';

CREATE FUNCTION orchestrator.v7_roll_back_phase(phase_number integer, reason text)
RETURNS orchestrator.v7_migration_workflow
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_roll_back_phase_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_roll_back_phase(integer, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_roll_back_phase(integer, text) IS
    'Rolls a phase back: cancels its open tasks with the reason, and ends its approval. Returns the row';

-- views

CREATE VIEW orchestrator.v7_migration_dashboard AS
WITH ordered AS (
    SELECT w.phase_number, w.started_at,
           row_number() OVER (ORDER BY w.started_at, w.phase_number) AS place,
           lead(w.started_at) OVER (ORDER BY w.started_at, w.phase_number) AS next_start
    FROM orchestrator.v7_migration_workflow AS w
), own_time AS (
    -- A time belongs to the phase that was started last before it; a time before every start, to the first phase.
    SELECT o.phase_number,
           CASE WHEN o.place = 1 THEN '-infinity' ELSE o.started_at END AS since,
           coalesce(o.next_start, 'infinity') AS until
    FROM ordered AS o WHERE o.place = 1 OR o.started_at IS NOT NULL
), task AS (
    SELECT t.parent_phase, count(*) AS total,
           count(*) FILTER (WHERE t.status = 'completed') AS completed,
           count(*) FILTER (WHERE t.status = 'blocked') AS blocked,
           count(*) FILTER (WHERE t.status <> 'cancelled') AS wanted
    FROM orchestrator.v7_subworkflow_tasks AS t GROUP BY t.parent_phase
), open_failure AS (
    -- A failure is open until the same test of the component runs again; a skipped run does not count.
    SELECT r.tested_at FROM orchestrator.v7_test_results AS r
    WHERE r.test_status IN ('fail', 'error', 'timeout') AND NOT EXISTS (
        SELECT FROM orchestrator.v7_test_results AS l
        WHERE l.component_tested = r.component_tested AND l.test_type = r.test_type
          AND coalesce(l.v7_file_path, '') = coalesce(r.v7_file_path, '')
          AND (l.tested_at, l.id) > (r.tested_at, r.id) AND l.test_status <> 'skip')
), failure AS (
    SELECT o.phase_number, count(*) AS open
    FROM open_failure AS r JOIN own_time AS o ON r.tested_at >= o.since AND (r.tested_at < o.until OR o.until = 'infinity')
    GROUP BY o.phase_number
), impact AS (
    SELECT o.phase_number, count(*) AS open,
           max(array_position('{low,medium,high,critical}', i.risk_assessment)) AS risk
    FROM orchestrator.v7_global_impacts AS i JOIN own_time AS o ON i.created_at >= o.since AND (i.created_at < o.until OR o.until = 'infinity')
    WHERE i.approval_status IN ('pending', 'reviewing', 'approved') GROUP BY o.phase_number
)
SELECT w.phase_number, w.phase_name, w.status, w.approval_status, w.lead_persona,
       coalesce(t.total, 0) AS total_tasks,
       coalesce(t.completed, 0) AS completed_tasks,
       coalesce(t.blocked, 0) AS blocked_tasks,
       round(100.0 * t.completed / nullif(t.wanted, 0), 1) AS percent_done,
       ARRAY(SELECT 'before: ' || m.item FROM orchestrator.v7_missing_sign_offs(w.phase_number, 'before') AS m (item))
       || ARRAY(SELECT 'after: ' || m.item FROM orchestrator.v7_missing_sign_offs(w.phase_number, 'after') AS m (item)) AS missing_sign_offs,
       coalesce(f.open, 0) AS open_test_failures,
       -- Infinite times cannot be subtracted, but their epoch numbers can.
       round((extract(epoch FROM coalesce(w.completed_at, CASE w.status WHEN 'rolled_back' THEN w.updated_at END, now()))
              - extract(epoch FROM w.started_at)) / 86400, 1) AS days_in_phase,
       coalesce(i.open, 0) AS open_impacts,
       ('{low,medium,high,critical}'::text[])[i.risk] AS highest_open_risk
FROM orchestrator.v7_migration_workflow AS w
LEFT JOIN task AS t ON t.parent_phase = w.phase_number
LEFT JOIN failure AS f ON f.phase_number = w.phase_number
LEFT JOIN impact AS i ON i.phase_number = w.phase_number
ORDER BY w.phase_number;
COMMENT ON VIEW orchestrator.v7_migration_dashboard IS 'One row per phase: its state, its tasks, its missing sign-offs, and the open test failures and impacts of its time; each of these is counted on one row only';
COMMENT ON COLUMN orchestrator.v7_migration_dashboard.percent_done IS 'Completed tasks in percent of the tasks that are not cancelled; NULL if there is none';
COMMENT ON COLUMN orchestrator.v7_migration_dashboard.missing_sign_offs IS 'Required sign-offs that nobody has given, with their stage';
COMMENT ON COLUMN orchestrator.v7_migration_dashboard.open_test_failures IS 'Tests whose last result is fail, error or timeout, from the time of the phase: from its start to the start of the next one';
COMMENT ON COLUMN orchestrator.v7_migration_dashboard.open_impacts IS 'Impacts recorded in the time of the phase that are neither implemented nor rejected';
COMMENT ON COLUMN orchestrator.v7_migration_dashboard.highest_open_risk IS 'The highest risk among them, by rank: low, medium, high, critical';

CREATE VIEW orchestrator.v7_enum_consolidation_status AS
WITH used AS (
    SELECT DISTINCT m.v7_enum_name, m.status, m.risk_level, t.name
    FROM orchestrator.v7_enum_migrations AS m, unnest(m.affected_tables) AS t (name)
)
SELECT m.v7_enum_name, m.status, m.risk_level,
       count(DISTINCT m.current_enum_name) AS source_count,
       array_agg(DISTINCT m.current_enum_name ORDER BY m.current_enum_name) AS sources,
       (SELECT count(*) FROM used AS u WHERE (u.v7_enum_name, u.status, u.risk_level) = (m.v7_enum_name, m.status, m.risk_level)) AS table_count,
       ARRAY(SELECT u.name FROM used AS u WHERE (u.v7_enum_name, u.status, u.risk_level) = (m.v7_enum_name, m.status, m.risk_level) ORDER BY u.name) AS affected_tables
FROM orchestrator.v7_enum_migrations AS m
GROUP BY m.v7_enum_name, m.status, m.risk_level
ORDER BY array_position('{critical,high,medium,low}', m.risk_level), m.v7_enum_name, m.status;
COMMENT ON VIEW orchestrator.v7_enum_consolidation_status IS 'The planned replacements of enum types, grouped by target enum, status and risk, with the replaced types and the affected tables; the highest risk first';

CREATE VIEW orchestrator.v7_file_migration_readiness AS
WITH file AS (
    SELECT f.layer_number, count(*) AS files,
           count(*) FILTER (WHERE f.v7_workflow_status = 'pending_assessment') AS pending_assessment,
           count(*) FILTER (WHERE f.v7_workflow_status = 'assessed') AS assessed,
           count(*) FILTER (WHERE f.v7_workflow_status = 'designed') AS designed,
           count(*) FILTER (WHERE f.v7_workflow_status = 'approved') AS approved,
           count(*) FILTER (WHERE f.v7_workflow_status = 'implementing') AS implementing,
           count(*) FILTER (WHERE f.v7_workflow_status = 'testing') AS testing,
           count(*) FILTER (WHERE f.v7_workflow_status = 'migrated') AS migrated,
           count(*) FILTER (WHERE f.v7_workflow_status = 'retired') AS retired,
           round(avg(f.v7_impact_score), 1) AS average_impact,
           count(*) FILTER (WHERE f.v7_impact_score > 7 AND f.v7_workflow_status NOT IN ('migrated', 'retired')) AS high_impact_not_migrated,
           count(*) FILTER (WHERE NOT orchestrator.v7_is_valid_file_name(coalesce(f.v7_target_name, f.file_name))) AS names_breaking_rule
    FROM orchestrator.file_audit AS f WHERE f.workflows <> '{}' GROUP BY f.layer_number
), risk AS (
    SELECT l.layer_number, max(array_position('{low,medium,high,critical}', i.risk_assessment)) AS risk
    FROM orchestrator.v7_global_impacts AS i, unnest(i.affected_layers) AS l (layer_number)
    WHERE i.approval_status IN ('pending', 'reviewing', 'approved') GROUP BY l.layer_number
)
SELECT l.layer_number, l.layer_name,
       coalesce(f.files, 0) AS files,
       coalesce(f.pending_assessment, 0) AS pending_assessment,
       coalesce(f.assessed, 0) AS assessed,
       coalesce(f.designed, 0) AS designed,
       coalesce(f.approved, 0) AS approved,
       coalesce(f.implementing, 0) AS implementing,
       coalesce(f.testing, 0) AS testing,
       coalesce(f.migrated, 0) AS migrated,
       coalesce(f.retired, 0) AS retired,
       f.average_impact,
       coalesce(f.high_impact_not_migrated, 0) AS high_impact_not_migrated,
       coalesce(f.names_breaking_rule, 0) AS names_breaking_rule,
       ('{low,medium,high,critical}'::text[])[r.risk] AS highest_open_risk
FROM (VALUES (1, 'Models and enums'), (2, 'Schemas'), (3, 'Routers'), (4, 'Services'), (5, 'Configuration'), (6, 'UI'), (7, 'Testing'))
     AS l (layer_number, layer_name)
LEFT JOIN file AS f ON f.layer_number = l.layer_number
LEFT JOIN risk AS r ON r.layer_number = l.layer_number
ORDER BY l.layer_number;
COMMENT ON VIEW orchestrator.v7_file_migration_readiness IS 'For each layer: the migration progress of its workflow files. A workflow file is one that serves a workflow, whatever its path';
COMMENT ON COLUMN orchestrator.v7_file_migration_readiness.high_impact_not_migrated IS 'Files with an impact score above 7 that are neither migrated nor retired';
COMMENT ON COLUMN orchestrator.v7_file_migration_readiness.names_breaking_rule IS 'Files without a target name, whose own name breaks the rule of V7';
COMMENT ON COLUMN orchestrator.v7_file_migration_readiness.highest_open_risk IS 'The highest risk among impacts on the layer that are neither implemented nor rejected';

CREATE VIEW orchestrator.v7_ready_tasks AS
SELECT t.id, t.parent_phase, t.task_number, t.task_name, t.responsible_persona, t.dart_task_id, t.created_at
FROM orchestrator.v7_subworkflow_tasks AS t
WHERE t.status = 'pending'
  AND NOT EXISTS (
      SELECT FROM unnest(t.dependencies) AS d (id)
      LEFT JOIN orchestrator.v7_subworkflow_tasks AS o ON o.id = d.id
      WHERE o.status IS DISTINCT FROM 'completed')
ORDER BY t.parent_phase, t.task_number;
COMMENT ON VIEW orchestrator.v7_ready_tasks IS 'Pending tasks whose dependencies are all completed';

CREATE VIEW orchestrator.v7_unsynced_tasks AS
SELECT t.id, t.parent_phase, t.task_number, t.task_name, t.responsible_persona, t.status, t.dart_task_id, t.dart_task_url,
       CASE WHEN t.dart_task_id IS NULL THEN 'new' ELSE 'changed' END AS reason,
       h.handed_over_at, h.changed_at
FROM orchestrator.v7_subworkflow_tasks AS t
LEFT JOIN orchestrator.migration_hand_overs AS h ON h.task_id = t.id
WHERE t.dart_task_id IS NULL OR h.changed_at IS NOT NULL
ORDER BY coalesce(h.changed_at, t.created_at), t.id;
COMMENT ON VIEW orchestrator.v7_unsynced_tasks IS 'Tasks that the external tracker does not have, or has in an older form. An UPDATE of dart_task_id or dart_task_url, even to the same value, marks a task as up to date there';

-- verification

CREATE FUNCTION orchestrator.v7_verify_infrastructure()
RETURNS TABLE (check_name text, expected text, actual text, passed boolean, hint text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_verify_infrastructure_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_verify_infrastructure() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_verify_infrastructure() IS
    'Compares the tables, columns, views, indexes and triggers of the V7 versions with the manifest';

CREATE FUNCTION orchestrator.v7_verify_data()
RETURNS TABLE (check_name text, expected text, actual text, passed boolean, hint text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_verify_data_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_verify_data() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_verify_data() IS
    'Checks the rows of the V7 tables: seven phases, enum mappings, owners, dependencies, and no phase started or completed without approval';

CREATE FUNCTION orchestrator.v7_verify()
RETURNS TABLE (check_name text, expected text, actual text, passed boolean, hint text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'v7_verify_wrapper';
REVOKE ALL ON FUNCTION orchestrator.v7_verify() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.v7_verify() IS
    'Every check of V7, each once: tables, inventory, infrastructure, data';
