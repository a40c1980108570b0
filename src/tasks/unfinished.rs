//! Tasks that are over: neither pending nor running, and without a pending approval. A function
//! that releases something of a task locks the task first and checks it afterwards. An approval is
//! inserted under a lock of its task: while the task is locked none is added, and all earlier ones
//! are visible.

use std::collections::HashSet;
use std::ffi::CStr;

use pgrx::Uuid;

use crate::schema::lifecycle;
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{interrupts, latest, statements};

/// A set of tasks, by the bytes of their ids.
pub type Tasks = HashSet<[u8; 16]>;

/// The states of a task that is not finished.
pub fn states() -> Vec<&'static str> {
    lifecycle::unfinished("task")
}

/// Locks those of the tasks that are over, and returns them. Tasks that another transaction is
/// changing, or requests an approval for, are skipped.
pub fn lock_over(tasks: Vec<Uuid>) -> Result<Tasks, Error> {
    static LOCK: Statement = Statement::new(
        "SELECT t.id FROM ONLY orchestrator.tasks AS t \
         WHERE t.id = ANY (ARRAY(SELECT unnest($1))) AND array_position($2, t.status) IS NULL \
         ORDER BY t.id FOR UPDATE SKIP LOCKED",
    );
    if tasks.is_empty() {
        return Ok(Tasks::new());
    }
    let arguments = [tasks.into(), states().into()];
    let locked = LOCK.update(&arguments, statements::column::<Uuid>)?;
    let waiting = waiting(locked.clone())?;
    let locked = as_set(locked);
    Ok(locked.difference(&waiting).copied().collect())
}

/// Those of the tasks that wait for an approval. The caller has locked all of them.
pub fn waiting(tasks: Vec<Uuid>) -> Result<Tasks, Error> {
    const WAITING: &CStr =
        c"SELECT array_agg(DISTINCT a.task_id) FROM orchestrator.approvals AS a \
         WHERE a.task_id = ANY ($1) AND a.status IS NOT DISTINCT FROM 'pending'";
    if tasks.is_empty() {
        return Ok(Tasks::new());
    }
    Ok(as_set(latest::value::<Vec<Uuid>>(WAITING, &[tasks.into()])?.unwrap_or_default()))
}

fn as_set(tasks: Vec<Uuid>) -> Tasks {
    let id = |task: Uuid| {
        interrupts::allow();
        *task.as_bytes()
    };
    tasks.into_iter().map(id).collect()
}
