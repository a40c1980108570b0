-- Activations of agent type $1 that wait for a decision.
SELECT g.id::text, left(g.reason, 300) AS asks, to_char(g.created_at, 'YYYY-MM-DD HH24:MI "UTC"') AS requested,
       left(g.context ->> 'activated_by', 100) AS asked_by
FROM orchestrator.gates AS g
WHERE g.status = 'pending' AND g.gate_type = 'prompt_activation' AND g.context ->> 'agent_type' = $1
ORDER BY g.created_at DESC, g.id LIMIT 50
