//! The end of executions that nobody will finish.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;

use super::record::{ENDED, record};
use crate::server::error::Error;
use crate::server::rows;
use crate::server::statements::Statement;

/// Ends the running executions of tasks whose attempt is over as timeout, and records them. One that
/// another transaction is finishing is skipped.
pub fn time_out(task_ids: Vec<Uuid>) -> Result<(), Error> {
    static TIME_OUT: Statement =
        Statement::new(concatcp!(TIMED_OUT, "s.task_id = ANY ($1)", TIMED_OUT_ROWS));
    record_timeouts(&TIME_OUT, &[task_ids.into()])
}

/// Ends a running execution as timeout, and records it.
pub fn time_out_one(execution_id: Uuid) -> Result<(), Error> {
    static TIME_OUT: Statement = Statement::new(concatcp!(TIMED_OUT, "s.id = $1", TIMED_OUT_ROWS));
    record_timeouts(&TIME_OUT, &[execution_id.into()])
}

/// The beginning and the end of a statement that ends running executions as timeout.
const TIMED_OUT: &str = concatcp!(
    "UPDATE orchestrator.tool_executions AS e SET status = 'timeout', ",
    ENDED,
    " FROM orchestrator.tasks AS t WHERE t.id = e.task_id AND e.id = ANY (ARRAY( \
         SELECT s.id FROM orchestrator.tool_executions AS s WHERE s.status = 'running' AND "
);
const TIMED_OUT_ROWS: &str = " FOR NO KEY UPDATE SKIP LOCKED)) RETURNING e.id, t.id, e.tool_name, t.trace_id, coalesce(t.to_role, t.from_role)";

fn record_timeouts(
    statement: &'static Statement,
    arguments: &[DatumWithOid<'_>],
) -> Result<(), Error> {
    let ended = statement.update(arguments, |rows| {
        rows::each(rows, |row| {
            let id = rows::value::<Uuid>(row, 1, "tool_executions.id")?;
            let task_id = rows::value::<Uuid>(row, 2, "tasks.id")?;
            let tool_name = rows::value::<String>(row, 3, "tool_executions.tool_name")?;
            let trace_id = rows::optional::<Uuid>(row, 4, "tasks.trace_id")?;
            let role = rows::optional::<String>(row, 5, "tasks.to_role or from_role")?;
            Ok((id, task_id, tool_name, trace_id, role))
        })
    })?;
    for (id, task_id, tool_name, trace_id, role) in ended {
        record(trace_id, role, "tool_execution_timeout", id, task_id, &tool_name)?;
    }
    Ok(())
}
