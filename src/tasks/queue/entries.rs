//! The entries of the queue, as they change.

use pgrx::Uuid;

use crate::server::error::Error;
use crate::server::notifications;
use crate::server::statements::{self, Statement};

/// The channel on which claimable tasks are announced.
const CHANNEL: &str = "orchestrator_tasks";

/// Keeps those of the pending tasks from being claimed that are not locked. Locked ones are being claimed, or
/// changed: waiting for them would make a pause wait for work. A claim looks at the run and the workflows again.
pub fn keep_back(ids: Vec<Uuid>) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.tasks AS t WHERE t.id = ANY ($1) AND t.status = 'pending' \
         ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED",
    );
    static KEEP: Statement = Statement::new(
        "UPDATE orchestrator.queued_tasks AS q SET ready = false WHERE q.task_id = ANY ($1) AND q.ready",
    );
    if ids.is_empty() {
        return Ok(());
    }
    let ids = LOCK.update(&[ids.into()], statements::column::<Uuid>)?;
    KEEP.update(&[ids.into()], |_| Ok(()))
}

/// Lets tasks that were kept back be claimed, and announces them.
pub fn let_go(ids: Vec<Uuid>) -> Result<(), Error> {
    static LET_GO: Statement = Statement::new(
        "UPDATE orchestrator.queued_tasks AS q SET ready = true WHERE q.task_id = ANY ($1) AND NOT q.ready \
         RETURNING q.run_after <= now()",
    );
    if ids.is_empty() {
        return Ok(());
    }
    let are_due = LET_GO.update(&[ids.into()], statements::column::<bool>)?;
    if are_due.contains(&true) {
        announce();
    }
    Ok(())
}

/// Removes a task from the queue.
pub fn leave(id: Uuid) -> Result<(), Error> {
    static LEAVE: Statement =
        Statement::new("DELETE FROM orchestrator.queued_tasks AS q WHERE q.task_id = $1");
    LEAVE.update(&[id.into()], |_| Ok(()))
}

/// Announces that tasks can be claimed.
pub fn announce() {
    if notifications::are_on() {
        notifications::send(CHANNEL, "");
    }
}
