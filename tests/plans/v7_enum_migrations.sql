-- rows
INSERT INTO orchestrator.v7_enum_migrations (current_enum_name, current_enum_values, v7_enum_name, v7_enum_values, status, approved_by, rollback_script, created_at)
SELECT 'enum_' || i, '{a,b}', 'v7_enum_' || i, '{a,b}', CASE WHEN i % 100 < 40 THEN 'proposed' WHEN i % 100 < 42 THEN 'approved' ELSE 'retired' END, 'ada', 'ALTER TYPE', pg_temp.at(i)
FROM generate_series(1, 3000) AS i;
-- idx_enum_migrations_status: the approved migrations
SELECT * FROM orchestrator.v7_enum_migrations WHERE status = 'approved';
-- idx_enum_migrations_proposed: the migrations that wait for approval
SELECT * FROM orchestrator.v7_enum_migrations WHERE status = 'proposed' ORDER BY created_at, id LIMIT 10;
