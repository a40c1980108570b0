\i head.sql
\pset null '·'
-- A workflow with three steps; the second has two tasks side by side.
INSERT INTO orchestrator.workflows (name, definition) VALUES ('report', '{}') RETURNING id AS report \gset
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('collect', 'x'), ('chart', 'x'), ('text', 'x'), ('send', 'x');
SELECT id AS collect FROM orchestrator.tasks WHERE title = 'collect' \gset
SELECT id AS chart FROM orchestrator.tasks WHERE title = 'chart' \gset
SELECT id AS text FROM orchestrator.tasks WHERE title = 'text' \gset
SELECT id AS send FROM orchestrator.tasks WHERE title = 'send' \gset
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence, done) VALUES
    (:'report', :'collect', 0, true), (:'report', :'chart', 1, false), (:'report', :'text', 1, false), (:'report', :'send', 2, false);
CREATE VIEW steps AS
SELECT t.title, l.sequence, t.status, q.ready, l.done
FROM orchestrator.workflow_tasks AS l JOIN orchestrator.tasks AS t ON t.id = l.task_id JOIN orchestrator.workflows AS w ON w.id = l.workflow_id
LEFT JOIN orchestrator.queued_tasks AS q ON q.task_id = t.id ORDER BY w.name, l.sequence, t.title;
CREATE VIEW progress AS
SELECT name, status, tasks, pending AS p, running AS r, completed AS c, failed AS f, cancelled AS x, current_sequence AS at, blocked_by IS NOT NULL AS blocked, started_at IS NOT NULL AS started, last_change_at = now() AS now
FROM orchestrator.workflow_progress ORDER BY name;
-- A draft keeps its tasks back.
TABLE steps;
TABLE progress;
SELECT title FROM orchestrator.claim_tasks('w', batch => 9);
SELECT pg_temp.refusal(format('SELECT orchestrator.pause_workflow(%L, %L)', :'report', 'why'));
SELECT status, updated_at = now() FROM orchestrator.start_workflow(:'report');
SELECT status FROM orchestrator.start_workflow(:'report');
SELECT task_type, waiting, blocked FROM orchestrator.task_queue;
SELECT title FROM orchestrator.claim_tasks('w', batch => 9);
TABLE progress;
-- Those of the next sequence begin when all before them are over.
SELECT status FROM orchestrator.complete_task(:'collect', 'w');
TABLE steps;
SELECT title FROM orchestrator.claim_tasks('w', batch => 9) ORDER BY title;
SELECT status FROM orchestrator.complete_task(:'text', 'w');
SELECT title FROM orchestrator.claim_tasks('w', batch => 9);
-- A failed task stops the ones after it, until it is tried again and completed.
SELECT status FROM orchestrator.fail_task(:'chart', 'w', 'no data');
TABLE progress;
SELECT title FROM orchestrator.claim_tasks('w', batch => 9);
SELECT pg_temp.refusal(format('SELECT orchestrator.retry_task(%L, 1)', :'chart'));
SELECT pg_temp.refusal(format('SELECT orchestrator.retry_task(%L, -2147483648)', :'chart'));
SELECT status, error, max_attempts, started_at, completed_at FROM orchestrator.retry_task(:'chart');
SELECT pg_temp.refusal(format('SELECT orchestrator.retry_task(%L)', :'chart'));
SELECT title FROM orchestrator.claim_tasks('w', batch => 9);
SELECT pg_temp.refusal(format('SELECT orchestrator.retry_task(%L)', :'chart'));
SELECT status FROM orchestrator.fail_task(:'chart', 'w', 'no data again');
SELECT status, max_attempts FROM orchestrator.retry_task(:'chart', 7);
SELECT title FROM orchestrator.claim_tasks('w', batch => 9);
SELECT attempt, outcome, error FROM orchestrator.task_attempts WHERE task_id = :'chart' ORDER BY attempt;
-- A pause keeps tasks back, and lets those go on that a worker holds.
SELECT status FROM orchestrator.pause_workflow(:'report', 'the source is down');
SELECT status FROM orchestrator.pause_workflow(:'report', 'still down');
SELECT status FROM orchestrator.complete_task(:'chart', 'w');
SELECT pg_temp.refusal(format('SELECT orchestrator.retry_task(%L)', :'chart'));
TABLE steps;
SELECT title FROM orchestrator.claim_tasks('w', batch => 9);
SELECT * FROM orchestrator.verify();
SELECT status FROM orchestrator.start_workflow(:'report');
SELECT title FROM orchestrator.claim_tasks('w', batch => 9);
SELECT status FROM orchestrator.release_task(:'send', 'w');
SELECT status FROM orchestrator.cancel_task(:'send', 'not needed');
TABLE progress;
SELECT event_type, role, trace_id = :'report' AS own, metadata - 'session_user' - 'role' - 'task_id' - 'workflow_id' AS metadata FROM orchestrator.audit_events WHERE event_type ~ 'workflow|retried' ORDER BY id;
UPDATE orchestrator.workflows SET status = 'archived';
SELECT pg_temp.refusal(format('SELECT orchestrator.start_workflow(%L)', :'report'));
SELECT pg_temp.refusal(format('SELECT orchestrator.pause_workflow(%L, %L)', :'report', 'why'));
-- Plain statements do the same: links are added, moved and removed, workflows are paused and deleted, tasks end.
INSERT INTO orchestrator.workflows (name, definition, status) VALUES ('one', '{}', 'active'), ('two', '{}', 'active');
SELECT id AS one FROM orchestrator.workflows WHERE name = 'one' \gset
SELECT id AS two FROM orchestrator.workflows WHERE name = 'two' \gset
DELETE FROM orchestrator.workflows WHERE name = 'report';
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('a', 'y'), ('b', 'y'), ('c', 'y');
SELECT id AS a FROM orchestrator.tasks WHERE title = 'a' \gset
SELECT id AS b FROM orchestrator.tasks WHERE title = 'b' \gset
SELECT id AS c FROM orchestrator.tasks WHERE title = 'c' \gset
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) VALUES (:'one', :'c', 5);
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) VALUES (:'one', :'b', 3);
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) VALUES (:'two', :'c', 1);
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) VALUES (:'two', :'a', 0);
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) VALUES (:'two', :'chart', 0);
TABLE steps;
UPDATE orchestrator.tasks SET status = 'cancelled' WHERE title = 'b';
TABLE steps;
UPDATE orchestrator.workflow_tasks SET sequence = 2 WHERE task_id = :'a';
TABLE steps;
UPDATE orchestrator.workflow_tasks SET sequence = 2 WHERE task_id = :'a';
UPDATE orchestrator.workflow_tasks SET sequence = 0 WHERE task_id = :'a';
TABLE steps;
DELETE FROM orchestrator.workflow_tasks WHERE task_id = :'a';
TABLE steps;
UPDATE orchestrator.workflows SET status = 'paused' WHERE name = 'one';
TABLE steps;
DELETE FROM orchestrator.workflows WHERE name = 'one';
TABLE steps;
SELECT orchestrator.start_run('held', '0198c5a0-0000-7000-8000-000000000001', 's') IS NOT NULL;
INSERT INTO orchestrator.tasks (title, task_type, thread_id) VALUES ('d', 'y', 'held'), ('e', 'y', 'held');
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) SELECT :'two', t.id, 5 FROM orchestrator.tasks AS t WHERE t.title IN ('d', 'e');
SELECT gate_status FROM orchestrator.pause_run('held', 'why');
UPDATE orchestrator.tasks SET status = 'cancelled' WHERE title = 'c';
TABLE steps;
SELECT gate_status FROM orchestrator.resume_run('held');
TABLE steps;
DELETE FROM orchestrator.tasks WHERE title IN ('d', 'c');
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) SELECT :'two', t.id, 4 FROM orchestrator.tasks AS t WHERE t.title = 'a';
TABLE steps;
DELETE FROM orchestrator.tasks WHERE title = 'a';
TABLE steps;
SELECT * FROM orchestrator.verify();
-- Rows that were written without triggers are found, and mended.
SET session_replication_role = replica;
UPDATE orchestrator.tasks SET status = 'running', started_at = now() WHERE title = 'e';
UPDATE orchestrator.workflow_tasks SET done = NOT done;
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('f', 'y');
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) SELECT :'two', t.id, 9 FROM orchestrator.tasks AS t WHERE t.title = 'f';
SET session_replication_role = origin;
SELECT object, kind, problem, expected, hint FROM orchestrator.verify();
SELECT orchestrator.rebuild_task_queue();
TABLE steps;
SELECT * FROM orchestrator.verify();
-- Who saves a whole row leaves done as the task is.
INSERT INTO orchestrator.workflows (name, definition, status) VALUES ('saved', '{}', 'active') RETURNING id AS saved \gset
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('first', 'z'), ('next', 'z');
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) SELECT :'saved', id, CASE title WHEN 'first' THEN 0 ELSE 1 END FROM orchestrator.tasks WHERE task_type = 'z';
SELECT t.title FROM orchestrator.claim_tasks('w', '{z}') AS t;
SELECT status FROM orchestrator.fail_task((SELECT id FROM orchestrator.tasks WHERE title = 'first'), 'w', 'no data');
SELECT count(*) FROM orchestrator.claim_tasks('w', '{z}');
-- A workflow that a failed task has stopped goes on when the task is cancelled. An UPDATE does not cancel it.
SELECT pg_temp.refusal($$UPDATE orchestrator.tasks SET status = 'cancelled' WHERE title = 'first'$$);
SELECT status, error FROM orchestrator.cancel_task((SELECT id FROM orchestrator.tasks WHERE title = 'first'), 'without it');
SELECT outcome, error FROM orchestrator.task_attempts WHERE task_id = (SELECT id FROM orchestrator.tasks WHERE title = 'first');
UPDATE orchestrator.workflow_tasks SET done = false, sequence = 0 WHERE task_id = (SELECT id FROM orchestrator.tasks WHERE title = 'first') RETURNING done;
SELECT t.title FROM orchestrator.claim_tasks('w', '{z}') AS t;
SELECT status FROM orchestrator.release_task((SELECT id FROM orchestrator.tasks WHERE title = 'next'), 'w');
SELECT name, cancelled, pending, started_at < clock_timestamp() AS has_begun FROM orchestrator.workflow_progress WHERE name = 'saved';
-- A statement within a trigger of a user, which is undone, takes no end of the statement around it.
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('last', 'z'), ('other', 'z');
INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) SELECT :'saved', id, 2 FROM orchestrator.tasks WHERE title = 'last';
CREATE FUNCTION pg_temp.undone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.title = 'next' AND NEW.status = 'cancelled' THEN
        BEGIN
            UPDATE orchestrator.tasks SET status = 'cancelled' WHERE title = 'other';
            RAISE 'undone';
        EXCEPTION WHEN OTHERS THEN
        END;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER zz AFTER UPDATE ON orchestrator.tasks FOR EACH ROW EXECUTE FUNCTION pg_temp.undone();
SELECT status FROM orchestrator.cancel_task((SELECT id FROM orchestrator.tasks WHERE title = 'next'), 'not this one');
SELECT title, status, done FROM orchestrator.tasks AS t LEFT JOIN orchestrator.workflow_tasks AS l ON l.task_id = t.id WHERE task_type = 'z' ORDER BY title;
SELECT title FROM orchestrator.claim_tasks('w', '{z}', batch => 9);
DROP TRIGGER zz ON orchestrator.tasks;
SELECT * FROM orchestrator.verify();
-- Bad input.
SELECT pg_temp.refusal(call) FROM unnest(ARRAY[
    'SELECT orchestrator.start_workflow(NULL)',
    'SELECT orchestrator.start_workflow(''0198c5a0-0000-7000-8000-000000000000'')',
    'SELECT orchestrator.pause_workflow(NULL, ''x'')',
    'SELECT orchestrator.pause_workflow(''0198c5a0-0000-7000-8000-000000000000'', ''x'')',
    format('SELECT orchestrator.pause_workflow(%L, NULL)', :'two'),
    format('SELECT orchestrator.pause_workflow(%L, '' '')', :'two'),
    'SELECT orchestrator.retry_task(NULL)',
    'SELECT orchestrator.retry_task(''0198c5a0-0000-7000-8000-000000000000'', 3)',
    format('INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id) VALUES (%L, %L)', :'two', '0198c5a0-0000-7000-8000-000000000000'),
    format('INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id) VALUES (%L, NULL)', :'two')
]) AS call;
