\set SHOW_CONTEXT never
\set QUIET on
SET client_min_messages = notice;
SET datestyle = 'ISO';
SET timezone = 'UTC';
\pset format unaligned
\pset tuples_only on
\pset null '·'
-- Rows of version 0.3.0: routed tasks, approvals, sessions of roles and of clients, a trail.
CREATE EXTENSION orchestrator_schema VERSION '0.0.0';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
INSERT INTO orchestrator.sessions (client_id, is_active, updated_at) VALUES ('attached before', true, '2026-01-02 03:04:05'), ('gone before', false, '2026-01-02 03:04:05');
INSERT INTO orchestrator.tasks (title, task_type, updated_at) VALUES ('plain', 'tool', '2026-01-02 03:04:05');
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
-- Sessions from before: active if a client was attached, else expired; nothing else changed.
SELECT client_id, status, role, task_id, updated_at FROM orchestrator.sessions ORDER BY client_id;
SELECT title, updated_at, from_role, to_role, data, trace_id, idempotency_key FROM orchestrator.tasks;
SELECT count(created) FROM (VALUES ('left alone'), ('named below'), ('started below'), ('emptied below'), ('retyped below'), ('deleted below')) AS v (what),
    LATERAL orchestrator.route_task('routing', v.what, 'finance', 'manager', '{"amount": 12.50}', idempotency_key => orchestrator.uuidv7());
INSERT INTO orchestrator.sessions (client_id, role, task_id, status, is_active)
SELECT v.client_id, v.role, (SELECT t.id FROM orchestrator.tasks AS t WHERE t.description = v.task), v.status, v.is_active
FROM (VALUES (NULL, 'finance', 'left alone', 'pending', true), (NULL, 'manager', 'deleted below', 'active', true), ('browser', 'legal', NULL, 'failed', false),
             (NULL, 'deleted', NULL, 'completed', true), (NULL, 'connected', NULL, 'active', true), (NULL, 'silent', NULL, 'active', true)) AS v (client_id, role, task, status, is_active);
SELECT role, status FROM orchestrator.move_session((SELECT id FROM orchestrator.sessions WHERE role = 'silent'), 'activate');
SELECT count(orchestrator.request_approval(t.id, 'manager')) FROM orchestrator.tasks AS t WHERE t.description IN ('left alone', 'deleted below');
CREATE TABLE public.tasks_before AS SELECT * FROM orchestrator.tasks;
CREATE TABLE public.sessions_before AS SELECT * FROM orchestrator.sessions;
CREATE TABLE public.approvals_before AS SELECT * FROM orchestrator.approvals;
CREATE TABLE public.events_before AS SELECT * FROM orchestrator.audit_events;
-- A user's object that needs the columns stops the downgrade before any change.
CREATE VIEW public.routed AS SELECT to_role FROM orchestrator.tasks WHERE from_role IS NOT NULL;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
DROP VIEW public.routed;
SET orchestrator_schema.downgrade = 'refuse';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
RESET orchestrator_schema.downgrade;
SELECT extversion FROM pg_extension WHERE extname = 'orchestrator_schema';
-- Down. Values that the older version requires are filled in, and no row counts as changed by that.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
SELECT title, description FROM orchestrator.tasks ORDER BY id;
SELECT client_id, is_active FROM orchestrator.sessions ORDER BY id;
SELECT count(*) FROM orchestrator.tasks AS t JOIN public.tasks_before AS b USING (id) WHERE t.updated_at <> b.updated_at;
SELECT * FROM orchestrator.verify();
-- Clients work at the older version.
INSERT INTO orchestrator.tasks (title, task_type) VALUES ('new below', 'tool');
UPDATE orchestrator.tasks SET title = 'a name of its own' WHERE description = 'named below';
UPDATE orchestrator.tasks SET status = 'running' WHERE description = 'started below';
UPDATE orchestrator.tasks SET description = NULL WHERE description = 'emptied below';
UPDATE orchestrator.tasks SET task_type = 'tool' WHERE description = 'retyped below';
DELETE FROM orchestrator.tasks WHERE description = 'deleted below';
INSERT INTO orchestrator.sessions (client_id, is_active) VALUES ('new, attached', true), ('new, gone', false);
DELETE FROM orchestrator.sessions WHERE client_id = 'role deleted';
UPDATE orchestrator.sessions SET client_id = 'a real client' WHERE client_id = 'role connected';
UPDATE orchestrator.sessions SET is_active = false WHERE client_id = 'role silent';
-- Up. Values that could not be restored are reported.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT object, from_version, rows FROM orchestrator.archived() ORDER BY object, rows;
-- Identical, changed (with the difference), missing and new rows.
CREATE FUNCTION pg_temp.compared(b jsonb, n jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN b IS NULL THEN 'new' WHEN n IS NULL THEN 'gone'
                ELSE coalesce('changed: ' || (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(b) AS k WHERE b -> k IS DISTINCT FROM n -> k), 'identical') END
$$;
SELECT coalesce(b.description, n.description, n.title), pg_temp.compared(to_jsonb(b), to_jsonb(n)), n.title, n.status, n.from_role
FROM public.tasks_before AS b FULL JOIN orchestrator.tasks AS n USING (id) ORDER BY id;
SELECT coalesce(b.role, b.client_id, n.client_id), pg_temp.compared(to_jsonb(b), to_jsonb(n)), n.client_id, n.status, n.task_id IS NOT NULL
FROM public.sessions_before AS b FULL JOIN orchestrator.sessions AS n USING (id) ORDER BY id;
SELECT pg_temp.compared(to_jsonb(b), to_jsonb(n)), count(*) FROM public.approvals_before AS b FULL JOIN orchestrator.approvals AS n USING (id) GROUP BY 1 ORDER BY 1;
SELECT pg_temp.compared(to_jsonb(b), to_jsonb(n)), count(*) FROM public.events_before AS b FULL JOIN orchestrator.audit_events AS n USING (id) GROUP BY 1 ORDER BY 1;
SELECT * FROM orchestrator.verify();
-- Rows that stayed in the archive can be read there, join the next archive, and are restored when nothing prevents it.
SELECT from_role, to_role, data, idempotency_key IS NOT NULL FROM orchestrator_archive.tasks_columns ORDER BY id;
CREATE TABLE public.tasks_now AS SELECT * FROM orchestrator.tasks;
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5';
ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0';
SELECT object, from_version, rows FROM orchestrator.archived() ORDER BY object, rows;
SELECT pg_temp.compared(to_jsonb(b), to_jsonb(n)), count(*) FROM public.tasks_now AS b FULL JOIN orchestrator.tasks AS n USING (id) GROUP BY 1;
UPDATE orchestrator.tasks SET task_type = 'routing' WHERE description = 'retyped below';
SELECT * FROM orchestrator.restore_archived() ORDER BY object, restored;
SELECT title, task_type, from_role, to_role, data, idempotency_key IS NOT NULL FROM orchestrator.tasks WHERE description = 'retyped below';
-- This connection, which has used all functions before, continues to work.
SELECT role, status FROM orchestrator.move_session((SELECT id FROM orchestrator.sessions WHERE role = 'finance'), 'activate');
SELECT status FROM orchestrator.pending_approvals AS p, LATERAL orchestrator.resolve_approval(p.id, 'approved', p.approver_role);
SELECT event_type, count(*) FROM orchestrator.audit_events GROUP BY 1 ORDER BY 1;
SELECT * FROM orchestrator.verify();
