//! Routing, approvals, sessions and the audit trail with many connections at once.

use std::thread;

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error, GenericClient};
use support::deadline;
use support::extension::{newest, walked_to};

use crate::{at_once, many_at_once, until_one_waits};

const CALLERS: usize = 32;

const KEY: &str = "0198c5a0-0000-7000-8000-000000000001";

/// The first column of the first row, as text.
fn text(client: &mut Client, sql: &str) -> Result<String, Error> {
    client.query_one(sql, &[])?.try_get(0)
}

fn number(client: &mut Client, sql: &str) -> Result<i64, Error> {
    client.query_one(sql, &[])?.try_get(0)
}

/// Routes a task with the one key. Returns its id, and whether this call created it.
fn route(client: &mut impl GenericClient, description: &str) -> Result<(String, bool), Error> {
    let row = client.query_one(
        "SELECT task_id::text, created FROM orchestrator.route_task( \
             'routing', $1, 'finance', 'manager', '{\"amount\": 7}', idempotency_key => $2::text::uuid)",
        &[&description, &KEY],
    )?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn code(error: &Error) -> SqlState {
    error.code().cloned().expect("the server raised the error")
}

/// A session of a role in a state.
fn session(client: &mut Client, status: &str) -> Result<String, Error> {
    text(
        client,
        &format!(
            "INSERT INTO orchestrator.sessions (role, status) VALUES ('manager', '{status}') RETURNING id::text"
        ),
    )
}

#[test]
fn one_key_with_one_content_makes_one_task() -> Result<()> {
    let database = walked_to("route", newest()?)?;
    let outcomes = many_at_once(&database, CALLERS, |_, client| route(client, "pay"))?;
    let routed: Vec<(String, bool)> = outcomes.into_iter().collect::<Result<_, _>>()?;
    assert_eq!(routed.iter().filter(|(_, created)| *created).count(), 1, "one call created it");
    assert!(routed.iter().all(|(id, _)| *id == routed[0].0), "all calls returned it");
    let mut client = database.client()?;
    assert_eq!(number(&mut client, "SELECT count(*) FROM orchestrator.tasks")?, 1);
    let events = "SELECT count(*) FROM orchestrator.audit_events WHERE event_type = 'task_routed'";
    assert_eq!(number(&mut client, events)?, 1, "a replay is no event");
    Ok(())
}

#[test]
fn of_two_contents_with_one_key_exactly_one_wins() -> Result<()> {
    for others in [1, CALLERS / 2, CALLERS - 1] {
        let database = walked_to("contents", newest()?)?;
        let outcomes = many_at_once(&database, CALLERS, |number, client| {
            route(client, if number < others { "pay twice" } else { "pay once" })
        })?;
        let mut client = database.client()?;
        let stored = text(&mut client, "SELECT description FROM orchestrator.tasks")?;
        let (id, mut made) = (text(&mut client, "SELECT id::text FROM orchestrator.tasks")?, 0);
        for (number, outcome) in outcomes.iter().enumerate() {
            let sent = if number < others { "pay twice" } else { "pay once" };
            match outcome {
                Ok((task, created)) => {
                    assert_eq!((sent, task), (stored.as_str(), &id), "the winner got the task");
                    made += usize::from(*created);
                }
                Err(error) => {
                    assert_ne!(sent, stored, "the same content is never refused: {error}");
                    assert_eq!(code(error), SqlState::UNIQUE_VIOLATION);
                }
            }
        }
        assert_eq!(made, 1);
    }
    Ok(())
}

#[test]
fn a_key_whose_transaction_is_rolled_back_is_free() -> Result<()> {
    let database = walked_to("key_back", newest()?)?;
    let (mut first, mut second) = (database.client()?, database.client()?);
    let mut transaction = first.transaction()?;
    let (lost, _) = route(&mut transaction, "pay")?;
    thread::scope(|scope| -> Result<()> {
        let waiting = scope.spawn(|| route(&mut second, "pay other"));
        until_one_waits(&mut database.client()?)?;
        transaction.rollback()?;
        let (id, created) = waiting.join().expect("the thread ends")?;
        assert!(created && id != lost, "the other content was first after all");
        Ok(())
    })
}

#[test]
fn keys_that_are_released_meanwhile_lose_no_call() -> Result<()> {
    let database = walked_to("released", newest()?)?;
    let outcomes = at_once(&database, |number, client| -> Result<i64, Error> {
        let mut made = 0;
        for _ in 0..50 {
            if number % 4 == 0 {
                client.batch_execute(
                    "UPDATE orchestrator.tasks SET status = 'cancelled' WHERE status = 'pending'; \
                     SELECT orchestrator.release_idempotency_keys('0')",
                )?;
            } else {
                made += i64::from(route(client, "pay")?.1);
            }
        }
        Ok(made)
    })?;
    let made: i64 = outcomes.into_iter().sum::<Result<_, _>>()?;
    let mut client = database.client()?;
    assert_eq!(number(&mut client, "SELECT count(*) FROM orchestrator.tasks")?, made);
    assert_eq!(number(&mut client, "SELECT count(*) FROM orchestrator.audit_events")?, made);
    let keyed = number(
        &mut client,
        "SELECT count(*) FROM orchestrator.tasks WHERE idempotency_key IS NOT NULL",
    )?;
    assert!(keyed <= 1, "{keyed} tasks hold the key");
    Ok(())
}

#[test]
fn an_approval_is_decided_once() -> Result<()> {
    let database = walked_to("approval", newest()?)?;
    let mut client = database.client()?;
    route(&mut client, "pay")?;
    let approval = text(
        &mut client,
        "SELECT orchestrator.request_approval(id, 'manager')::text FROM orchestrator.tasks",
    )?;
    let outcomes = many_at_once(&database, CALLERS, |number, client| {
        let decision = ["approved", "rejected"][number % 2];
        client.batch_execute(&format!(
            "SELECT orchestrator.resolve_approval('{approval}', '{decision}', 'manager', 'call {number}')"
        ))
    })?;
    let winners: Vec<usize> =
        (0..outcomes.len()).filter(|number| outcomes[*number].is_ok()).collect();
    let [winner] = winners[..] else { panic!("one wins, not {winners:?}") };
    let decided = text(&mut client, "SELECT status || ' ' || notes FROM orchestrator.approvals")?;
    assert_eq!(decided, format!("{} call {winner}", ["approved", "rejected"][winner % 2]));
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(code(error), SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    }
    let decisions = "SELECT count(*) FROM orchestrator.audit_events \
         WHERE event_type IN ('approval_approved', 'approval_rejected')";
    assert_eq!(number(&mut client, decisions)?, 1);
    Ok(())
}

#[test]
fn a_session_is_moved_once_and_ends_once() -> Result<()> {
    let database = walked_to("session", newest()?)?;
    let mut client = database.client()?;
    let id = session(&mut client, "pending")?;
    let activate = format!("SELECT orchestrator.move_session('{id}', 'activate')");
    for outcome in many_at_once(&database, CALLERS, |_, client| client.batch_execute(&activate))? {
        outcome?;
    }
    let activated =
        "SELECT count(*) FROM orchestrator.audit_events WHERE event_type = 'session_active'";
    assert_eq!(number(&mut client, activated)?, 1, "the others found it active");
    let outcomes = many_at_once(&database, CALLERS, |number, client| {
        let event = ["complete", "fail", "expire"][number % 3];
        client.batch_execute(&format!("SELECT orchestrator.move_session('{id}', '{event}')"))
    })?;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(code(error), SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    }
    assert_eq!(number(&mut client, "SELECT count(*) FROM orchestrator.audit_events")?, 2);
    Ok(())
}

#[test]
fn a_session_that_gives_a_sign_of_life_does_not_expire() -> Result<()> {
    let database = walked_to("alive", newest()?)?;
    let (mut first, mut second) = (database.client()?, database.client()?);
    first.batch_execute(
        "INSERT INTO orchestrator.sessions (role, status, created_at, updated_at, last_heartbeat) \
         SELECT 'manager', 'active', t, t, t FROM (SELECT now() - n * interval '8 days' FROM generate_series(1, 2) AS n) AS v (t)",
    )?;
    let mut transaction = first.transaction()?;
    transaction.batch_execute(
        "SELECT orchestrator.session_heartbeat(id) FROM orchestrator.sessions ORDER BY created_at LIMIT 1",
    )?;
    // A call that waits would wait for the transaction above for ever.
    second.batch_execute(&deadline::set("lock_timeout"))?;
    let expire = "SELECT orchestrator.expire_sessions()";
    assert_eq!(number(&mut second, expire)?, 1, "it does not wait, and takes the other");
    transaction.commit()?;
    assert_eq!(number(&mut second, expire)?, 0);
    let alive = "SELECT count(*) FROM orchestrator.active_sessions";
    assert_eq!(number(&mut second, alive)?, 1);
    Ok(())
}

#[test]
fn rows_expired_or_purged_by_many_are_counted_once() -> Result<()> {
    let database = walked_to("purge", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "INSERT INTO orchestrator.audit_events (event_type, role, \"timestamp\", trace_id) \
         SELECT 'old', 'a', now() - interval '40 days', orchestrator.uuidv7() FROM generate_series(1, 1000); \
         INSERT INTO orchestrator.sessions (role, updated_at, last_heartbeat) \
         SELECT 'manager', now() - interval '8 days', now() - interval '8 days' FROM generate_series(1, 1000)",
    )?;
    let sum = |outcomes: Vec<Result<i64, Error>>| outcomes.into_iter().sum::<Result<i64, _>>();
    let purged = at_once(&database, |_, client| {
        number(client, "SELECT orchestrator.purge_audit_events('30 days')")
    })?;
    assert_eq!(sum(purged)?, 1000);
    let reported = "SELECT sum((metadata ->> 'purged')::bigint)::bigint FROM orchestrator.audit_events \
         WHERE event_type = 'audit_events_purged'";
    assert_eq!(number(&mut client, reported)?, 1000);
    let expired =
        at_once(&database, |_, client| number(client, "SELECT orchestrator.expire_sessions()"))?;
    assert_eq!(sum(expired)?, 1000);
    let reported =
        "SELECT count(*) FROM orchestrator.audit_events WHERE event_type = 'session_expired'";
    assert_eq!(number(&mut client, reported)?, 1000, "one event for each");
    Ok(())
}
