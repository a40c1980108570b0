\i head.sql
\pset null '·'
-- TypeScript: every table, view and function of the extension, and no others.
CREATE TABLE orchestrator.of_a_user (id integer);
CREATE VIEW pg_temp.lines AS SELECT number, line FROM regexp_split_to_table(orchestrator.typescript_types(), E'\n') WITH ORDINALITY AS l (line, number);
SELECT count(*) FROM pg_class AS c WHERE relnamespace = 'orchestrator'::regnamespace AND relkind IN ('r', 'v') AND relname <> 'of_a_user'
    AND NOT EXISTS (SELECT FROM pg_temp.lines WHERE line = '      ' || c.relname || ': {');
SELECT count(*) FROM pg_proc AS p WHERE pronamespace = 'orchestrator'::regnamespace AND prokind = 'f' AND prorettype <> 'trigger'::regtype
    AND NOT EXISTS (SELECT FROM pg_temp.lines WHERE line = '      ' || p.proname || ': {');
SELECT count(*) FROM pg_temp.lines WHERE line LIKE '%of_a_user%';
DROP TABLE orchestrator.of_a_user;
SELECT line FROM pg_temp.lines WHERE number BETWEEN (SELECT number FROM pg_temp.lines WHERE line = '      human_review_queue: {') AND (SELECT number FROM pg_temp.lines WHERE line = '      knowledge_staging: {') - 2 ORDER BY number;
SELECT line FROM pg_temp.lines WHERE number > (SELECT number FROM pg_temp.lines WHERE line = '      run_summary: {') AND number < (SELECT number FROM pg_temp.lines WHERE line = '      run_summary: {') + 14 ORDER BY number;
SELECT line FROM pg_temp.lines AS l, LATERAL (SELECT max(number) AS start FROM pg_temp.lines WHERE line IN ('      record_run_progress: {', '      resolve_review: {')) AS m WHERE number BETWEEN start AND start + 8 ORDER BY number;
SELECT line FROM pg_temp.lines AS l, LATERAL (SELECT max(number) AS start FROM pg_temp.lines WHERE line = '      resolve_reviews: {') AS m WHERE number BETWEEN start AND start + 8 ORDER BY number;
SELECT line FROM pg_temp.lines WHERE line LIKE 'export%' ORDER BY number;
-- The result does not depend on settings of the session.
SELECT md5(orchestrator.typescript_types()) AS before \gset
SET search_path TO orchestrator, public;
SET quote_all_identifiers = on;
SET standard_conforming_strings = off;
SET lc_messages = 'C';
SELECT md5(orchestrator.typescript_types()) = :'before';
SELECT orchestrator.json_schema('tasks') -> 'properties' -> 'status';
RESET ALL;
SET client_min_messages = notice;
-- It follows the catalog: without its CHECK a column is a string, and a new CHECK narrows it.
ALTER TABLE orchestrator.human_review_queue DROP CONSTRAINT human_review_queue_review_type_check;
SELECT line FROM pg_temp.lines WHERE line LIKE '%review_type%' AND number < (SELECT number FROM pg_temp.lines WHERE line = '      knowledge_staging: {');
ALTER TABLE orchestrator.human_review_queue ADD CONSTRAINT human_review_queue_review_type_check CHECK (review_type IN ('safety', 'it''s "odd"')) NOT VALID;
SELECT count(*) FROM pg_temp.lines WHERE line LIKE '%odd%';
ALTER TABLE orchestrator.human_review_queue VALIDATE CONSTRAINT human_review_queue_review_type_check;
SELECT line FROM pg_temp.lines WHERE line LIKE '%odd%';
ALTER TABLE orchestrator.human_review_queue DROP CONSTRAINT human_review_queue_review_type_check;
SELECT hint FROM orchestrator.verify() \gexec
-- JSON Schema, with or without the schema's name.
SELECT jsonb_pretty(orchestrator.json_schema('orchestrator_runs'));
SELECT jsonb_pretty(orchestrator.json_schema('orchestrator.human_review_queue'));
SELECT orchestrator.json_schema('run_summary') -> 'properties' -> 'pending_reviews', orchestrator.json_schema('run_summary') ->> 'title';
SELECT orchestrator.json_schema('workflow_tasks') -> 'required';
SELECT split_part(pg_temp.refusal('SELECT orchestrator.json_schema(''banana'')'), ':', 1), split_part(pg_temp.refusal('SELECT orchestrator.json_schema(''banana'')'), E'\n', 1);
SELECT split_part(pg_temp.refusal('SELECT orchestrator.json_schema(''pg_catalog.pg_class'')'), E'\n', 1);
SELECT split_part(pg_temp.refusal('SELECT orchestrator.json_schema(''Tasks'')'), E'\n', 1);
SELECT pg_temp.refusal('SELECT orchestrator.json_schema('' '')');
SELECT pg_temp.refusal('SELECT orchestrator.json_schema(NULL)');
SELECT * FROM orchestrator.verify();
