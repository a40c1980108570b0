//! Tasks that are claimed and given back by many at once: each claim is an attempt of its own.

use std::thread;

use anyhow::{Result, anyhow};

use crate::place::Place;

const CONNECTIONS: usize = 8;
const ROUNDS: usize = 200;

/// A claim can choose a task, and get its lock only after others have claimed it and given it back.
#[test]
fn a_task_that_was_given_back_meanwhile_is_claimed_as_it_is_now() -> Result<()> {
    let mut place = Place::new("given_back")?;
    place.client.batch_execute(
        "INSERT INTO orchestrator.tasks (title, task_type, max_attempts) SELECT 'x', 'x', 10 FROM generate_series(1, 2)",
    )?;
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(place.database.client_as(&place.worker())?);
    }
    let claims = thread::scope(|scope| {
        let threads: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(number, mut client)| {
                scope.spawn(move || -> Result<u64> {
                    let sql = format!("SELECT orchestrator.release_task(id, '{number}') FROM orchestrator.claim_tasks('{number}')");
                    let mut claims = 0;
                    for _ in 0..ROUNDS {
                        claims += client.execute(&sql, &[])?;
                    }
                    Ok(claims)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
            .sum::<Result<u64>>()
    })?;
    let row = place.client.query_one(
        "SELECT (SELECT count(*) FROM orchestrator.task_attempts WHERE outcome = 'released'), \
                (SELECT sum(attempts) FROM orchestrator.queued_tasks)::bigint, \
                (SELECT count(*) FROM orchestrator.tasks WHERE status = 'pending')",
        &[],
    )?;
    let facts: (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    assert_eq!(facts, (claims as i64, claims as i64, 2));
    Ok(())
}
