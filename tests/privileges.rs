//! Access levels: the whole matrix of level, object and operation, and attempts to circumvent it.

#[path = "privileges/carried_grants.rs"]
mod carried_grants;
#[path = "privileges/history.rs"]
mod history;
#[path = "privileges/inserts.rs"]
mod inserts;
#[path = "privileges/levels.rs"]
mod levels;
#[path = "privileges/locks.rs"]
mod locks;
#[path = "privileges/matrix.rs"]
mod matrix;
#[path = "privileges/pauses.rs"]
mod pauses;
#[path = "privileges/search_path.rs"]
mod search_path;
#[path = "privileges/secrets.rs"]
mod secrets;
#[path = "privileges/traps.rs"]
mod traps;
#[path = "privileges/unpinned.rs"]
mod unpinned;

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error};

/// The SQLSTATE and message of a statement that must be refused.
fn refusal(client: &mut Client, sql: &str) -> (SqlState, String) {
    match client.batch_execute(sql) {
        Ok(()) => panic!("not refused: {sql}"),
        Err(error) => of_server(&error),
    }
}

fn of_server(error: &Error) -> (SqlState, String) {
    let error = error.as_db_error().expect("the server raised the error");
    (error.code().clone(), error.message().to_owned())
}

/// Fails unless the statement is refused because of a missing privilege.
fn assert_forbidden(client: &mut Client, who: &str, sql: &str) {
    let (code, message) = refusal(client, sql);
    assert_eq!(code, SqlState::INSUFFICIENT_PRIVILEGE, "{who}: {sql}: {message}");
}

/// The one value of the one row, as text.
fn text(client: &mut Client, sql: &str) -> Result<String> {
    let row = client.query_one(&format!("SELECT ({sql})::text"), &[])?;
    Ok(row.try_get::<_, Option<String>>(0)?.unwrap_or_default())
}
