//! Many connections at once, for every function that promises one winner or one result.

#[path = "races/access.rs"]
mod access;
#[path = "races/answers.rs"]
mod answers;
#[path = "races/budgets.rs"]
mod budgets;
#[path = "races/claims.rs"]
mod claims;
#[path = "races/configuration.rs"]
mod configuration;
#[path = "races/decision_model.rs"]
mod decision_model;
#[path = "races/decision_rules.rs"]
mod decision_rules;
#[path = "races/decisions.rs"]
mod decisions;
#[path = "races/governance.rs"]
mod governance;
#[path = "races/holds.rs"]
mod holds;
#[path = "races/meeting.rs"]
mod meeting;
#[path = "races/questions.rs"]
mod questions;
#[path = "races/repeats.rs"]
mod repeats;
#[path = "races/run_calls.rs"]
mod run_calls;
#[path = "races/runs.rs"]
mod runs;
#[path = "races/session_persistence.rs"]
mod session_persistence;
#[path = "races/snapshots.rs"]
mod snapshots;
#[path = "races/unfinished_work.rs"]
mod unfinished_work;
#[path = "races/v7.rs"]
mod v7;
#[path = "races/workflows.rs"]
mod workflows;

use std::sync::Barrier;
use std::thread;

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error, IsolationLevel};
use support::Database;
use support::deadline::wait_until;
use support::extension::{newest, walked_to};

const CONNECTIONS: usize = 16;

/// Runs `work` on that many connections at the same moment. Returns the outcomes by number.
fn at_once<T: Send>(
    database: &Database,
    work: impl Fn(usize, &mut Client) -> Result<T, Error> + Sync,
) -> Result<Vec<Result<T, Error>>> {
    many_at_once(database, CONNECTIONS, work)
}

fn many_at_once<T: Send>(
    database: &Database,
    connections: usize,
    work: impl Fn(usize, &mut Client) -> Result<T, Error> + Sync,
) -> Result<Vec<Result<T, Error>>> {
    let barrier = Barrier::new(connections);
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(database.borrow_client()?);
    }
    Ok(thread::scope(|scope| {
        let (barrier, work) = (&barrier, &work);
        let threads: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(number, mut client)| {
                scope.spawn(move || {
                    barrier.wait();
                    let outcome = work(number, &mut client);
                    database.hand_back(client);
                    outcome
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread ends")).collect()
    }))
}

/// Runs `call` in a transaction whose snapshot is older than the changes of `meanwhile`. It must fail
/// with the advice to try again.
fn must_try_again(database: &Database, meanwhile: &str, call: &str) -> Result<()> {
    let (mut client, mut other) = (database.client()?, database.client()?);
    let level = IsolationLevel::RepeatableRead;
    let mut transaction = client.build_transaction().isolation_level(level).start()?;
    transaction.batch_execute("SELECT FROM orchestrator.configurations")?;
    other.batch_execute(meanwhile)?;
    let outcome = transaction.batch_execute(call);
    let code = outcome.as_ref().err().and_then(Error::code);
    assert_eq!(
        code,
        Some(&SqlState::T_R_SERIALIZATION_FAILURE),
        "{call} after {meanwhile}: {outcome:?}"
    );
    Ok(())
}

/// Waits until a connection waits for a lock.
fn until_one_waits(client: &mut Client) -> Result<()> {
    const WAITING: &str = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until("a connection waits for a lock", || {
        Ok(client.query_one(WAITING, &[])?.try_get(0)?)
    })
}

#[test]
fn an_execution_is_finished_once() -> Result<()> {
    let database = walked_to("finish", newest()?)?;
    let mut client = database.client()?;
    let id: String = client
        .query_one(
            "WITH t AS (INSERT INTO orchestrator.tasks (title, task_type) VALUES ('x', 'x') RETURNING id), \
             e AS (INSERT INTO orchestrator.tool_executions (task_id, tool_name, status) SELECT id, 'x', 'running' FROM t RETURNING id) \
             SELECT id::text FROM e",
            &[],
        )?
        .try_get(0)?;
    let outcomes = at_once(&database, |number, client| {
        let status = ["completed", "failed", "timeout"][number % 3];
        client.batch_execute(&format!(
            "SELECT orchestrator.finish_tool_execution('{id}', '{status}', '{number}')"
        ))
    })?;
    let losers: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(losers.len(), CONNECTIONS - 1, "one wins");
    for error in losers {
        let error = error.as_db_error().expect("the server raised the error");
        assert_eq!(error.code(), &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
        assert!(error.detail().is_some_and(|detail| detail.starts_with("It ended with status ")));
    }
    Ok(())
}

#[test]
fn a_heartbeat_and_a_deactivation_do_not_lose_a_live_session() -> Result<()> {
    let database = walked_to("heartbeat", newest()?)?;
    let mut client = database.client()?;
    for _ in 0..10 {
        client.batch_execute(
            "TRUNCATE orchestrator.sessions CASCADE; \
             INSERT INTO orchestrator.sessions (client_id, last_heartbeat) SELECT 'c' || n, now() - interval '2 min' FROM generate_series(1, 20) AS n",
        )?;
        let outcomes = at_once(&database, |number, client| {
            if number % 4 == 0 {
                client.batch_execute("SELECT orchestrator.deactivate_stale_sessions()")
            } else {
                client.batch_execute("SELECT orchestrator.session_heartbeat(id) FROM (SELECT id FROM orchestrator.sessions WHERE client_id < 'c2' ORDER BY id) AS s")
            }
        })?;
        for outcome in outcomes {
            outcome?;
        }
        let wrong: i64 = client
            .query_one(
                "SELECT count(*) FROM orchestrator.sessions WHERE is_active <> (last_heartbeat > now() - interval '1 min') AND client_id < 'c2'",
                &[],
            )?
            .try_get(0)?;
        assert_eq!(wrong, 0, "a session with a heartbeat is active");
    }
    Ok(())
}

#[test]
fn one_key_set_by_many_is_one_row_of_the_last() -> Result<()> {
    let database = walked_to("configuration", newest()?)?;
    let outcomes = at_once(&database, |number, client| {
        (0..20).try_for_each(|_| {
            client.batch_execute(&format!(
                "SELECT orchestrator.set_configuration('key', '{number}', 'integer')"
            ))
        })
    })?;
    for outcome in outcomes {
        outcome?;
    }
    let rows: i64 = database
        .client()?
        .query_one(
            "SELECT count(*) FROM orchestrator.configurations WHERE value::int BETWEEN 0 AND 15",
            &[],
        )?
        .try_get(0)?;
    assert_eq!(rows, 1);
    Ok(())
}
