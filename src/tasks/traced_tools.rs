//! Tool executions of a task with a trace, recorded in it: `start_tool_execution` and
//! `finish_tool_execution` as of 0.3.0. A task without a trace leaves no event.

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, Uuid};
use serde_json::json;

use crate::audit::{self, Event};
use crate::server::error::{Error, required};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, rows, statements};
use crate::tasks::tool_executions::{CAN_END, ENDED, ENDS, log, not_open, unknown_task};

/// Opens the log entry of a tool that starts now, and records `tool_execution_running` in the trace
/// of its task.
///
/// `task_id`: the task it runs for; `tool_name`: what runs; `arguments`: what it was called with.
/// Returns: the id of the execution, in state `running`.
/// Errors: 22004, 22023 blank or overlong name, P0002 unknown task. Since 0.3.0.
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
    let arguments = required("arguments", arguments)?;
    let task = TASK.update(&[task_id.into()], statements::two::<Uuid, String>)?;
    let Some((trace_id, role)) = task else {
        return Err(unknown_task(task_id).into());
    };
    let id = log(task_id, tool_name, arguments)?;
    record(trace_id, role, "tool_execution_running", id, task_id, tool_name)?;
    Ok(id)
}

/// Closes the log entry of a tool that has ended, and records `tool_execution_<status>` in the
/// trace of its task.
///
/// `status`: completed, failed or timeout; `output`, `error`: what it said.
/// Returns: the row, with `completed_at` and `duration_ms` (milliseconds since it was created).
/// Errors: 22004, 22023 no such end, P0002 unknown execution, 55000 it has ended already, or has
/// not been started. Since 0.3.0.
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
        " \
         RETURNING e, t.id, e.tool_name, t.trace_id, coalesce(t.to_role, t.from_role)"
    ));
    let id = required("execution_id", execution_id)?;
    let status = arguments::one_of("status", required("status", status)?, &ENDS)?;
    let arguments = [id.into(), status.into(), output.into(), error.into()];
    let finished = FINISH.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let finished =
                rows::value::<PgHeapTuple<'static, AllocatedByRust>>(row, 1, "tool_executions.id")?;
            let task_id = rows::value::<Uuid>(row, 2, "tasks.id")?;
            let tool_name = rows::value::<String>(row, 3, "tool_executions.tool_name")?;
            let trace_id = rows::optional::<Uuid>(row, 4, "tasks.trace_id")?;
            let role = rows::optional::<String>(row, 5, "tasks.to_role or from_role")?;
            Ok((finished, (task_id, tool_name), (trace_id, role)))
        })
    })?;
    let Some((row, (task_id, tool_name), (trace_id, role))) = finished else {
        return Err(not_open(id, status)?.into());
    };
    let event_type = format!("tool_execution_{status}");
    record(trace_id, role, &event_type, id, task_id, &tool_name)?;
    Ok(row)
}

fn record(
    trace_id: Option<Uuid>,
    role: Option<String>,
    event_type: &str,
    execution_id: Uuid,
    task_id: Uuid,
    tool_name: &str,
) -> Result<(), Error> {
    let Some(trace_id) = trace_id else { return Ok(()) };
    audit::record(Event {
        event_type,
        role: role.as_deref().unwrap_or(audit::SYSTEM),
        trace_id,
        metadata: Document::composed(json!({
            "execution_id": execution_id.to_string(),
            "task_id": task_id.to_string(),
            "tool_name": tool_name,
        })),
    })
    .map(|_| ())
}
