//! The audit log of tools: an execution starts with its tool and ends once. A task with executions
//! cannot be deleted, so the log stays as long as the database. Since 0.3.0 the start and the end
//! are also recorded in the trace of the task; a task without a trace has no such events.

mod record;
mod task;
mod timeouts;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, Uuid};

use crate::runs::waiting::{self, Work};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, locks, rows, statements};
use record::{ENDED, EXECUTION, Execution, unknown_task};
pub use task::TaskOfTool;
pub use timeouts::{time_out, time_out_one};

/// Logs that a tool starts now.
///
/// `task_id`: the task of the call; `tool_name`: the tool; `arguments`: its arguments.
/// Returns: the id of the execution, in state `running`.
/// Errors: 22004, 22023 blank or overlong name, P0002 unknown task. Since 0.1.3.
#[pg_extern(sql = false, volatile)]
fn start_tool_execution(
    task_id: Option<Uuid>,
    tool_name: Option<&str>,
    arguments: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    static TASK: Statement =
        Statement::new("SELECT t.id FROM orchestrator.tasks AS t WHERE t.id = $1 FOR KEY SHARE");
    let task_id = required("task_id", task_id)?;
    let tool_name = arguments::name("tool_name", tool_name)?;
    let arguments = arguments.unwrap_or_else(Document::empty_object);
    if TASK.update(&[task_id.into()], statements::one::<Uuid>)?.is_none() {
        return Err(unknown_task(task_id).into());
    }
    Ok(log(task_id, tool_name, arguments)?)
}

/// Inserts a running execution of a locked task; returns its id.
fn log(task_id: Uuid, tool_name: &str, arguments: Document) -> Result<Uuid, Error> {
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.tool_executions (task_id, tool_name, arguments, status) \
         VALUES ($1, $2, $3, 'running') RETURNING id",
    );
    let arguments = [task_id.into(), tool_name.into(), arguments.into()];
    INSERT
        .update(&arguments, statements::one::<Uuid>)?
        .ok_or_else(|| Error::no_row("the tool execution could not be logged", "tool_executions"))
}

/// Whether execution `e` may end with status $2.
const CAN_END: &str = "(e.status IS NOT DISTINCT FROM 'running' \
          OR (e.status IS NOT DISTINCT FROM 'pending' AND $2 <> 'completed'))";

/// The argument `status` of the functions that finish an execution.
fn ending(status: Option<&str>) -> Result<&str, Error> {
    let status = required("status", status)?;
    arguments::one_of("status", status, &lifecycle::ends("tool_execution"))
}

/// Logs that a tool has ended.
///
/// `status`: completed, failed or timeout; `output`, `error`: the output and the error of the tool.
/// Returns: the row, with `completed_at` and `duration_ms` (milliseconds since the execution was
/// created).
/// Errors: 22004, 22023 unknown status, P0002 unknown execution, 55000 the execution has already
/// ended, or was not started. Since 0.1.3.
#[pg_extern(sql = false, volatile)]
fn finish_tool_execution(
    execution_id: Option<Uuid>,
    status: Option<&str>,
    output: default!(Option<&str>, "NULL"),
    error: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.tool_executions"), ErrorReport> {
    static FINISH: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.tool_executions AS e SET status = $2, output = $3, error = $4, ",
        ENDED,
        " WHERE e.id = $1 AND ",
        CAN_END,
        " RETURNING e"
    ));
    let id = required("execution_id", execution_id)?;
    let status = ending(status)?;
    let arguments = [id.into(), status.into(), output.into(), error.into()];
    let row =
        FINISH.update(&arguments, statements::one::<PgHeapTuple<'static, AllocatedByRust>>)?;
    match row {
        Some(row) => Ok(row),
        None => Err(not_open(id, status)?.into()),
    }
}

/// Logs that a tool starts now, and records `tool_execution_running` in the trace of its task.
///
/// `task_id`: the task of the call; `tool_name`: the tool; `arguments`: its arguments.
/// Returns: the id of the execution, in state `running`.
/// Errors: 22004, 22023 blank or overlong name, P0002 unknown task. Since 0.3.0; replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn start_tool_execution_0_3_0(
    task_id: Option<Uuid>,
    tool_name: Option<&str>,
    arguments: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    static TASK: Statement = Statement::new(
        "SELECT t.trace_id, coalesce(t.to_role, t.from_role) \
         FROM orchestrator.tasks AS t WHERE t.id = $1 FOR KEY SHARE",
    );
    let task_id = required("task_id", task_id)?;
    let tool_name = arguments::name("tool_name", tool_name)?;
    let arguments = arguments.unwrap_or_else(Document::empty_object);
    let task = TASK.update(&[task_id.into()], statements::two::<Uuid, String>)?;
    let Some((trace_id, role)) = task else {
        return Err(unknown_task(task_id).into());
    };
    Ok(log_and_record(task_id, tool_name, arguments, trace_id, role)?)
}

/// Logs that a tool starts now, and records `tool_execution_running` in the trace of its task. No
/// tool of a run starts while the run is on hold, or after it was killed.
///
/// `task_id`: the task of the call; `tool_name`: the tool; `arguments`: its arguments.
/// Returns: the id of the execution, in state `running`.
/// Errors: 22004, 22023 blank or overlong name, P0002 unknown task, 55000 the run of the task is on
/// hold or was killed. Since 0.7.0.
#[pg_extern(sql = false, volatile)]
fn start_tool_execution_0_7_0(
    task_id: Option<Uuid>,
    tool_name: Option<&str>,
    arguments: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    let task_id = required("task_id", task_id)?;
    let tool_name = arguments::name("tool_name", tool_name)?;
    let arguments = arguments.unwrap_or_else(Document::empty_object);
    let task = TaskOfTool::lock(task_id)?;
    if let Some(run_id) = task.run_id {
        waiting::refuse_work(run_id, &Work(format!("tool \"{tool_name}\" cannot start")))?;
    }
    Ok(log_and_record(task_id, tool_name, arguments, task.trace_id, task.role)?)
}

/// Inserts a running execution of a locked task, and records it in the task's trace.
fn log_and_record(
    task_id: Uuid,
    tool_name: &str,
    arguments: Document,
    trace_id: Option<Uuid>,
    role: Option<String>,
) -> Result<Uuid, Error> {
    let id = log(task_id, tool_name, arguments)?;
    let tool_name = tool_name.to_owned();
    Execution { id, task_id, tool_name, trace_id, role }.record("tool_execution_running")?;
    Ok(id)
}

/// Logs that a tool has ended, and records `tool_execution_<status>` in the trace of its task.
///
/// `status`: completed, failed or timeout; `output`, `error`: the output and the error of the tool.
/// Returns: the row, with `completed_at` and `duration_ms` (milliseconds since the execution was
/// created).
/// Errors: 22004, 22023 unknown status, P0002 unknown execution, 55000 the execution has already
/// ended, or was not started. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn finish_tool_execution_0_3_0(
    execution_id: Option<Uuid>,
    status: Option<&str>,
    output: default!(Option<&str>, "NULL"),
    error: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.tool_executions"), ErrorReport> {
    static FINISH: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.tool_executions AS e SET status = $2, output = $3, error = $4, ",
        ENDED,
        " FROM orchestrator.tasks AS t \
         WHERE e.id = $1 AND t.id = e.task_id AND ",
        CAN_END,
        " RETURNING e, ",
        EXECUTION
    ));
    let id = required("execution_id", execution_id)?;
    let status = ending(status)?;
    // In the order of updates, which lock the same tables.
    locks::in_order(&[c"tasks"]);
    let arguments = [id.into(), status.into(), output.into(), error.into()];
    let finished = FINISH.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let finished =
                rows::value::<PgHeapTuple<'static, AllocatedByRust>>(row, 1, "tool_executions.id")?;
            Ok((finished, Execution::read(row, 2)?))
        })
    })?;
    let Some((row, execution)) = finished else {
        return Err(not_open(id, status)?.into());
    };
    execution.record(&format!("tool_execution_{status}"))?;
    Ok(row)
}

/// The reason why an execution cannot end with that status.
fn not_open(id: Uuid, end: &str) -> Result<Error, Error> {
    static STATE: Statement = Statement::new(
        "SELECT e.status, e.completed_at::text, e.task_id FROM orchestrator.tool_executions AS e WHERE e.id = $1",
    );
    let state = STATE.update(&[id.into()], |rows| {
        rows::first(rows, |row| {
            let status = rows::value::<String>(row, 1, "tool_executions.status")?;
            rows::value::<Uuid>(row, 3, "tool_executions.task_id")?;
            Ok((status, rows::optional::<String>(row, 2, "tool_executions.completed_at")?))
        })
    })?;
    let Some((status, ended)) = state else {
        return Ok(Error::new(Kind::NotFound, format!("tool execution {id} does not exist")));
    };
    Ok(match status.as_str() {
        status if lifecycle::ends("tool_execution").contains(&status) => {
            let ended = ended.as_deref().unwrap_or("an unknown time");
            Error::new(Kind::NotReady, format!("tool execution {id} has already ended"))
                .detail(format!("It ended with status {status} at {ended}."))
                .hint("A tool execution ends once; start a new one with orchestrator.start_tool_execution.")
        }
        "pending" if end == "completed" => {
            Error::new(Kind::NotReady, format!("tool execution {id} has not been started"))
                .detail("Its status is pending.")
                .hint("Set its status to running first, or finish it as failed or timeout.")
        }
        _ => Error::no_row(format!("tool execution {id} could not be finished"), "tool_executions"),
    })
}
