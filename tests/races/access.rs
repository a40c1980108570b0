//! Levels, decisions and maintenance with many connections at once.

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error};
use support::extension::{differences, newest, walked_to};
use support::roles::{self, name};

use crate::{CONNECTIONS, at_once};

fn text(client: &mut Client, sql: &str) -> Result<String, Error> {
    client.query_one(sql, &[])?.try_get(0)
}

/// Many sessions grant and revoke on the same objects at the same time. None fails, and the last one
/// leaves the level exact.
#[test]
fn levels_given_and_taken_at_once_are_exact() -> Result<()> {
    let database = walked_to("granting", newest()?)?;
    roles::of_every_level(&database)?;
    let grantees: Vec<String> = roles::LEVELS.iter().map(|level| name(&database, level)).collect();
    let outcomes = at_once(&database, |number, client| {
        for turn in 0..5 {
            let grantee = &grantees[(number + turn) % grantees.len()];
            let level = roles::LEVELS[(number * 3 + turn) % roles::LEVELS.len()];
            if number % 5 == 4 {
                client.batch_execute(&format!("SELECT orchestrator.revoke_access('{grantee}')"))?;
            } else {
                client.batch_execute(&format!(
                    "SELECT orchestrator.grant_access('{grantee}', '{level}')"
                ))?;
            }
        }
        Ok(())
    })?;
    for outcome in outcomes {
        outcome?;
    }
    let mut client = database.client()?;
    assert_eq!(differences(&mut client)?, [""; 0]);
    for (grantee, level) in grantees.iter().zip(roles::LEVELS) {
        roles::grant(&mut client, grantee, level)?;
    }
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

/// One of many sessions decides, for all three kinds of decisions and for every function that decides.
#[test]
fn each_pending_decision_is_made_once() -> Result<()> {
    let database = walked_to("deciding", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute("SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's')")?;
    for (kind, ask, direct) in [
        (
            "gate",
            "SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')::text",
            "resolve_gate",
        ),
        (
            "approval",
            "SELECT orchestrator.request_approval(task_id, 'boss')::text FROM orchestrator.route_task('routing', 'd', 'a', 'boss')",
            "resolve_approval",
        ),
        (
            "review",
            "SELECT orchestrator.request_review('t', 'safety', 'r')::text",
            "resolve_review",
        ),
    ] {
        let id = text(&mut client, ask)?;
        let outcomes = at_once(&database, |number, client| {
            client.batch_execute(&match number % 3 {
                0 => format!("SELECT orchestrator.{direct}('{id}', 'approved', 'boss')"),
                1 => format!("SELECT orchestrator.decide('{id}', 'approve', 'boss')"),
                _ => format!("SELECT orchestrator.decide('{id}', 'deny', 'boss', 'no')"),
            })
        })?;
        // The callers that made the decision of the first get the row.
        let made: Vec<usize> =
            (0..CONNECTIONS).filter(|number| outcomes[*number].is_ok()).collect();
        let approved = made.first().is_some_and(|number| number % 3 < 2);
        let same = |number: &usize| (number % 3 < 2) == approved;
        let expected: Vec<usize> = (0..CONNECTIONS).filter(same).collect();
        assert_eq!(made, expected, "one decision of the {kind}");
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(
                error.code(),
                Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE),
                "{kind}: {error}"
            );
        }
        let events = format!(
            "SELECT count(*)::text FROM orchestrator.audit_events WHERE metadata ->> '{kind}_id' = '{id}' AND event_type ~ '_(approved|denied|rejected)$'"
        );
        assert_eq!(text(&mut client, &events)?, "1", "{kind}: one event");
    }
    assert_eq!(
        text(&mut client, "SELECT count(*)::text FROM orchestrator.pending_decisions")?,
        "0"
    );
    Ok(())
}

/// Many sessions run the maintenance while others work. Each row is handled once, and no session fails.
#[test]
fn maintenance_does_each_thing_once() -> Result<()> {
    const ROWS: i64 = 500;
    let database = walked_to("maintaining", newest()?)?;
    database.client()?.batch_execute(&format!(
        "INSERT INTO orchestrator.sessions (client_id, last_heartbeat, updated_at) SELECT 'c' || n, now() - interval '8 days', now() - interval '8 days' FROM generate_series(1, {ROWS}) AS n; \
         INSERT INTO orchestrator.tasks (title, task_type, status, idempotency_key, created_at) SELECT 't', 't', 'completed', orchestrator.uuidv7(), now() - interval '2 days' FROM generate_series(1, {ROWS}) AS n; \
         INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, embedded, embedded_at) SELECT 'collaboration', 'c', true, now() - interval '2 years' FROM generate_series(1, {ROWS}) AS n; \
         INSERT INTO orchestrator.tasks (title, task_type) SELECT 'n', 'n' FROM generate_series(1, {ROWS}) AS n; \
         SELECT orchestrator.claim_tasks('w', batch => {ROWS}); \
         UPDATE orchestrator.task_attempts SET lease_expires_at = now() - interval '1 minute'; \
         SELECT orchestrator.set_decision_rule('gate', 'high_risk', '1 hour', 'reject'); \
         INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, created_at) SELECT orchestrator.uuidv7(), 'a', 'high_risk', 'r', now() - interval '2 hours' FROM generate_series(1, {ROWS}) AS n"
    ))?;
    let outcomes = at_once(&database, |number, client| {
        if number % 4 == 3 {
            client.batch_execute(
                "SELECT orchestrator.stage_knowledge('collaboration', 'new'), orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')",
            )?;
            return Ok([0; 6]);
        }
        let mut affected = [0; 6];
        for (place, row) in client
            .query("SELECT affected FROM orchestrator.run_maintenance() WHERE task <> 'seal_audit_events'", &[])?
            .iter()
            .enumerate()
        {
            affected[place] = row.try_get(0)?;
        }
        Ok(affected)
    })?;
    let mut sums = [0; 6];
    for outcome in outcomes {
        for (sum, affected) in sums.iter_mut().zip(outcome?) {
            *sum += affected;
        }
    }
    assert_eq!(sums, [ROWS; 6]);
    let mut client = database.client()?;
    let changed = "SELECT count(*)::text FROM orchestrator.verify_audit_seals()";
    assert_eq!(text(&mut client, changed)?, "0", "the trail is as it was sealed");
    Ok(())
}
