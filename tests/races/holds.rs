//! A run that is held, paused or killed, with many connections at once: nothing of it begins.

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error, IsolationLevel};
use support::Database;
use support::extension::{newest, walked_to};

use crate::at_once;
use crate::meeting::{LEVELS, all, meet, text};

const PROJECT: &str = "0198c5a0-0000-7000-8000-000000000001";
const TASK: &str = "0198c5a0-0000-7000-8000-0000000000a1";

/// A database with a run in thread t and a task of it.
fn with_task(name: &str) -> Result<(Database, Client)> {
    let database = walked_to(name, newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(&format!(
        "SELECT orchestrator.start_run('t', '{PROJECT}', 'S'); \
         INSERT INTO orchestrator.tasks (id, title, task_type, thread_id) VALUES ('{TASK}', 'code', 'build', 't')"
    ))?;
    Ok((database, client))
}

fn gate(reason: &str) -> String {
    format!(
        "SELECT orchestrator.open_gate('{PROJECT}', 'dev', 'manual', '{reason}', thread_id => 't')::text"
    )
}

fn start_tool() -> String {
    format!("SELECT orchestrator.start_tool_execution('{TASK}', 'bash')::text")
}

/// A pause outlasts every answer that it meets, in any order.
#[test]
fn a_pause_that_meets_an_answer_holds() -> Result<()> {
    let (database, mut client) = with_task("paused")?;
    for level in LEVELS {
        for round in 0..24 {
            let (ask, decide) = match round % 4 {
                0 => (
                    gate("may I?"),
                    "SELECT status FROM orchestrator.decide('?', 'approve', 'ada')",
                ),
                1 => (
                    gate("may I?"),
                    "SELECT (orchestrator.resolve_gate('?', 'denied', 'ada', 'no')).status",
                ),
                2 => (
                    format!("SELECT orchestrator.request_approval('{TASK}', 'boss')::text"),
                    "SELECT (orchestrator.resolve_approval('?', 'rejected', 'boss')).status",
                ),
                _ => (
                    "SELECT orchestrator.request_review('t', 'safety', 'look')::text".to_owned(),
                    "SELECT outcome FROM orchestrator.resolve_reviews('{?}', 'approved', 'ada')",
                ),
            };
            let id = text(&mut client, &ask)?;
            let pause = format!("SELECT (orchestrator.pause_run('t', 'stop {round}')).gate_status");
            all(meet(&database, level, &[pause, decide.replace('?', &id)])?)?;
            let state = "SELECT concat_ws(' ', gate_status, requires_human_review, held_by = session_user, hold_reason) FROM orchestrator.orchestrator_runs";
            assert_eq!(text(&mut client, state)?, format!("hold f t stop {round}"), "{level}");
            client.batch_execute("SELECT orchestrator.resume_run('t')")?;
        }
    }
    Ok(())
}

/// A pause does not wait for a transaction that starts a tool.
#[test]
fn a_pause_never_waits_for_a_tool() -> Result<()> {
    for level in LEVELS {
        let (database, mut client) = with_task("no_wait")?;
        let mut other = database.client()?;
        client.batch_execute(&format!("BEGIN ISOLATION LEVEL {level}; {}", start_tool()))?;
        other
            .batch_execute("SET lock_timeout = '1s'; SELECT orchestrator.pause_run('t', 'stop')")?;
        client.batch_execute("COMMIT")?;
        let refused = client.batch_execute(&start_tool()).expect_err("the run is paused");
        assert_eq!(refused.code(), Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE));
    }
    Ok(())
}

/// No tool starts in a transaction whose snapshot is older than the end of the run's freedom.
#[test]
fn an_old_snapshot_starts_no_tool_of_a_held_run() -> Result<()> {
    let two = format!("{}; {};", gate("one"), gate("two"));
    let deny = "SELECT orchestrator.resolve_gate(id, 'denied', 'ada', 'no') FROM orchestrator.gates WHERE reason = 'one'";
    let holds = [
        "SELECT orchestrator.pause_run('t', 'stop')".to_owned(),
        gate("may I?"),
        "SELECT orchestrator.record_safety('t', 0.1)".to_owned(),
        "SELECT orchestrator.kill_run('t', 'enough')".to_owned(),
        format!("{two} {deny}"),
        "UPDATE orchestrator.orchestrator_runs SET gate_status = 'hold'".to_owned(),
        "UPDATE orchestrator.orchestrator_runs SET thread_id = 'renamed'; SELECT orchestrator.pause_run('renamed', 'stop')"
            .to_owned(),
    ];
    for level in [IsolationLevel::RepeatableRead, IsolationLevel::Serializable] {
        for hold in &holds {
            let (database, mut client) = with_task("old_tool")?;
            let mut other = database.client()?;
            let mut transaction = client.build_transaction().isolation_level(level).start()?;
            transaction.batch_execute("SELECT FROM orchestrator.configurations")?;
            other.batch_execute(hold)?;
            let started = transaction.batch_execute(&start_tool());
            let ended = match started {
                Ok(()) => transaction.commit(),
                Err(error) => Err(error),
            };
            let code = ended.as_ref().err().and_then(Error::code).map(SqlState::code);
            assert!(matches!(code, Some("40001" | "55000")), "{level:?} after {hold}: {ended:?}");
            let running = "SELECT count(*)::text FROM orchestrator.tool_executions";
            assert_eq!(text(&mut other, running)?, "0", "{level:?} after {hold}");
        }
    }
    Ok(())
}

/// Everything that asks, decides, pauses, works or renames, at once, on the same few runs. No call meets
/// a deadlock, and afterwards every run waits exactly for its open questions.
#[test]
fn calls_about_runs_cause_no_deadlock_and_leave_exact_states() -> Result<()> {
    const WRONG: &str = "SELECT coalesce(string_agg(s::text, ', '), '') \
         FROM (SELECT s.*, r.requires_human_review FROM orchestrator.run_summary AS s JOIN orchestrator.orchestrator_runs AS r USING (thread_id)) AS s \
         WHERE s.phase <> 'failed' AND (s.requires_human_review <> (s.pending_reviews + s.pending_gates + s.pending_approvals > 0) \
            OR (s.pending_gates > 0 AND s.gate_status NOT IN ('hold', 'recycle')) \
            OR (s.held_by IS NOT NULL AND s.gate_status <> 'hold'))";
    for level in LEVELS {
        let database = walked_to("any", newest()?)?;
        let mut client = database.client()?;
        client.batch_execute(&format!(
            "SELECT orchestrator.start_run('t' || n, '{PROJECT}', 'S') FROM generate_series(1, 3) AS n; \
             INSERT INTO orchestrator.tasks (title, task_type, thread_id) SELECT 'code', 'build', thread_id FROM orchestrator.orchestrator_runs"
        ))?;
        let outcomes = at_once(&database, |caller, client| {
            client.batch_execute(&format!("SET default_transaction_isolation = '{level}'"))?;
            for call in 0..60 {
                let run = format!(
                    "(SELECT thread_id FROM orchestrator.orchestrator_runs ORDER BY id OFFSET {} LIMIT 1)",
                    (caller + call) % 3
                );
                let task = format!("(SELECT id FROM orchestrator.tasks WHERE thread_id = {run})");
                let key = format!("key {}", (caller / 8 + call) % 40);
                let open = |kind: &str| {
                    format!(
                        "(SELECT id FROM orchestrator.pending_decisions WHERE kind IN ({kind}) ORDER BY hashtext(id::text || '{caller} {call}') LIMIT 1)"
                    )
                };
                let outcome = client.batch_execute(&match (caller + call / 20) % 8 {
                    0 => format!(
                        "UPDATE orchestrator.orchestrator_runs SET thread_id = left(thread_id, 2) || ' {caller} {call}' WHERE thread_id = {run}"
                    ),
                    1 => format!(
                        "SELECT orchestrator.open_gate('{PROJECT}', 'dev', 'manual', '{key}', request_key => '{level} {caller} {key}', thread_id => {run})"
                    ),
                    2 => format!("SELECT orchestrator.request_approval({task}, 'boss')"),
                    3 => format!("SELECT orchestrator.record_safety({run}, 0.{:02})", 10 + call),
                    4 if call % 3 == 0 => format!("SELECT orchestrator.pause_run({run}, 'x')"),
                    4 => format!("SELECT orchestrator.resume_run({run})"),
                    5 if call % 2 == 0 => format!("SELECT orchestrator.start_tool_execution({task}, 'bash')"),
                    5 => format!("SELECT orchestrator.record_token_usage('m', 1, 1, thread_id => {run}, call_id => '{key}')"),
                    6 => format!("SELECT orchestrator.decide({}, 'deny', 'boss', 'no')", open("'gate', 'approval'")),
                    _ => format!("SELECT orchestrator.decide({}, 'approve', 'boss')", open("'gate', 'approval', 'review'")),
                });
                let Err(error) = outcome else { continue };
                match error.code().map(SqlState::code) {
                    // Decided already, held, or the run has another name by now.
                    Some("55000" | "P0002" | "22004") => {}
                    // The first call with this id named another run.
                    Some("23505")
                        if (caller + call / 20) % 8 == 5 || (caller + call / 20) % 8 == 1 => {}
                    Some("40001") if level != LEVELS[0] => {}
                    _ => return Err(error),
                }
            }
            Ok(())
        })?;
        all(outcomes)?;
        assert_eq!(text(&mut client, WRONG)?, "", "{level}");
        let rest = "SELECT count(*)::text FROM orchestrator.pending_decisions AS p, LATERAL orchestrator.decide(p.id, 'approve', 'boss')";
        text(&mut client, rest)?;
        assert_eq!(text(&mut client, WRONG)?, "", "{level}, after every answer");
    }
    Ok(())
}
