//! The work of operators: backup, notifications, maintenance and its schedule, a standby.

#[path = "operations/backup.rs"]
mod backup;
#[path = "operations/maintenance.rs"]
mod maintenance;
#[path = "operations/notifications.rs"]
mod notifications;
#[path = "operations/reset.rs"]
mod reset;
#[path = "operations/schedule.rs"]
mod schedule;
#[path = "operations/seals.rs"]
mod seals;
#[path = "operations/standby.rs"]
mod standby;

use anyhow::Result;
use postgres::Client;
use postgres::types::ToSql;

/// The one value of the one row, as text.
fn text(client: &mut Client, sql: &str) -> Result<String> {
    with(client, sql, &[])
}

fn with(client: &mut Client, sql: &str, arguments: &[&(dyn ToSql + Sync)]) -> Result<String> {
    let row = client.query_one(&format!("SELECT ({sql})::text"), arguments)?;
    Ok(row.try_get::<_, Option<String>>(0)?.unwrap_or_default())
}

/// SQLSTATE, message, DETAIL and HINT of a statement that is refused.
fn refusal(client: &mut Client, sql: &str) -> String {
    match client.batch_execute(sql) {
        Ok(()) => panic!("not refused: {sql}"),
        Err(error) => xtask::address::explain(&error),
    }
}
