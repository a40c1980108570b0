-- The calls of models in the run of thread $1, by model, and by the cells of $2. The five models with the most tokens have a
-- name, the others have none.
-- The array is a query of its own, so that it is read once, and not for each call.
WITH calls AS (
    SELECT u.model, floor(1000 * extract(epoch FROM u."timestamp"))::bigint AS at,
           u.input_tokens::numeric + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens + u.cache_write_1h_tokens
               + u.reasoning_tokens AS tokens
    FROM orchestrator.llm_token_usage AS u WHERE u.thread_id = $1 AND isfinite(u."timestamp")),
names AS (
    SELECT c.model, least(row_number() OVER (ORDER BY sum(c.tokens) DESC, c.model), 6) AS place FROM calls AS c GROUP BY c.model)
SELECT n.place, CASE WHEN n.place < 6 THEN left(c.model, 100) END AS name, (width_bucket(c.at, (SELECT $2::bigint[])) - 1)::bigint AS cell,
       count(*) AS calls, least(sum(c.tokens), 1000000000000000)::bigint AS tokens
FROM calls AS c JOIN names AS n ON n.model = c.model GROUP BY 1, 2, 3 ORDER BY 1, 3
