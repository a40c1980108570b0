//! The tasks of a run in the queue: kept back while the run waits for a human.

use std::ffi::CStr;

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use super::{announce, by_key, of, owner_of_table};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::{backend_state, latest};

/// AFTER UPDATE row trigger of orchestrator_runs: marks the pending tasks of a run that is on hold or was
/// killed as not ready, and those of a run that goes on as ready. A run that is to be done again may also
/// wait, for another question: claims look at that themselves.
///
/// Errors: 40001 a task was added to the run after the snapshot of the transaction. Since 0.7.1.
#[pg_trigger(sql = false)]
fn queue_tasks_of_run<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if backend_state::in_script() {
        return Ok(None);
    }
    let (Some(old), Some(new)) = (trigger.old(), trigger.new()) else {
        const RULE: &str = "it must be fired AFTER UPDATE, FOR EACH ROW";
        lifecycle::misused("queue_tasks_of_run", RULE);
    };
    let follow = || {
        let thread_id = of::<String>(&new, "thread_id")?.unwrap_or_default();
        match (keeps_back(&old)?, keeps_back(&new)?) {
            (_, true) => keep_back(&thread_id),
            (true, false) => let_go(&thread_id),
            (false, false) => {
                announce();
                Ok(())
            }
        }
    };
    if let Err(error) = by_key(owner_of_table(trigger), follow) {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
    Ok(None)
}

/// Whether the run of this row is on hold, or was killed.
fn keeps_back(run: &PgHeapTuple<'_, AllocatedByPostgres>) -> Result<bool, Error> {
    let gate = of::<String>(run, "gate_status")?;
    Ok(matches!(gate.as_deref(), Some("hold" | "kill")))
}

/// Keeps the pending tasks of a run from being claimed. Tasks that are locked are being claimed, or
/// changed: waiting for them would make a pause wait for work. A claim looks at the run again.
fn keep_back(thread_id: &str) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.tasks AS t WHERE t.thread_id = $1 AND t.status = 'pending' \
         ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED",
    );
    let ids = LOCK.update(&[thread_id.into()], statements::column::<Uuid>)?;
    set_ready(ids, false)
}

/// Lets the pending tasks of a run be claimed. A task that is kept back is in no claim, and its entry in the
/// queue is written under a lock of the run (`may_be_claimed`). So all of these entries are visible here, and
/// none is locked.
///
/// Errors: 40001 the snapshot of the transaction lacks one.
fn let_go(thread_id: &str) -> Result<(), Error> {
    static PENDING: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.tasks AS t WHERE t.thread_id = $1 AND t.status = 'pending' ORDER BY t.id",
    );
    const PENDING_NOW: &CStr = c"SELECT array_agg(t.id ORDER BY t.id) FROM orchestrator.tasks AS t WHERE t.thread_id = $1 AND t.status = 'pending'";
    let ids = PENDING.update(&[thread_id.into()], statements::column::<Uuid>)?;
    if backend_state::keeps_its_snapshot() {
        let now = latest::value::<Vec<Uuid>>(PENDING_NOW, &[thread_id.into()])?;
        if now.unwrap_or_default() != ids {
            return Err(Error::new(
                Kind::Serialization,
                format!("tasks of the run of thread \"{thread_id}\" were changed meanwhile"),
            )
            .detail("The snapshot of this transaction is older than the change.")
            .hint("Roll back and try again."));
        }
    }
    if !ids.is_empty() {
        set_ready(ids, true)?;
        announce();
    }
    Ok(())
}

/// Marks tasks.
fn set_ready(ids: Vec<Uuid>, ready: bool) -> Result<(), Error> {
    static SET: Statement = Statement::new(
        "UPDATE orchestrator.queued_tasks AS q SET ready = $2 WHERE q.task_id = ANY ($1) AND q.ready <> $2",
    );
    if ids.is_empty() {
        return Ok(());
    }
    SET.update(&[ids.into(), ready.into()], |_| Ok(()))
}
