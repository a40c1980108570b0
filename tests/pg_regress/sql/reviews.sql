\i head.sql
\pset null '·'
\set project '0198c5a0-0000-7000-8000-000000000001'
CREATE FUNCTION pg_temp.run(thread text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(', ', phase, gate_status, CASE WHEN requires_human_review THEN 'to be reviewed' END, CASE WHEN completed_at IS NOT NULL THEN 'ended' END, error)
    FROM orchestrator.orchestrator_runs WHERE thread_id = thread $$;
-- A run with a bad score is held; a human approves, and it continues.
SELECT orchestrator.start_run('t1', :'project', 'S-1') IS NOT NULL;
SELECT safety_score FROM orchestrator.record_safety('t1', 0.55, '{"drops a table"}');
SELECT pg_temp.run('t1');
SELECT pg_temp.refusal('SELECT orchestrator.resume_run(''t1'')');
SELECT id AS review FROM orchestrator.human_review_queue WHERE thread_id = 't1' \gset
SELECT thread_id, review_type, status, resolved_by, resolved_at = now(), resolution_notes FROM orchestrator.resolve_review(:'review', 'approved', 'ada', 'a test table');
SELECT pg_temp.run('t1');
-- A review is resolved once. Later calls fail, the error reports by whom, how, when and why it was resolved, and nothing changes.
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L, %L)', :'review', 'rejected', 'bob', 'never'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'approved', 'bob'));
SELECT pg_temp.refusal('UPDATE orchestrator.human_review_queue SET status = ''pending'', resolved_at = NULL, resolved_by = NULL');
SELECT pg_temp.refusal('UPDATE orchestrator.human_review_queue SET resolution_notes = ''better words''');
SELECT pg_temp.refusal('UPDATE orchestrator.human_review_queue SET thread_id = ''t9''');
UPDATE orchestrator.human_review_queue SET status = status RETURNING status, resolved_by;
SELECT pg_temp.run('t1');
SELECT event_type, role, metadata - 'session_user' - 'role' - 'review_id', metadata ->> 'review_id' = :'review', metadata ? 'session_user' FROM orchestrator.audit_events WHERE event_type LIKE 'review%' ORDER BY id;
-- Several reviews of one run: the last approval frees it.
SELECT orchestrator.request_review('t1', 'gate_override', 'may it skip the tests?', context => '{"tests": 3}') AS first \gset
SELECT orchestrator.request_review(thread_id => 't1', review_type => 'budget_exceeded', reason => 'twice the estimate', safety_score => 0.999) AS second \gset
SELECT review_type, reason, safety_score, context, status, resolved_by, resolved_at FROM orchestrator.human_review_queue WHERE id IN (:'first', :'second') ORDER BY id;
SELECT gate_status FROM orchestrator.pause_run('t1', 'while humans think');
SELECT status, resolution_notes FROM orchestrator.resolve_review(review_id => :'second', decision => 'approved', resolved_by => 'bob');
SELECT pg_temp.run('t1');
SELECT status FROM orchestrator.resolve_review(:'first', 'approved', 'ada');
SELECT pg_temp.run('t1');
-- Only resume_run lifts a pause, not an approval.
SELECT gate_status FROM orchestrator.resume_run('t1');
SELECT orchestrator.request_review('t1', 'gate_override', 'may it deploy?') AS older \gset
SELECT gate_status FROM orchestrator.pause_run('t1', 'stop, I am looking');
SELECT outcome FROM orchestrator.resolve_reviews(array[:'older']::uuid[], 'approved', 'bob');
SELECT pg_temp.run('t1');
SELECT gate_status FROM orchestrator.resume_run('t1');
SELECT gate_status, requires_human_review FROM orchestrator.record_safety('t1', 0.5, '{shell}');
SELECT gate_status FROM orchestrator.pause_run('t1', 'stop once more');
SELECT status FROM orchestrator.resolve_review((SELECT id FROM orchestrator.human_review_queue WHERE thread_id = 't1' AND status = 'pending'), 'approved', 'bob');
SELECT pg_temp.run('t1');
-- Nobody can change that in the trail, and the pause is not purged from it while nothing followed.
SELECT pg_temp.refusal(format('SELECT orchestrator.record_event(%L, %L, %L)', event, 'worker', (SELECT id FROM orchestrator.orchestrator_runs WHERE thread_id = 't1')))
FROM unnest(array['run_paused', 'run_resumed', 'review_requested']) AS event;
BEGIN;
SELECT orchestrator.start_run('t0', :'project', 'S-0') AS run \gset
SELECT orchestrator.request_review('t0', 'gate_override', 'may it deploy?') AS review \gset
SELECT gate_status FROM orchestrator.pause_run('t0', 'stop');
SET LOCAL session_replication_role = replica;
ALTER TABLE orchestrator.audit_events DISABLE TRIGGER USER;
UPDATE orchestrator.audit_events SET "timestamp" = now() - interval '3 days' WHERE trace_id = :'run';
ALTER TABLE orchestrator.audit_events ENABLE ALWAYS TRIGGER audit_events_append_only;
ALTER TABLE orchestrator.audit_events ENABLE ALWAYS TRIGGER audit_events_append_only_rows;
SET LOCAL session_replication_role = origin;
SELECT orchestrator.purge_audit_events('2 days');
SELECT event_type FROM orchestrator.audit_events WHERE trace_id = :'run';
SELECT status FROM orchestrator.resolve_review(:'review', 'approved', 'bob');
SELECT gate_status FROM orchestrator.orchestrator_runs WHERE thread_id = 't0';
ROLLBACK;
-- A review of a paused run does not lift its pause either.
SELECT orchestrator.request_review('t1', 'gate_override', 'the look found nothing: may it go on?') AS newer \gset
SELECT status FROM orchestrator.resolve_review(:'newer', 'approved', 'ada');
SELECT pg_temp.run('t1');
SELECT gate_status FROM orchestrator.resume_run('t1');
-- A run whose review was deleted waits for nobody: the error of resume_run explains that.
SELECT orchestrator.request_review('t1', 'gate_override', 'asked by mistake') AS mistake \gset
DELETE FROM orchestrator.human_review_queue WHERE id = :'mistake';
SELECT gate_status, requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = 't1';
SELECT gate_status, requires_human_review FROM orchestrator.resume_run('t1');
SELECT gate_status, requires_human_review FROM orchestrator.resume_run('t1');
SELECT event_type, metadata - 'session_user' - 'role' - 'paused_by' FROM orchestrator.audit_events WHERE event_type IN ('run_paused', 'run_resumed') ORDER BY id;
-- An approval lifts a hold, and changes no other gate status.
SELECT orchestrator.start_run('t2', :'project', 'S-2') IS NOT NULL;
SELECT orchestrator.request_review('t2', 'safety', 'look at it') AS review \gset
SELECT pg_temp.run('t2');
SELECT status FROM orchestrator.resolve_review(:'review', 'approved', 'ada');
SELECT pg_temp.run('t2');
-- Any rejection kills the run, however many reviews are pending; these stay, and no longer change anything.
SELECT orchestrator.request_review('t2', 'safety', 'look at it') AS first \gset
SELECT orchestrator.request_review('t2', 'gate_override', 'and at that') AS second \gset
SELECT status, resolution_notes FROM orchestrator.resolve_review(:'first', 'rejected', 'ada', 'it deletes backups');
SELECT pg_temp.run('t2');
-- The end of the run has withdrawn the other one.
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L, %L)', :'second', 'approved', 'bob', 'fine with me'));
SELECT pg_temp.run('t2');
-- No decision changes a completed run.
SELECT orchestrator.start_run('t3', :'project', 'S-3') IS NOT NULL;
SELECT orchestrator.request_review('t3', 'safety', 'look at it') AS first \gset
SELECT orchestrator.request_review('t3', 'safety', 'look again') AS second \gset
SELECT phase FROM orchestrator.record_run_progress('t3', 'development');
SELECT phase FROM orchestrator.record_run_progress('t3', 'testing');
UPDATE orchestrator.orchestrator_runs SET phase = 'complete' WHERE thread_id = 't3' RETURNING phase;
CREATE TEMP TABLE completed AS SELECT * FROM orchestrator.orchestrator_runs WHERE thread_id = 't3';
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L, %L)', :'first', 'rejected', 'ada', 'too late'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'second', 'approved', 'ada'));
SELECT r = c AS untouched FROM orchestrator.orchestrator_runs AS r JOIN completed AS c USING (id);
-- Refused calls, and the review is still pending.
SELECT orchestrator.start_run('t4', :'project', 'S-4') IS NOT NULL;
SELECT orchestrator.request_review('t4', 'safety', 'look at it') AS review \gset
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'rejected', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L, %L)', :'review', 'rejected', 'ada', E' \t\n'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'denied', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'pending', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'approved', ' '));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, NULL, %L)', :'review', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, NULL)', :'review', 'approved'));
SELECT pg_temp.refusal('SELECT orchestrator.resolve_review(NULL, ''approved'', ''ada'')');
SELECT pg_temp.refusal('SELECT orchestrator.resolve_review(orchestrator.uuidv7(), ''approved'', ''ada'')');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t4'', ''banana'', ''x'')');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t4'', NULL, ''x'')');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t4'', ''safety'', '' '')');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t4'', ''safety'', NULL)');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t4'', ''safety'', ''x'', 1.5)');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t4'', ''safety'', ''x'', ''NaN'')');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t4'', ''safety'', ''x'', context => ''[]'')');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(''t9'', ''safety'', ''x'')');
SELECT pg_temp.refusal('SELECT orchestrator.request_review(NULL, ''safety'', ''x'')');
SELECT status, resolved_by FROM orchestrator.human_review_queue WHERE thread_id = 't4';
-- Review, run and event change together, or not at all.
CREATE FUNCTION pg_temp.no_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the trail is full' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON orchestrator.audit_events FOR EACH ROW EXECUTE FUNCTION pg_temp.no_event();
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L, %L)', :'review', 'rejected', 'ada', 'no'));
SELECT pg_temp.refusal(format('SELECT * FROM orchestrator.resolve_reviews(ARRAY[%L]::uuid[], %L, %L, %L)', :'review', 'rejected', 'ada', 'no'));
SELECT pg_temp.refusal('SELECT orchestrator.kill_run(''t4'', ''no'')');
DROP TRIGGER full_disk ON orchestrator.audit_events;
SELECT status, resolved_by FROM orchestrator.human_review_queue WHERE thread_id = 't4';
SELECT pg_temp.run('t4');
-- Rows written without the functions must satisfy the CHECKs.
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.human_review_queue SET status = ''approved'' WHERE status = ''pending'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.human_review_queue SET status = ''approved'', resolved_at = now() WHERE status = ''pending'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.human_review_queue SET status = ''rejected'', resolved_by = ''ada'' WHERE status = ''pending'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.human_review_queue SET status = ''expired'' WHERE status = ''pending'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.human_review_queue SET resolved_by = ''ada'' WHERE status = ''pending'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('INSERT INTO orchestrator.human_review_queue (thread_id, review_type, reason) VALUES (''t9'', ''safety'', ''x'')'), E'\n', 1);
-- Many reviews with one decision: the result has each id once, in the order of the list.
SELECT orchestrator.start_run('bulk ' || n, :'project', 'S-5') IS NOT NULL FROM generate_series(1, 3) AS n;
SELECT count(orchestrator.record_safety('bulk ' || n, 0.1)) FROM generate_series(1, 3) AS n;
SELECT orchestrator.request_review('bulk 1', 'gate_override', 'another') AS another \gset
SELECT array_agg(id ORDER BY thread_id DESC, review_type DESC) AS reviews FROM orchestrator.human_review_queue WHERE thread_id LIKE 'bulk%' AND id <> :'another' \gset
SELECT row_number() OVER (), outcome FROM orchestrator.resolve_reviews(:'reviews'::uuid[] || ARRAY[:'review', :'project']::uuid[] || :'reviews'::uuid[], 'approved', 'ada', 'all alike');
SELECT thread_id, pg_temp.run(thread_id) FROM orchestrator.orchestrator_runs WHERE thread_id LIKE 'bulk%' ORDER BY 1;
SELECT r.outcome, q.status, q.resolved_by, q.resolution_notes FROM orchestrator.resolve_reviews(:'reviews'::uuid[] || ARRAY[:'another']::uuid[], 'rejected', 'bob', 'not this one') AS r JOIN orchestrator.human_review_queue AS q ON q.id = r.review_id;
SELECT thread_id, pg_temp.run(thread_id) FROM orchestrator.orchestrator_runs WHERE thread_id LIKE 'bulk%' ORDER BY 1;
SELECT e.event_type, e.role, e.metadata - 'session_user' - 'role' - 'review_id', e.metadata ? 'session_user' FROM orchestrator.audit_events AS e JOIN orchestrator.orchestrator_runs AS r ON r.id = e.trace_id
WHERE r.thread_id LIKE 'bulk%' AND e.event_type IN ('review_approved', 'review_rejected') ORDER BY e.id;
SELECT count(*) FROM orchestrator.resolve_reviews('{}', 'approved', 'ada');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.resolve_reviews(NULL, ''approved'', ''ada'')');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.resolve_reviews(''{NULL}'', ''approved'', ''ada'')');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.resolve_reviews(''{}'', ''maybe'', ''ada'')');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.resolve_reviews(''{}'', ''rejected'', ''ada'')');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.resolve_reviews(''{}'', ''approved'', NULL)');
-- Renaming a thread also changes its reviews, resolved ones too; an UPDATE cannot move them to another thread.
UPDATE orchestrator.orchestrator_runs SET thread_id = 'renamed' WHERE thread_id = 't1';
SELECT thread_id, status FROM orchestrator.human_review_queue WHERE thread_id IN ('t1', 'renamed') ORDER BY id;
SELECT pg_temp.refusal('UPDATE orchestrator.human_review_queue SET thread_id = ''t2'' WHERE thread_id = ''renamed''');
-- Resolving needs no right to write into the trail, and grants none.
CREATE ROLE regress_reviewer;
GRANT USAGE ON SCHEMA orchestrator TO regress_reviewer;
GRANT SELECT, UPDATE ON orchestrator.human_review_queue, orchestrator.orchestrator_runs TO regress_reviewer;
SELECT orchestrator.request_review('t4', 'safety', 'for a role') AS review \gset
SET ROLE regress_reviewer;
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_review(%L, %L, %L)', :'review', 'approved', 'eve'));
RESET ROLE;
GRANT EXECUTE ON FUNCTION orchestrator.resolve_review, orchestrator.resolve_reviews TO regress_reviewer;
SET ROLE regress_reviewer;
SELECT status, resolved_by FROM orchestrator.resolve_review(:'review', 'approved', 'eve');
SELECT pg_temp.refusal('INSERT INTO orchestrator.audit_events (event_type, role, trace_id) VALUES (''x'', ''x'', ''0198c5a0-0000-7000-8000-000000000001'')');
RESET ROLE;
SELECT event_type, role, metadata ->> 'session_user' = session_user FROM orchestrator.audit_events WHERE metadata ->> 'review_id' = :'review' ORDER BY id;
REVOKE ALL ON orchestrator.human_review_queue, orchestrator.orchestrator_runs FROM regress_reviewer;
REVOKE ALL ON FUNCTION orchestrator.resolve_review, orchestrator.resolve_reviews FROM regress_reviewer;
REVOKE ALL ON SCHEMA orchestrator FROM regress_reviewer;
DROP ROLE regress_reviewer;
-- The functions keep their plans, which survive DISCARD ALL, a changed table, and an update of the extension.
SELECT orchestrator.start_run('t6', :'project', 'S-6') IS NOT NULL;
SELECT count(orchestrator.resolve_review(orchestrator.request_review('t6', 'safety', 'look ' || n), 'approved', 'ada')) FROM generate_series(1, 7) AS n;
DISCARD ALL;
SET client_min_messages = notice;
SET datestyle = 'ISO';
SELECT status FROM orchestrator.resolve_review(orchestrator.request_review('t6', 'safety', 'after DISCARD ALL'), 'approved', 'ada');
ALTER TABLE orchestrator.human_review_queue ADD COLUMN ticket text DEFAULT 'none';
DROP INDEX orchestrator.idx_human_review_type;
SELECT status, ticket FROM orchestrator.resolve_review(orchestrator.request_review('t6', 'safety', 'after a changed table'), 'approved', 'ada');
ALTER TABLE orchestrator.human_review_queue DROP COLUMN ticket;
SELECT status FROM orchestrator.resolve_review(orchestrator.request_review('t6', 'safety', 'after a dropped column'), 'approved', 'ada');
SELECT hint FROM orchestrator.verify() \gexec
SELECT orchestrator.start_run('t7', :'project', 'S-7') IS NOT NULL;
SELECT orchestrator.request_review('t7', 'safety', 'before the update') AS review \gset
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.3';
SELECT thread_id, phase, gate_status FROM orchestrator_archive.orchestrator_runs ORDER BY id;
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT thread_id, phase, gate_status FROM orchestrator.orchestrator_runs ORDER BY id;
SELECT status FROM orchestrator.resolve_review(:'review', 'rejected', 'ada', 'after the update');
SELECT phase, gate_status, error FROM orchestrator.orchestrator_runs WHERE thread_id = 't7';
SELECT outcome FROM orchestrator.resolve_reviews(ARRAY[:'review', orchestrator.request_review('t6', 'safety', 'after the update')]::uuid[], 'approved', 'ada');
SELECT tokens_used FROM orchestrator.record_run_progress('t6', tokens => 3);
SELECT count(*) FROM orchestrator.human_review_queue WHERE thread_id = 't6';
-- The list of pending reviews reads its own index.
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id, thread_id, review_type, reason FROM orchestrator.human_review_queue WHERE status = 'pending' ORDER BY created_at, id LIMIT 50;
RESET enable_seqscan;
SELECT * FROM orchestrator.verify();
