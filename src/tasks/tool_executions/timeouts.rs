//! The end of executions that nobody will finish.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;

use super::record::{ENDED, EXECUTION, Execution};
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
const TIMED_OUT_ROWS: &str = concatcp!(" FOR NO KEY UPDATE SKIP LOCKED)) RETURNING ", EXECUTION);

fn record_timeouts(
    statement: &'static Statement,
    arguments: &[DatumWithOid<'_>],
) -> Result<(), Error> {
    let ended =
        statement.update(arguments, |rows| rows::each(rows, |row| Execution::read(row, 1)))?;
    ended.iter().try_for_each(|execution| execution.record("tool_execution_timeout"))
}
