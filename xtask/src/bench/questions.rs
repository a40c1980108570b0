//! Open questions, a third each of reviews, gates and approvals.

use anyhow::Result;
use postgres::Client;

use crate::address::execute;

/// Asks about that many questions, one second after the other.
pub fn ask(client: &mut Client, count: u64) -> Result<()> {
    let asked_at = "'2026-01-01 00:00:00+00'::timestamptz + i * interval '1 second'";
    let each = count / 3;
    execute(
        client,
        &format!(
            "INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id) \
             SELECT 'thread ' || i, gen_random_uuid(), 'story ' || i FROM generate_series(0, 999) AS i; \
             INSERT INTO orchestrator.human_review_queue (thread_id, review_type, reason, created_at) \
             SELECT 'thread ' || i % 1000, 'budget_exceeded', 'because of ' || i, {asked_at} FROM generate_series(1, {each}) AS i; \
             INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, created_at) \
             SELECT gen_random_uuid(), 'agent ' || i % 50, 'manual', 'because of ' || i, {asked_at} FROM generate_series(1, {each}) AS i; \
             INSERT INTO orchestrator.tasks (title, task_type) SELECT 'task ' || i, 'approval' FROM generate_series(0, 999) AS i; \
             INSERT INTO orchestrator.approvals (task_id, approver_role, created_at) \
             SELECT t.ids[i % 1000 + 1], 'lead', {asked_at} \
             FROM (SELECT array_agg(id) AS ids FROM orchestrator.tasks) AS t, generate_series(1, {each}) AS i"
        ),
    )
}
