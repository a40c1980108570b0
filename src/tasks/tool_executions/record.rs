//! The end of an execution, and its events in the trace of its task.

use pgrx::Uuid;
use serde_json::json;

use crate::audit::{self, Event};
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;

/// Sets the time at which execution `e` ended and its duration. The time is never before that of
/// its creation, because a transaction that began after this one may have created it. The trigger
/// keeps values that the statement sets.
pub const ENDED: &str = "completed_at = greatest(pg_catalog.now(), e.created_at), \
         duration_ms = CASE WHEN pg_catalog.isfinite(e.created_at) \
             THEN (extract(epoch FROM greatest(pg_catalog.now(), e.created_at) - e.created_at) * 1000)::bigint END";

/// The error for a tool of a task that does not exist.
pub fn unknown_task(task_id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("task {task_id} does not exist"))
        .hint("A tool execution belongs to a task: insert the task into orchestrator.tasks first.")
}

/// Records an event about an execution, if its task has a trace.
pub fn record(
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
