//! Rows that an ORM inserts: it names every column of a table.

use anyhow::Result;
use postgres::Client;
use postgres::error::SqlState;
use support::Database;
use support::extension::{go_to, newest, walked_to};
use support::roles::{self, name};

use super::{assert_forbidden, refusal, text};

/// Every column of tasks with its default, as an ORM sends it.
const DEFAULTS: [(&str, &str); 23] = [
    ("id", "orchestrator.uuidv7()"),
    ("title", "'by an ORM'"),
    ("description", "NULL"),
    ("task_type", "'build'"),
    ("status", "'pending'"),
    ("config", "'{}'"),
    ("metadata", "NULL"),
    ("workspace_path", "NULL"),
    ("created_at", "now()"),
    ("updated_at", "now()"),
    ("started_at", "NULL"),
    ("completed_at", "NULL"),
    ("error", "NULL"),
    ("from_role", "NULL"),
    ("to_role", "NULL"),
    ("data", "'{}'"),
    ("trace_id", "NULL"),
    ("idempotency_key", "NULL"),
    ("thread_id", "NULL"),
    ("priority", "0"),
    ("run_after", "'-infinity'"),
    ("max_attempts", "1"),
    ("result", "NULL"),
];

/// Columns that a worker may not set, each with another value than its default.
const KEPT: [(&str, &str); 9] = [
    ("created_at", "now() - interval '1 day'"),
    ("updated_at", "'infinity'"),
    ("started_at", "now()"),
    ("completed_at", "now()"),
    ("from_role", "'finance'"),
    ("to_role", "'manager'"),
    ("data", "'{\"a\": 1}'"),
    ("trace_id", "orchestrator.uuidv7()"),
    ("idempotency_key", "orchestrator.uuidv7()"),
];

fn insert(changed: Option<(&str, &str)>) -> String {
    let value = |column: &str, default: &'static str| match changed {
        Some((other, value)) if other == column => value.to_owned(),
        _ => default.to_owned(),
    };
    let columns: Vec<_> = DEFAULTS.iter().map(|(column, _)| *column).collect();
    let values: Vec<_> = DEFAULTS.iter().map(|(column, default)| value(column, default)).collect();
    format!(
        "INSERT INTO orchestrator.tasks ({}) VALUES ({})",
        columns.join(", "),
        values.join(", ")
    )
}

fn count(client: &mut Client) -> Result<String> {
    text(client, "SELECT count(*) FROM orchestrator.tasks")
}

#[test]
fn a_worker_inserts_every_column_with_its_default_and_no_other_value() -> Result<()> {
    let database = with_roles("orm")?;
    let mut client = database.client()?;
    let columns = "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'orchestrator.tasks'::regclass AND attnum > 0 AND NOT attisdropped";
    let known: Vec<_> = DEFAULTS.iter().map(|(column, _)| *column).collect();
    assert_eq!(text(&mut client, columns)?, known.join(","), "every column is tried");
    let mut worker = database.client_as(&name(&database, "worker"))?;
    worker.batch_execute(&insert(None))?;
    for changed in [("priority", "7"), ("run_after", "now()"), ("max_attempts", "3")] {
        worker.batch_execute(&insert(Some(changed)))?;
    }
    assert_eq!(count(&mut client)?, "4");
    for (column, value) in KEPT {
        let (code, message) = refusal(&mut worker, &insert(Some((column, value))));
        assert_eq!(code, SqlState::INSUFFICIENT_PRIVILEGE, "{column}");
        assert!(message.contains(&format!("column \"{column}\"")), "{message}");
    }
    assert_eq!(count(&mut client)?, "4");
    let taken = worker.query("SELECT id FROM orchestrator.claim_tasks('w', batch => 9)", &[])?;
    assert_eq!(taken.len(), 4);
    Ok(())
}

/// A role that may update such a column may also set it: the owner, a superuser, and one with a right by
/// hand.
#[test]
fn a_role_that_may_update_a_column_sets_it() -> Result<()> {
    let database = with_roles("by_right")?;
    let mut client = database.client()?;
    let worker = name(&database, "worker");
    for (column, value) in KEPT {
        // A routed task needs all of its columns at once.
        if ["from_role", "started_at", "completed_at"].contains(&column) {
            continue;
        }
        client.batch_execute(&insert(Some((column, value))))?;
        client
            .batch_execute(&format!("GRANT UPDATE ({column}) ON orchestrator.tasks TO {worker}"))?;
        database.client_as(&worker)?.batch_execute(&insert(Some((column, value))))?;
        client.batch_execute(&format!(
            "REVOKE UPDATE ({column}) ON orchestrator.tasks FROM {worker}"
        ))?;
    }
    Ok(())
}

/// Below the version with the trigger a worker has no right to set the columns.
#[test]
fn an_older_version_refuses_the_columns() -> Result<()> {
    let database = with_roles("older")?;
    let mut client = database.client()?;
    go_to(&mut client, "0.7.0".parse()?)?;
    let mut worker = database.client_as(&name(&database, "worker"))?;
    assert_forbidden(
        &mut worker,
        "worker",
        "INSERT INTO orchestrator.tasks (title, task_type, created_at) VALUES ('x', 'x', now())",
    );
    go_to(&mut client, newest()?)?;
    worker.batch_execute(
        "INSERT INTO orchestrator.tasks (title, task_type, created_at) VALUES ('x', 'x', now())",
    )?;
    Ok(())
}

fn with_roles(prefix: &str) -> Result<Database> {
    let database = walked_to(prefix, newest()?)?;
    roles::of_every_level(&database)?;
    Ok(database)
}
