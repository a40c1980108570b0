-- The time is not compared: its default is the time of the report, which differs each time.
SELECT u.id, concat_ws(', ',
    CASE WHEN u.model <> $1 THEN 'model' END,
    CASE WHEN u.input_tokens <> $2 THEN 'input_tokens' END,
    CASE WHEN u.output_tokens <> $3 THEN 'output_tokens' END,
    CASE WHEN u.cache_read_tokens <> $4 THEN 'cache_read_tokens' END,
    CASE WHEN u.cache_write_tokens <> $5 THEN 'cache_write_tokens' END,
    CASE WHEN u.cache_write_1h_tokens <> $6 THEN 'cache_write_1h_tokens' END,
    CASE WHEN u.reasoning_tokens <> $7 THEN 'reasoning_tokens' END,
    CASE WHEN u.units <> $8 THEN 'units' END,
    CASE WHEN u.service_tier <> $9 THEN 'service_tier' END,
    CASE WHEN u.project_id IS DISTINCT FROM $11 THEN 'project_id' END,
    CASE WHEN u.agent_id IS DISTINCT FROM $12 THEN 'agent_id' END,
    CASE WHEN u.thread_id IS DISTINCT FROM $13 THEN 'thread_id' END,
    CASE WHEN u.task_id IS DISTINCT FROM $14 THEN 'task_id' END,
    CASE WHEN u.prompt_id IS DISTINCT FROM $15 THEN 'prompt_id' END,
    CASE WHEN u.subject IS DISTINCT FROM $16 THEN 'subject' END,
    CASE WHEN u.reported_cost IS DISTINCT FROM $17 THEN 'reported_cost' END)
-- Runs come before token usage in the order of locks.
FROM orchestrator.orchestrator_runs AS r RIGHT JOIN orchestrator.llm_token_usage AS u ON r.thread_id = u.thread_id
WHERE u.call_id = $10
