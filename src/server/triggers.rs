//! What the triggers of the queue have in common.

use pgrx::WhoAllocated;
use pgrx::datum::UnboxDatum;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::server::error::{Error, Kind};
use crate::server::{backend_state, plans};

/// Runs the statements of a trigger, with the rights of the owner of its table, and raises their error.
pub fn by_key(trigger: &PgTrigger<'_>, work: impl FnOnce() -> Result<(), Error>) {
    // SAFETY: the server keeps the relation open while its trigger runs.
    let owner = unsafe { (*(*trigger.trigger_data().tg_relation).rd_rel).relowner };
    if let Err(error) = backend_state::with_rights_of(owner, || plans::by_index(work)) {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
}

/// Whether a trigger runs in a script, or while a role with the rights of the table's owner restores a dump: rows that
/// arrive then are history. Anyone may set what `restores` looks at; only the owner can restore, and switch triggers off.
pub fn takes_history(trigger: &PgTrigger<'_>) -> bool {
    if !backend_state::restores() {
        return false;
    }
    // SAFETY: the server keeps the relation open while its trigger runs; the roles are looked up in the catalog.
    backend_state::in_script()
        || unsafe {
            let owner = (*(*trigger.trigger_data().tg_relation).rd_rel).relowner;
            pg_sys::has_privs_of_role(backend_state::callers_role(), owner)
        }
}

/// A column of a row.
pub fn of<T>(row: &PgHeapTuple<'_, impl WhoAllocated>, column: &str) -> Result<Option<T>, Error>
where
    T: FromDatum + IntoDatum + for<'a> UnboxDatum<As<'a> = T> + 'static,
{
    row.get_by_name::<T>(column).map_err(|_| altered(format!("column {column} cannot be read")))
}

/// The error for a table that no version has in this form.
pub fn altered(message: impl Into<String>) -> Error {
    Error::new(Kind::NotReady, message)
        .hint("See what differs from the installed version: SELECT * FROM orchestrator.verify();")
}
