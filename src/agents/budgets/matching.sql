SELECT b.id, b.period FROM orchestrator.budgets AS b
WHERE orchestrator.text_sha256(b.subject) = orchestrator.text_sha256($4)
  AND (b.thread_id IS NULL OR b.thread_id = $3) AND (b.agent_id IS NULL OR b.agent_id = $2) AND (b.project_id IS NULL OR b.project_id = $1)
UNION ALL
SELECT b.id, b.period FROM orchestrator.budgets AS b
WHERE orchestrator.text_sha256(b.subject) IS NULL AND orchestrator.text_sha256(b.thread_id) = orchestrator.text_sha256($3)
  AND (b.agent_id IS NULL OR b.agent_id = $2) AND (b.project_id IS NULL OR b.project_id = $1)
UNION ALL
SELECT b.id, b.period FROM orchestrator.budgets AS b
WHERE orchestrator.text_sha256(b.subject) IS NULL AND orchestrator.text_sha256(b.thread_id) IS NULL
  AND orchestrator.text_sha256(b.agent_id) = orchestrator.text_sha256($2) AND (b.project_id IS NULL OR b.project_id = $1)
UNION ALL
SELECT b.id, b.period FROM orchestrator.budgets AS b
WHERE orchestrator.text_sha256(b.subject) IS NULL AND orchestrator.text_sha256(b.thread_id) IS NULL
  AND orchestrator.text_sha256(b.agent_id) IS NULL AND b.project_id = $1
UNION ALL
SELECT b.id, b.period FROM orchestrator.budgets AS b
WHERE orchestrator.text_sha256(b.subject) IS NULL AND orchestrator.text_sha256(b.thread_id) IS NULL
  AND orchestrator.text_sha256(b.agent_id) IS NULL AND b.project_id IS NULL
