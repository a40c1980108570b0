\i head.sql
\pset null '·'
\set project '0198c5a0-0000-7000-8000-000000000001'
-- A question of each kind about one run, and an approval of a task without a run.
SELECT created FROM orchestrator.ensure_run('t1', :'project', 'S-1');
SELECT task_id AS task FROM orchestrator.create_task('build', 'ship it', thread_id => 't1') \gset
SELECT gate_status FROM orchestrator.record_safety('t1', 0.5, '{"changes the payment service"}');
SELECT id AS review FROM orchestrator.pending_decisions \gset
SELECT orchestrator.open_gate(:'project', 'dev', 'high_risk', 'drop the table?', '{"rows": 7}', thread_id => 't1') AS gate \gset
SELECT orchestrator.request_approval(:'task', 'lead', 'ship it today?') AS approval \gset
SELECT task_id AS routed FROM orchestrator.route_task('approval', 'pay invoice 7', 'finance', 'manager', '{"amount": 12.50}') \gset
SELECT orchestrator.request_approval(:'routed', 'manager') AS invoice \gset
SELECT orchestrator.open_gate(:'project', 'qa', 'manual', 'which way?', '{"thread_id": "elsewhere"}') AS way \gset
-- One vocabulary for all. The subject names what is decided.
SELECT kind, status, subject, asks, requested_by, decided_by, decided_at, notes, thread_id, project_id = :'project' AS project, task_id IN (:'task', :'routed') AS task FROM orchestrator.decisions ORDER BY requested_at, id;
SELECT kind, subject FROM orchestrator.pending_decisions;
-- A card has all that a person needs to decide.
SELECT orchestrator.record_token_usage('m', 100, 20, thread_id => 't1') IS NOT NULL AS recorded;
SELECT orchestrator.record_event('note', 'dev', (SELECT id FROM orchestrator.orchestrator_runs), jsonb_build_object('n', n, 'text', repeat('x', 3000 * (n / 6)))) IS NOT NULL AS recorded FROM generate_series(1, 6) AS n;
INSERT INTO orchestrator.tool_executions (task_id, tool_name, arguments, output, status, created_at, completed_at)
SELECT :'task', 'tool ' || n, jsonb_build_object('n', n), repeat('o', 1000 * n), 'completed', t, t FROM generate_series(1, 6) AS n, LATERAL (SELECT '2026-05-05'::timestamptz + n * interval '1 second' AS t) AS a;
SELECT kind, context, violations, task_title, task_description, task_data, run_phase, run_agent, run_cost_usd, run_tokens_used, asked_role, rejection_needs_notes FROM orchestrator.decision_cards;
SELECT kind, if_approved, if_rejected FROM orchestrator.decision_cards;
SELECT e ->> 'event_type' AS event, e ->> 'role' AS role, jsonb_typeof(e -> 'metadata') AS metadata, length(e ->> 'metadata') < 2100 AS fits FROM orchestrator.decision_cards AS c, jsonb_array_elements(c.last_events) AS e WHERE c.id = :'gate';
SELECT e ->> 'tool_name' AS tool, e -> 'arguments' AS arguments, length(e ->> 'output') AS output, e ->> 'status' AS status FROM orchestrator.decision_cards AS c, jsonb_array_elements(c.last_tool_calls) AS e WHERE c.id = :'approval';
SELECT e ->> 'event_type' AS event FROM orchestrator.decision_cards AS c, jsonb_array_elements(c.last_events) AS e WHERE c.id = :'invoice';
SELECT last_events, last_tool_calls FROM orchestrator.decision_cards WHERE id = :'way';
SELECT count(*) FROM orchestrator.decision_cards AS c JOIN orchestrator.pending_decisions AS p USING (kind, id, subject, asks, requested_at) WHERE c.thread_id IS NOT DISTINCT FROM p.thread_id AND c.project_id IS NOT DISTINCT FROM p.project_id AND c.waiting = p.waiting;
-- A person decides an approval for the role that was asked, and names it.
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'invoice', 'approve', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, acting_as => %L)', :'invoice', 'approve', 'manager', 'lead'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, acting_as => %L)', :'invoice', 'approve', 'ada', E' \t'));
SELECT kind, status FROM orchestrator.decide(:'invoice', 'approve', 'ada', acting_as => 'manager');
SELECT status, decided_by, approver_role, notes FROM orchestrator.approvals WHERE id = :'invoice';
SELECT event_type, role, metadata ->> 'decided_by' AS decided_by FROM orchestrator.audit_events WHERE event_type LIKE 'approval_a%';
-- The same decision again by the same person gives the row and changes nothing; every other one is refused.
SELECT kind, status FROM orchestrator.decide(:'invoice', 'approved', 'ada', acting_as => 'manager');
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'invoice', 'approve', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, acting_as => %L)', :'invoice', 'approve', 'bob', 'manager'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, acting_as => %L)', :'invoice', 'reject', 'ada', 'manager'));
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, %L, %L)', :'invoice', 'approve', 'ada', 'other notes', 'manager'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'invoice', 'approved', 'manager'));
SELECT kind, status FROM orchestrator.decide(:'gate', 'deny', 'ada', 'use a view', acting_as => '');
SELECT kind, status FROM orchestrator.decide(:'gate', 'deny', 'ada', 'use a view');
SELECT status, feedback FROM orchestrator.resolve_gate(:'gate', 'denied', 'ada', 'use a view');
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L, %L)', :'gate', 'denied', 'ada', 'use a table'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L)', :'gate', 'approved', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L, %L)', :'gate', 'denied', 'bob', 'use a view'));
SELECT if_approved, if_rejected FROM orchestrator.decision_cards WHERE id = :'review';
SELECT gate_status FROM orchestrator.pause_run('t1', 'lunch');
SELECT if_approved, if_rejected FROM orchestrator.decision_cards WHERE thread_id = 't1';
SELECT status, resolution_notes FROM orchestrator.resolve_review(:'review', 'approved', 'ada', 'fine');
SELECT status, resolution_notes FROM orchestrator.resolve_review(:'review', 'approved', 'ada');
SELECT outcome FROM orchestrator.resolve_reviews(array[:'review', orchestrator.uuidv7()]::uuid[], 'approved', 'ada', 'fine');
SELECT outcome FROM orchestrator.resolve_reviews(array[:'review']::uuid[], 'approved', 'bob', 'fine');
SELECT outcome FROM orchestrator.resolve_reviews(array[:'review']::uuid[], 'rejected', 'ada', 'fine');
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'rejected', 'ada'));
SELECT status, decided_by FROM orchestrator.resolve_approval(:'approval', 'rejected', 'lead');
SELECT status, decided_by FROM orchestrator.resolve_approval(:'approval', 'rejected', 'lead');
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'approval', 'rejected', 'ada'));
SELECT event_type, count(*) FROM orchestrator.audit_events WHERE event_type ~ '_(approved|denied|rejected)$' GROUP BY event_type ORDER BY event_type;
SELECT count(*) AS lessons FROM orchestrator.knowledge_staging;
-- Another login decided, though with the same name.
CREATE ROLE clerk LOGIN;
SELECT orchestrator.grant_access('clerk', 'reviewer') > 0 AS granted;
SET SESSION AUTHORIZATION clerk;
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, %L)', :'gate', 'deny', 'ada', 'use a view'));
SELECT outcome FROM orchestrator.resolve_reviews(array[:'review']::uuid[], 'approved', 'ada', 'fine');
-- A member of the role that was asked decides under the person's own name.
RESET SESSION AUTHORIZATION;
CREATE ROLE treasury; CREATE ROLE auditors;
GRANT treasury TO clerk;
SELECT orchestrator.request_approval(:'routed', 'treasury') AS treasury, orchestrator.request_approval(:'routed', 'auditors') AS auditors \gset
SET SESSION AUTHORIZATION clerk;
SELECT kind, status FROM orchestrator.decide(:'treasury', 'reject', 'bob');
SELECT kind, status FROM orchestrator.decide(:'treasury', 'reject', 'bob');
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'auditors', 'approve', 'bob'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_approval(%L, %L, %L)', :'auditors', 'approved', 'bob'));
RESET SESSION AUTHORIZATION;
-- The answers, by id and for all.
SELECT status, decided_by, notes FROM orchestrator.decision(:'gate');
SELECT status, decided_by, notes FROM orchestrator.decision(:'treasury');
SELECT kind, status, subject, decided_by, notes FROM orchestrator.decisions ORDER BY requested_at, id;
SELECT pg_temp.refusal(format('SELECT orchestrator.decision(%L)', :'project'));
SELECT pg_temp.refusal('SELECT orchestrator.decision(NULL)');
-- Cards of a run that was killed, and of one that ended.
SELECT phase FROM orchestrator.kill_run('t1', 'enough');
SELECT created FROM orchestrator.ensure_run('t2', :'project', 'S-2');
SELECT orchestrator.request_review('t2', 'gate_override', 'may it pass?') IS NOT NULL AS asked;
SELECT if_approved, if_rejected FROM orchestrator.decision_cards WHERE thread_id = 't2';
SELECT phase FROM orchestrator.kill_run('t2', 'enough');
SELECT if_approved, if_rejected FROM orchestrator.decision_cards WHERE thread_id = 't2';
-- By hand: the person who decided is named, and only of a decided approval.
SELECT pg_temp.refusal(format('UPDATE orchestrator.approvals SET decided_by = %L WHERE id = %L', 'ada', :'auditors'));
SELECT pg_temp.refusal(format('UPDATE orchestrator.approvals SET status = %L, decision_at = now(), decided_by = %L WHERE id = %L', 'approved', ' ', :'auditors'));
UPDATE orchestrator.approvals SET status = 'approved', decision_at = now() WHERE id = :'auditors';
SELECT decided_by FROM orchestrator.decision(:'auditors');
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'auditors', 'approve', 'auditors'));
-- A downgrade keeps the names, and the functions of before return.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.3';
CREATE VIEW public.mine AS SELECT subject FROM orchestrator.pending_decisions;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.2';
SELECT subject FROM public.mine;
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, %L)', :'gate', 'deny', 'ada', 'use a view'));
SELECT to_regclass('orchestrator.decision_cards'), to_regprocedure('orchestrator.decide(uuid, text, text, text, text)');
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT decided_by, status FROM orchestrator.approvals ORDER BY id;
SELECT status FROM orchestrator.decide(:'gate', 'deny', 'ada', 'use a view');
SELECT * FROM orchestrator.verify();
