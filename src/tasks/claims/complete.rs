//! The completion of tasks, one by one or many at once.

use std::collections::HashSet;

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Row, not_held};
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::{self, Statement};
use crate::server::{arguments, plans, rows};
use crate::tasks::queue;

/// Completes a task that the worker holds. The same worker may repeat the call, for example when it lost
/// the answer: it gets the row again. A lease that has expired does not matter, unless the task was taken
/// back.
///
/// `task_id`: the task; `worker`: the name with which it was claimed; `result`: the result, any JSON
/// value. Returns: the row, in status `completed`.
/// Errors: 22004, 22023 blank or overlong worker, P0002 unknown task, 55000 the worker does not hold
/// the task, 40001 the task was taken back while the call waited. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn complete_task(
    task_id: Option<Uuid>,
    worker: Option<&str>,
    result: default!(Option<Document>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.tasks"), ErrorReport> {
    let id = required("task_id", task_id)?;
    let worker = arguments::name("worker", worker)?;
    queue::lock_tables();
    Ok(plans::by_index(|| complete(id, worker, result))?)
}

fn complete(id: Uuid, worker: &str, result: Option<Document>) -> Result<Row, Error> {
    // The task is changed before the attempt, and the attempt only if the claim is still open after a
    // wait for the lock of the task.
    static COMPLETE: Statement = Statement::new(concatcp!(
        "WITH done AS ( \
             UPDATE orchestrator.tasks AS t SET status = 'completed', result = $3 \
             WHERE t.id = $1 AND t.status IS NOT DISTINCT FROM 'running' \
               AND (SELECT true FROM orchestrator.task_attempts AS a \
                    WHERE a.task_id = $1 AND a.worker = $2 AND a.ended_at IS NULL LIMIT 1) \
             RETURNING t AS task), \
         ended AS ( \
             UPDATE orchestrator.task_attempts AS a SET ",
        super::ENDED,
        ", outcome = 'completed' \
             WHERE a.task_id = $1 AND a.worker = $2 AND a.ended_at IS NULL AND EXISTS (SELECT FROM done) RETURNING a.attempt) \
         SELECT d.task, (SELECT e.attempt FROM ended AS e) FROM done AS d"
    ));
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
        Some((_, None)) => Err(taken_meanwhile(id)),
        None => match completed_by(id, worker)? {
            Some(task) => Ok(task),
            None => Err(not_held(id, worker)?),
        },
    }
}

/// The task, if the last attempt of the worker completed it.
fn completed_by(id: Uuid, worker: &str) -> Result<Option<Row>, Error> {
    static COMPLETED: Statement = Statement::new(
        "SELECT t FROM orchestrator.tasks AS t JOIN orchestrator.task_attempts AS a ON a.task_id = t.id \
         WHERE t.id = $1 AND t.status IS NOT DISTINCT FROM 'completed' AND a.worker = $2 AND a.outcome = 'completed' LIMIT 1",
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
/// number of results, P0002 an unknown task, 55000 the worker does not hold one of them, or one waits for
/// an approval; the first one is named, 40001 one was taken back while the call waited. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn complete_tasks(
    task_ids: Option<Vec<Option<Uuid>>>,
    worker: Option<&str>,
    results: default!(Option<Vec<Option<Document>>>, "NULL"),
) -> Result<i64, ErrorReport> {
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
    queue::lock_tables();
    Ok(plans::by_index(|| complete_all(ids, worker, results))?)
}

fn complete_all(
    ids: Vec<Uuid>,
    worker: &str,
    results: Vec<Option<Document>>,
) -> Result<i64, Error> {
    // Tasks are locked in the order of their ids, which are sorted. The position of an id is the position
    // of its result.
    static COMPLETE: Statement = Statement::new(concatcp!(
        "WITH done AS ( \
             UPDATE orchestrator.tasks AS t SET status = 'completed', result = ($3)[width_bucket(t.id, $1)] \
             WHERE t.id = ANY ($1) AND t.status IS NOT DISTINCT FROM 'running' \
               AND (SELECT true FROM orchestrator.task_attempts AS a \
                    WHERE a.task_id = t.id AND a.worker = $2 AND a.ended_at IS NULL LIMIT 1) \
             RETURNING t.id), \
         ended AS ( \
             UPDATE orchestrator.task_attempts AS a SET ",
        super::ENDED,
        ", outcome = 'completed' \
             WHERE a.task_id = ANY (ARRAY(SELECT d.id FROM done AS d)) AND a.worker = $2 AND a.ended_at IS NULL RETURNING a.task_id) \
         SELECT d.id, false FROM done AS d UNION ALL SELECT e.task_id, true FROM ended AS e"
    ));
    let (ids, results): (Vec<Uuid>, Vec<Option<Document>>) = {
        let mut wanted: Vec<_> = ids.into_iter().zip(results).collect();
        wanted.sort_unstable_by_key(|(id, _)| *id.as_bytes());
        wanted.into_iter().unzip()
    };
    let arguments = [ids.clone().into(), worker.into(), results.into()];
    let (mut done, mut ended) = (Vec::new(), HashSet::new());
    queue::moving(|| {
        COMPLETE.update(&arguments, |rows| {
            rows::each(rows, |row| {
                let id = rows::value::<Uuid>(row, 1, "tasks.id")?;
                if rows::value::<bool>(row, 2, "task_attempts.ended_at")? {
                    ended.insert(*id.as_bytes());
                } else {
                    done.push(id);
                }
                Ok(())
            })
        })
    })?;
    if let Some(id) = done.iter().find(|id| !ended.contains(id.as_bytes())) {
        return Err(taken_meanwhile(*id));
    }
    for id in ids.iter().filter(|id| !ended.contains(id.as_bytes())) {
        if completed_by(*id, worker)?.is_none() {
            return Err(not_held(*id, worker)?);
        }
    }
    Ok(done.len() as i64)
}

/// The ids, none of them NULL or repeated.
fn distinct(ids: Vec<Option<Uuid>>) -> Result<Vec<Uuid>, Error> {
    let mut seen = HashSet::new();
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
