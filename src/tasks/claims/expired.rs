//! Tasks whose worker did not extend its lease in time.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::{FROM_TASKS, TASK, Task};
use crate::audit;
use crate::server::error::Error;
use crate::server::statements::{self, Statement};
use crate::server::{interrupts, plans, rows};
use crate::tasks::{queue, tool_executions};

/// Takes back every task with an expired lease. Its attempt ends as expired, and its running tool
/// executions end as timeout. With attempts left the task is pending again, and can be claimed at once;
/// else it has failed, and `task_failed` is recorded. Tasks that another transaction has locked are
/// skipped. `claim_tasks` does the same first. The call also looks again at the first entries of the queue: those
/// that a pause had to leave, because their tasks were locked, are kept back.
///
/// Returns: the number of tasks. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
pub fn reclaim_expired_tasks() -> Result<i64, ErrorReport> {
    queue::lock_tables();
    Ok(plans::by_index(|| {
        let reclaimed = reclaim(i64::MAX)?;
        queue::look_again()?;
        Ok::<_, Error>(reclaimed)
    })?)
}

/// Takes back tasks with an expired lease, at most so many; those that expired first come first.
pub fn reclaim(limit: i64) -> Result<i64, Error> {
    static EXPIRED: Statement = Statement::new(concatcp!(
        "SELECT e.* FROM ( \
             SELECT a.task_id FROM orchestrator.task_attempts AS a \
             WHERE a.outcome IS NULL AND a.lease_expires_at < now() ORDER BY a.lease_expires_at) AS a, \
             LATERAL (SELECT ",
        TASK,
        FROM_TASKS,
        " JOIN orchestrator.task_attempts AS o ON o.task_id = t.id \
          WHERE t.id = a.task_id AND o.task_id = a.task_id AND o.ended_at IS NULL AND o.lease_expires_at < now() \
          FOR NO KEY UPDATE OF t, o SKIP LOCKED) AS e LIMIT $1"
    ));
    if !any()? {
        return Ok(0);
    }
    let expired =
        EXPIRED.update(&[limit.into()], |rows| rows::each(rows, |row| Task::read(row)))?;
    let expired = without_locked_runs(expired)?;
    if expired.is_empty() {
        return Ok(0);
    }
    let ended = end(&expired)?;
    let ids: Vec<Uuid> = ended.iter().map(|ended| ended.task.id).collect();
    tool_executions::time_out(ids)?;
    let (over, left): (Vec<_>, Vec<_>) = ended.iter().partition(|ended| ended.is_last());
    wait_again(left.iter().map(|ended| ended.task.id).collect())?;
    fail(&over)?;
    Ok(ended.len() as i64)
}

/// Leaves out the tasks with an open approval whose run another transaction has locked: it may decide the approval, and
/// then waits for the task. The runs of the others are locked, because the end of a task withdraws its approvals.
fn without_locked_runs(mut tasks: Vec<Task>) -> Result<Vec<Task>, Error> {
    static LOCKED: Statement = Statement::new(
        "WITH asked AS MATERIALIZED ( \
             SELECT t.id, r.id AS run FROM orchestrator.orchestrator_runs AS r JOIN orchestrator.tasks AS t ON t.thread_id = r.thread_id \
             WHERE t.id = ANY ($1) \
               AND (SELECT true FROM orchestrator.approvals AS a WHERE a.task_id = t.id AND a.status IS NOT DISTINCT FROM 'pending' LIMIT 1)), \
         ours AS MATERIALIZED ( \
             SELECT r.id FROM orchestrator.orchestrator_runs AS r WHERE r.id IN (SELECT a.run FROM asked AS a) \
             FOR NO KEY UPDATE SKIP LOCKED) \
         SELECT a.id FROM asked AS a WHERE a.run NOT IN (SELECT o.id FROM ours AS o)",
    );
    if tasks.is_empty() {
        return Ok(tasks);
    }
    let ids: Vec<Uuid> = tasks.iter().map(|task| task.id).collect();
    let locked = LOCKED.update(&[ids.into()], statements::column::<Uuid>)?;
    tasks.retain(|task| !locked.contains(&task.id));
    Ok(tasks)
}

/// Whether there is an expired lease. Most claims find none, and this costs less than the search for tasks.
fn any() -> Result<bool, Error> {
    static ANY: Statement = Statement::new(
        "SELECT true FROM orchestrator.task_attempts AS a \
         WHERE a.outcome IS NULL AND a.lease_expires_at < now() LIMIT 1",
    );
    ANY.update(&[], |rows| Ok(!rows.is_empty()))
}

/// An attempt that has expired.
struct Expired<'a> {
    task: &'a Task,
    worker: String,
    attempt: i32,
    /// The number of attempts that count.
    used: i64,
}

impl Expired<'_> {
    fn is_last(&self) -> bool {
        self.used >= i64::from(self.task.max_attempts)
    }

    fn error(&self) -> String {
        format!("the lease of worker \"{}\" expired", self.worker)
    }
}

/// Ends the open attempts of locked tasks. A lease that was extended meanwhile stays.
fn end(tasks: &[Task]) -> Result<Vec<Expired<'_>>, Error> {
    static END: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.task_attempts AS a SET ",
        super::ENDED,
        ", outcome = 'expired' \
         WHERE a.task_id = ANY ($1) AND a.outcome IS NULL AND a.lease_expires_at < now() \
         RETURNING a.task_id, a.worker, a.attempt, ",
        super::USED
    ));
    let by_id: std::collections::HashMap<[u8; 16], &Task> =
        tasks.iter().map(|task| (*task.id.as_bytes(), task)).collect();
    let ids: Vec<Uuid> = tasks.iter().map(|task| task.id).collect();
    let ended = END.update(&[ids.into()], |rows| {
        rows::each(rows, |row| {
            let id = rows::value::<Uuid>(row, 1, "task_attempts.task_id")?;
            let worker = rows::value::<String>(row, 2, "task_attempts.worker")?;
            let attempt = rows::value::<i32>(row, 3, "task_attempts.attempt")?;
            Ok((id, worker, attempt, rows::value::<i64>(row, 4, "count")?))
        })
    })?;
    let ended = ended.into_iter().filter_map(|(id, worker, attempt, used)| {
        interrupts::allow();
        Some(Expired { task: by_id.get(id.as_bytes())?, worker, attempt, used })
    });
    Ok(ended.collect())
}

/// Lets running tasks wait for their next attempt.
fn wait_again(ids: Vec<Uuid>) -> Result<(), Error> {
    static WAIT: Statement = Statement::new(
        "UPDATE orchestrator.tasks AS t SET status = 'pending' WHERE t.id = ANY ($1) AND t.status IS NOT DISTINCT FROM 'running'",
    );
    if ids.is_empty() {
        return Ok(());
    }
    queue::moving(|| WAIT.update(&[ids.into()], |_| Ok(())))
}

/// Lets running tasks end as failed, and records it.
fn fail(over: &[&Expired<'_>]) -> Result<(), Error> {
    static FAIL: Statement = Statement::new(
        "UPDATE orchestrator.tasks AS t SET status = 'failed', error = e.error \
         FROM ROWS FROM (unnest($1), unnest($2)) AS e (id, error) \
         WHERE t.id = e.id AND t.status IS NOT DISTINCT FROM 'running'",
    );
    if over.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = over.iter().map(|expired| expired.task.id).collect();
    let errors: Vec<String> = over.iter().map(|expired| expired.error()).collect();
    queue::moving(|| FAIL.update(&[ids.into(), errors.into()], |_| Ok(())))?;
    audit::record_all(over.iter().map(|expired| {
        let Expired { task, worker, attempt, .. } = expired;
        task.event(
            "task_failed",
            json!({ "worker": worker, "attempt": attempt, "error": expired.error() }),
        )
    }))
}
