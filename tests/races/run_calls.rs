//! Calls about runs and their questions.

use anyhow::Result;
use postgres::Client;

use crate::meeting::text;

pub const PROJECT: &str = "0198c5a0-0000-7000-8000-000000000001";

/// Starts a run and a task of it with the same name.
pub fn start(client: &mut Client, thread: &str) -> Result<()> {
    Ok(client.batch_execute(&format!(
        "SELECT orchestrator.ensure_run('{thread}', '{PROJECT}', 'S'); \
         INSERT INTO orchestrator.tasks (title, task_type, thread_id) VALUES ('{thread}', 'build', '{thread}')"
    ))?)
}

/// The call that asks a question of a kind about the run of a thread.
pub fn ask(kind: &str, thread: &str, asks: &str) -> String {
    match kind {
        "gate" => format!(
            "SELECT orchestrator.open_gate('{PROJECT}', 'dev', 'manual', '{asks}', thread_id => '{thread}')::text"
        ),
        "review" => format!(
            "SELECT orchestrator.request_review('{thread}', 'gate_override', '{asks}')::text"
        ),
        _ => format!(
            "SELECT orchestrator.request_approval(id, 'boss', '{asks}')::text FROM orchestrator.tasks WHERE title = '{thread}'"
        ),
    }
}

/// The call that decides a question, by `decide` or by the function of its kind.
pub fn decide(kind: &str, id: &str, approves: bool, directly: bool) -> String {
    if !directly {
        let word = if approves { "approve" } else { "deny" };
        return format!("SELECT status FROM orchestrator.decide('{id}', '{word}', 'boss', 'so')");
    }
    let no = if kind == "gate" { "denied" } else { "rejected" };
    let decision = if approves { "approved" } else { no };
    match kind {
        "review" if approves => format!(
            "SELECT outcome FROM orchestrator.resolve_reviews('{{{id}}}', '{decision}', 'boss', 'so')"
        ),
        _ => format!(
            "SELECT (orchestrator.resolve_{kind}('{id}', '{decision}', 'boss', 'so')).status"
        ),
    }
}

/// Whether the run is held, and whether it waits for a human.
pub fn state(client: &mut Client, thread: &str) -> Result<String> {
    text(
        client,
        &format!(
            "SELECT gate_status || ' ' || requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = '{thread}'"
        ),
    )
}
