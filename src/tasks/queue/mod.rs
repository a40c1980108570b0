//! The queue: a narrow row for each pending task, in the order of claims.
//!
//! Triggers keep it up to date, so that any INSERT or UPDATE of tasks and runs counts, by whomever.
//! The row of a task is written only by a transaction that has locked the task. So a claim, which locks
//! the task and skips locked ones, never waits for the queue.

mod rebuild;
mod restored;
mod runs;

use std::cell::Cell;

use const_format::concatcp;
use pgrx::datum::UnboxDatum;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::{backend_state, notifications, rows, scoped};

const PENDING: &str = "pending";
const RUNNING: &str = "running";

/// The channel on which claimable tasks are announced.
const CHANNEL: &str = "orchestrator_tasks";

/// A function of this library that moves tasks, while it does so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    /// It begins claims, and removes the tasks from the queue itself.
    Claim,
    /// It ends claims.
    End,
}

thread_local! {
    static MOVE: Cell<Option<Move>> = const { Cell::new(None) };
}

/// Runs `work`, which claims tasks and removes them from the queue.
pub fn claiming<R>(work: impl FnOnce() -> R) -> R {
    scoped::with(&MOVE, Some(Move::Claim), work)
}

/// Runs `work`, which moves tasks whose claim it has ended, or ends.
pub fn moving<R>(work: impl FnOnce() -> R) -> R {
    scoped::with(&MOVE, Some(Move::End), || lifecycle::taking_back(work))
}

/// AFTER INSERT OR UPDATE row trigger of tasks: adds a task that became pending to the queue, changes or
/// removes its row there, and announces a task that can be claimed now. It does nothing in an extension
/// script, which writes the queue itself.
///
/// Errors: 55000 an UPDATE of the status of a task that a worker holds. Since 0.7.1.
#[pg_trigger(sql = false)]
fn queue_task<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let moves = MOVE.get();
    if moves == Some(Move::Claim) || backend_state::in_script() {
        return Ok(None);
    }
    let owner = owner_of_table(trigger);
    if let Err(error) = backend_state::with_rights_of(owner, || follow(trigger, moves)) {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
    Ok(None)
}

/// The role that owns the table of a trigger.
fn owner_of_table(trigger: &PgTrigger<'_>) -> pg_sys::Oid {
    // SAFETY: the server keeps the relation open while its trigger runs.
    unsafe { (*(*trigger.trigger_data().tg_relation).rd_rel).relowner }
}

fn follow(trigger: &PgTrigger<'_>, moves: Option<Move>) -> Result<(), Error> {
    let Some(new) = trigger.new() else {
        lifecycle::misused("queue_task", "it must be fired AFTER INSERT OR UPDATE, FOR EACH ROW");
    };
    let id = of::<Uuid>(&new, "id")?.ok_or_else(|| rows::null("tasks.id"))?;
    let now = of::<String>(&new, "status")?;
    let old = trigger.old();
    let before = match &old {
        Some(old) => of::<String>(old, "status")?,
        None => None,
    };
    if before.as_deref() == Some(RUNNING) && now != before && moves.is_none() {
        refuse_if_claimed(id)?;
    }
    if now.as_deref() == Some(PENDING) {
        let has_run = of::<String>(&new, "thread_id")?.is_some();
        enter(id, old.is_none(), has_run)
    } else if before.as_deref() == Some(PENDING) {
        leave(id)
    } else {
        Ok(())
    }
}

/// A column of a row.
fn of<T>(row: &PgHeapTuple<'_, AllocatedByPostgres>, column: &str) -> Result<Option<T>, Error>
where
    T: FromDatum + IntoDatum + for<'a> UnboxDatum<As<'a> = T> + 'static,
{
    row.get_by_name::<T>(column).map_err(|_| {
        Error::new(Kind::NotReady, format!("column tasks.{column} cannot be read")).hint(
            "See what differs from the installed version: SELECT * FROM orchestrator.verify();",
        )
    })
}

/// Refuses to take a task from its worker by UPDATE.
fn refuse_if_claimed(id: Uuid) -> Result<(), Error> {
    static HELD: Statement = Statement::new(
        "SELECT format('Worker \"%s\" has held it since %s (attempt %s).', a.worker, a.claimed_at, a.attempt) \
         FROM orchestrator.task_attempts AS a WHERE a.task_id = $1 AND a.ended_at IS NULL",
    );
    match HELD.update(&[id.into()], statements::one::<String>)? {
        None => Ok(()),
        Some(held) => Err(Error::new(
            Kind::NotReady,
            format!("the status of task {id} cannot be changed by UPDATE while a worker holds it"),
        )
        .detail(held)
        .hint("Its worker calls orchestrator.complete_task, fail_task or release_task; anyone else orchestrator.cancel_task.")),
    }
}

/// The row of task `t` in the queue. `$2`: the task is new, so it has no attempts.
macro_rules! enter {
    ($ready:expr) => {
        Statement::new(concatcp!(
            "INSERT INTO orchestrator.queued_tasks AS q (task_id, task_type, to_role, priority, run_after, created_at, attempts, ready) \
             SELECT t.id, left(t.task_type, 200), left(t.to_role, 200), t.priority, t.run_after, t.created_at, \
                    CASE WHEN $2 THEN 0 ELSE (SELECT coalesce(max(a.attempt), 0) FROM orchestrator.task_attempts AS a \
                                              WHERE a.task_id = t.id) END, ",
            $ready,
            " FROM orchestrator.tasks AS t WHERE t.id = $1 \
             ON CONFLICT (task_id) DO UPDATE SET task_type = excluded.task_type, to_role = excluded.to_role, \
                 priority = excluded.priority, run_after = excluded.run_after, created_at = excluded.created_at, \
                 attempts = excluded.attempts, ready = excluded.ready \
             RETURNING q.ready, q.run_after <= now()"
        ))
    };
}

/// Adds a pending task to the queue, or changes its row there.
fn enter(id: Uuid, is_new: bool, has_run: bool) -> Result<(), Error> {
    static ENTER: Statement = enter!("true");
    static ENTER_OF_RUN: Statement = enter!(
        "NOT EXISTS (SELECT FROM orchestrator.orchestrator_runs AS r \
                     WHERE r.thread_id = t.thread_id AND r.gate_status IN ('hold', 'kill'))"
    );
    // An update of the run that ends its wait looks for its waiting tasks. It does not see this one,
    // unless it waits for this transaction, or this one for it.
    static LOCK_RUN: Statement = Statement::new(
        "SELECT FROM orchestrator.orchestrator_runs AS r \
         WHERE r.thread_id = (SELECT t.thread_id FROM orchestrator.tasks AS t WHERE t.id = $1) FOR SHARE",
    );
    let arguments = [id.into(), is_new.into()];
    let entered = |statement: &'static Statement| {
        statement.update(&arguments, statements::two::<bool, bool>).map(|row| match row {
            Some((ready, due)) => (ready == Some(true), due == Some(true)),
            None => (true, false),
        })
    };
    let (mut ready, mut due) = entered(if has_run { &ENTER_OF_RUN } else { &ENTER })?;
    if !ready {
        LOCK_RUN.update(&[id.into()], |_| Ok(()))?;
        (ready, due) = entered(&ENTER_OF_RUN)?;
    }
    if ready && due {
        announce();
    }
    Ok(())
}

/// Removes a task from the queue.
fn leave(id: Uuid) -> Result<(), Error> {
    static LEAVE: Statement =
        Statement::new("DELETE FROM orchestrator.queued_tasks AS q WHERE q.task_id = $1");
    LEAVE.update(&[id.into()], |_| Ok(()))
}

/// Announces that tasks can be claimed.
fn announce() {
    if notifications::are_on() {
        notifications::send(CHANNEL, "");
    }
}
