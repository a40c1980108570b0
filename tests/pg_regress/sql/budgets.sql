\i head.sql
SET timezone = 'America/New_York';
\pset null '·'
-- Limits by scope and period, reservations, and the question to a human when one is used up.
CREATE VIEW pg_temp.status AS SELECT b.agent_id, b.thread_id, b.subject, b.period, b.limit_usd, b.raised, trim_scale(b.spent) AS spent, trim_scale(b.reserved) AS reserved, trim_scale(b.available) AS available FROM orchestrator.budget_status AS b ORDER BY b.budget_id;
-- The name by which later lines know a reservation.
CREATE TEMP TABLE known (name text PRIMARY KEY, id uuid);
CREATE FUNCTION pg_temp.reserve(amount numeric, call text, thread text DEFAULT NULL, agent text DEFAULT NULL, charged text DEFAULT NULL, hold_for interval DEFAULT NULL) RETURNS TABLE (admitted boolean, available numeric, is_asked boolean) LANGUAGE plpgsql AS $$
DECLARE answer record;
BEGIN
    SELECT * INTO answer FROM orchestrator.reserve_budget(amount, agent_id => agent, thread_id => thread, subject => charged, hold_for => hold_for);
    INSERT INTO known VALUES (call, answer.reservation_id) ON CONFLICT (name) DO UPDATE SET id = excluded.id;
    RETURN QUERY SELECT answer.admitted, trim_scale(answer.available), answer.review_id IS NOT NULL;
END $$;
CREATE FUNCTION pg_temp.id(call text) RETURNS uuid LANGUAGE sql AS $$ SELECT k.id FROM known AS k WHERE k.name = call $$;
-- Without a budget nothing is reserved, and every call is admitted.
SELECT * FROM orchestrator.reserve_budget(1);
-- Four calls want more than is left: two are admitted, and one question is asked.
SELECT period, limit_usd, enforce, hold FROM orchestrator.set_budget(5, 'total');
SELECT * FROM pg_temp.reserve(4.752720, 'first');
SELECT state, amount, actual FROM orchestrator.settle_budget(pg_temp.id('first'), 4.752720);
SELECT n, r.* FROM generate_series(1, 4) AS n, LATERAL pg_temp.reserve(0.0884, 'call ' || n) AS r;
SELECT * FROM pg_temp.status;
SELECT kind, subject, asks FROM orchestrator.pending_decisions;
SELECT context - 'budget_id' AS context FROM orchestrator.gates;
-- Approval raises the window in the same transaction.
BEGIN;
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions), 'approve', 'ada');
SELECT * FROM pg_temp.reserve(0.0884, 'call 3');
ROLLBACK;
SELECT * FROM pg_temp.status;
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions), 'approve', 'ada');
SELECT * FROM pg_temp.reserve(0.0884, 'call 3');
SELECT role, metadata ->> 'amount' AS amount, metadata ->> 'raised' AS raised FROM orchestrator.audit_events WHERE event_type = 'budget_raised';
-- A new breach is a new question. A no stands until the window ends.
SELECT * FROM pg_temp.reserve(1, 'much');
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions), 'reject', 'ada', 'enough');
SELECT * FROM pg_temp.reserve(1, 'much');
SELECT count(*) FROM orchestrator.pending_decisions;
SELECT w.raised FROM orchestrator.budget_status AS s, orchestrator.raise_budget(s.budget_id, s.starts_at, 0.25, 'grace') AS w;
-- Another limit counts at once, and keeps what is spent.
SELECT limit_usd FROM orchestrator.set_budget(10, 'total');
SELECT * FROM pg_temp.status;
-- Settled twice at the same cost is once; released twice, too. A call without a price settles at what was reserved.
SELECT count(*) FROM generate_series(1, 2), LATERAL orchestrator.settle_budget(pg_temp.id('call 1'), 0.05);
SELECT pg_temp.refusal(format($$SELECT orchestrator.settle_budget(%L, 0.06)$$, pg_temp.id('call 1'))) ~ '23505: reservation .* was already settled at another cost';
SELECT orchestrator.release_budget(pg_temp.id('call 2')), orchestrator.release_budget(pg_temp.id('call 2')), orchestrator.release_budget(pg_temp.id('call 1'));
SELECT orchestrator.record_llm_call('unheard-of', 1, 1, reservation_id => pg_temp.id('call 3')) IS NOT NULL;
SELECT state, actual FROM orchestrator.budget_holds WHERE reservation_id = pg_temp.id('call 3');
-- One that was released is settled all the same, because the money was spent.
SELECT state, actual FROM orchestrator.settle_budget(pg_temp.id('call 2'), 0.01);
SELECT * FROM pg_temp.status;
-- A budget of a run: it holds 0.9 of 1 for a while; what has expired is taken back, and still counts when it is settled late.
SELECT orchestrator.start_run('t1', orchestrator.uuidv7(), 's') IS NOT NULL;
SELECT limit_usd FROM orchestrator.set_budget(1, 'total', thread_id => 't1');
SELECT * FROM pg_temp.reserve(0.9, 'held', 't1', hold_for => '1 second');
SELECT * FROM pg_temp.reserve(0.9, 'refused', 't1');
SELECT gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT kind, subject, asks FROM orchestrator.pending_decisions;
UPDATE orchestrator.budget_holds SET expires_at = now() - interval '1 s' WHERE reservation_id = pg_temp.id('held');
SELECT reserved, available FROM pg_temp.status WHERE thread_id = 't1';
SELECT * FROM pg_temp.reserve(0.9, 'after', 't1');
SELECT budget_id = b.id AS of_the_run, state FROM orchestrator.budget_holds AS h LEFT JOIN orchestrator.budgets AS b ON b.thread_id = 't1' AND b.id = h.budget_id WHERE reservation_id = pg_temp.id('held') ORDER BY state;
SELECT count(*) FROM orchestrator.settle_budget(pg_temp.id('held'), 0.8);
SELECT count(*) FROM generate_series(1, 2), LATERAL orchestrator.settle_budget(pg_temp.id('after'), 0.5);
SELECT spent, reserved FROM pg_temp.status WHERE thread_id = 't1';
SELECT metadata ->> 'spent' AS spent, metadata ->> 'limit_usd' AS limit_usd FROM orchestrator.audit_events WHERE event_type = 'budget_exceeded';
-- A no kills the run. A run that has ended reserves nothing.
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions), 'reject', 'ada', 'enough');
SELECT gate_status, phase FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT split_part(pg_temp.refusal($$SELECT orchestrator.reserve_budget(0, thread_id => 't1')$$), E'\n', 1);
-- A budget that only counts. Every budget that is about a call gets its cost, also one that its reservation did not ask.
SELECT enforce FROM orchestrator.set_budget(0.1, 'month', agent_id => 'coder', enforce => false);
SELECT limit_usd FROM orchestrator.set_budget(3, 'week', subject => 'ada');
SELECT * FROM pg_temp.reserve(0.2, 'coder', agent => ' coder ');
SELECT orchestrator.record_llm_call('m', 1, 1, agent_id => 'coder', subject => 'ada', reported_cost => 0.15, reservation_id => pg_temp.id('coder')) IS NOT NULL;
SELECT orchestrator.record_token_usage('m', 1, 1, agent_id => 'coder') IS NOT NULL, orchestrator.record_llm_call('m', 1, 1, subject => 'ada', reported_cost => 0.05) IS NOT NULL;
SELECT * FROM pg_temp.status WHERE agent_id = 'coder' OR subject = 'ada' OR (agent_id IS NULL AND thread_id IS NULL);
-- The windows of a UTC day, whatever the time zone of the session: a call belongs to that of its time.
SELECT orchestrator.record_llm_call('m', 1, 1, subject => 'ada', reported_cost => 0.5, at => at) IS NOT NULL FROM unnest(ARRAY['2026-01-05 18:59:59.999999-05', '2026-01-05 19:00-05', '2026-01-11 18:59:59.999999-05', '2026-01-11 19:00-05']::timestamptz[]) AS at;
SELECT w.starts_at AT TIME ZONE 'UTC' AS starts_at, w.spent FROM orchestrator.budget_windows AS w JOIN orchestrator.budgets AS b ON b.id = w.budget_id WHERE b.period = 'week' AND w.starts_at < '2026-02-01' ORDER BY 1;
-- A repeated reservation is the first one.
SELECT DISTINCT admitted, reservation_id FROM generate_series(1, 2), LATERAL orchestrator.reserve_budget(0.1, subject => 'ada', reservation_id => '0198c5a0-0000-7000-8000-000000000007');
SELECT count(*) FROM orchestrator.budget_holds WHERE reservation_id = '0198c5a0-0000-7000-8000-000000000007';
SELECT pg_temp.refusal(call) FROM unnest(ARRAY[
    $$SELECT orchestrator.reserve_budget(0.2, subject => 'ada', reservation_id => '0198c5a0-0000-7000-8000-000000000007')$$, $$SELECT orchestrator.reserve_budget(0.1, reservation_id => '0198c5a0-0000-7000-8000-000000000007')$$]) AS call;
-- What is no longer held is not repeated: nothing would pay for the call.
SELECT admitted FROM orchestrator.reserve_budget(0.1, subject => 'ada', reservation_id => '0198c5a0-0000-7000-8000-000000000008', hold_for => '1 microsecond');
SELECT orchestrator.release_budget('0198c5a0-0000-7000-8000-000000000007');
SELECT pg_temp.refusal(call) FROM unnest(ARRAY[$$SELECT orchestrator.reserve_budget(0.1, subject => 'ada', reservation_id => '0198c5a0-0000-7000-8000-000000000007')$$, $$SELECT orchestrator.reserve_budget(0.1, subject => 'ada', reservation_id => '0198c5a0-0000-7000-8000-000000000008')$$]) AS call;
-- A reservation pays for one call; the next one with it is charged as well.
SELECT limit_usd FROM orchestrator.set_budget(100, 'total');
SELECT limit_usd FROM orchestrator.set_budget(10, 'total', subject => 'bob');
SELECT limit_usd FROM orchestrator.set_budget(10, 'total', agent_id => 'bobs agent');
SELECT * FROM pg_temp.reserve(1, 'once', charged => 'bob');
SET client_min_messages = warning;
SELECT orchestrator.record_llm_call('m', 1, 1, subject => 'bob', reported_cost => 0.5, reservation_id => pg_temp.id('once')) IS NOT NULL FROM generate_series(1, 3);
RESET client_min_messages;
SELECT spent, reserved FROM pg_temp.status WHERE subject = 'bob';
-- Without a price, what was reserved counts in every budget of the call.
SELECT * FROM pg_temp.reserve(1, 'unpriced', charged => 'bob');
SELECT orchestrator.record_llm_call('unheard-of', 1, 1, subject => 'bob', agent_id => 'bobs agent', reservation_id => pg_temp.id('unpriced')) IS NOT NULL;
SELECT subject, agent_id, spent FROM pg_temp.status WHERE subject = 'bob' OR agent_id = 'bobs agent';
-- A call of a run belongs to its project, also if it does not say so.
SELECT orchestrator.start_run('t3', '0198c5a0-0000-7000-8000-000000000003', 's') IS NOT NULL;
SELECT limit_usd FROM orchestrator.set_budget(0.5, 'total', '0198c5a0-0000-7000-8000-000000000003');
SELECT * FROM pg_temp.reserve(1, 'of a project', 't3');
SELECT orchestrator.record_llm_call('m', 1, 1, thread_id => 't3', reported_cost => 0.2) IS NOT NULL;
SELECT trim_scale(spent) FROM orchestrator.budget_status WHERE project_id = '0198c5a0-0000-7000-8000-000000000003';
-- A no stands until the budget is changed. A worker does not withdraw the question of its own breach.
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions WHERE thread_id = 't3'), 'reject', 'ada', 'enough');
SELECT orchestrator.start_run('t4', '0198c5a0-0000-7000-8000-000000000003', 's') IS NOT NULL;
SELECT * FROM pg_temp.reserve(1, 'of a project', 't4');
SELECT gate_status FROM orchestrator.orchestrator_runs WHERE thread_id = 't4';
SELECT limit_usd FROM orchestrator.set_budget(0.6, 'total', '0198c5a0-0000-7000-8000-000000000003');
SELECT * FROM pg_temp.reserve(1, 'of a project', 't4');
SELECT gate_status FROM orchestrator.orchestrator_runs WHERE thread_id = 't4';
CREATE ROLE regress_spender;
SELECT orchestrator.grant_access('regress_spender', 'worker') > 0;
SELECT id AS question FROM orchestrator.pending_decisions WHERE thread_id = 't4' \gset
SET SESSION AUTHORIZATION regress_spender;
SELECT pg_temp.refusal(format($$SELECT orchestrator.withdraw_decision(%L, 'spender', 'never mind')$$, :'question'));
RESET SESSION AUTHORIZATION;
-- The cost that can be reserved.
SELECT model FROM orchestrator.set_price('priced', 3, 15, '2026-01-01', components => '[{"component": "output", "service_tier": "flex", "per_million": 7.5}]');
SELECT orchestrator.estimate_cost(' priced ', 1000, 100) = 0.0045, orchestrator.estimate_cost('priced', 1000, 100, 'flex') = 0.00375, orchestrator.estimate_cost('unheard-of', 1, 1);
-- Refused.
SELECT pg_temp.refusal(call) FROM unnest(ARRAY[
    $$SELECT orchestrator.set_budget(NULL::numeric, 'day')$$, $$SELECT orchestrator.set_budget(-1, 'day')$$, $$SELECT orchestrator.set_budget('NaN'::numeric, 'day')$$, $$SELECT orchestrator.set_budget(1e12, 'day')$$, $$SELECT orchestrator.set_budget(1, NULL)$$,
    $$SELECT orchestrator.set_budget(1, 'year')$$, $$SELECT orchestrator.set_budget(1, 'day', agent_id => ' ')$$, $$SELECT orchestrator.set_budget(1, 'day', subject => repeat('x', 501))$$, $$SELECT orchestrator.set_budget(1, 'day', thread_id => '')$$,
    $$SELECT orchestrator.set_budget(1, 'day', hold => '0')$$, $$SELECT orchestrator.set_budget(1, 'day', hold => '-1 day')$$,
    $$SELECT orchestrator.reserve_budget(NULL::numeric)$$, $$SELECT orchestrator.reserve_budget(-0.1)$$, $$SELECT orchestrator.reserve_budget('Infinity'::numeric)$$, $$SELECT orchestrator.reserve_budget(1, thread_id => 'nobody')$$, $$SELECT orchestrator.reserve_budget(1, hold_for => '0')$$,
    $$SELECT orchestrator.settle_budget(NULL, 1)$$, $$SELECT orchestrator.settle_budget('0198c5a0-0000-7000-8000-000000000001', 1)$$, $$SELECT orchestrator.settle_budget('0198c5a0-0000-7000-8000-000000000007', -1)$$,
    $$SELECT orchestrator.release_budget(NULL)$$, $$SELECT orchestrator.release_budget('0198c5a0-0000-7000-8000-000000000001')$$,
    $$SELECT orchestrator.record_llm_call('m', 1, 1, reservation_id => '0198c5a0-0000-7000-8000-000000000001')$$,
    $$SELECT orchestrator.raise_budget(NULL, now(), 1, 'ada')$$, $$SELECT orchestrator.raise_budget('0198c5a0-0000-7000-8000-000000000001', NULL, 1, 'ada')$$, $$SELECT orchestrator.raise_budget('0198c5a0-0000-7000-8000-000000000001', now(), 0, 'ada')$$,
    $$SELECT orchestrator.raise_budget('0198c5a0-0000-7000-8000-000000000001', now(), 1, ' ')$$, $$SELECT orchestrator.raise_budget('0198c5a0-0000-7000-8000-000000000001', now(), 1, 'ada')$$,
    $$SELECT orchestrator.raise_budget(id, '2026-01-01 00:00+00', 1, 'ada') FROM orchestrator.budgets WHERE period = 'total' AND thread_id IS NULL$$, $$SELECT orchestrator.raise_budget(id, '2026-01-06 00:00+00', 1, 'ada') FROM orchestrator.budgets WHERE period = 'week'$$,
    $$SELECT orchestrator.raise_budget(id, 'infinity', 1, 'ada') FROM orchestrator.budgets WHERE period = 'week'$$,
    $$SELECT orchestrator.estimate_cost(NULL, 1, 1)$$, $$SELECT orchestrator.estimate_cost('m', -1, 1)$$, $$SELECT orchestrator.estimate_cost('m', 1, 1, ' ')$$]) AS call;
SELECT split_part(pg_temp.refusal(call), E'\n', 1) FROM unnest(ARRAY[
    $$INSERT INTO orchestrator.budgets (period, limit_usd) VALUES ('total', 1)$$, $$INSERT INTO orchestrator.budgets (period, limit_usd) VALUES ('year', 1)$$, $$INSERT INTO orchestrator.budgets (period, limit_usd) VALUES ('day', 'NaN')$$,
    $$UPDATE orchestrator.budget_windows SET reserved = -1$$, $$UPDATE orchestrator.budget_windows SET spent = 'Infinity'$$, $$UPDATE orchestrator.budget_holds SET state = 'settled', actual = NULL$$, $$DELETE FROM orchestrator.budgets$$]) AS call;
-- A question that somebody else opened raises nothing, whatever its context says.
SELECT orchestrator.start_run('t2', orchestrator.uuidv7(), 's') IS NOT NULL;
SELECT orchestrator.request_review('t2', 'budget_exceeded', 'more', context => jsonb_build_object('budget_id', b.id, 'raise_by', 1000)) IS NOT NULL FROM orchestrator.budgets AS b WHERE b.period = 'week';
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions WHERE asks = 'more'), 'approve', 'ada');
SELECT raised FROM orchestrator.budget_status WHERE period = 'week';
SELECT * FROM orchestrator.verify();
\set ECHO none
DROP OWNED BY regress_spender;
DROP ROLE regress_spender;
