//! What the triggers of the queue have in common.

use pgrx::WhoAllocated;
use pgrx::datum::UnboxDatum;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;

use crate::server::error::{Error, Kind};
use crate::server::{backend_state, plans};

/// Runs the statements of a trigger, with the rights of the owner of its table.
pub fn by_key<R>(owner: pg_sys::Oid, work: impl FnOnce() -> R) -> R {
    backend_state::with_rights_of(owner, || plans::by_index(work))
}

/// The role that owns the table of a trigger.
pub fn owner_of_table(trigger: &PgTrigger<'_>) -> pg_sys::Oid {
    // SAFETY: the server keeps the relation open while its trigger runs.
    unsafe { (*(*trigger.trigger_data().tg_relation).rd_rel).relowner }
}

/// A column of a row.
pub fn of<T>(row: &PgHeapTuple<'_, impl WhoAllocated>, column: &str) -> Result<Option<T>, Error>
where
    T: FromDatum + IntoDatum + for<'a> UnboxDatum<As<'a> = T> + 'static,
{
    row.get_by_name::<T>(column).map_err(|_| {
        Error::new(Kind::NotReady, format!("column {column} cannot be read")).hint(
            "See what differs from the installed version: SELECT * FROM orchestrator.verify();",
        )
    })
}
