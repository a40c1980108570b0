//! Another attempt of a task that failed.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::{Row, Task, written};
use crate::audit;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::{self, Statement};
use crate::server::{arguments, plans, rows};
use crate::tasks::queue;

/// Lets a task that failed be claimed again, and records `task_retried` with the error. The tasks that come
/// after it in a workflow wait for it again.
///
/// `task_id`: the task; `max_attempts`: the number of attempts after which a failure is final, those that it
/// had included; NULL allows one more attempt than it had, unless some are left.
/// Returns: the row, in status `pending`.
/// Errors: 22004, P0002 unknown task, 22023 the task had as many attempts already, 55000 it has not failed.
/// Since 0.7.2.
#[pg_extern(sql = false, volatile)]
fn retry_task(
    task_id: Option<Uuid>,
    max_attempts: default!(Option<i32>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.tasks"), ErrorReport> {
    let id = required("task_id", task_id)?;
    queue::lock_tables();
    Ok(plans::by_index(|| retry(id, max_attempts))?)
}

fn retry(id: Uuid, max_attempts: Option<i32>) -> Result<Row, Error> {
    static FAILED: Statement = Statement::new(concatcp!(
        "SELECT ",
        super::USED,
        ", a.error FROM (SELECT t.id AS task_id, t.error FROM orchestrator.tasks AS t WHERE t.id = $1) AS a"
    ));
    static RETRY: Statement = Statement::new(
        "UPDATE orchestrator.tasks AS t SET status = 'pending', max_attempts = $2 WHERE t.id = $1 RETURNING t",
    );
    let task = Task::lock(id)?;
    if task.status != "failed" {
        return Err(has_not_failed(&task));
    }
    let (used, error) = FAILED
        .update(&[id.into()], |rows| {
            rows::first(rows, |row| {
                let used = rows::value::<i64>(row, 1, "count")?;
                Ok((used, rows::optional::<String>(row, 2, "tasks.error")?))
            })
        })?
        .unwrap_or_default();
    let max_attempts = allowed(&task, used, max_attempts)?;
    let arguments = [id.into(), max_attempts.into()];
    let row = queue::moving(|| RETRY.update(&arguments, statements::one::<Row>))?;
    let facts = json!({ "error": error, "attempts": used, "max_attempts": max_attempts });
    audit::record(task.event("task_retried", facts))?;
    written(row, id)
}

/// The number of attempts that the task may have from now on.
fn allowed(task: &Task, used: i64, max_attempts: Option<i32>) -> Result<i32, Error> {
    let least = i32::try_from(used).unwrap_or(i32::MAX).saturating_add(1);
    match max_attempts {
        None => Ok(task.max_attempts.max(least)),
        Some(most) if most >= least => Ok(most),
        Some(most) => Err(Error::new(
            Kind::InvalidValue,
            format!("max_attempts {most} leaves task {} no attempt", task.id),
        )
        .detail(format!("It has had {}.", arguments::counted(used, "attempt")))
        .hint(format!("Allow {least} or more, or leave the argument out for one more attempt."))),
    }
}

fn has_not_failed(task: &Task) -> Error {
    let hint = match task.status.as_str() {
        "pending" => "It waits for its next attempt already.",
        "running" => "Its worker calls orchestrator.fail_task when an attempt fails.",
        _ => "Only a failed task is tried again. Create another with orchestrator.create_task.",
    };
    Error::new(Kind::NotReady, format!("task {} has not failed", task.id))
        .detail(format!("Its status is {}.", task.status))
        .hint(hint)
}
