\i head.sql
\pset null '·'
\set project '0198c5a0-0000-7000-8000-000000000001'
CREATE ROLE regress_agent;
CREATE ROLE regress_ann;
CREATE ROLE regress_bob;
SELECT orchestrator.grant_access('regress_agent', 'worker') > 0, orchestrator.grant_access('regress_ann', 'reviewer') > 0, orchestrator.grant_access('regress_bob', 'reviewer') > 0;
-- Two people must agree, the one who asked is none of them, and without an answer it is rejected.
SELECT kind, type, respond_within, on_timeout, escalate_to, approvals_needed, rejections_needed, requester_may_decide, assigned_to, updated_by = current_user AS by_me
FROM orchestrator.set_decision_rule('review', 'safety', '4 hours', 'reject', approvals_needed => 2, requester_may_decide => false);
SELECT kind, type, on_timeout, escalate_to, assigned_to FROM orchestrator.set_decision_rule('gate', respond_within => '1 hour', on_timeout => 'escalate', escalate_to => 'lead', assigned_to => 'ann');
-- The same kind and type again replaces the rule. The type comes before every type.
SELECT kind, type, approvals_needed FROM orchestrator.set_decision_rule('gate', 'high_risk');
SELECT kind, type, approvals_needed FROM orchestrator.set_decision_rule('gate', 'high_risk', approvals_needed => 3, rejections_needed => 2);
SELECT count(*), count(DISTINCT id) FROM orchestrator.decision_rules;
SELECT event_type, metadata ->> 'kind' AS kind, metadata ->> 'type' AS type, metadata ->> 'respond_within' AS within FROM orchestrator.audit_events ORDER BY id;
-- Refused rules.
SELECT pg_temp.refusal(format('SELECT orchestrator.set_decision_rule(%s)', arguments)) FROM unnest(ARRAY[
    'NULL', '''vote''', '''review'', ''none''', '''gate'', '' ''', '''approval'', '' ''', '''approval'', repeat(''r'', 501)',
    '''gate'', respond_within => ''0''', '''gate'', respond_within => ''-1 hour''', '''gate'', respond_within => ''101 years''',
    '''gate'', on_timeout => ''reject''', '''gate'', respond_within => ''1 hour'', on_timeout => ''ignore''',
    '''gate'', respond_within => ''1 hour'', on_timeout => ''escalate''', '''gate'', respond_within => ''1 hour'', on_timeout => ''reject'', escalate_to => ''lead''',
    '''gate'', escalate_to => ''lead''', '''gate'', respond_within => ''1 hour'', on_timeout => ''escalate'', escalate_to => '' ''',
    '''gate'', approvals_needed => 0', '''gate'', approvals_needed => 1001', '''gate'', rejections_needed => -1', '''gate'', assigned_to => '''''
]) AS arguments;
SELECT pg_temp.refusal('SELECT orchestrator.drop_decision_rule(''gate'', ''none'')'), pg_temp.refusal('SELECT orchestrator.drop_decision_rule(NULL)');
SELECT orchestrator.drop_decision_rule('gate', 'manual'), orchestrator.drop_decision_rule('approval');
SELECT count(*) FROM orchestrator.decision_rules;
-- The terms are written with the question, by whatever statement it is asked.
SET SESSION AUTHORIZATION regress_agent;
SELECT created FROM orchestrator.ensure_run('t1', :'project', 'S-1');
SELECT orchestrator.request_review('t1', 'safety', 'drop the table?') AS review \gset
SELECT orchestrator.request_review('t1', 'gate_override', 'no rule') AS free \gset
SELECT orchestrator.open_gate(:'project', 'dev', 'manual', 'which way?') AS gate \gset
RESET SESSION AUTHORIZATION;
INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES (:'project', 'dev', 'high_risk', 'by hand'), (:'project', 'dev', 'manual', 'by hand, too');
INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, status, resolved_by, resolved_at) VALUES (:'project', 'dev', 'high_risk', 'decided already', 'approved', 'ada', now());
SELECT p.subject, t.due_at - p.requested_at AS within, t.on_timeout, t.escalate_to, t.approvals_needed, t.rejections_needed, t.requester_may_decide, t.requested_as = 'regress_agent' AS by_agent, t.assigned_to, t.escalations
FROM orchestrator.decision_terms AS t JOIN orchestrator.pending_decisions AS p ON p.id = t.decision_id ORDER BY t.decision_id;
SELECT count(*) FROM orchestrator.decision_terms;
-- A rule that changes or goes leaves the terms of earlier questions alone.
SELECT approvals_needed FROM orchestrator.set_decision_rule('review', 'safety', approvals_needed => 1);
SELECT approvals_needed, on_timeout FROM orchestrator.decision_terms WHERE decision_id = :'review';
SELECT pg_temp.refusal(format('UPDATE orchestrator.decision_terms SET approvals_needed = 1 WHERE decision_id = %L', :'review'));
SELECT pg_temp.refusal('DELETE FROM orchestrator.decision_terms'), pg_temp.refusal('TRUNCATE orchestrator.decision_terms CASCADE');
-- What a restore sets does not help: anyone may set it. Nor does another id.
SET SESSION AUTHORIZATION regress_agent;
SET check_function_bodies = off;
SET row_security = off;
SELECT orchestrator.request_review('t1', 'safety', 'as in a dump') AS hidden \gset
SELECT count(*) FROM orchestrator.decision_terms WHERE decision_id = :'hidden';
SELECT status FROM orchestrator.withdraw_decision(:'hidden', 'agent', 'only a try');
RESET check_function_bodies;
RESET row_security;
RESET SESSION AUTHORIZATION;
SELECT pg_temp.refusal(format('UPDATE orchestrator.gates SET id = orchestrator.uuidv7(), status = %L, resolved_by = %L, resolved_at = now() WHERE id = %L', 'approved', 'x', :'gate'));
SELECT pg_temp.refusal(format('UPDATE orchestrator.gates SET id = orchestrator.uuidv7() WHERE id = %L', :'gate'));
-- The first vote does not decide. The same again changes nothing, and a changed one replaces it.
SET SESSION AUTHORIZATION regress_ann;
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'Ann');
SELECT kind, status FROM orchestrator.decide(:'review', 'approved', 'Ann');
SELECT status, resolved_by FROM orchestrator.resolve_review(:'review', 'approved', 'Ann', 'with a backup');
SELECT review_id = :'review' AS review, outcome FROM orchestrator.resolve_reviews(ARRAY[:'review', gen_random_uuid()]::uuid[], 'approved', 'Ann');
SELECT voter, voted_as, vote, notes FROM orchestrator.decision_votes;
SELECT votes, votes_needed, overdue, if_approved, if_rejected FROM orchestrator.decision_cards WHERE id = :'review';
-- Another name, another role in force: it stays one person.
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'Bob');
RESET SESSION AUTHORIZATION;
GRANT regress_bob TO regress_ann;
SET SESSION AUTHORIZATION regress_ann;
SET ROLE regress_bob;
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'Bob');
RESET SESSION AUTHORIZATION;
REVOKE regress_bob FROM regress_ann;
SELECT voter, voted_as, vote FROM orchestrator.decision_votes;
-- The one who asked does not decide, whatever role is in force; nobody votes for somebody else, and no vote goes.
GRANT regress_ann TO regress_agent;
SET SESSION AUTHORIZATION regress_agent;
SET ROLE regress_ann;
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'review', 'approve', 'Bob'));
SET check_function_bodies = off;
SET row_security = off;
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'review', 'approve', 'Bob'));
RESET check_function_bodies;
RESET row_security;
RESET SESSION AUTHORIZATION;
REVOKE regress_ann FROM regress_agent;
SELECT pg_temp.refusal(format('INSERT INTO orchestrator.decision_votes (decision_id, voter, voted_as, vote) VALUES (%L, %L, %L, %L)', :'review', 'Bob', 'regress_bob', 'approved'));
SELECT pg_temp.refusal(format('INSERT INTO orchestrator.decision_votes (decision_id, voter, voted_as, vote) VALUES (%L, %L, session_user, %L)', :'free', 'Bob', 'approved'));
SELECT pg_temp.refusal('UPDATE orchestrator.decision_votes SET vote = ''rejected'''), pg_temp.refusal('DELETE FROM orchestrator.decision_votes'), pg_temp.refusal('TRUNCATE orchestrator.decision_votes');
SELECT pg_temp.refusal(format('UPDATE orchestrator.human_review_queue SET status = %L, resolved_by = %L, resolved_at = now(), resolution_notes = %L WHERE id = %L', status, 'ada', 'why', :'review')) FROM unnest(ARRAY['approved', 'rejected', 'changes_requested']) AS status;
-- While somebody works on the answer, others wait.
SET SESSION AUTHORIZATION regress_ann;
SELECT orchestrator.claim_decision(:'review', 'Ann', '1 hour') > now() + interval '59 minutes' AS claimed;
SELECT orchestrator.claim_decision(:'review', 'Ann') < now() + interval '16 minutes' AS again;
SELECT claimed_by, claimed_until > now() AS runs FROM orchestrator.pending_decisions WHERE id = :'review';
SELECT pg_temp.refusal(format('SELECT orchestrator.claim_decision(%L, %L)', :'review', 'Bob'));
SELECT pg_temp.refusal(format('SELECT orchestrator.release_decision(%L, %L)', :'review', 'Bob'));
SELECT pg_temp.refusal(format('SELECT orchestrator.assign_decision(%L, %L, %L)', :'review', 'x', 'Bob'));
SET SESSION AUTHORIZATION regress_bob;
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L)', :'review', 'approve', 'Bob'));
SELECT orchestrator.release_decision(:'review', 'Ann'), orchestrator.release_decision(:'review', 'Ann'), orchestrator.release_decision(:'free', 'Ann');
-- The second person decides, once, with the effect on the run.
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'Bob', 'fine');
SET SESSION AUTHORIZATION regress_ann;
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'Bob');
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, %L)', :'review', 'reject', 'Ann', 'no'));
SELECT pg_temp.refusal(format('SELECT orchestrator.claim_decision(%L, %L)', :'review', 'Ann'));
RESET SESSION AUTHORIZATION;
SELECT status, resolved_by, resolution_notes FROM orchestrator.human_review_queue WHERE id = :'review';
SELECT event_type, role, metadata - 'session_user' - 'role' - 'thread_id' - 'review_id' - 'decision_id' - 'until' AS metadata FROM orchestrator.run_trail('t1') WHERE event_type LIKE 'decision%' OR event_type = 'review_approved';
-- Calls with bad input change nothing.
SELECT pg_temp.refusal(format('SELECT orchestrator.%s', call)) FROM unnest(ARRAY[
    'claim_decision(NULL, ''a'')', 'claim_decision(orchestrator.uuidv7(), ''a'')', format('claim_decision(%L, NULL)', :'gate'), format('claim_decision(%L, '' '')', :'gate'),
    format('claim_decision(%L, repeat(''a'', 501))', :'gate'), format('claim_decision(%L, ''a'', ''0'')', :'gate'), format('claim_decision(%L, ''a'', ''-1 s'')', :'gate'),
    'release_decision(NULL, ''a'')', 'release_decision(orchestrator.uuidv7(), ''a'')', format('release_decision(%L, '''')', :'gate'),
    'assign_decision(NULL, ''a'', ''b'')', 'assign_decision(orchestrator.uuidv7(), ''a'', ''b'')', format('assign_decision(%L, '''', ''b'')', :'gate'), format('assign_decision(%L, ''a'', NULL)', :'gate'),
    'withdraw_decision(NULL, ''a'', ''b'')', 'withdraw_decision(orchestrator.uuidv7(), ''a'', ''b'')', format('withdraw_decision(%L, '''', ''b'')', :'gate'), format('withdraw_decision(%L, ''a'', E''\t'')', :'gate'),
    format('decide(%L, ''request_changes'', ''ada'')', :'gate'), format('decide(%L, ''request_changes'', '''', ''n'')', :'gate'), 'decide(orchestrator.uuidv7(), ''request_changes'', ''ada'', ''n'')'
]) AS call;
-- A deadline: the gate goes to the lead, with the same time again; after the second time it stays, and comes first.
UPDATE orchestrator.decision_terms SET due_at = '2026-01-01' WHERE decision_id = :'gate';
SELECT kind, subject, overdue, assigned_to FROM orchestrator.pending_decisions;
SELECT decision_id = :'gate' AS gate, kind, outcome FROM orchestrator.expire_decisions();
SELECT assigned_to, escalations FROM orchestrator.decision_terms WHERE decision_id = :'gate';
UPDATE orchestrator.decision_terms SET due_at = '2026-01-01' WHERE decision_id = :'gate';
SELECT affected FROM orchestrator.run_maintenance() WHERE task = 'expire_decisions';
SELECT affected FROM orchestrator.run_maintenance() WHERE task = 'expire_decisions';
SELECT assigned_to, escalations, due_at = '2026-01-01' AS as_it_was FROM orchestrator.decision_terms WHERE decision_id = :'gate';
SELECT subject, asks, overdue FROM orchestrator.pending_decisions LIMIT 1;
SELECT event_type, role, metadata - 'session_user' - 'role' - 'decision_id' - 'due_at' AS metadata FROM orchestrator.audit_events WHERE event_type = 'decision_escalated';
-- A human who is late but first decides. A request for changes denies the gate.
SELECT kind, status FROM orchestrator.decide(:'gate', 'request_changes', 'Ann', 'the other way');
SELECT kind, status FROM orchestrator.decide(:'gate', 'request_changes', 'Ann', 'the other way');
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, %L)', :'gate', 'request_changes', 'Eve', 'the other way'));
SELECT status, feedback, resolved_by FROM orchestrator.gates WHERE id = :'gate';
SELECT count(*) FROM orchestrator.expire_decisions();
-- A default: rejected, and the run with it; approved for the role that was asked.
SELECT on_timeout FROM orchestrator.set_decision_rule('review', 'safety', '1 hour', 'reject');
SELECT on_timeout FROM orchestrator.set_decision_rule('approval', 'ops', '1 hour', 'approve');
SELECT created FROM orchestrator.ensure_run('t2', :'project', 'S-2');
SELECT task_id AS task FROM orchestrator.create_task('deploy', 'to production', thread_id => 't2') \gset
SELECT orchestrator.request_review('t2', 'safety', 'really?') AS review, orchestrator.request_approval(:'task', 'ops', 'tonight?') AS approval \gset
UPDATE orchestrator.decision_terms SET due_at = '2026-01-01' WHERE decision_id = :'approval';
SELECT kind, outcome FROM orchestrator.expire_decisions();
SELECT kind, status, decided_by, notes FROM orchestrator.decision(:'approval');
SELECT orchestrator.request_approval(:'task', 'boss', 'and you?') AS boss \gset
UPDATE orchestrator.decision_terms SET due_at = '2026-01-01' WHERE decision_id = :'review';
SELECT kind, outcome FROM orchestrator.expire_decisions();
SELECT phase, gate_status, error FROM orchestrator.orchestrator_runs WHERE thread_id = 't2';
-- The end of the run withdraws its other questions.
SELECT kind, status, decided_by, notes FROM orchestrator.decisions WHERE thread_id = 't2' ORDER BY requested_at, id;
SELECT count(*) FROM orchestrator.pending_decisions WHERE thread_id = 't2';
-- A review that asks for changes sends its run back.
SELECT created FROM orchestrator.ensure_run('t3', :'project', 'S-3');
SELECT gate_status FROM orchestrator.record_safety('t3', 0.2);
SELECT kind, status FROM orchestrator.decide((SELECT id FROM orchestrator.pending_decisions WHERE thread_id = 't3'), 'changes_requested', 'Ann', 'without the table');
SELECT phase, gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't3';
SELECT event_type, role, metadata ->> 'notes' AS notes FROM orchestrator.run_trail('t3') WHERE event_type LIKE 'review_c%';
-- An approval holds its task, and what it is about.
SELECT task_id AS task FROM orchestrator.create_task('deploy', 'the service', '{"to": "production"}') \gset
SELECT orchestrator.request_approval(:'task', 'security', 'now?') AS approval \gset
SELECT count(*) FROM orchestrator.claim_tasks('w', '{deploy}');
SELECT pg_temp.refusal(format('UPDATE orchestrator.tasks SET %s WHERE id = %L', change, :'task'))
FROM unnest(ARRAY['status = ''running''', 'title = ''another''', 'description = ''d''', 'config = ''{}''', 'data = ''{"a": 1}''']) AS change;
UPDATE orchestrator.tasks SET priority = 5, metadata = '{"a": 1}' WHERE id = :'task';
-- The role is away: the question goes to another one. The role that was asked may still decide.
SELECT kind, status FROM orchestrator.assign_decision(:'approval', 'deputy', 'ada', 'on leave');
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, %L, %L, acting_as => %L)', :'approval', 'approve', 'Eve', 'nobody'));
SELECT kind, status FROM orchestrator.decide(:'approval', 'request_changes', 'Eve', 'to staging', 'deputy');
SELECT pg_temp.refusal(format('UPDATE orchestrator.tasks SET status = %L WHERE id = %L', 'running', :'task'));
UPDATE orchestrator.tasks SET config = '{"to": "staging"}' WHERE id = :'task';
SELECT orchestrator.request_approval(:'task', 'security', 'and now?') AS approval \gset
SELECT status, decided_by FROM orchestrator.resolve_approval(:'approval', 'approved', 'security');
SELECT event_type, metadata ->> 'sha256' AS sha256 FROM orchestrator.audit_events WHERE metadata ->> 'task_id' = :'task' AND event_type LIKE 'approval%' ORDER BY id;
SELECT encode(sha256(convert_to(jsonb_build_array(title, description, config, data)::text, 'UTF8')), 'hex') AS sha256 FROM orchestrator.tasks WHERE id = :'task';
SELECT pg_temp.refusal(format('UPDATE orchestrator.tasks SET config = %L WHERE id = %L', '{"to": "production"}', :'task'));
SELECT title, status FROM orchestrator.claim_tasks('w', '{deploy}');
SELECT orchestrator.request_approval(:'task', 'security', 'and at the end?') AS approval \gset
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_task(%L, %L)', :'task', 'w'));
-- Who did not ask, and may not set rules, cannot withdraw a question. A withdrawn approval is none.
SET SESSION AUTHORIZATION regress_agent;
SELECT pg_temp.refusal(format('SELECT orchestrator.withdraw_decision(%L, %L, %L)', :'approval', 'agent', 'why'));
SELECT orchestrator.open_gate(:'project', 'dev', 'manual', 'may I?') AS own \gset
SELECT status, decided_by, notes FROM orchestrator.withdraw_decision(:'own', 'agent', 'not needed');
SELECT pg_temp.refusal(format('SELECT orchestrator.withdraw_decision(%L, %L, %L)', :'own', 'agent', 'not needed'));
RESET SESSION AUTHORIZATION;
SELECT status, decided_by, notes FROM orchestrator.withdraw_decision(:'approval', 'ada', 'asked too early');
SELECT pg_temp.refusal(format('SELECT orchestrator.complete_task(%L, %L)', :'task', 'w'));
SELECT orchestrator.request_approval(:'task', 'security', 'at last?') AS approval \gset
SELECT status FROM orchestrator.cancel_task(:'task', 'too late');
SELECT approver_role, status, decided_by, notes FROM orchestrator.approvals WHERE task_id = :'task' ORDER BY created_at, id;
-- Behind a shared login, the subject of the token is the person, else the role in force.
SELECT approvals_needed FROM orchestrator.set_decision_rule('gate', 'manual', approvals_needed => 2);
SELECT key FROM orchestrator.set_configuration('shared_logins', 'somebody, regress_bob');
SELECT orchestrator.open_gate(:'project', 'dev', 'manual', 'all of you?') AS gate \gset
SET SESSION AUTHORIZATION regress_bob;
SELECT kind, status FROM orchestrator.decide(:'gate', 'approve', 'Bob');
SET request.jwt.claims = '{"sub": "carol"}';
SELECT kind, status FROM orchestrator.decide(:'gate', 'deny', 'Carol', 'no');
SET request.jwt.claims = '';
RESET SESSION AUTHORIZATION;
SELECT voter, voted_as, vote FROM orchestrator.decision_votes WHERE decision_id = :'gate' ORDER BY voted_as;
SELECT value FROM orchestrator.set_configuration('shared_logins', '["regress_bob"]', 'json');
SELECT orchestrator.open_gate(:'project', 'dev', 'manual', 'again?') AS gate \gset
SET SESSION AUTHORIZATION regress_bob;
SET request.jwt.claims = '{"sub": "carol"}';
SELECT kind, status FROM orchestrator.decide(:'gate', 'approve', 'Carol');
SET request.jwt.claims = '{"sub": "dave"}';
SELECT kind, status FROM orchestrator.decide(:'gate', 'approve', 'Dave');
RESET SESSION AUTHORIZATION;
-- A low score asks for a safety review, and not the worker who records it.
SELECT approvals_needed FROM orchestrator.set_decision_rule('review', 'safety', approvals_needed => 2);
SET SESSION AUTHORIZATION regress_agent;
SELECT created FROM orchestrator.ensure_run('t9', :'project', 'S-9');
SELECT gate_status FROM orchestrator.record_safety('t9', 0.45, '{minor}');
SELECT id AS review FROM orchestrator.pending_decisions WHERE thread_id = 't9' \gset
SELECT pg_temp.refusal(format('SELECT orchestrator.withdraw_decision(%L, ''agent'', ''x'')', :'review'));
-- A vote is about the score that the voter saw: a lower one asks again.
SET SESSION AUTHORIZATION regress_ann;
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'Ann');
SET SESSION AUTHORIZATION regress_agent;
SELECT gate_status FROM orchestrator.record_safety('t9', 0.01, '{leaks}');
SELECT gate_status FROM orchestrator.record_safety('t9', 0.02, '{more}');
RESET SESSION AUTHORIZATION;
SELECT d.id = :'review' AS first, q.safety_score, q.context -> 'violations' AS violations, d.votes, d.votes_needed FROM orchestrator.pending_decisions AS d JOIN orchestrator.human_review_queue AS q USING (id) WHERE d.thread_id = 't9' ORDER BY q.created_at, q.id;
SELECT (orchestrator.withdraw_decision(:'review', 'admin', 'asked again')).status;
-- The answer that was given last counts, whichever was asked first.
SELECT task_id AS task FROM orchestrator.create_task('k', 'pay') \gset
SELECT orchestrator.request_approval(:'task', 'finance') AS first \gset
SELECT orchestrator.request_approval(:'task', 'security') AS second \gset
SELECT status FROM orchestrator.decide(:'second', 'approve', 's', 'yes', 'security');
SELECT status FROM orchestrator.decide(:'first', 'reject', 'f', 'no', 'finance');
SELECT count(*) FROM orchestrator.claim_tasks('w', '{k}');
SELECT pg_temp.refusal(format('UPDATE orchestrator.tasks SET status = ''running'' WHERE id = %L', :'task'));
SELECT * FROM orchestrator.verify();
SELECT orchestrator.request_approval(:'task', 'finance') AS third \gset
SELECT status FROM orchestrator.decide(:'third', 'approve', 'f', 'yes', 'finance');
SELECT title FROM orchestrator.claim_tasks('w', '{k}');
-- Nobody becomes the one who asked by an event that comes later.
SELECT task_id AS task FROM orchestrator.create_task('k', 'by hand') \gset
INSERT INTO orchestrator.approvals (task_id, approver_role) VALUES (:'task', 'boss') RETURNING id AS approval \gset
SET SESSION AUTHORIZATION regress_agent;
SELECT orchestrator.record_event('approval_requested', 'boss', :'task', jsonb_build_object('approval_id', :'approval')) IS NOT NULL;
SELECT pg_temp.refusal(format('SELECT orchestrator.withdraw_decision(%L, ''agent'', ''x'')', :'approval'));
RESET SESSION AUTHORIZATION;
-- A request for changes is no rejection, also by hand.
SELECT kind, approvals_needed, rejections_needed FROM orchestrator.set_decision_rule('review', 'gate_override', approvals_needed => 3, rejections_needed => 3);
SELECT orchestrator.request_review('t9', 'gate_override', 'may I?') AS review \gset
INSERT INTO orchestrator.decision_votes (decision_id, voter, voted_as, vote) VALUES (:'review', 'x', session_user, 'changes_requested');
SELECT pg_temp.refusal(format('UPDATE orchestrator.human_review_queue SET status = ''rejected'', resolved_by = ''x'', resolved_at = now(), resolution_notes = ''n'' WHERE id = %L', :'review'));
-- A vote that was cast can be repeated beside the claim of somebody else.
SELECT orchestrator.request_review('t9', 'gate_override', 'and this?') AS review \gset
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'Ann');
SELECT orchestrator.claim_decision(:'review', 'Bob') > now() AS claimed;
SELECT kind, status FROM orchestrator.decide(:'review', 'approve', 'Ann');
SELECT pg_temp.refusal(format('SELECT orchestrator.decide(%L, ''reject'', ''Ann'', ''no'')', :'review'));
-- A withdrawal ends the claim.
SELECT (orchestrator.withdraw_decision(:'review', 'admin', 'not asked any more')).status;
SELECT claimed_by, claimed_until FROM orchestrator.decision_terms WHERE decision_id = :'review';
SELECT orchestrator.release_decision(:'review', 'Bob');
-- A rejection that ends the run ends its other questions, also those of the same call.
SELECT created FROM orchestrator.ensure_run('t10', :'project', 'S-10');
SELECT orchestrator.request_review('t10', 'budget_exceeded', 'no terms') AS plain \gset
SELECT orchestrator.request_review('t10', 'gate_override', 'with terms') AS voted \gset
SELECT outcome FROM orchestrator.resolve_reviews(ARRAY[:'plain', :'voted']::uuid[], 'rejected', 'Ann', 'no') ORDER BY outcome;
SELECT status, resolved_by FROM orchestrator.human_review_queue WHERE thread_id = 't10' ORDER BY status;
-- Down and up with all of it.
SELECT md5(string_agg(d::text, ' ' ORDER BY d.id)) AS questions FROM orchestrator.decisions AS d \gset
SELECT md5(string_agg(t::text, ' ' ORDER BY t.decision_id)) AS terms FROM orchestrator.decision_terms AS t \gset
SELECT md5(string_agg(v::text, ' ' ORDER BY v.decision_id, v.voted_as)) AS votes FROM orchestrator.decision_votes AS v \gset
ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.3';
SELECT status, count(*) FROM orchestrator.decisions GROUP BY status ORDER BY status;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.8.0';
SELECT status, count(*) FROM orchestrator.decisions GROUP BY status ORDER BY status;
SELECT md5(string_agg(d::text, ' ' ORDER BY d.id)) = :'questions' AS questions FROM orchestrator.decisions AS d;
SELECT md5(string_agg(t::text, ' ' ORDER BY t.decision_id)) = :'terms' AS terms FROM orchestrator.decision_terms AS t;
SELECT md5(string_agg(v::text, ' ' ORDER BY v.decision_id, v.voted_as)) = :'votes' AS votes FROM orchestrator.decision_votes AS v;
SELECT * FROM orchestrator.verify();
\set ECHO none
SET client_min_messages = warning;
DROP EXTENSION orchestrator_schema;
DROP OWNED BY regress_agent, regress_ann, regress_bob;
DROP ROLE regress_agent, regress_ann, regress_bob;
