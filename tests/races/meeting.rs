//! Calls that meet: each in a transaction whose snapshot was taken before any of them began.

use std::sync::Barrier;

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error};
use support::Database;

use crate::many_at_once;

/// The isolation levels in which calls meet.
pub const LEVELS: [&str; 2] = [READ_COMMITTED, "repeatable read"];
const READ_COMMITTED: &str = "read committed";

/// The first column of the first row.
pub fn text(client: &mut Client, sql: &str) -> Result<String> {
    Ok(client.query_one(sql, &[])?.try_get(0)?)
}

pub fn all<T>(outcomes: Vec<Result<T, Error>>) -> Result<Vec<T>, Error> {
    outcomes.into_iter().collect()
}

/// The SQLSTATEs of the calls that failed.
pub fn codes<T>(outcomes: &[Result<T, Error>]) -> Vec<String> {
    let failed = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    failed
        .map(|error| error.code().map_or_else(String::new, |code| code.code().to_owned()))
        .collect()
}

/// Makes all calls at the same moment, each on a connection of its own. A call that fails with 40001 in
/// a transaction that keeps its snapshot is made again, as the error advises; in READ COMMITTED the
/// error is an outcome.
pub fn meet(
    database: &Database,
    level: &str,
    calls: &[String],
) -> Result<Vec<Result<String, Error>>> {
    let barrier = Barrier::new(calls.len());
    many_at_once(database, calls.len(), |caller, client| {
        let begun = client.batch_execute(&format!(
            "SET default_transaction_isolation = '{level}'; BEGIN; SELECT FROM orchestrator.configurations"
        ));
        barrier.wait();
        begun?;
        let mut outcome = value(client, &calls[caller]);
        client.batch_execute(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        while is_to_be_tried_again(level, &outcome) {
            outcome = value(client, &calls[caller]);
        }
        outcome
    })
}

fn value(client: &mut Client, call: &str) -> Result<String, Error> {
    client.query_one(call, &[])?.try_get(0)
}

fn is_to_be_tried_again<T>(level: &str, outcome: &Result<T, Error>) -> bool {
    let code = outcome.as_ref().err().and_then(Error::code);
    level != READ_COMMITTED && code == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
}
