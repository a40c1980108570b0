//! The tasks of a run in the queue: kept back while the run waits for a human.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use super::{announce, of, owner_of_table};
use crate::runs::waiting;
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::{backend_state, latest, rows};

/// AFTER UPDATE row trigger of orchestrator_runs: marks the pending tasks of a run that waits for a human
/// as not ready, and those of a run that goes on as ready.
///
/// Errors: 40001 a task was added to the run after the snapshot of the transaction. Since 0.7.1.
#[pg_trigger(sql = false)]
fn queue_tasks_of_run<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if backend_state::in_script() {
        return Ok(None);
    }
    let Some(new) = trigger.new() else {
        const RULE: &str = "it must be fired AFTER UPDATE, FOR EACH ROW";
        lifecycle::misused("queue_tasks_of_run", RULE);
    };
    let work = || follow_run(of::<String>(&new, "thread_id")?.unwrap_or_default());
    if let Err(error) = backend_state::with_rights_of(owner_of_table(trigger), work) {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
    Ok(None)
}

fn follow_run(thread_id: String) -> Result<(), Error> {
    static WAITS: Statement = Statement::new(concatcp!(
        "SELECT ",
        waiting::WAITS,
        " FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = $1"
    ));
    let waits = WAITS.update(&[thread_id.as_str().into()], statements::one::<bool>)?;
    if waits == Some(true) { keep_back(&thread_id) } else { let_go(&thread_id) }
}

/// Keeps the pending tasks of a run from being claimed. Tasks that are locked are being claimed, or
/// changed: waiting for them would make a pause wait for work. A claim looks at the run again.
fn keep_back(thread_id: &str) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.tasks AS t WHERE t.thread_id = $1 AND t.status = 'pending' \
         ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED",
    );
    let ids = LOCK.update(&[thread_id.into()], statements::column::<Uuid>)?;
    set_ready(ids, false)?;
    Ok(())
}

/// Lets the pending tasks of a run be claimed.
fn let_go(thread_id: &str) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.tasks AS t WHERE t.thread_id = $1 AND t.status = 'pending' \
         ORDER BY t.id FOR NO KEY UPDATE",
    );
    const PENDING_NOW: &CStr = c"SELECT count(*) FROM orchestrator.tasks AS t WHERE t.thread_id = $1 AND t.status = 'pending'";
    let ids = LOCK.update(&[thread_id.into()], statements::column::<Uuid>)?;
    if backend_state::keeps_its_snapshot() {
        let now = latest::value::<i64>(PENDING_NOW, &[thread_id.into()])?;
        if now != Some(ids.len() as i64) {
            return Err(Error::new(
                Kind::Serialization,
                format!("tasks of the run of thread \"{thread_id}\" were changed meanwhile"),
            )
            .detail("The snapshot of this transaction is older than the change.")
            .hint("Roll back and try again."));
        }
    }
    if set_ready(ids, true)? {
        announce();
    }
    Ok(())
}

/// Marks locked tasks. Returns whether one of them has become claimable now.
fn set_ready(ids: Vec<Uuid>, ready: bool) -> Result<bool, Error> {
    static SET: Statement = Statement::new(
        "WITH changed AS ( \
             UPDATE orchestrator.queued_tasks AS q SET ready = $2 WHERE q.task_id = ANY ($1) AND q.ready <> $2 \
             RETURNING q.ready AND q.run_after <= now() AS is_claimable) \
         SELECT coalesce(bool_or(c.is_claimable), false) FROM changed AS c",
    );
    if ids.is_empty() {
        return Ok(false);
    }
    SET.update(&[ids.into(), ready.into()], |rows| rows::only(rows, "is_claimable"))
}
