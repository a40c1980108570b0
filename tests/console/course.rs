//! The course of a run in the past: an evening and a morning of work, with a question that waited over the night.

use anyhow::Result;

use super::scene::{PROJECT, Scene};

/// Starts the run. Times are counted in seconds from the start, 26 hours ago.
const COURSE: &str = "\
    SET session_replication_role = replica; \
    CREATE FUNCTION pg_temp.past(seconds bigint) RETURNS timestamptz LANGUAGE sql AS $$ SELECT date_trunc('hour', now()) - interval '26 hours' + seconds * interval '1 second' $$; \
    CREATE FUNCTION pg_temp.work(n bigint) RETURNS timestamptz LANGUAGE sql AS $$ SELECT pg_temp.past(12 * n + CASE WHEN n > 30 THEN 80000 ELSE 0 END) $$; \
    INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id, started_at, phase) VALUES ('{thread}', '{project}', '{thread}', pg_temp.past(0), 'testing'); \
    CREATE TEMPORARY TABLE run AS SELECT id, thread_id FROM orchestrator.orchestrator_runs WHERE thread_id = '{thread}'; \
    INSERT INTO orchestrator.audit_events (event_type, role, \"timestamp\", trace_id, metadata) \
    SELECT 'run_started', 'system', pg_temp.past(0), r.id, jsonb_build_object('thread_id', r.thread_id) FROM run AS r; \
    INSERT INTO orchestrator.audit_events (event_type, role, \"timestamp\", trace_id, metadata) \
    SELECT 'run_progressed', 'dev', pg_temp.work(n), r.id, jsonb_strip_nulls(jsonb_build_object('thread_id', r.thread_id, 'tokens', 2400, 'phase', CASE n WHEN 4 THEN 'development' WHEN 36 THEN 'testing' END)) FROM run AS r, generate_series(1, 45) AS n; \
    INSERT INTO orchestrator.audit_events (event_type, role, \"timestamp\", trace_id, metadata) \
    SELECT e.name, 'system', pg_temp.work(e.n), r.id, jsonb_build_object('thread_id', r.thread_id) FROM run AS r, (VALUES ('run_paused', 33), ('run_resumed', 35)) AS e(name, n); \
    WITH task AS (INSERT INTO orchestrator.tasks (title, task_type, thread_id) SELECT 'Invoices', 'tool', r.thread_id FROM run AS r RETURNING id) \
    INSERT INTO orchestrator.tool_executions (task_id, tool_name, status, created_at, completed_at, duration_ms, error) \
    SELECT t.id, c.tool, CASE WHEN c.failed THEN 'failed' ELSE 'completed' END, c.at, c.at + c.duration * interval '1 ms', c.duration, CASE WHEN c.failed THEN 'exit status 101' END \
    FROM task AS t, (SELECT (ARRAY['read_file', 'cargo test', 'edit_file'])[1 + n % 3] AS tool, n % 9 = 4 AS failed, pg_temp.work(n) AS at, CASE n % 3 WHEN 1 THEN 11000 ELSE 900 END AS duration FROM generate_series(1, 45) AS n) AS c; \
    INSERT INTO orchestrator.llm_token_usage (\"timestamp\", thread_id, agent_id, model, input_tokens, output_tokens) \
    SELECT pg_temp.work(n) + interval '2 seconds', r.thread_id, 'dev', (ARRAY['gpt-5', 'gpt-5-mini'])[1 + n % 2], 2000 + n * 7919 % 9000, 300 FROM run AS r, generate_series(1, 45) AS n; \
    INSERT INTO orchestrator.human_review_queue (thread_id, review_type, reason, status, created_at, resolved_at, resolved_by) \
    SELECT r.thread_id, 'gate_override', 'The tests are red. May it go on?', 'approved', pg_temp.past(200), pg_temp.past(80380), 'rosa' FROM run AS r; \
    DROP TABLE run; SET session_replication_role = origin";

/// Starts a run with such a past, which asks a question since the morning. Returns the id of the question.
pub fn ask(scene: &Scene, thread: &str, reason: &str) -> Result<String> {
    let course = COURSE.replace("{thread}", thread).replace("{project}", PROJECT);
    let mut client = scene.client()?;
    client.batch_execute(&course)?;
    let question = scene.ask(thread, reason)?;
    client.execute(
        "UPDATE orchestrator.human_review_queue SET created_at = pg_temp.work(42) WHERE id = $1::text::uuid",
        &[&question],
    )?;
    Ok(question)
}
