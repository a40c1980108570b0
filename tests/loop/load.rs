//! Many tasks, eight workers, and random kills: every task is completed once, whatever dies when.

use std::path::Path;

use anyhow::Result;
use support::server;

use crate::crew::{Crew, Risk};
use crate::place::Place;
use crate::pooler::Pooler;

const TASKS: i64 = 2_000;

/// Tasks of several types, priorities and runs. Attempts that end without a result count, and there are
/// enough of them for any luck.
const CREATE: &str = "\
    INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id) \
    SELECT 'run-' || n, orchestrator.uuidv7(), 'story' FROM generate_series(0, 9) AS n; \
    INSERT INTO orchestrator.tasks (title, task_type, priority, max_attempts, thread_id) \
    SELECT 'task ' || n, 'type-' || n % 7, n % 3, 1000, CASE WHEN n % 4 = 0 THEN 'run-' || n % 10 END \
    FROM generate_series(1, 2000) AS n";

#[test]
fn every_task_is_completed_once_whatever_dies() -> Result<()> {
    let server = server()?;
    let mut place = Place::new("load")?;
    check(&mut place, server.socket_folder(), server.port(), 20_261_126)
}

#[test]
fn the_same_through_a_pooler_in_transaction_mode() -> Result<()> {
    let mut place = Place::new("pooled")?;
    let pooler = Pooler::start(server()?, &[place.worker()])?;
    check(&mut place, pooler.socket_folder(), pooler.port(), 20_261_127)
}

fn check(place: &mut Place, socket_folder: &Path, port: u16, seed: u64) -> Result<()> {
    println!("seed {seed}");
    place.client.batch_execute(CREATE)?;
    let risk = Risk { of_kill: 100, of_slowness: 400 };
    let losses = Crew::new(place, socket_folder, port, seed)?.work(&risk)?;
    let attempts = place.number("SELECT count(*) FROM orchestrator.task_attempts")?;
    println!("{losses:?}, {attempts} attempts");
    assert!(losses.killed > 20 && losses.slow > 0, "too few losses: {losses:?}");
    place.assert_intact()?;
    assert_eq!(place.number("SELECT count(*) FROM effects")?, TASKS);
    let expired = "SELECT count(*) FROM orchestrator.task_attempts WHERE outcome = 'expired'";
    assert!(place.number(expired)? > 0, "no lease expired");
    Ok(())
}
