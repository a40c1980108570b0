//! The cancellation of tasks.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::{Row, Task, written};
use crate::audit;
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::{self, Statement};
use crate::server::{arguments, plans};
use crate::tasks::{queue, tool_executions};

/// Cancels a task that is pending, running or failed, and records `task_cancelled`. If a worker holds the task,
/// its claim ends: the worker notices with its next call. Its running tool executions end as timeout. A workflow
/// that a failed task has stopped goes on without it.
///
/// `task_id`: the task; `reason`: the reason. Returns: the row, in status `cancelled`, with the reason
/// as its error; its attempts keep their errors.
/// Errors: 22004, 22023 blank reason, P0002 unknown task, 55000 the task is completed or cancelled. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn cancel_task(
    task_id: Option<Uuid>,
    reason: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.tasks"), ErrorReport> {
    let id = required("task_id", task_id)?;
    let reason = arguments::filled("reason", reason)?;
    queue::lock_tables();
    Ok(plans::by_index(|| cancel(id, reason))?)
}

fn cancel(id: Uuid, reason: &str) -> Result<Row, Error> {
    static END: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.task_attempts AS a SET ",
        super::ENDED,
        ", outcome = 'cancelled', error = $2 WHERE a.task_id = $1 AND a.ended_at IS NULL RETURNING a.worker"
    ));
    static CANCEL: Statement = Statement::new(
        "UPDATE orchestrator.tasks AS t SET status = 'cancelled', error = $2 WHERE t.id = $1 RETURNING t",
    );
    let task = Task::lock_to_end(id)?;
    if lifecycle::ends("task").contains(&task.status.as_str()) {
        return Err(has_ended(&task));
    }
    let worker = END.update(&[id.into(), reason.into()], statements::one::<String>)?;
    let arguments = [id.into(), reason.into()];
    let row = queue::moving(|| CANCEL.update(&arguments, statements::one::<Row>))?;
    let row = written(row, id)?;
    tool_executions::time_out(vec![id])?;
    let mut facts = json!({ "reason": reason });
    if let Some(worker) = worker {
        facts["worker"] = json!(worker);
    }
    audit::record(task.event("task_cancelled", facts))?;
    Ok(row)
}

fn has_ended(task: &Task) -> Error {
    Error::new(Kind::NotReady, format!("task {} has ended", task.id))
        .detail(format!("Its status is {}.", task.status))
        .hint("Only a task that is pending, running or failed can be cancelled.")
}
