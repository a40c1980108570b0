//! The open tasks of a phase: neither completed nor cancelled.

use crate::server::error::Error;
use crate::server::statements::{self, Statement};

static OPEN: Statement = Statement::new(
    "SELECT format('%s \"%s\" (%s, %s)', t.task_number, t.task_name, t.status, t.responsible_persona) \
     FROM orchestrator.v7_subworkflow_tasks AS t \
     WHERE t.parent_phase = $1 AND t.status NOT IN ('completed', 'cancelled') ORDER BY t.task_number",
);

/// The open tasks with number, name, status and persona, including those that others committed
/// meanwhile.
pub fn now(number: i32) -> Result<Vec<String>, Error> {
    OPEN.update(&[number.into()], statements::column::<String>)
}

/// The open tasks, as the calling statement sees them.
pub fn in_statement(number: i32) -> Result<Vec<String>, Error> {
    OPEN.select(&[number.into()], statements::column::<String>)
}

/// Cancels the open tasks and notes the reason on each. A task in review goes back to work first: its
/// state machine has no other step.
pub fn cancel(number: i32, reason: &str) -> Result<(), Error> {
    static REOPEN: Statement = Statement::new(
        "UPDATE orchestrator.v7_subworkflow_tasks AS t SET status = 'in_progress' \
         WHERE t.parent_phase = $1 AND t.status = 'review'",
    );
    static CANCEL: Statement = Statement::new(
        "UPDATE orchestrator.v7_subworkflow_tasks AS t \
         SET status = 'cancelled', notes = concat_ws(E'\\n', nullif(t.notes, ''), $2) \
         WHERE t.parent_phase = $1 AND t.status NOT IN ('completed', 'cancelled')",
    );
    REOPEN.update(&[number.into()], |_| Ok(()))?;
    CANCEL.update(&[number.into(), reason.into()], |_| Ok(()))
}
