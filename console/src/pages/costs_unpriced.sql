-- Models, and units of models, with calls that have no price.
SELECT left(u.model, 200) AS model, left(u.unit, 200) AS unit, u.calls, u.tokens::text, to_char(u.last_call, 'YYYY-MM-DD HH24:MI "UTC"') AS last,
       left(u.suggested_model, 200) AS suggested_model
FROM orchestrator.unpriced_usage AS u ORDER BY u.calls DESC, u.model, u.unit LIMIT 50
