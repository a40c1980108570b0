-- rows
INSERT INTO orchestrator.v7_migration_workflow (phase_number, phase_name, lead_persona) SELECT i, 'phase ' || i, 'ada' FROM generate_series(1, 7) AS i;
-- idx_v7_workflow_status, served by a sequential scan: the phases of a state, of seven
SELECT * FROM orchestrator.v7_migration_workflow WHERE status = 'review';
