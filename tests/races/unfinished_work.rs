//! An approval is requested while sessions expire and keys are released. The request is respected if it
//! came first, in every isolation level.

use std::thread;

use anyhow::Result;
use postgres::{Client, IsolationLevel};
use support::extension::{newest, walked_to};

use crate::until_one_waits;

const EXPIRE: &str = "SELECT orchestrator.expire_sessions()";
const RELEASE: &str = "SELECT orchestrator.release_idempotency_keys()";
const ASK: &str = "SELECT orchestrator.request_approval(id, 'manager') FROM orchestrator.tasks";

/// Adds a task that ended long ago, and holds its key and a session.
fn add_old_work(client: &mut Client) -> Result<()> {
    Ok(client.batch_execute(
        "WITH task AS ( \
             INSERT INTO orchestrator.tasks (title, task_type, status, idempotency_key, created_at) \
             VALUES ('pay', 'routing', 'completed', orchestrator.uuidv7(), now() - interval '9 days') RETURNING id) \
         INSERT INTO orchestrator.sessions (role, status, task_id, updated_at, last_heartbeat) \
         SELECT 'manager', 'active', id, now() - interval '9 days', now() - interval '9 days' FROM task",
    )?)
}

/// Whether the session goes on, and whether the task holds its key.
fn kept(client: &mut Client) -> Result<(bool, bool)> {
    let row = client.query_one(
        "SELECT s.status = 'active', t.idempotency_key IS NOT NULL \
         FROM orchestrator.sessions AS s JOIN orchestrator.tasks AS t ON t.id = s.task_id",
        &[],
    )?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// The call takes its snapshot and then waits for an index. Its statements were planned before, so that
/// planning does not wait for the index.
#[test]
fn an_approval_that_commits_after_the_snapshot_is_respected() -> Result<()> {
    let database = walked_to("after_snapshot", newest()?)?;
    let (mut holder, mut other) = (database.client()?, database.client()?);
    let mut caller = database.client()?;
    caller.batch_execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")?;
    caller.batch_execute(EXPIRE)?;
    add_old_work(&mut other)?;
    let mut hold = holder.transaction()?;
    hold.batch_execute("ALTER INDEX orchestrator.idx_sessions_open SET TABLESPACE pg_default")?;
    let expired = thread::scope(|scope| -> Result<i64> {
        let calling = scope.spawn(|| caller.query_one(EXPIRE, &[])?.try_get::<_, i64>(0));
        until_one_waits(&mut database.client()?)?;
        other.batch_execute(ASK)?;
        hold.commit()?;
        Ok(calling.join().expect("the thread ends")?)
    })?;
    assert_eq!((expired, kept(&mut other)?), (0, (true, true)));
    Ok(())
}

#[test]
fn an_approval_that_an_old_snapshot_does_not_show_is_respected() -> Result<()> {
    for level in [IsolationLevel::RepeatableRead, IsolationLevel::Serializable] {
        for call in [EXPIRE, RELEASE] {
            let database = walked_to("old_snapshot", newest()?)?;
            let (mut client, mut other) = (database.client()?, database.client()?);
            add_old_work(&mut other)?;
            let mut transaction = client.build_transaction().isolation_level(level).start()?;
            transaction.batch_execute("SELECT FROM orchestrator.configurations")?;
            other.batch_execute(ASK)?;
            let affected: i64 = transaction.query_one(call, &[])?.try_get(0)?;
            transaction.commit()?;
            assert_eq!((affected, kept(&mut other)?), (0, (true, true)), "{call}");
        }
    }
    Ok(())
}

#[test]
fn an_approval_waits_for_a_release_in_progress() -> Result<()> {
    for (call, expected) in [(EXPIRE, (false, true)), (RELEASE, (true, false))] {
        let database = walked_to("asked_after", newest()?)?;
        let (mut client, mut other) = (database.client()?, database.client()?);
        add_old_work(&mut other)?;
        let mut transaction = client.transaction()?;
        let affected: i64 = transaction.query_one(call, &[])?.try_get(0)?;
        assert_eq!(affected, 1, "{call}");
        thread::scope(|scope| -> Result<()> {
            let asking = scope.spawn(|| -> Result<(bool, bool)> {
                other.batch_execute(ASK)?;
                kept(&mut other)
            });
            until_one_waits(&mut database.client()?)?;
            transaction.commit()?;
            let seen = asking.join().expect("the thread ends")?;
            assert_eq!(seen, expected, "{call}: a later call sees the outcome");
            Ok(())
        })?;
    }
    Ok(())
}
