SELECT t.id, concat_ws(', ',
    CASE WHEN t.title IS DISTINCT FROM $1 THEN 'title' END,
    CASE WHEN t.task_type IS DISTINCT FROM $2 THEN 'task_type' END,
    CASE WHEN t.config IS DISTINCT FROM $3 THEN 'config' END,
    CASE WHEN t.thread_id IS DISTINCT FROM $4 THEN 'thread_id' END,
    CASE WHEN t.priority IS DISTINCT FROM $5 THEN 'priority' END,
    CASE WHEN t.max_attempts IS DISTINCT FROM $6 THEN 'max_attempts' END,
    CASE WHEN t.description IS DISTINCT FROM $7 THEN 'description' END,
    CASE WHEN t.metadata IS DISTINCT FROM $8 THEN 'metadata' END,
    CASE WHEN t.workspace_path IS DISTINCT FROM $9 THEN 'workspace_path' END)
FROM orchestrator.tasks AS t WHERE t.idempotency_key = $10