-- The highest versions of the prompt of agent type $1.
SELECT p.version, left(p.created_by, 100) AS created_by, to_char(p.created_at, 'YYYY-MM-DD HH24:MI "UTC"') AS created_at,
       left(p.notes, 500) AS notes, p.is_active
FROM orchestrator.prompts AS p WHERE p.agent_type = $1
ORDER BY string_to_array(p.version, '.')::bigint[] DESC LIMIT 200
