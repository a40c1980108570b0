-- rows
INSERT INTO orchestrator.tool_executions (id, task_id, tool_name, status, created_at, completed_at)
SELECT pg_temp.id(i), pg_temp.id(1 + i % 20000), 'tool ' || i % 60,
       CASE WHEN i % 100 < 96 THEN 'completed' WHEN i % 100 < 98 THEN 'failed' WHEN i % 100 < 99 THEN 'timeout' ELSE 'running' END,
       pg_temp.at(i), CASE WHEN i % 100 < 99 THEN pg_temp.at(i + 1) END
FROM generate_series(1, 60000) AS i;
-- idx_tool_executions_task: the executions of a task
SELECT * FROM orchestrator.tool_executions WHERE task_id = pg_temp.id(17);
-- idx_tool_executions_tool: the executions of a tool
SELECT * FROM orchestrator.tool_executions WHERE tool_name = 'tool 17';
-- idx_tool_executions_status: the running executions
SELECT * FROM orchestrator.tool_executions WHERE status = 'running';
-- idx_tool_executions_created: the newest executions
SELECT * FROM orchestrator.tool_executions ORDER BY created_at DESC LIMIT 50;
