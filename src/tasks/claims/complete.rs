//! The completion of tasks, one by one or many at once.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Row, not_held};
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::{self, Statement};
use crate::server::{arguments, rows};
use crate::tasks::queue;

/// Completes a task that the worker holds. The same worker may repeat the call, for example when it lost
/// the answer: it gets the row again. A lease that has expired does not matter, unless the task was taken
/// back.
///
/// `task_id`: the task; `worker`: the name with which it was claimed; `result`: the result, any JSON
/// value. Returns: the row, in status `completed`.
/// Errors: 22004, 22023 blank or overlong worker, P0002 unknown task, 55000 the worker does not hold
/// the task. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn complete_task(
    task_id: Option<Uuid>,
    worker: Option<&str>,
    result: default!(Option<Document>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.tasks"), ErrorReport> {
    // The task is changed before the attempt, and the attempt only if the claim is still open after a
    // wait for the lock of the task.
    static COMPLETE: Statement = Statement::new(concatcp!(
        "WITH done AS ( \
             UPDATE orchestrator.tasks AS t SET status = 'completed', result = $3 \
             FROM orchestrator.task_attempts AS a \
             WHERE t.id = $1 AND t.status = 'running' AND a.task_id = $1 AND a.worker = $2 AND a.ended_at IS NULL \
             RETURNING t AS task, a.attempt), \
         ended AS ( \
             UPDATE orchestrator.task_attempts AS a SET ",
        super::ENDED,
        ", outcome = 'completed' FROM done AS d \
             WHERE a.task_id = $1 AND a.attempt = d.attempt AND a.ended_at IS NULL RETURNING a.attempt) \
         SELECT d.task, e.attempt FROM done AS d LEFT JOIN ended AS e ON true"
    ));
    let id = required("task_id", task_id)?;
    let worker = arguments::name("worker", worker)?;
    let arguments = [id.into(), worker.into(), result.into()];
    let done = queue::moving(|| {
        COMPLETE.update(&arguments, |rows| {
            rows::first(rows, |row| {
                let task = rows::value::<Row>(row, 1, "tasks.id")?;
                Ok((task, rows::optional::<i32>(row, 2, "task_attempts.attempt")?))
            })
        })
    })?;
    match done {
        Some((task, Some(_))) => Ok(task),
        Some((_, None)) => Err(taken_meanwhile(id).into()),
        None => match completed_by(id, worker)? {
            Some(task) => Ok(task),
            None => Err(not_held(id, worker)?.into()),
        },
    }
}

/// The task, if the last attempt of the worker completed it.
fn completed_by(id: Uuid, worker: &str) -> Result<Option<Row>, Error> {
    static COMPLETED: Statement = Statement::new(
        "SELECT t FROM orchestrator.tasks AS t JOIN orchestrator.task_attempts AS a ON a.task_id = t.id \
         WHERE t.id = $1 AND t.status = 'completed' AND a.worker = $2 AND a.outcome = 'completed' LIMIT 1",
    );
    COMPLETED.update(&[id.into(), worker.into()], statements::one::<Row>)
}

fn taken_meanwhile(id: Uuid) -> Error {
    Error::new(Kind::Serialization, format!("task {id} was taken back meanwhile"))
        .hint("Roll back and try again; a new transaction reports who holds the task.")
}

/// Completes tasks that the worker holds: all of them, or none. Tasks that the worker has completed
/// before are left as they are, so the call may be repeated.
///
/// `task_ids`: the tasks; `worker`: the name with which they were claimed; `results`: the result of
/// each task, in the same order; NULL for none.
/// Returns: the number of tasks that this call completed.
/// Errors: 22004 also for a NULL among the ids, 22023 blank or overlong worker, an id twice, or another
/// number of results, P0002 an unknown task, 55000 the worker does not hold one of them; the first one
/// is named. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn complete_tasks(
    task_ids: Option<Vec<Option<Uuid>>>,
    worker: Option<&str>,
    results: default!(Option<Vec<Option<Document>>>, "NULL"),
) -> Result<i64, ErrorReport> {
    static COMPLETE: Statement = Statement::new(concatcp!(
        "WITH wanted AS MATERIALIZED ( \
             SELECT w.id, w.result FROM ROWS FROM (unnest($1), unnest($3)) AS w (id, result) ORDER BY w.id), \
         done AS ( \
             UPDATE orchestrator.tasks AS t SET status = 'completed', result = w.result \
             FROM wanted AS w, orchestrator.task_attempts AS a \
             WHERE t.id = w.id AND t.status = 'running' AND a.task_id = w.id AND a.worker = $2 AND a.ended_at IS NULL \
             RETURNING t.id, a.attempt), \
         ended AS ( \
             UPDATE orchestrator.task_attempts AS a SET ",
        super::ENDED,
        ", outcome = 'completed' FROM done AS d \
             WHERE a.task_id = d.id AND a.attempt = d.attempt AND a.ended_at IS NULL RETURNING a.task_id) \
         SELECT d.id, e.task_id IS NOT NULL FROM done AS d LEFT JOIN ended AS e ON e.task_id = d.id"
    ));
    let ids = distinct(required("task_ids", task_ids)?)?;
    let worker = arguments::name("worker", worker)?;
    let results = results.unwrap_or_else(|| vec![None; ids.len()]);
    if results.len() != ids.len() {
        return Err(Error::new(
            Kind::InvalidValue,
            format!(
                "{} for {}",
                arguments::counted(results.len() as i64, "result"),
                arguments::counted(ids.len() as i64, "task")
            ),
        )
        .hint("Argument \"results\" has one result for each of \"task_ids\", in their order; NULL for none.")
        .into());
    }
    let arguments = [ids.clone().into(), worker.into(), results.into()];
    let done = queue::moving(|| {
        COMPLETE.update(&arguments, |rows| {
            rows::each(rows, |row| {
                let id = rows::value::<Uuid>(row, 1, "tasks.id")?;
                Ok((id, rows::value::<bool>(row, 2, "task_attempts.ended_at")?))
            })
        })
    })?;
    for (id, ended) in &done {
        if !ended {
            return Err(taken_meanwhile(*id).into());
        }
    }
    let completed: std::collections::HashSet<_> =
        done.iter().map(|(id, _)| *id.as_bytes()).collect();
    for id in ids.iter().filter(|id| !completed.contains(id.as_bytes())) {
        if completed_by(*id, worker)?.is_none() {
            return Err(not_held(*id, worker)?.into());
        }
    }
    Ok(done.len() as i64)
}

/// The ids, none of them NULL or repeated.
fn distinct(ids: Vec<Option<Uuid>>) -> Result<Vec<Uuid>, Error> {
    let mut seen = std::collections::HashSet::new();
    ids.into_iter()
        .map(|id| {
            let id = required("task_ids", id)?;
            match seen.insert(*id.as_bytes()) {
                true => Ok(id),
                false => Err(Error::new(
                    Kind::InvalidValue,
                    format!("argument \"task_ids\" has task {id} twice"),
                )),
            }
        })
        .collect()
}
