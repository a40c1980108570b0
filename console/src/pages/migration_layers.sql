-- The files of each layer by their state.
SELECT r.layer_number::text, r.layer_name, r.files::text, r.pending_assessment::text, r.assessed::text, r.designed::text, r.approved::text,
       r.implementing::text, r.testing::text, r.migrated::text, r.retired::text, r.average_impact::text, r.high_impact_not_migrated::text,
       r.names_breaking_rule::text, r.highest_open_risk
FROM orchestrator.v7_file_migration_readiness AS r ORDER BY r.layer_number LIMIT 50
