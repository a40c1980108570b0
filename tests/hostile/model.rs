//! The state machines against a second, independent model: every step of every machine, and long
//! walks of a task with its times.

use anyhow::Result;
use postgres::Client;
use postgres::error::SqlState;
use support::extension::{newest, walked_to};
use support::random::Random;

/// Machine, table, column, and the steps; a state without an arrow is an end.
const MACHINES: [(&str, &str, &str, &str); 9] = [
    (
        "task",
        "tasks",
        "status",
        "pending > running cancelled failed; running > completed failed cancelled; failed > pending; completed; cancelled",
    ),
    (
        "workflow",
        "workflows",
        "status",
        "draft > active archived; active > paused archived; paused > active archived; archived",
    ),
    (
        "tool_execution",
        "tool_executions",
        "status",
        "pending > running failed timeout; running > completed failed timeout; completed; failed; timeout",
    ),
    (
        "session",
        "sessions",
        "status",
        "pending > active expired; active > completed failed expired; completed; failed; expired",
    ),
    ("gate", "gates", "status", "pending > approved denied withdrawn; approved; denied; withdrawn"),
    (
        "approval",
        "approvals",
        "status",
        "pending > approved rejected changes_requested withdrawn; approved; rejected; changes_requested; withdrawn",
    ),
    (
        "review",
        "human_review_queue",
        "status",
        "pending > approved rejected changes_requested withdrawn; approved; rejected; changes_requested; withdrawn",
    ),
    (
        "run_phase",
        "orchestrator_runs",
        "phase",
        "planning > development failed; development > testing failed; testing > development complete failed; complete; failed",
    ),
    (
        "run_gate",
        "orchestrator_runs",
        "gate_status",
        "pending > go hold kill recycle; go > hold kill recycle; hold > go kill recycle; recycle > pending go hold kill; kill",
    ),
];

/// A row for each machine, in a given state, inserted without triggers.
const ROWS: &str = "INSERT INTO orchestrator.tasks (title, task_type) VALUES ('t', 't'); \
    INSERT INTO orchestrator.workflows (name, definition) VALUES ('w', '{}'); \
    INSERT INTO orchestrator.tool_executions (task_id, tool_name) SELECT id, 'x' FROM orchestrator.tasks; \
    INSERT INTO orchestrator.sessions (client_id) VALUES ('c'); \
    INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, feedback) VALUES (orchestrator.uuidv7(), 'a', 'manual', 'r', 'f'); \
    INSERT INTO orchestrator.approvals (task_id, approver_role, status, decision_at) SELECT id, 'boss', 'approved', now() FROM orchestrator.tasks; \
    INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id) VALUES ('t', orchestrator.uuidv7(), 's'); \
    INSERT INTO orchestrator.human_review_queue (thread_id, review_type, reason, resolution_notes) VALUES ('t', 'safety', 'r', 'n')";

/// The values that a resolved row needs besides its state.
fn resolution(table: &str, state: &str) -> &'static str {
    match (table, state) {
        ("gates" | "human_review_queue", "pending") => ", resolved_by = NULL, resolved_at = NULL",
        ("gates" | "human_review_queue", _) => ", resolved_by = 'ada', resolved_at = now()",
        ("approvals", "pending") => ", decision_at = NULL",
        ("approvals", _) => ", decision_at = now()",
        _ => "",
    }
}

fn steps(model: &str) -> Vec<(&str, Vec<&str>)> {
    model
        .split("; ")
        .map(|line| {
            let (from, to) = line.split_once(" > ").unwrap_or((line, ""));
            (from, to.split_whitespace().collect())
        })
        .collect()
}

#[test]
fn every_step_of_every_machine_is_as_the_model_says() -> Result<()> {
    let database = walked_to("model", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(ROWS)?;
    for (machine, table, column, model) in MACHINES {
        let steps = steps(model);
        let mut expected: Vec<(String, String)> = steps
            .iter()
            .flat_map(|(from, to)| to.iter().map(|to| ((*from).to_owned(), (*to).to_owned())))
            .collect();
        let listed = client.query(
            "SELECT from_status, to_status FROM orchestrator.allowed_transitions($1)",
            &[&machine],
        )?;
        let mut listed: Vec<(String, String)> = listed
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_>>()?;
        expected.sort();
        listed.sort();
        assert_eq!(listed, expected, "allowed_transitions('{machine}')");
        for (from, allowed) in &steps {
            for (to, _) in &steps {
                let mut transaction = client.transaction()?;
                transaction.batch_execute(&format!(
                    "SET LOCAL session_replication_role = replica; UPDATE orchestrator.{table} SET {column} = '{from}'{}; SET LOCAL session_replication_role = origin",
                    resolution(table, from)
                ))?;
                let step = format!(
                    "UPDATE orchestrator.{table} SET {column} = '{to}'{}",
                    resolution(table, to)
                );
                let outcome = transaction.batch_execute(&step);
                let refused = outcome.as_ref().err().and_then(|error| error.code()).cloned();
                let passes = from == to || allowed.contains(to);
                let expected = (!passes).then_some(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
                assert_eq!(refused, expected, "{machine}: {from} to {to}: {outcome:?}");
                transaction.rollback()?;
            }
        }
    }
    Ok(())
}

/// A task in the model.
#[derive(Debug, PartialEq)]
struct Task {
    status: String,
    started: bool,
    completed: bool,
    error: bool,
}

fn task(client: &mut Client) -> Result<Task> {
    let row = client.query_one("SELECT status, started_at IS NOT NULL, completed_at IS NOT NULL, error IS NOT NULL FROM orchestrator.tasks", &[])?;
    Ok(Task {
        status: row.try_get(0)?,
        started: row.try_get(1)?,
        completed: row.try_get(2)?,
        error: row.try_get(3)?,
    })
}

/// After each of 2,000 random steps, most of them forbidden, the row agrees with the model.
#[test]
fn a_long_walk_never_leaves_the_model() -> Result<()> {
    let database = walked_to("walk", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute("INSERT INTO orchestrator.tasks (title, task_type) VALUES ('t', 't')")?;
    let steps = steps(MACHINES[0].3);
    let mut random = Random::new(7);
    let mut model =
        Task { status: "pending".to_owned(), started: false, completed: false, error: false };
    for _ in 0..2000 {
        let (to, _) = random.one_of(&steps);
        let with_error = random.below(4) == 0;
        let sql = format!(
            "UPDATE orchestrator.tasks SET status = '{to}'{}",
            if with_error { ", error = 'x'" } else { "" }
        );
        let outcome = client.batch_execute(&sql);
        let (_, allowed) = steps.iter().find(|(state, _)| *state == model.status).expect("a state");
        let same = model.status == *to;
        assert_eq!(outcome.is_ok(), same || allowed.contains(to), "{model:?} to {to}: {outcome:?}");
        if outcome.is_ok() {
            model.error |= with_error;
            if !same && *to == "pending" {
                (model.started, model.completed, model.error) = (false, false, false);
            }
            model.started |= *to == "running";
            model.completed |= !same && ["completed", "failed", "cancelled"].contains(to);
            model.status = (*to).to_owned();
        }
        assert_eq!(task(&mut client)?, model, "after {sql}");
        if allowed.is_empty() {
            client.batch_execute("TRUNCATE orchestrator.tasks CASCADE; INSERT INTO orchestrator.tasks (title, task_type) VALUES ('t', 't')")?;
            model = Task {
                status: "pending".to_owned(),
                started: false,
                completed: false,
                error: false,
            };
        }
    }
    Ok(())
}
