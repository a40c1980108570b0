\set VERBOSITY terse
\set QUIET on
SET client_min_messages = warning;
SET datestyle = 'ISO';
CREATE EXTENSION orchestrator_schema;
\pset format unaligned
\pset tuples_only on
-- One call for every function that reads or writes rows, and the rows that the calls need. A row of
-- `call` names the function and has a statement that succeeds.
SELECT FROM orchestrator.v7_load_plan();
INSERT INTO orchestrator.tasks (title, task_type, trace_id) VALUES ('t', 't', orchestrator.uuidv7());
INSERT INTO orchestrator.workflows (name, definition) VALUES ('w', '{}');
SELECT FROM orchestrator.tasks AS t, orchestrator.start_tool_execution(t.id, 'x');
INSERT INTO orchestrator.sessions (client_id, status) VALUES ('c', 'active');
INSERT INTO orchestrator.sessions (client_id, status, last_heartbeat, updated_at) VALUES ('old', 'active', '2020-01-01', '2020-01-01');
SELECT FROM orchestrator.set_configuration('limit', '5', 'integer');
SELECT FROM orchestrator.open_gate('00000000-0000-7000-8000-000000000001', 'a', 'manual', 'r');
SELECT FROM orchestrator.open_gate('00000000-0000-7000-8000-000000000001', 'a', 'manual', 'r');
SELECT FROM orchestrator.request_collaboration('requirements', 'a', 'b', 'how does it work?', collaboration_id => '00000000-0000-7000-8000-000000000002');
SELECT FROM orchestrator.publish_prompt('a', '1.0.0', 'p', activate => true);
SELECT FROM orchestrator.publish_prompt('a', '1.0.1', 'p');
SELECT FROM orchestrator.record_token_usage('m', 1, 1);
SELECT FROM orchestrator.stage_knowledge('collaboration', 'k');
INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, embedded, embedded_at) VALUES ('collaboration', 'k', true, '2020-01-01');
SELECT FROM orchestrator.set_price('m', 1, 1);
SELECT FROM orchestrator.route_task('routing', 'd', 'a', 'b', idempotency_key => '00000000-0000-7000-8000-000000000003');
SELECT FROM orchestrator.tasks AS t, orchestrator.request_approval(t.id, 'lead') WHERE t.title = 't';
INSERT INTO orchestrator.audit_events (event_type, role, trace_id, "timestamp") VALUES ('old', 'a', orchestrator.uuidv7(), '2020-01-01');
SELECT FROM orchestrator.start_run('one', orchestrator.uuidv7(), 's');
SELECT FROM orchestrator.start_run('two', orchestrator.uuidv7(), 's');
SELECT FROM orchestrator.pause_run('two', 'r');
SELECT FROM orchestrator.start_run('three', orchestrator.uuidv7(), 's');
SELECT FROM orchestrator.request_review('three', 'safety', 'r', 0.5);
SELECT FROM orchestrator.capture_snapshot('before', '{orchestrator}');
SELECT FROM orchestrator.capture_snapshot('after', '{orchestrator}');
SELECT FROM orchestrator.v7_start_phase(1);
INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name) VALUES (1, '/f', 'f', 1, 'l');
CREATE TYPE public.color AS ENUM ('red', 'green');
CREATE TYPE public.colors AS ENUM ('red', 'green');
CREATE ROLE regress_hidden;

-- `tables`: what the names of the tables are like whose rows it reads, for a call that locks every table of the schema.
CREATE TABLE public.call (function text, statement text, tables text);
INSERT INTO public.call VALUES
    ('start_tool_execution', $$SELECT orchestrator.start_tool_execution((SELECT id FROM orchestrator.tasks WHERE trace_id IS NOT NULL LIMIT 1), 'x')$$, NULL),
    ('finish_tool_execution', $$SELECT orchestrator.finish_tool_execution((SELECT id FROM orchestrator.tool_executions LIMIT 1), 'completed')$$, NULL),
    ('session_heartbeat', $$SELECT orchestrator.session_heartbeat((SELECT id FROM orchestrator.sessions WHERE client_id = 'c'))$$, NULL),
    ('deactivate_stale_sessions', $$SELECT orchestrator.deactivate_stale_sessions()$$, NULL),
    ('set_configuration', $$SELECT orchestrator.set_configuration('limit', '6', 'integer')$$, NULL),
    ('set_configuration', $$SELECT orchestrator.set_configuration('new', 'v')$$, NULL),
    ('get_configuration', $$SELECT orchestrator.get_configuration('limit')$$, NULL),
    ('configuration_value', $$SELECT orchestrator.configuration_value('limit')$$, NULL),
    ('open_gate', $$SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')$$, NULL),
    ('resolve_gate', $$SELECT orchestrator.resolve_gate((SELECT id FROM orchestrator.gates LIMIT 1), 'approved', 'me')$$, NULL),
    ('decide', $$SELECT orchestrator.decide((SELECT id FROM orchestrator.gates LIMIT 1), 'reject', 'me', 'no')$$, NULL),
    ('decide', $$SELECT orchestrator.decide((SELECT id FROM orchestrator.human_review_queue LIMIT 1), 'approve', 'me')$$, NULL),
    ('decide', $$SELECT orchestrator.decide((SELECT id FROM orchestrator.approvals LIMIT 1), 'approve', 'lead')$$, NULL),
    ('request_collaboration', $$SELECT orchestrator.request_collaboration('requirements', 'a', 'b', 'how does it work?')$$, NULL),
    ('answer_collaboration', $$SELECT orchestrator.answer_collaboration('00000000-0000-7000-8000-000000000002', 'b', 'so', 0.9)$$, NULL),
    ('publish_prompt', $$SELECT orchestrator.publish_prompt('a', '2.0.0', 'p')$$, NULL),
    ('publish_prompt', $$SELECT orchestrator.publish_prompt('a', '2.0.0', 'p', activate => true)$$, NULL),
    ('activate_prompt', $$SELECT orchestrator.activate_prompt('a', '1.0.1')$$, NULL),
    ('active_prompt', $$SELECT orchestrator.active_prompt('a')$$, NULL),
    ('next_prompt_version', $$SELECT orchestrator.next_prompt_version('a')$$, NULL),
    ('record_token_usage', $$SELECT orchestrator.record_token_usage('m', 1, 1)$$, NULL),
    ('stage_knowledge', $$SELECT orchestrator.stage_knowledge('collaboration', 'k')$$, NULL),
    ('claim_knowledge', $$SELECT orchestrator.claim_knowledge()$$, NULL),
    ('mark_knowledge_embedded', $$SELECT orchestrator.mark_knowledge_embedded(ARRAY(SELECT id FROM orchestrator.knowledge_staging))$$, NULL),
    ('purge_knowledge', $$SELECT orchestrator.purge_knowledge()$$, NULL),
    ('set_price', $$SELECT orchestrator.set_price('m', 2, 2)$$, NULL),
    ('set_price', $$SELECT orchestrator.set_price('another', 2, 2)$$, NULL),
    ('llm_cost', $$SELECT orchestrator.llm_cost('m', 1, 1)$$, NULL),
    ('load_default_prices', $$SELECT orchestrator.load_default_prices()$$, NULL),
    ('route_task', $$SELECT orchestrator.route_task('routing', 'd', 'a', 'b')$$, NULL),
    ('route_task', $$SELECT orchestrator.route_task('routing', 'd', 'a', 'b', idempotency_key => '00000000-0000-7000-8000-000000000003')$$, NULL),
    ('move_session', $$SELECT orchestrator.move_session((SELECT id FROM orchestrator.sessions WHERE client_id = 'c'), 'complete')$$, NULL),
    ('request_approval', $$SELECT orchestrator.request_approval((SELECT id FROM orchestrator.tasks WHERE trace_id IS NOT NULL LIMIT 1), 'lead')$$, NULL),
    ('resolve_approval', $$SELECT orchestrator.resolve_approval((SELECT id FROM orchestrator.approvals LIMIT 1), 'approved', 'lead')$$, NULL),
    ('record_event', $$SELECT orchestrator.record_event('e', 'a', orchestrator.uuidv7())$$, NULL),
    ('expire_sessions', $$SELECT orchestrator.expire_sessions()$$, NULL),
    ('release_idempotency_keys', $$SELECT orchestrator.release_idempotency_keys('0 seconds')$$, NULL),
    ('purge_audit_events', $$SELECT orchestrator.purge_audit_events('30 days')$$, NULL),
    ('run_maintenance', $$SELECT orchestrator.run_maintenance()$$, NULL),
    ('start_run', $$SELECT orchestrator.start_run('new', orchestrator.uuidv7(), 's')$$, NULL),
    ('record_run_progress', $$SELECT orchestrator.record_run_progress('one', tokens => 1)$$, NULL),
    ('record_safety', $$SELECT orchestrator.record_safety('one', 0.5)$$, NULL),
    ('record_safety', $$SELECT orchestrator.record_safety('three', 0.4)$$, NULL),
    ('pause_run', $$SELECT orchestrator.pause_run('one', 'r')$$, NULL),
    ('resume_run', $$SELECT orchestrator.resume_run('two')$$, NULL),
    ('kill_run', $$SELECT orchestrator.kill_run('one', 'r')$$, NULL),
    ('request_review', $$SELECT orchestrator.request_review('one', 'safety', 'r')$$, NULL),
    ('resolve_review', $$SELECT orchestrator.resolve_review((SELECT id FROM orchestrator.human_review_queue LIMIT 1), 'approved', 'me')$$, NULL),
    ('resolve_review', $$SELECT orchestrator.resolve_review((SELECT id FROM orchestrator.human_review_queue LIMIT 1), 'rejected', 'me', 'no')$$, NULL),
    ('resolve_reviews', $$SELECT orchestrator.resolve_reviews(ARRAY(SELECT id FROM orchestrator.human_review_queue), 'approved', 'me')$$, NULL),
    ('resolve_reviews', $$SELECT orchestrator.resolve_reviews(ARRAY(SELECT id FROM orchestrator.human_review_queue), 'rejected', 'me', 'no')$$, NULL),
    ('capture_snapshot', $$SELECT orchestrator.capture_snapshot('new', '{orchestrator}')$$, 'schema_snapshots'),
    ('compare_snapshots', $$SELECT orchestrator.compare_snapshots('before', 'after')$$, NULL),
    ('v7_record_enum_duplicates', $$SELECT orchestrator.v7_record_enum_duplicates()$$, NULL),
    ('v7_load_plan', $$SELECT orchestrator.v7_load_plan()$$, NULL),
    ('v7_issue_task', $$SELECT orchestrator.v7_issue_task(1, 'n', 'p', ARRAY(SELECT id FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 1))$$, NULL),
    ('v7_sign', $$SELECT orchestrator.v7_sign(4, 'before', 'The Architect', 'me')$$, NULL),
    ('v7_missing_sign_offs', $$SELECT orchestrator.v7_missing_sign_offs(4, 'before')$$, NULL),
    ('v7_request_review', $$SELECT orchestrator.v7_request_review(1, '[]')$$, NULL),
    ('v7_approve_phase', $$SELECT FROM orchestrator.v7_request_review(1, '[]'); SELECT orchestrator.v7_approve_phase(1, 'me', 'fine')$$, NULL),
    ('v7_complete_phase', $$UPDATE orchestrator.v7_subworkflow_tasks SET status = 'cancelled' WHERE parent_phase = 1; SELECT FROM orchestrator.v7_request_review(1, '[]'); SELECT FROM orchestrator.v7_approve_phase(1, 'me', 'fine'); SELECT orchestrator.v7_complete_phase(1)$$, NULL),
    ('v7_roll_back_phase', $$SELECT orchestrator.v7_roll_back_phase(1, 'r')$$, NULL),
    ('v7_start_phase', $$SELECT FROM orchestrator.v7_roll_back_phase(1, 'r'); UPDATE orchestrator.v7_migration_workflow SET status = 'not_started' WHERE phase_number = 1; SELECT orchestrator.v7_start_phase(1)$$, NULL),
    ('v7_verify_data', $$SELECT orchestrator.v7_verify_data()$$, '%(v7_|migration_)%'),
    ('v7_verify_file_audit', $$SELECT orchestrator.v7_verify_file_audit()$$, 'file_audit%');

-- Functions without a call: they read only the catalog or their arguments, or need pg_cron, or only a script may call them.
SELECT p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = 'orchestrator' AND p.prorettype <> 'trigger'::regtype AND p.proname NOT IN (SELECT c.function FROM public.call AS c)
ORDER BY p.proname COLLATE "C";

-- Runs a statement and rolls it back. Returns its outcome without ids and times.
CREATE FUNCTION public.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE code text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RAISE SQLSTATE 'OK000';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN CASE WHEN code <> 'OK000' THEN regexp_replace(regexp_replace(concat_ws(' | ', code || ': ' || message, nullif(detail, ''), nullif(hint, '')),
        '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g'), '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.0-9]*[-+]\d\d', '<time>', 'g') END;
END $$;
-- Each call succeeds.
SELECT c.statement, o FROM public.call AS c, public.outcome(c.statement) AS o WHERE o IS NOT NULL;

-- A call can meet the rows of the tables that it locks, and of no others.
CREATE FUNCTION public.locks(statement text, tables text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE locks jsonb;
BEGIN
    EXECUTE statement;
    SELECT jsonb_object_agg(relation::regclass, modes) INTO locks
    FROM (SELECT l.relation, jsonb_agg(l.mode) AS modes FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
          WHERE l.pid = pg_backend_pid() AND c.relname SIMILAR TO coalesce(tables, '%') GROUP BY l.relation) AS l;
    RAISE SQLSTATE 'OK000';
EXCEPTION WHEN SQLSTATE 'OK000' THEN
    RETURN locks;
END $$;
CREATE TABLE public.locking_call AS SELECT c.function, c.statement, public.locks(c.statement, c.tables) FROM public.call AS c;

-- A user's trigger suppresses the inserts, updates and deletes of each table in turn.
CREATE FUNCTION public.hide() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE public.hidden (place int GENERATED ALWAYS AS IDENTITY, hidden text, function text, outcome text);
DO $$
DECLARE place record; event text;
BEGIN
    FOR place IN
        SELECT c.oid::regclass AS name FROM pg_class AS c JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        WHERE c.relkind = 'r' AND c.relnamespace = 'orchestrator'::regnamespace ORDER BY c.relname COLLATE "C"
    LOOP
        FOREACH event IN ARRAY '{INSERT,UPDATE,DELETE}'::text[] LOOP
            EXECUTE format('CREATE TRIGGER "!hide" BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION public.hide()', event, place.name);
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "!hide"', place.name);
            INSERT INTO public.hidden (hidden, function, outcome)
                SELECT event || ' ' || place.name, c.function, o FROM public.locking_call AS c, public.outcome(c.statement) AS o
                WHERE c.locks -> place.name::text ? 'RowExclusiveLock';
            EXECUTE format('DROP TRIGGER "!hide" ON %s', place.name);
        END LOOP;
    END LOOP;
END $$;
SELECT 'none of these: ', h.hidden, h.function, h.outcome FROM public.hidden AS h WHERE h.outcome ~ '^(22004|23505|XX000|P0002|22023)' ORDER BY h.place;
SELECT h.hidden, string_agg(DISTINCT h.function, ', '), E'\n    ' || h.outcome FROM public.hidden AS h WHERE h.outcome IS NOT NULL
GROUP BY h.hidden, h.outcome ORDER BY min(h.place), h.outcome COLLATE "C";

-- Each column without its NOT NULL, set to NULL. If a CHECK refuses that, the UPDATE fails.
CREATE TABLE public.emptied (place int GENERATED ALWAYS AS IDENTITY, emptied text, function text, outcome text);
DO $$
DECLARE place record;
BEGIN
    FOR place IN
        SELECT c.oid::regclass AS name, a.attname AS attribute
        FROM pg_class AS c JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull AND a.attidentity = ''
        WHERE c.relkind = 'r' AND c.relnamespace = 'orchestrator'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
        ORDER BY c.relname COLLATE "C", a.attnum
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', place.name, place.attribute);
            SET LOCAL session_replication_role = replica;
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', place.name);
            EXECUTE format('UPDATE %s SET %I = NULL', place.name, place.attribute);
            EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER', place.name);
            SET LOCAL session_replication_role = origin;
            INSERT INTO public.emptied (emptied, function, outcome)
                SELECT format('%s.%I', place.name, place.attribute), c.function, o FROM public.locking_call AS c, public.outcome(c.statement) AS o
                WHERE c.locks ? place.name::text;
            RAISE SQLSTATE 'OK000' USING MESSAGE = (SELECT coalesce(json_agg(e), '[]')::text FROM public.emptied AS e WHERE e.emptied = format('%s.%I', place.name, place.attribute));
        EXCEPTION WHEN SQLSTATE 'OK000' THEN
            INSERT INTO public.emptied (emptied, function, outcome)
                SELECT e.emptied, e.function, e.outcome FROM json_populate_recordset(NULL::public.emptied, SQLERRM::json) AS e;
        WHEN OTHERS THEN
            INSERT INTO public.emptied (emptied, function, outcome)
                VALUES (format('%s.%I', place.name, place.attribute), 'UPDATE', SQLSTATE || ': ' || SQLERRM);
        END;
    END LOOP;
END $$;
SELECT 'none of these: ', e.emptied, e.function, e.outcome FROM public.emptied AS e WHERE e.function <> 'UPDATE' AND e.outcome ~ '^(22004|XX000)' ORDER BY e.place;
SELECT e.emptied, string_agg(DISTINCT e.function, ', '), E'\n    ' || e.outcome FROM public.emptied AS e WHERE e.outcome IS NOT NULL
GROUP BY e.emptied, e.outcome ORDER BY min(e.place), e.outcome COLLATE "C";
DROP OWNED BY regress_hidden;
DROP ROLE regress_hidden;
