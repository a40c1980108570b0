SELECT u.id, concat_ws(', ',
    CASE WHEN u.model <> $1 THEN 'model' END,
    CASE WHEN u.input_tokens <> $2 THEN 'input_tokens' END,
    CASE WHEN u.output_tokens <> $3 THEN 'output_tokens' END,
    CASE WHEN u.project_id IS DISTINCT FROM $4 THEN 'project_id' END,
    CASE WHEN u.agent_id IS DISTINCT FROM $5 THEN 'agent_id' END,
    -- The default of the time is that of the report, which differs each time.
    CASE WHEN u.thread_id IS DISTINCT FROM $7 THEN 'thread_id' END,
    CASE WHEN u.task_id IS DISTINCT FROM $8 THEN 'task_id' END)
FROM orchestrator.llm_token_usage AS u
WHERE u.call_id = $9 AND $6 IS NOT NULL
