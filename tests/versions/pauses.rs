//! Pauses across 0.6.0 and 0.7.0: the older version records them only as events, and what happens there
//! counts after the update.

use anyhow::Result;
use postgres::Client;
use support::extension::{differences, go_to, walked_to};
use support::roles::{self, name};

use super::version;

const PROJECT: &str = "0198c5a0-0000-7000-8000-000000000001";

/// Events in the life of a run, in short.
fn step(thread: &str, step: &str) -> String {
    let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
    match verb {
        "pause" => format!("SELECT orchestrator.pause_run('{thread}', '{rest}')"),
        "resume" => format!("SELECT orchestrator.resume_run('{thread}')"),
        "kill" => format!("SELECT orchestrator.kill_run('{thread}', 'enough')"),
        "ask" => format!("SELECT orchestrator.request_review('{thread}', 'gate_override', 'may I?')"),
        "score" => format!("SELECT orchestrator.record_safety('{thread}', 0.1)"),
        "approve" => format!(
            "SELECT orchestrator.resolve_review(id, 'approved', 'ada') FROM orchestrator.human_review_queue \
             WHERE thread_id = '{thread}' AND status = 'pending'"
        ),
        "set" => format!("UPDATE orchestrator.orchestrator_runs SET gate_status = '{rest}' WHERE thread_id = '{thread}'"),
        "purge" => "ALTER TABLE orchestrator.audit_events DISABLE TRIGGER USER; DELETE FROM orchestrator.audit_events; ALTER TABLE orchestrator.audit_events ENABLE ALWAYS TRIGGER audit_events_append_only, ENABLE ALWAYS TRIGGER audit_events_append_only_rows".to_owned(),
        // An event that the owner imports, with other facts.
        "import" => format!(
            "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) SELECT 'run_paused', 'me', id, '{rest}' FROM orchestrator.orchestrator_runs WHERE thread_id = '{thread}'"
        ),
        _ => panic!("no step {step}"),
    }
}

fn live(client: &mut Client, thread: &str, steps: &str) -> Result<()> {
    for name in steps.split(", ").filter(|name| !name.is_empty()) {
        client.batch_execute(&step(thread, name))?;
    }
    Ok(())
}

fn start(client: &mut Client, thread: &str) -> Result<()> {
    Ok(client
        .batch_execute(&format!("SELECT orchestrator.start_run('{thread}', '{PROJECT}', 'S')"))?)
}

/// The gate of a run, and its pause.
fn state(client: &mut Client, thread: &str) -> Result<String> {
    const STATE: &str = "SELECT concat_ws(' ', gate_status, held_by, hold_reason) FROM orchestrator.orchestrator_runs WHERE thread_id = $1";
    Ok(client.query_one(STATE, &[&thread])?.try_get(0)?)
}

/// The steps of a run at 0.6.0, and its state at 0.7.0; `me` is the role that is logged in.
const AT_0_6_0: [(&str, &str); 16] = [
    ("pause stop", "hold me stop"),
    ("pause stop, pause go home", "hold me go home"),
    ("ask, approve, pause stop", "hold me stop"),
    ("score, pause stop, approve", "hold me stop"),
    ("pause stop, resume, pause again", "hold me again"),
    ("pause stop, resume", "go"),
    ("pause stop, ask, approve", "go"),
    ("pause stop, score, approve", "go"),
    ("pause stop, resume, score", "hold"),
    ("pause stop, ask, approve, score", "hold"),
    ("pause stop, set go", "go"),
    ("pause stop, kill", "kill"),
    ("score", "hold"),
    ("set hold", "hold"),
    ("set hold, import {}", "hold"),
    ("set hold, import {\"held_by\": \" \"}", "hold"),
];

#[test]
fn a_pause_made_before_0_7_0_is_one() -> Result<()> {
    let database = walked_to("older_pauses", version("0.6.0")?)?;
    let mut client = database.client()?;
    let role = name(&database, "worker");
    roles::make(&mut client, &role)?;
    roles::grant(&mut client, &role, "worker")?;
    for (place, (steps, _)) in AT_0_6_0.into_iter().enumerate() {
        let thread = format!("t{place}");
        start(&mut client, &thread)?;
        live(&mut client, &thread, steps)?;
    }
    start(&mut client, "by another")?;
    live(&mut database.client_as(&role)?, "by another", "pause mine")?;
    const TIMES: &str = "SELECT string_agg(thread_id || updated_at, ', ' ORDER BY thread_id) FROM orchestrator.orchestrator_runs";
    let times: String = client.query_one(TIMES, &[])?.try_get(0)?;
    go_to(&mut client, version("0.7.0")?)?;
    for (place, (steps, expected)) in AT_0_6_0.into_iter().enumerate() {
        let found = state(&mut client, &format!("t{place}"))?;
        assert_eq!(found, expected.replace(" me ", " postgres "), "{steps}");
    }
    assert_eq!(state(&mut client, "by another")?, format!("hold {role} mine"));
    assert_eq!(client.query_one(TIMES, &[])?.try_get::<_, String>(0)?, times);
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

/// The steps of a run at 0.7.0, by a reviewer, those at 0.6.0 after a downgrade, by `me`, and its state
/// after the update.
const DOWN_AND_UP: [(&str, &str, &str); 15] = [
    ("pause stop", "", "hold reviewer stop"),
    ("pause stop", "purge", "hold reviewer stop"),
    ("pause stop", "ask", "hold reviewer stop"),
    ("pause stop", "pause again", "hold reviewer stop"),
    ("pause stop, pause go home", "pause again", "hold reviewer go home"),
    ("pause stop", "import {}", "hold reviewer stop"),
    ("pause stop", "resume", "go"),
    ("pause stop", "resume, score", "hold"),
    ("pause stop", "score, approve", "go"),
    ("pause stop", "ask, approve, set hold", "hold"),
    ("pause stop", "resume, pause again", "hold me again"),
    ("pause stop", "ask, approve, pause again", "hold me again"),
    ("pause stop", "kill", "kill"),
    ("pause stop, resume", "pause again", "hold me again"),
    ("pause stop, resume", "", "go"),
];

#[test]
fn a_downgrade_and_an_update_leave_the_pause_that_the_events_say() -> Result<()> {
    let mut wrong = Vec::new();
    for (before, between, expected) in DOWN_AND_UP {
        let database = walked_to("pause_kept", version("0.7.0")?)?;
        let mut client = database.client()?;
        let reviewer = name(&database, "reviewer");
        roles::make(&mut client, &reviewer)?;
        roles::grant(&mut client, &reviewer, "reviewer")?;
        start(&mut client, "t")?;
        live(&mut database.client_as(&reviewer)?, "t", before)?;
        let paused = state(&mut client, "t")?;
        go_to(&mut client, version("0.6.0")?)?;
        live(&mut client, "t", between)?;
        go_to(&mut client, version("0.7.0")?)?;
        let found = state(&mut client, "t")?;
        let expected =
            expected.replace(" me ", " postgres ").replace(" reviewer ", &format!(" {reviewer} "));
        if found != expected {
            wrong
                .push(format!("{before} ({paused}); at 0.6.0: {between}: {found}, not {expected}"));
        }
        assert_eq!(differences(&mut client)?, [""; 0], "{before}; at 0.6.0: {between}");
    }
    assert_eq!(wrong, [""; 0]);
    Ok(())
}

/// A second pause by a role that may not lift the first one is an event, and changes nothing. The role in
/// force counts, which the older version does not record.
#[test]
fn the_pause_of_a_reviewer_outlasts_a_second_one_and_a_downgrade() -> Result<()> {
    let database = walked_to("pause_of_two", version("0.7.0")?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    let (worker, reviewer) = (name(&database, "worker"), name(&database, "reviewer"));
    start(&mut client, "t")?;
    client.batch_execute(&format!(
        "SET ROLE {reviewer}; {}; SET ROLE {worker}; {}; RESET ROLE",
        step("t", "pause stop"),
        step("t", "pause a trick")
    ))?;
    let paused = format!("hold {reviewer} stop");
    assert_eq!(state(&mut client, "t")?, paused);
    for _ in 0..2 {
        go_to(&mut client, version("0.6.0")?)?;
        go_to(&mut client, version("0.7.0")?)?;
        assert_eq!(state(&mut client, "t")?, paused);
    }
    Ok(())
}
