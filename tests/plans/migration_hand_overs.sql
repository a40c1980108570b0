-- rows
INSERT INTO orchestrator.migration_hand_overs (task_id, dart_task_id, handed_over_at, changed_at)
SELECT pg_temp.id(i), 'dart ' || i, pg_temp.at(i), CASE WHEN i % 100 = 0 THEN pg_temp.at(i + 1) END FROM generate_series(1, 3000) AS i;
-- idx_migration_hand_overs_changed: the tasks to hand over again
SELECT task_id FROM orchestrator.migration_hand_overs WHERE changed_at IS NOT NULL ORDER BY changed_at, task_id LIMIT 20;
