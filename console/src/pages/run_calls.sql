-- The calls of models in the run of thread $1, by model.
SELECT left(u.model, 200) AS model, count(*)::text AS calls,
       sum(u.input_tokens::numeric + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens + u.cache_write_1h_tokens
           + u.reasoning_tokens)::text AS tokens,
       trim_scale(sum(u.cost))::text AS cost
FROM orchestrator.llm_usage_costs AS u WHERE u.thread_id = $1 GROUP BY u.model ORDER BY sum(u.cost) DESC NULLS LAST, u.model LIMIT 50
