//! The tasks that wait for an approval in the queue: kept back while one is pending, or the last one that was
//! answered was not given.
//!
//! An approval is about one task, so whoever writes an approval locks the task, and the entry of the task is written
//! as every change of the task writes it.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use super::{announce, enter};
use crate::server::backend_state;
use crate::server::error::Error;
use crate::server::rows;
use crate::server::statements::Statement;
use crate::server::triggers::{by_key, of};

/// AFTER INSERT, UPDATE or DELETE row trigger of approvals: keeps a pending task from being claimed while it waits for
/// an approval. It does nothing in an extension script, which writes the queue itself.
///
/// Since 0.7.1.
#[pg_trigger(sql = false)]
fn queue_task_of_approval<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if backend_state::in_script() {
        return Ok(None);
    }
    by_key(trigger, || {
        let of_row = |row: Option<PgHeapTuple<'_, AllocatedByPostgres>>| match row {
            Some(row) => of::<Uuid>(&row, "task_id"),
            None => Ok(None),
        };
        let (old, new) = (of_row(trigger.old())?, of_row(trigger.new())?);
        let is_same = |task: &Uuid| old.is_some_and(|old| old.as_bytes() == task.as_bytes());
        let tasks = old.into_iter().chain(new.filter(|task| !is_same(task)));
        tasks.into_iter().try_for_each(look_again_at)
    });
    Ok(None)
}

/// Writes the entry of a task anew, if the task is pending.
fn look_again_at(id: Uuid) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "SELECT t.status, t.thread_id FROM orchestrator.tasks AS t WHERE t.id = $1 FOR NO KEY UPDATE",
    );
    let task = LOCK.update(&[id.into()], |rows| {
        rows::first(rows, |row| {
            let status = rows::value::<String>(row, 1, "tasks.status")?;
            Ok((status, rows::optional::<String>(row, 2, "tasks.thread_id")?))
        })
    })?;
    match task {
        Some((status, thread_id)) if status == super::PENDING => {
            if enter(id, false, thread_id.as_deref())? {
                announce();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
