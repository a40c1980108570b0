//! The queue written again, after rows of tasks were written while their triggers were off.

use const_format::concatcp;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::entries::announce;
use crate::schema::verify::row_rules::{IS_OVER, QUEUED_TASKS};
use crate::server::error::Error;
use crate::server::rows;
use crate::server::statements::Statement;

/// Ends the open attempts of tasks that are not running, marks the links of tasks that are over, and writes
/// `queued_tasks` again: one row for each pending task, as the task, its run and its workflows are. It is
/// needed only if rows were written while their triggers were off, which `verify()` reports. Changes of
/// tasks, runs and workflows wait until the transaction ends.
///
/// Returns: the number of rows. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn rebuild_task_queue() -> Result<i64, ErrorReport> {
    static LOCK: Statement = Statement::new(
        "LOCK TABLE orchestrator.orchestrator_runs, orchestrator.tasks, orchestrator.workflows, orchestrator.workflow_tasks \
         IN SHARE ROW EXCLUSIVE MODE",
    );
    static FILL: Statement = Statement::new(concatcp!(
        "WITH filled AS (INSERT INTO orchestrator.queued_tasks (task_id, task_type, to_role, priority, run_after, created_at, attempts, ready) ",
        QUEUED_TASKS,
        " RETURNING task_id) SELECT count(*) FROM filled"
    ));
    super::lock_tables();
    LOCK.update(&[], |_| Ok(()))?;
    empty()?;
    end_attempts()?;
    mark_links()?;
    let rows = FILL.update(&[], |rows| rows::only(rows, "count"))?;
    announce();
    Ok(rows)
}

/// Deletes every row of the queue. A table without rows is left alone: if it is published without a
/// replica identity, the server refuses any DELETE.
fn empty() -> Result<(), Error> {
    static HAS_ROWS: Statement =
        Statement::new("SELECT EXISTS (SELECT FROM orchestrator.queued_tasks) AS has_rows");
    static EMPTY: Statement = Statement::new("DELETE FROM orchestrator.queued_tasks");
    if HAS_ROWS.update(&[], |rows| rows::only(rows, "has_rows"))? {
        EMPTY.update(&[], |_| Ok(()))?;
    }
    Ok(())
}

/// Ends the open attempts of tasks that are not running. Without any, the table is left alone, for the
/// same reason.
fn end_attempts() -> Result<(), Error> {
    const OF_OTHERS: &str = "FROM orchestrator.tasks AS t WHERE t.id = a.task_id AND a.ended_at IS NULL AND t.status <> 'running'";
    static ARE_THERE: Statement = Statement::new(concatcp!(
        "SELECT EXISTS (SELECT FROM orchestrator.task_attempts AS a WHERE EXISTS (SELECT ",
        OF_OTHERS,
        ")) AS are_there"
    ));
    static END: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.task_attempts AS a SET ended_at = greatest(coalesce(t.completed_at, now()), a.claimed_at), \
             outcome = CASE WHEN t.status = 'pending' THEN 'released' ELSE t.status END ",
        OF_OTHERS
    ));
    if ARE_THERE.update(&[], |rows| rows::only(rows, "are_there"))? {
        END.update(&[], |_| Ok(()))?;
    }
    Ok(())
}

/// Marks the links of tasks as the tasks are. If all of them are right, the table is left alone, for the same
/// reason.
fn mark_links() -> Result<(), Error> {
    const OTHERWISE: &str = concatcp!(
        "FROM orchestrator.tasks AS t WHERE t.id = l.task_id AND l.done <> (",
        IS_OVER,
        ")"
    );
    static ARE_THERE: Statement = Statement::new(concatcp!(
        "SELECT EXISTS (SELECT FROM orchestrator.workflow_tasks AS l WHERE EXISTS (SELECT ",
        OTHERWISE,
        ")) AS are_there"
    ));
    static MARK: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.workflow_tasks AS l SET done = NOT l.done ",
        OTHERWISE
    ));
    if ARE_THERE.update(&[], |rows| rows::only(rows, "are_there"))? {
        MARK.update(&[], |_| Ok(()))?;
    }
    Ok(())
}
