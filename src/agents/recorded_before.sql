-- The time is not compared: its default is the time of the report, which differs each time.
SELECT u.id, concat_ws(', ',
    CASE WHEN u.model <> $2 THEN 'model' END,
    CASE WHEN u.input_tokens <> $3 THEN 'input_tokens' END,
    CASE WHEN u.output_tokens <> $4 THEN 'output_tokens' END,
    CASE WHEN u.project_id IS DISTINCT FROM $5 THEN 'project_id' END,
    CASE WHEN u.agent_id IS DISTINCT FROM $6 THEN 'agent_id' END,
    CASE WHEN u.thread_id IS DISTINCT FROM $7 THEN 'thread_id' END,
    CASE WHEN u.task_id IS DISTINCT FROM $8 THEN 'task_id' END)
-- Runs come before token usage in the order of locks.
FROM orchestrator.orchestrator_runs AS r RIGHT JOIN orchestrator.llm_token_usage AS u ON r.thread_id = u.thread_id
WHERE u.call_id = $1
