-- The phases with their tasks, failures and impacts.
SELECT d.phase_number::text, left(d.phase_name, 200) AS phase_name, replace(d.status, '_', ' ') AS status, d.approval_status,
       left(d.lead_persona, 200) AS lead_persona, d.total_tasks::text, d.completed_tasks::text, d.blocked_tasks::text, d.percent_done::text,
       d.open_test_failures::text, d.open_impacts::text, d.highest_open_risk, d.days_in_phase::text,
       array_to_string(d.missing_sign_offs, E'\n') AS missing
FROM orchestrator.v7_migration_dashboard AS d ORDER BY d.phase_number LIMIT 50
