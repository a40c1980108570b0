//! The tasks of a run in the queue: kept back while the run waits for a human.

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use super::entries::{self, announce};
use super::selection::{Selection, selection};
use crate::schema::lifecycle;
use crate::schema::verify::row_rules::KEPT_BACK;
use crate::server::backend_state;
use crate::server::error::Error;
use crate::server::statements::{self, Statement};
use crate::server::triggers::{by_key, of};

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
    by_key(trigger, || {
        let thread_id = of::<String>(&new, "thread_id")?.unwrap_or_default();
        if keeps_back(&new)? {
            return keep_back(&thread_id);
        }
        if keeps_back(&old)? {
            let_go(&thread_id)?;
        }
        // A pause leaves the entries of locked tasks as they are, so `let_go` may have found none.
        announce();
        Ok(())
    });
    Ok(None)
}

/// Whether the run of this row is on hold, or was killed.
fn keeps_back(run: &PgHeapTuple<'_, AllocatedByPostgres>) -> Result<bool, Error> {
    let gate = of::<String>(run, "gate_status")?;
    Ok(matches!(gate.as_deref(), Some("hold" | "kill")))
}

/// Keeps the pending tasks of a run from being claimed.
fn keep_back(thread_id: &str) -> Result<(), Error> {
    entries::keep_back(pending(thread_id)?)
}

/// The pending tasks of a run.
fn pending(thread_id: &str) -> Result<Vec<Uuid>, Error> {
    static PENDING: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.tasks AS t WHERE t.thread_id = $1 AND t.status IS NOT DISTINCT FROM 'pending'",
    );
    PENDING.update(&[thread_id.into()], statements::column::<Uuid>)
}

/// Lets the pending tasks of a run be claimed that no workflow keeps back. A task that the run keeps back is
/// in no claim, and its entry in the queue is written under a lock of the run (`run_goes_on`). So all of these
/// entries are visible here, and none is locked.
///
/// Errors: 40001 the snapshot of the transaction lacks one.
fn let_go(thread_id: &str) -> Result<(), Error> {
    static PENDING: Selection = selection!(concatcp!(
        "SELECT t.id FROM orchestrator.tasks AS t WHERE t.thread_id = $1 AND t.status IS NOT DISTINCT FROM 'pending' AND (",
        KEPT_BACK,
        ") IS NULL ORDER BY t.id"
    ));
    entries::let_go(PENDING.read(&[thread_id.into()])?)?;
    entries::let_go(entries::marked_here(pending(thread_id)?)?)
}
