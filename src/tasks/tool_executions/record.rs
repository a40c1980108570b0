//! The end of an execution, and its events in the trace of its task.

use pgrx::Uuid;
use serde_json::json;

use crate::audit::{self, Event};
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::rows;

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

/// The columns of execution `e` and its task `t` that `Execution::read` reads.
pub const EXECUTION: &str = "e.id, t.id, e.tool_name, t.trace_id, coalesce(t.to_role, t.from_role)";

/// An execution, as its events name it.
pub struct Execution {
    pub id: Uuid,
    pub task_id: Uuid,
    pub tool_name: String,
    pub trace_id: Option<Uuid>,
    pub role: Option<String>,
}

impl Execution {
    /// The execution in the columns of a row from `first` on.
    pub fn read(row: &impl rows::Row, first: usize) -> Result<Self, Error> {
        Ok(Execution {
            id: rows::value(row, first, "tool_executions.id")?,
            task_id: rows::value(row, first + 1, "tasks.id")?,
            tool_name: rows::value(row, first + 2, "tool_executions.tool_name")?,
            trace_id: rows::optional(row, first + 3, "tasks.trace_id")?,
            role: rows::optional(row, first + 4, "tasks.to_role or from_role")?,
        })
    }

    /// Records an event, if the task has a trace.
    pub fn record(&self, event_type: &str) -> Result<(), Error> {
        let Some(trace_id) = self.trace_id else { return Ok(()) };
        audit::record(Event {
            event_type,
            role: self.role.as_deref().unwrap_or(audit::SYSTEM),
            trace_id,
            metadata: Document::composed(json!({
                "execution_id": self.id.to_string(),
                "task_id": self.task_id.to_string(),
                "tool_name": self.tool_name,
            })),
        })
        .map(|_| ())
    }
}
