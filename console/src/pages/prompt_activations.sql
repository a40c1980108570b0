-- The newest activations of agent type $1.
SELECT to_char(a.activated_at, 'YYYY-MM-DD HH24:MI:SS') AS at, left(a.label, 500) AS label, p.version, a.weight::text AS weight,
       left(a.activated_by, 100) AS activated_by
FROM orchestrator.prompt_activations AS a LEFT JOIN orchestrator.prompts AS p ON p.id = a.prompt_id
WHERE a.agent_type = $1 ORDER BY a.activated_at DESC, a.label LIMIT 100
