\set VERBOSITY terse
\set QUIET on
SET client_min_messages = notice;
SET datestyle = 'ISO';
CREATE EXTENSION orchestrator_schema;
-- Runs a statement that must be refused; shows how, with ids and times left out.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE code text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN regexp_replace(regexp_replace(concat_ws(E'\n', code || ': ' || message, nullif(detail, ''), nullif(hint, '')),
        '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g'), '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.0-9]*[-+]\d\d', '<time>', 'g');
END $$;
\pset format unaligned
\pset tuples_only on
-- Archiving: what goes down is kept, what comes up finds it.
SELECT orchestrator.uuidv7() < orchestrator.uuidv7(), substr(orchestrator.uuidv7()::text, 15, 1);
INSERT INTO orchestrator.tasks (title, task_type) SELECT 'task ' || n, 'tool' FROM generate_series(1, 3) AS n;
SELECT step, object, action, rows FROM orchestrator.downgrade_plan('0.0.0') WHERE rows IS NOT NULL;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0';
SELECT object, from_version, rows FROM orchestrator.archived();
SELECT title FROM orchestrator_archive.tasks ORDER BY title;
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT count(*) FROM orchestrator.tasks;
SELECT count(*) FROM orchestrator.archived();
-- Refusals.
SELECT pg_temp.refusal($$SELECT orchestrator.archive_table(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.archive_table(0)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.archive_table('pg_catalog.pg_class')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.archive_table('orchestrator.idx_tasks_type')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.archive_columns('orchestrator.tasks', NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.archive_columns('orchestrator.tasks', '{}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.archive_columns('orchestrator.tasks', '{nope}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.archive_columns('orchestrator.tasks', '{id}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.archive_columns('orchestrator.tasks', '{title,title}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.restore_columns('orchestrator.tasks', '{title,id}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.restore_table('pg_catalog.pg_class')$$);
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.downgrade_plan(NULL)$$);
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.downgrade_plan('9.9.9')$$) LIKE 'P0002: version "9.9.9" of orchestrator_schema does not exist%';
SELECT pg_temp.refusal($$SELECT orchestrator.note_filled_in('orchestrator.tasks', '{title}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.begin_downgrade(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.begin_downgrade('0.5.0')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.begin_upgrade('9.9.9')$$) LIKE 'P0002: version "9.9.9" of orchestrator_schema does not exist%';
SELECT pg_temp.refusal($$SELECT orchestrator.begin_upgrade('0.6.0')$$);
SELECT pg_temp.refusal($$SET orchestrator_schema.downgrade = 'perhaps'$$);
SELECT pg_temp.refusal($$SET orchestrator_schema.nothing = 'x'$$);
CREATE ROLE regress_stranger;
GRANT USAGE ON SCHEMA orchestrator TO regress_stranger;
SET ROLE regress_stranger;
SELECT pg_temp.refusal($$SELECT orchestrator.archive_table('orchestrator.tasks')$$);
RESET ROLE;
GRANT EXECUTE ON FUNCTION orchestrator.archive_table(regclass) TO regress_stranger;
SET ROLE regress_stranger;
SELECT pg_temp.refusal($$SELECT orchestrator.archive_table('orchestrator.tasks')$$);
RESET ROLE;
DROP OWNED BY regress_stranger;
DROP ROLE regress_stranger;
-- Names with quotes and blanks, a column that went away, values kept with their key.
CREATE TABLE orchestrator."we""ird T" (id int PRIMARY KEY, "a b" text, extra text);
INSERT INTO orchestrator."we""ird T" VALUES (1, 'x', 'stays'), (2, 'y', NULL);
SELECT orchestrator.archive_columns('orchestrator."we""ird T"', '{a b}');
ALTER TABLE orchestrator."we""ird T" DROP COLUMN "a b";
ALTER TABLE orchestrator."we""ird T" ADD COLUMN "a b" text;
DELETE FROM orchestrator."we""ird T" WHERE id = 2;
SELECT orchestrator.restore_columns('orchestrator."we""ird T"', '{a b}');
SELECT object, rows FROM orchestrator.archived();
SELECT orchestrator.archive_table('orchestrator."we""ird T"');
CREATE TABLE orchestrator."we""ird T" (id int PRIMARY KEY, "a b" text);
SELECT * FROM orchestrator.restore_archived();
SELECT * FROM orchestrator."we""ird T";
DROP TABLE orchestrator."we""ird T";
SELECT * FROM orchestrator.verify();
