-- Tasks whose dependencies are all completed.
SELECT t.parent_phase::text, t.task_number::text, left(t.task_name, 500) AS task_name, left(t.responsible_persona, 200) AS responsible_persona,
       left(t.dart_task_id, 200) AS dart_task_id
FROM orchestrator.v7_ready_tasks AS t ORDER BY t.parent_phase, t.task_number LIMIT 200
