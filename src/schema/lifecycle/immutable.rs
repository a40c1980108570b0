//! Columns that keep the value with which they were inserted.

use pgrx::AllocatedByPostgres;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{misused, subject};
use crate::server::error::{Error, Kind};
use crate::server::trigger_rows::{ColumnHint, Rows};

/// BEFORE UPDATE row trigger `enforce_immutable(column [, column ...])`: refuses to change the columns
/// that it names, and lets every other one pass.
///
/// Errors: 55000. Since 0.2.2.
#[pg_trigger(sql = false)]
fn enforce_immutable<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    const NAME: &str = "enforce_immutable";
    static HINTS: [ColumnHint; 8] = [const { ColumnHint::unknown() }; 8];
    let Some(rows) = Rows::of(trigger) else {
        misused(NAME, "it must be fired BEFORE UPDATE, FOR EACH ROW");
    };
    // The last argument first: if both rows have the same bytes up to its column, the columns before
    // it need no comparison.
    for (name, hint) in rows.arguments().rev().zip(HINTS.iter().cycle()) {
        let Some(column) = rows.column_near(hint, name.to_bytes()) else {
            misused(NAME, "its arguments are columns of the table");
        };
        if rows.changes(column) {
            let name = name.to_string_lossy();
            ErrorReport::from(refused(&rows, &name)).report(PgLogLevel::ERROR);
        }
    }
    Ok(Some(rows.into_row()))
}

fn refused(rows: &Rows<'_>, column: &str) -> Error {
    let columns: Vec<_> = rows.arguments().map(|name| name.to_string_lossy()).collect();
    Error::new(Kind::NotReady, format!("{}: {column} cannot be changed", subject(rows)))
        .detail(format!("These columns keep their inserted values: {}.", columns.join(", ")))
        .hint("Add a new row instead.")
}
