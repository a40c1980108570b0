//! The end of an attempt without a result: the task failed, or its worker gives it back.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::{Row, Task, not_held, written};
use crate::audit;
use crate::server::error::{Error, required};
use crate::server::statements::{self, Statement};
use crate::server::{arguments, plans, rows};
use crate::tasks::{queue, tool_executions};

/// Ends the attempt of a task that the worker holds with an error. With attempts left the task is
/// pending again, and is claimed after a while; else it has failed, `task_failed` is recorded, and its
/// running tool executions end as timeout.
///
/// `task_id`: the task; `worker`: the name with which it was claimed; `error`: the reason;
/// `retry_in`: the time until the next attempt; NULL means 2 to the power of the number of attempts, in
/// seconds, an hour at most, shortened by up to a quarter at random; `final`: no further attempt would
/// help.
/// Returns: the row, in status `pending` or `failed`.
/// Errors: 22004, 22023 blank or overlong worker, blank error, or a negative time, P0002 unknown task,
/// 55000 the worker does not hold the task. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn fail_task(
    task_id: Option<Uuid>,
    worker: Option<&str>,
    error: Option<&str>,
    retry_in: default!(Option<Interval>, "NULL"),
    r#final: default!(Option<bool>, "false"),
) -> Result<pgrx::composite_type!('static, "orchestrator.tasks"), ErrorReport> {
    let id = required("task_id", task_id)?;
    let worker = arguments::name("worker", worker)?;
    let error = arguments::filled("error", error)?;
    let retry_in = retry_in.map(|retry_in| arguments::length("retry_in", retry_in)).transpose()?;
    let is_final = r#final.unwrap_or(false);
    Ok(plans::by_index(|| fail(id, worker, error, retry_in, is_final))?)
}

fn fail(
    id: Uuid,
    worker: &str,
    error: &str,
    retry_in: Option<Interval>,
    is_final: bool,
) -> Result<Row, Error> {
    static BACKOFF: Statement = Statement::new(
        "SELECT interval '1 second' * \
            (least(power(2, least($1, 20)), 3600) * (0.75 + random() / 4))",
    );
    let task = Task::lock_to_end(id)?;
    let Some(ended) = Ended::of(&task, worker, "failed", Some(error))? else {
        return Err(not_held(id, worker)?);
    };
    if is_final || ended.used >= i64::from(task.max_attempts) {
        let row = failed(&task, error)?;
        tool_executions::time_out(vec![id])?;
        audit::record(task.event(
            "task_failed",
            json!({ "worker": worker, "attempt": ended.attempt, "error": error }),
        ))?;
        return Ok(row);
    }
    let retry_in = match retry_in {
        Some(retry_in) => retry_in,
        None => BACKOFF.update(&[ended.used.into()], |rows| rows::only(rows, "interval"))?,
    };
    wait_again(id, retry_in)
}

/// Puts a task that the worker holds back into the queue, for example when the worker shuts down. The
/// attempt stays in the history, but does not count.
///
/// `task_id`: the task; `worker`: the name with which it was claimed; `retry_in`: the time until it can
/// be claimed again. Returns: the row, in status `pending`.
/// Errors: 22004, 22023 blank or overlong worker, or a negative time, P0002 unknown task, 55000 the
/// worker does not hold the task. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn release_task(
    task_id: Option<Uuid>,
    worker: Option<&str>,
    retry_in: default!(Option<Interval>, "'0'"),
) -> Result<pgrx::composite_type!('static, "orchestrator.tasks"), ErrorReport> {
    let id = required("task_id", task_id)?;
    let worker = arguments::name("worker", worker)?;
    let retry_in =
        arguments::length("retry_in", retry_in.unwrap_or_else(|| Interval::from_micros(0)))?;
    Ok(plans::by_index(|| release(id, worker, retry_in))?)
}

fn release(id: Uuid, worker: &str, retry_in: Interval) -> Result<Row, Error> {
    let task = Task::lock(id)?;
    if Ended::of(&task, worker, "released", None)?.is_none() {
        return Err(not_held(id, worker)?);
    }
    wait_again(id, retry_in)
}

/// An attempt that this transaction has ended.
struct Ended {
    attempt: i32,
    /// The number of attempts that count.
    used: i64,
}

impl Ended {
    /// Ends the attempt of a worker that holds the task; `None` if it does not.
    fn of(
        task: &Task,
        worker: &str,
        outcome: &str,
        error: Option<&str>,
    ) -> Result<Option<Ended>, Error> {
        static END: Statement = Statement::new(concatcp!(
            "UPDATE orchestrator.task_attempts AS a SET ",
            super::ENDED,
            ", outcome = $3, error = $4 \
             WHERE a.task_id = $1 AND a.worker = $2 AND a.ended_at IS NULL RETURNING a.attempt, ",
            super::USED
        ));
        if task.status != "running" {
            return Ok(None);
        }
        let arguments = [task.id.into(), worker.into(), outcome.into(), error.into()];
        END.update(&arguments, |rows| {
            rows::first(rows, |row| {
                Ok(Ended {
                    attempt: rows::value(row, 1, "task_attempts.attempt")?,
                    used: rows::value(row, 2, "count")?,
                })
            })
        })
    }
}

/// Lets a locked, running task wait for its next attempt, at the earliest after `retry_in`. If that is zero,
/// the task keeps its place in the queue. Returns the row.
fn wait_again(id: Uuid, retry_in: Interval) -> Result<Row, Error> {
    static WAIT: Statement = Statement::new(
        "UPDATE orchestrator.tasks AS t SET status = 'pending', \
             run_after = coalesce(clock_timestamp() + $2, t.run_after) \
         WHERE t.id = $1 RETURNING t",
    );
    let retry_in = Some(retry_in).filter(|retry_in| retry_in.as_micros() > 0);
    let arguments = [id.into(), retry_in.into()];
    let row = queue::moving(|| WAIT.update(&arguments, statements::one::<Row>))?;
    written(row, id)
}

/// Lets a locked, running task end as failed. Returns the row.
fn failed(task: &Task, error: &str) -> Result<Row, Error> {
    static FAIL: Statement = Statement::new(
        "UPDATE orchestrator.tasks AS t SET status = 'failed', error = $2 WHERE t.id = $1 RETURNING t",
    );
    let arguments = [task.id.into(), error.into()];
    let row = queue::moving(|| FAIL.update(&arguments, statements::one::<Row>))?;
    written(row, task.id)
}
