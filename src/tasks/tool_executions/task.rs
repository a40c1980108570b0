//! The task of which a tool or a step starts.

use pgrx::Uuid;

use super::record::{Execution, unknown_task};
use crate::server::error::Error;
use crate::server::jsonb::Document;
use crate::server::statements::{self, Statement};

/// A task of which a tool starts, locked against its deletion.
pub struct TaskOfTool {
    pub id: Uuid,
    pub trace_id: Option<Uuid>,
    pub role: Option<String>,
    pub run_id: Option<Uuid>,
}

impl TaskOfTool {
    /// Errors: P0002 unknown task.
    pub fn lock(id: Uuid) -> Result<Self, Error> {
        // Runs come before tasks in the order of locks.
        static LOCK: Statement = Statement::new(
            "SELECT t.trace_id, coalesce(t.to_role, t.from_role), r.id \
             FROM orchestrator.orchestrator_runs AS r RIGHT JOIN orchestrator.tasks AS t ON r.thread_id = t.thread_id \
             WHERE t.id = $1 FOR KEY SHARE OF t",
        );
        let task = LOCK.update(&[id.into()], statements::three::<Uuid, String, Uuid>)?;
        let (trace_id, role, run_id) = task.ok_or_else(|| unknown_task(id))?;
        Ok(TaskOfTool { id, trace_id, role, run_id })
    }

    /// Starts a step of the task, and records it in the task's trace; `None` if another transaction has
    /// begun the step. Its time is that of the clock, as that of the claim: it belongs to the attempt in
    /// which it began.
    pub fn start_step(
        &self,
        step_key: &str,
        tool_name: &str,
        arguments: &Document,
    ) -> Result<Option<Uuid>, Error> {
        static INSERT: Statement = Statement::new(
            "INSERT INTO orchestrator.tool_executions (task_id, tool_name, arguments, status, step_key, created_at) \
             VALUES ($1, $2, $3, 'running', $4, clock_timestamp()) \
             ON CONFLICT (task_id, step_key) WHERE step_key IS NOT NULL AND status NOT IN ('failed', 'timeout') \
             DO NOTHING RETURNING id",
        );
        let content = [self.id.into(), tool_name.into(), arguments.clone().into(), step_key.into()];
        let started = INSERT.update(&content, statements::one::<Uuid>)?;
        if let Some(id) = started {
            self.execution(id, tool_name).record("tool_execution_running")?;
        }
        Ok(started)
    }

    /// An execution of a tool for the task.
    fn execution(&self, id: Uuid, tool_name: &str) -> Execution {
        Execution {
            id,
            task_id: self.id,
            tool_name: tool_name.to_owned(),
            trace_id: self.trace_id,
            role: self.role.clone(),
        }
    }
}
