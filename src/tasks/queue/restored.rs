//! The rows of the queue in a dump.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use super::entries::leave;
use crate::server::backend_state;
use crate::server::error::Error;
use crate::server::rows;
use crate::server::triggers::of;

/// BEFORE INSERT row trigger of queued_tasks: while a dump is restored, the row of the dump takes the place
/// of the row that the trigger of tasks has made. A dump of a version without the table has none.
///
/// Since 0.7.1.
#[pg_trigger(sql = false)]
fn replace_queued_task<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let new = trigger.new();
    if let (true, Some(row)) = (backend_state::restores() && !backend_state::in_script(), &new)
        && let Err(error) = remove(row)
    {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
    Ok(new)
}

fn remove(row: &PgHeapTuple<'_, AllocatedByPostgres>) -> Result<(), Error> {
    let id = of::<Uuid>(row, "task_id")?.ok_or_else(|| rows::null("queued_tasks.task_id"))?;
    leave(id)
}
