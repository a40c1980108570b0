//! Claims with many connections at once: a task has one worker, and no task is forgotten.

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error, IsolationLevel};
use support::Database;
use support::extension::{differences, newest, walked_to};
use xtask::checks::cases;

use crate::meeting::{LEVELS, all, meet, text};
use crate::{CONNECTIONS, at_once, must_try_again, until_one_waits};

const PROJECT: &str = "0198c5a0-0000-7000-8000-000000000001";

/// A database with tasks of four types and three priorities; every fifth belongs to a run.
fn with_tasks(name: &str, count: i64) -> Result<(Database, Client)> {
    let database = walked_to(name, newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(&format!(
        "SELECT orchestrator.start_run('t', '{PROJECT}', 'S'); \
         INSERT INTO orchestrator.tasks (title, task_type, priority, thread_id, max_attempts) \
         SELECT 'task ' || i, 'type ' || i % 4, i % 3, CASE WHEN i % 5 = 0 THEN 't' END, 3 FROM generate_series(1, {count}) AS i"
    ))?;
    Ok((database, client))
}

/// Every attempt is whole, and the queue agrees with the tasks.
pub fn assert_whole(client: &mut Client) -> Result<()> {
    const GAPS: &str = "SELECT count(*)::text FROM (SELECT max(attempt) - count(*) AS gap FROM orchestrator.task_attempts GROUP BY task_id) AS g WHERE gap <> 0";
    assert_eq!(text(client, GAPS)?, "0");
    assert_eq!(differences(client)?, [""; 0]);
    Ok(())
}

#[test]
fn every_task_is_claimed_once() -> Result<()> {
    let (database, mut client) = with_tasks("claimed", 2_000)?;
    let taken = at_once(&database, |number, client| {
        let call = match number % 4 {
            0 => "SELECT id FROM orchestrator.claim_tasks($1)",
            1 => "SELECT id FROM orchestrator.claim_tasks($1, batch => 7)",
            2 => "SELECT id FROM orchestrator.claim_tasks($1, '{type 1,type 3}', batch => 3)",
            _ => "SELECT id FROM orchestrator.claim_tasks($1, '{type 2}')",
        };
        let worker = format!("worker {number}");
        let mut taken = 0;
        loop {
            let ids = client.query(call, &[&worker])?;
            if ids.is_empty() {
                return Ok(taken);
            }
            taken += ids.len();
        }
    })?;
    let taken: usize = taken.into_iter().sum::<Result<usize, Error>>()?;
    // Those that look at some types only may leave the others to the rest.
    assert_eq!(taken, 2_000);
    assert_eq!(text(&mut client, "SELECT count(*)::text FROM orchestrator.task_attempts")?, "2000");
    assert_eq!(text(&mut client, "SELECT count(*)::text FROM orchestrator.queued_tasks")?, "0");
    assert_whole(&mut client)
}

/// Claims, completions, failures, releases, cancellations, and changes of tasks and of the run by
/// UPDATE, all at once: whatever the order, the queue is right afterwards.
#[test]
fn everything_at_once_leaves_the_queue_as_the_tasks_are() -> Result<()> {
    let (database, mut client) = with_tasks("everything", 400)?;
    let outcomes = at_once(&database, |number, client| {
        let worker = format!("w{number}");
        let mut refused = 0;
        for round in 0..cases::number(40, 12) {
            let call = match (number + round) % 8 {
                0 => format!(
                    "SELECT orchestrator.complete_task(id, '{worker}') FROM orchestrator.claim_tasks('{worker}')"
                ),
                1 => format!(
                    "SELECT orchestrator.fail_task(id, '{worker}', 'x', '0') FROM orchestrator.claim_tasks('{worker}', batch => 3)"
                ),
                2 => format!(
                    "SELECT orchestrator.release_task(id, '{worker}') FROM orchestrator.claim_tasks('{worker}')"
                ),
                3 => format!(
                    "UPDATE orchestrator.tasks SET priority = {round} WHERE title = 'task {}'",
                    number * 20 + round
                ),
                4 => format!(
                    "SELECT orchestrator.cancel_task(task_id, 'x') FROM orchestrator.queued_tasks ORDER BY task_id OFFSET {number} LIMIT 1"
                ),
                5 => "SELECT orchestrator.pause_run('t', 'x'); SELECT orchestrator.resume_run('t')"
                    .to_owned(),
                6 => format!(
                    "UPDATE orchestrator.task_attempts SET lease_expires_at = now() - interval '1 second' WHERE ended_at IS NULL AND worker = '{worker}'; \
                     SELECT orchestrator.reclaim_expired_tasks()"
                ),
                _ => "INSERT INTO orchestrator.tasks (title, task_type, thread_id) VALUES ('new', 'type 9', 't')".to_owned(),
            };
            match client.batch_execute(&call) {
                Ok(()) => {}
                // A task that ended, or that another took, before the call came to it.
                Err(error) if error.code() == Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE) => {
                    refused += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    })?;
    let refused: usize = outcomes.into_iter().sum::<Result<usize, Error>>()?;
    println!("{refused} of {} calls were refused", 40 * CONNECTIONS);
    client.batch_execute("SELECT orchestrator.resume_run('t') FROM orchestrator.orchestrator_runs WHERE gate_status = 'hold'")?;
    assert_whole(&mut client)
}

/// A claim, a pause and a resumption never wait for one another: those of a worker that keeps its
/// transaction open least of all.
#[test]
fn a_pause_does_not_wait_for_a_claim() -> Result<()> {
    for level in LEVELS {
        let (database, mut client) = with_tasks("no_wait", 20)?;
        let mut other = database.client()?;
        client.batch_execute(&format!(
            "BEGIN ISOLATION LEVEL {level}; SELECT orchestrator.claim_tasks('w', batch => 8)"
        ))?;
        other
            .batch_execute("SET lock_timeout = '1s'; SELECT orchestrator.pause_run('t', 'stop')")?;
        // Those of the run that the worker has not taken are kept back, and so are those that it
        // leaves.
        client.batch_execute("ROLLBACK")?;
        let left = other
            .query("SELECT thread_id FROM orchestrator.claim_tasks('w', batch => 100)", &[])?;
        assert_eq!(left.len(), 16, "{level}");
    }
    Ok(())
}

/// A task that is added while its run goes on, at the same moment, is not forgotten.
#[test]
fn a_task_that_meets_a_resumption_can_be_claimed() -> Result<()> {
    let (database, mut client) = with_tasks("meets", 0)?;
    for level in LEVELS {
        for round in 0..20 {
            client.batch_execute("SELECT orchestrator.pause_run('t', 'x')")?;
            let calls = [
                format!(
                    "SELECT task_id::text FROM orchestrator.create_task('x', 'new {round}', thread_id => 't')"
                ),
                "SELECT (orchestrator.resume_run('t')).gate_status".to_owned(),
            ];
            all(meet(&database, level, &calls)?)?;
            let claimed = client.query("SELECT id FROM orchestrator.claim_tasks('w')", &[])?;
            assert_eq!(claimed.len(), 1, "{level}, round {round}");
        }
    }
    assert_whole(&mut client)
}

/// The last statement of a resumption sees a task that was added after its snapshot, or fails.
#[test]
fn a_resumption_with_an_older_snapshot_forgets_no_task() -> Result<()> {
    let (database, mut client) = with_tasks("older", 0)?;
    client.batch_execute("SELECT orchestrator.pause_run('t', 'x')")?;
    must_try_again(
        &database,
        "SELECT orchestrator.create_task('x', 'new', thread_id => 't')",
        "SELECT orchestrator.resume_run('t')",
    )?;
    client.batch_execute("SELECT orchestrator.resume_run('t')")?;
    assert_eq!(client.query("SELECT id FROM orchestrator.claim_tasks('w')", &[])?.len(), 1);
    Ok(())
}

/// The lease of a task that is extended while others take expired ones back stays with its worker.
#[test]
fn a_lease_is_extended_or_expires() -> Result<()> {
    const EXPIRE: &str = "UPDATE orchestrator.task_attempts SET lease_expires_at = now() - interval '1 second' WHERE ended_at IS NULL";
    let (database, mut client) = with_tasks("lease", 1)?;
    for level in LEVELS {
        for _ in 0..20 {
            let id = text(&mut client, "SELECT id::text FROM orchestrator.claim_tasks('w')")?;
            client.batch_execute(EXPIRE)?;
            let calls = [
                format!("SELECT orchestrator.renew_claim('{id}', 'w')::text"),
                "SELECT orchestrator.reclaim_expired_tasks()::text".to_owned(),
                format!("SELECT (orchestrator.complete_task('{id}', 'w')).status"),
            ];
            let outcomes = meet(&database, level, &calls)?;
            for outcome in &outcomes {
                if let Err(error) = outcome {
                    let code = error.code().cloned();
                    let known = [
                        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                        SqlState::T_R_SERIALIZATION_FAILURE,
                    ];
                    assert!(code.is_some_and(|code| known.contains(&code)), "{error:?}");
                }
            }
            let state = text(
                &mut client,
                &format!(
                    "SELECT concat_ws(' ', t.status, string_agg(coalesce(a.outcome, 'open'), ' ' ORDER BY a.attempt)) \
                          FROM orchestrator.tasks AS t JOIN orchestrator.task_attempts AS a ON a.task_id = t.id WHERE t.id = '{id}' GROUP BY t.id"
                ),
            )?;
            let whole = ["completed completed", "pending expired", "running open"];
            assert!(whole.contains(&state.as_str()), "{level}: {state}");
            assert_whole(&mut client)?;
            client.batch_execute("DELETE FROM orchestrator.tasks; INSERT INTO orchestrator.tasks (title, task_type, max_attempts) VALUES ('x', 'x', 3)")?;
        }
    }
    Ok(())
}

/// A completion that waits while the task is taken back and claimed by another does not complete it.
#[test]
fn a_completion_that_waited_too_long_is_refused() -> Result<()> {
    let (database, mut client) = with_tasks("waited", 1)?;
    let id = text(&mut client, "SELECT id::text FROM orchestrator.claim_tasks('w1')")?;
    client.batch_execute(&format!(
        "BEGIN; UPDATE orchestrator.task_attempts SET lease_expires_at = now() - interval '1 second'; \
         SELECT orchestrator.reclaim_expired_tasks(); SELECT orchestrator.claim_tasks('w2'); \
         SELECT FROM orchestrator.task_attempts WHERE task_id = '{id}'"
    ))?;
    let mut watcher = database.client()?;
    let mut late = database.client()?;
    let outcome = std::thread::scope(|scope| {
        let call = format!("SELECT orchestrator.complete_task('{id}', 'w1')");
        let waiting = scope.spawn(move || late.batch_execute(&call));
        until_one_waits(&mut watcher)?;
        client.batch_execute("COMMIT")?;
        Ok::<_, anyhow::Error>(waiting.join().expect("the thread ends"))
    })?;
    let code = outcome.as_ref().err().and_then(Error::code);
    let known = [
        Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE),
        Some(&SqlState::T_R_SERIALIZATION_FAILURE),
    ];
    assert!(known.contains(&code), "{outcome:?}");
    assert_eq!(
        text(
            &mut client,
            "SELECT status || ' ' || (SELECT count(*) FROM orchestrator.task_attempts WHERE ended_at IS NULL AND worker = 'w2') FROM orchestrator.tasks"
        )?,
        "running 1"
    );
    Ok(())
}

/// A step begins once, however many ask for it.
#[test]
fn a_step_begins_once() -> Result<()> {
    let (database, mut client) = with_tasks("step", 1)?;
    let id = text(&mut client, "SELECT id::text FROM orchestrator.claim_tasks('w')")?;
    let outcomes = at_once(&database, |_, client| {
        let row = client.query_one(
            &format!("SELECT execution_id::text FROM orchestrator.begin_step('{id}', 'k', 'llm')"),
            &[],
        )?;
        row.try_get::<_, String>(0)
    })?;
    let ids = outcomes.into_iter().collect::<Result<std::collections::BTreeSet<_>, _>>()?;
    assert_eq!(ids.len(), 1);
    Ok(())
}

/// One task per idempotency key.
#[test]
fn a_task_is_created_once() -> Result<()> {
    let (database, mut client) = with_tasks("created", 0)?;
    let outcomes = at_once(&database, |_, client| {
        let row = client.query_one(
            &format!("SELECT created FROM orchestrator.create_task('x', 'x', idempotency_key => '{PROJECT}')"),
            &[],
        )?;
        row.try_get::<_, bool>(0)
    })?;
    let created = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(created.iter().filter(|created| **created).count(), 1);
    assert_eq!(text(&mut client, "SELECT count(*)::text FROM orchestrator.tasks")?, "1");
    Ok(())
}

/// A claim of a transaction that keeps its snapshot takes no task that another has taken since.
#[test]
fn a_claim_with_an_older_snapshot_takes_no_task_twice() -> Result<()> {
    let (database, mut client) = with_tasks("snapshot", 4)?;
    let mut older = database.client()?;
    let mut transaction =
        older.build_transaction().isolation_level(IsolationLevel::RepeatableRead).start()?;
    transaction.batch_execute("SELECT FROM orchestrator.configurations")?;
    client.batch_execute("SELECT orchestrator.claim_tasks('w1', batch => 4)")?;
    let outcome =
        transaction.query("SELECT id FROM orchestrator.claim_tasks('w2', batch => 4)", &[]);
    let code = outcome.as_ref().err().and_then(Error::code);
    assert!(
        outcome.as_ref().is_ok_and(Vec::is_empty)
            || code == Some(&SqlState::T_R_SERIALIZATION_FAILURE),
        "{outcome:?}"
    );
    Ok(())
}
