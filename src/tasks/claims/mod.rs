//! Claims of tasks. A claim is an open row of `task_attempts`; its lease is extended there, without a
//! write to the task. Every function that begins or ends a claim locks the task before the attempt.

mod cancel;
mod claim;
mod complete;
pub mod expired;
mod fail;
mod queries;
mod renew;
mod retry;

use const_format::concatcp;
use pgrx::datum::Interval;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::{AllocatedByRust, Uuid};
use serde_json::json;

use crate::audit::{self, Event};
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::statements::{self, Statement};
use crate::server::{arguments, rows};
use crate::tasks::queue;

/// The row of a task.
type Row = PgHeapTuple<'static, AllocatedByRust>;

/// The end of an attempt `a`, by the clock, as its beginning: it comes after the steps that began in it.
const ENDED: &str = "ended_at = greatest(clock_timestamp(), a.claimed_at)";

/// The number of attempts of task `a.task_id` that count, the one that ends included.
const USED: &str = "(SELECT count(*) FROM orchestrator.task_attempts AS o \
     WHERE o.task_id = a.task_id AND o.outcome IS DISTINCT FROM 'released')";

/// A task that is locked until the transaction ends.
struct Task {
    id: Uuid,
    status: String,
    max_attempts: i32,
    trace_id: Uuid,
    role: String,
}

/// Columns of task `t` and its run `r`, as `Task::read` reads them.
const TASK: &str = "t.id, t.status, t.max_attempts, coalesce(t.trace_id, r.id, t.id) AS trace_id, coalesce(t.to_role, t.from_role) AS role";

/// The beginning of a statement about tasks: runs come before tasks in the order of locks.
const FROM_TASKS: &str = " FROM orchestrator.orchestrator_runs AS r RIGHT JOIN orchestrator.tasks AS t ON r.thread_id = t.thread_id";

impl Task {
    /// Locks a task that may fail or be cancelled. If it waits for an approval, its run is locked first, as whoever
    /// decides the approval does: the end of the task withdraws the approval. Else the run stays free: a worker may hold
    /// other tasks of it in the same transaction.
    ///
    /// Errors: P0002 it does not exist.
    fn lock_to_end(id: Uuid) -> Result<Task, Error> {
        static LOCK_RUN: Statement = Statement::new(
            "SELECT r.id FROM orchestrator.orchestrator_runs AS r \
             WHERE r.thread_id = (SELECT t.thread_id FROM orchestrator.tasks AS t WHERE t.id = $1 \
                                    AND (SELECT true FROM orchestrator.approvals AS a WHERE a.task_id = t.id AND a.status IS NOT DISTINCT FROM 'pending' LIMIT 1)) \
             FOR NO KEY UPDATE",
        );
        LOCK_RUN.update(&[id.into()], |_| Ok(()))?;
        Task::lock(id)
    }

    /// Locks a task.
    ///
    /// Errors: P0002 it does not exist.
    fn lock(id: Uuid) -> Result<Task, Error> {
        static LOCK: Statement = Statement::new(concatcp!(
            "SELECT ",
            TASK,
            FROM_TASKS,
            " WHERE t.id = $1 FOR NO KEY UPDATE OF t"
        ));
        LOCK.update(&[id.into()], |rows| rows::first(rows, |row| Task::read(row)))?
            .ok_or_else(|| unknown(id))
    }

    fn read(row: &impl rows::Row) -> Result<Task, Error> {
        Ok(Task {
            id: rows::value(row, 1, "tasks.id")?,
            status: rows::value(row, 2, "tasks.status")?,
            max_attempts: rows::value(row, 3, "tasks.max_attempts")?,
            trace_id: rows::value(row, 4, "tasks.trace_id")?,
            role: rows::optional(row, 5, "tasks.to_role")?.unwrap_or_else(|| audit::SYSTEM.into()),
        })
    }

    /// The event of the end of the task. `facts`: a JSON object.
    fn event<'a>(&'a self, event_type: &'a str, mut facts: serde_json::Value) -> Event<'a> {
        facts["task_id"] = json!(self.id.to_string());
        Event {
            event_type,
            role: &self.role,
            trace_id: self.trace_id,
            metadata: Document::composed(facts),
        }
    }
}

/// The row that an update of a locked task returned.
///
/// Errors: 55000 there is none.
fn written(row: Option<Row>, id: Uuid) -> Result<Row, Error> {
    row.ok_or_else(|| Error::no_row(format!("task {id} could not be changed"), "tasks"))
}

fn unknown(id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("task {id} does not exist")).hint(
        "Create a task with orchestrator.create_task, or claim one with orchestrator.claim_tasks.",
    )
}

/// The reason why a worker does not hold a task.
fn not_held(id: Uuid, worker: &str) -> Result<Error, Error> {
    static STATUS: Statement =
        Statement::new("SELECT t.status FROM orchestrator.tasks AS t WHERE t.id = $1");
    static ENDED: Statement = Statement::new(
        "SELECT format(' The last attempt of worker \"%s\" (%s) ended as %s at %s.', a.worker, a.attempt, a.outcome, a.ended_at) \
         FROM orchestrator.task_attempts AS a WHERE a.task_id = $1 AND a.worker = $2 AND a.ended_at IS NOT NULL \
         ORDER BY a.attempt DESC LIMIT 1",
    );
    let Some(status) = STATUS.update(&[id.into()], statements::one::<String>)? else {
        return Ok(unknown(id));
    };
    let held = queue::holder(id)?;
    let ended = ENDED.update(&[id.into(), worker.into()], statements::one::<String>)?;
    let now = held.unwrap_or_else(|| format!("No worker holds it; its status is {status}."));
    Ok(Error::new(Kind::NotReady, format!("task {id} is not claimed by worker \"{worker}\""))
        .detail(format!("{now}{}", ended.unwrap_or_default()))
        .hint("Stop the work on this task; the claim is lost. Claim another with orchestrator.claim_tasks, and renew a claim before its lease expires."))
}

/// A lease, which is longer than zero; NULL means five minutes.
fn lease(value: Option<Interval>) -> Result<Interval, Error> {
    let value = arguments::length("lease", value.unwrap_or_else(|| Interval::from_minutes(5)))?;
    if value.as_micros() == 0 {
        return Err(Error::new(Kind::InvalidValue, "argument \"lease\" must be longer than zero")
            .hint("A lease is the time after which others may take the task, for example '5 minutes'."));
    }
    Ok(value)
}
