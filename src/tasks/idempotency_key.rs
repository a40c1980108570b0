//! The idempotency key of a task: of the calls with one key, however many come at once, the first creates
//! the task, and the others find it.

use pgrx::Uuid;

use crate::server::error::{Error, Kind};

/// The number of attempts when the key of the task disappears between two statements each time.
const ATTEMPTS: usize = 100;

/// Inserts a task, or finds the task that has its key already. `insert` returns `None` if a task has the
/// key, and `first` the task that has it. Returns: the task, and whether it was inserted.
///
/// Errors: `not_inserted`, if no attempt inserted or found one.
pub fn once(
    not_inserted: &str,
    insert: impl Fn() -> Result<Option<Uuid>, Error>,
    first: impl Fn() -> Result<Option<Uuid>, Error>,
) -> Result<(Uuid, bool), Error> {
    for _ in 0..ATTEMPTS {
        if let Some(task_id) = insert()? {
            return Ok((task_id, true));
        }
        if let Some(task_id) = first()? {
            return Ok((task_id, false));
        }
        // Between the two statements the key was released or its task deleted.
    }
    Err(Error::no_row(not_inserted, "tasks").detail(
        "The insert into orchestrator.tasks added no row, and no visible row has that idempotency key.",
    ))
}

/// The error for an idempotency key that was used with other content.
pub fn used_for_another(key: Uuid, task_id: Uuid, differences: &str) -> Error {
    Error::new(
        Kind::Duplicate,
        format!("idempotency key {key} was already used with other content"),
    )
    .detail(format!("Task {task_id} has this key and differs in {differences}."))
    .hint(
        "Repeat the first call unchanged to get its task, or use a new key for a new task. The \
         comparison is with the task as it is now: if it was changed since, read it by its id.",
    )
}
