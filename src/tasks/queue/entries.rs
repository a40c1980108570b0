//! The entries of the queue, as they change.

use pgrx::{Uuid, pg_sys};

use crate::server::error::Error;
use crate::server::statements::{self, Statement};
use crate::server::{notifications, rows};

/// The channel on which claimable tasks are announced.
const CHANNEL: &str = "orchestrator_tasks";

/// Keeps those of the pending tasks from being claimed that are not locked. Locked ones are being claimed, or
/// changed: waiting for them would make a pause wait for work. A claim looks at the run and the workflows again.
pub fn keep_back(ids: Vec<Uuid>) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.tasks AS t WHERE t.id = ANY ($1) AND t.status IS NOT DISTINCT FROM 'pending' \
         ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED",
    );
    static KEEP: Statement = Statement::new(
        "UPDATE orchestrator.queued_tasks AS q SET ready = false WHERE q.task_id = ANY ($1) AND q.ready IS NOT FALSE",
    );
    if ids.is_empty() {
        return Ok(());
    }
    let ids = LOCK.update(&[ids.into()], statements::column::<Uuid>)?;
    KEEP.update(&[ids.into()], |_| Ok(()))
}

/// Those of the tasks that this transaction itself has marked as kept back. It let them go since, and another
/// reason may keep them back. Who ends that reason did not see the mark. So they count as ones that may begin, as
/// before this transaction: claims look again.
pub fn marked_here(ids: Vec<Uuid>) -> Result<Vec<Uuid>, Error> {
    static MARKED: Statement = Statement::new(
        "SELECT q.task_id, q.xmin::text::bigint FROM orchestrator.queued_tasks AS q WHERE q.task_id = ANY ($1) AND NOT q.ready",
    );
    let marked = MARKED.update(&[ids.into()], |rows| {
        rows::each(rows, |row| {
            let id = rows::value::<Uuid>(row, 1, "queued_tasks.task_id")?;
            let by = rows::value::<i64>(row, 2, "queued_tasks.xmin")?;
            Ok(is_own(by).then_some(id))
        })
    })?;
    Ok(marked.into_iter().flatten().collect())
}

/// Whether a transaction id is that of this transaction, or of a subtransaction of it.
fn is_own(transaction: i64) -> bool {
    let id = u32::try_from(transaction).map(pg_sys::TransactionId::from);
    // SAFETY: the server's own function looks into the memory of the backend.
    id.is_ok_and(|id| unsafe { pg_sys::TransactionIdIsCurrentTransactionId(id) })
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
