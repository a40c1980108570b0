//! The queue: a narrow row for each pending task, in the order of claims.
//!
//! Triggers keep it up to date, so that any INSERT, UPDATE or DELETE of tasks, runs, approvals, workflows and
//! their links counts, by whomever.
//! A row that is ready is written only by a transaction that has locked its task. So a claim, which locks
//! the task and skips locked ones, never waits for the queue.

mod approvals;
mod entries;
mod rebuild;
mod restored;
mod runs;
mod selection;
mod workflows;

use std::cell::Cell;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use self::entries::{announce, leave};
use crate::schema::lifecycle;
use crate::schema::verify::row_rules::KEPT_BACK;
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::trigger_rows::{ColumnHint, Rows};
use crate::server::triggers::{by_key, of};
use crate::server::{backend_state, locks, rows, scoped, trigger_depth};

const PENDING: &str = "pending";
const RUNNING: &str = "running";

/// A function of this library that moves tasks, while it does so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    /// It begins claims, and removes the tasks from the queue itself.
    Claim,
    /// It ends claims.
    End,
}

thread_local! {
    /// The move, and the number of triggers that run around it.
    static MOVE: Cell<Option<(Move, i32)>> = const { Cell::new(None) };
}

/// Whether the statement that fired the running trigger claims tasks, and has looked at what keeps them back.
pub fn is_claiming() -> bool {
    moves() == Some(Move::Claim)
}

/// Runs `work`, a statement that claims tasks and removes them from the queue.
pub fn claiming<R>(work: impl FnOnce() -> R) -> R {
    scoped::with(&MOVE, Some((Move::Claim, trigger_depth::now())), work)
}

/// Runs `work`, a statement that moves tasks whose claim it has ended, or ends.
pub fn moving<R>(work: impl FnOnce() -> R) -> R {
    let moves = Some((Move::End, trigger_depth::now()));
    scoped::with(&MOVE, moves, || lifecycle::moving_tasks(work))
}

/// The move of the statement that fired a trigger. A statement of a user's trigger, which may run within a
/// move, is none.
fn moves() -> Option<Move> {
    let (moves, depth) = MOVE.get()?;
    (trigger_depth::now() == depth + 1).then_some(moves)
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
    let moves = moves();
    if moves == Some(Move::Claim) || backend_state::in_script() {
        return Ok(None);
    }
    by_key(trigger, || follow(trigger, moves));
    Ok(None)
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
        if before == now && !moves_in_queue(trigger) {
            return Ok(());
        }
        let thread_id = of::<String>(&new, "thread_id")?;
        if enter(id, old.is_none(), thread_id.as_deref())? {
            announce();
        }
        return Ok(());
    }
    if before.as_deref() == Some(PENDING) {
        // A task that is kept back leaves under the locks with which it entered.
        workflows::lock_if_kept_back(id)?;
        if let Some(thread_id) = of::<String>(&new, "thread_id")? {
            lock_if_held(&thread_id)?;
        }
        leave(id)?;
    }
    if matches!(now.as_deref(), Some("completed" | "cancelled")) && now != before {
        workflows::note_end(id);
    }
    Ok(())
}

/// Whether an update changes what the queue has of a task. The condition of the trigger leaves this out,
/// because the server reads the condition again for every statement, also for those that end a task.
fn moves_in_queue(trigger: &PgTrigger<'_>) -> bool {
    const COPIED: [&str; 6] =
        ["task_type", "to_role", "priority", "run_after", "created_at", "thread_id"];
    static HINTS: [ColumnHint; COPIED.len()] = [const { ColumnHint::unknown() }; COPIED.len()];
    let Some(rows) = Rows::of(trigger) else { return true };
    COPIED
        .iter()
        .zip(&HINTS)
        .any(|(name, hint)| rows.column_near(hint, name).is_none_or(|column| rows.changes(column)))
}

/// Looks again at the first entries of the queue, and writes those as kept back that could be claimed but for
/// their run or a workflow. A pause leaves such entries if their tasks are locked. Tasks that are locked now are
/// skipped. Claims do not do this: a worker may do more in the transaction of its claim, in any order, and would
/// keep the locks of workflows meanwhile.
pub fn look_again() -> Result<(), Error> {
    static KEPT: Statement = Statement::new(concatcp!(
        "SELECT t.id, t.thread_id \
         FROM (SELECT q.task_id FROM orchestrator.queued_tasks AS q WHERE q.ready \
               ORDER BY q.priority DESC, q.run_after, q.created_at, q.task_id LIMIT 1000) AS h, \
              LATERAL (SELECT t.id, t.thread_id FROM orchestrator.tasks AS t \
                       WHERE t.id = h.task_id AND t.status IS NOT DISTINCT FROM 'pending' \
                         AND ((SELECT r.gate_status IN ('hold', 'kill') FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = t.thread_id) \
                              OR (",
        KEPT_BACK,
        ")) FOR NO KEY UPDATE SKIP LOCKED) AS t"
    ));
    let kept = KEPT.update(&[], |rows| {
        rows::each(rows, |row| {
            let id = rows::value::<Uuid>(row, 1, "tasks.id")?;
            Ok((id, rows::optional::<String>(row, 2, "tasks.thread_id")?))
        })
    })?;
    kept.into_iter()
        .try_for_each(|(id, thread_id)| enter(id, false, thread_id.as_deref()).map(|_| ()))
}

/// Locks the tables of tasks, of their queue and of their workflows for reading, in the order of updates. A
/// function whose triggers go from tasks to workflows and back would lock them in another one.
pub fn lock_tables() {
    locks::in_order(&[
        c"orchestrator_runs",
        c"tasks",
        c"approvals",
        c"queued_tasks",
        c"task_attempts",
        c"workflows",
        c"workflow_tasks",
    ]);
}

/// The worker that holds a task, in words; `None` if none does.
pub fn holder(id: Uuid) -> Result<Option<String>, Error> {
    static HELD: Statement = Statement::new(
        "SELECT format('Worker \"%s\" has held it since %s (attempt %s).', a.worker, a.claimed_at, a.attempt) \
         FROM orchestrator.task_attempts AS a WHERE a.task_id = $1 AND a.ended_at IS NULL",
    );
    HELD.update(&[id.into()], statements::one::<String>)
}

/// Refuses to take a task from its worker by UPDATE.
fn refuse_if_claimed(id: Uuid) -> Result<(), Error> {
    match holder(id)? {
        None => Ok(()),
        Some(held) => Err(Error::new(
            Kind::NotReady,
            format!("the status of task {id} cannot be changed by UPDATE while a worker holds it"),
        )
        .detail(held)
        .hint("Its worker calls orchestrator.complete_task, fail_task or release_task; anyone else orchestrator.cancel_task.")),
    }
}

/// The row of task `t` in the queue, without the number of attempts and whether it is ready.
const ENTER: &str = "\
    INSERT INTO orchestrator.queued_tasks AS q (task_id, task_type, to_role, priority, run_after, created_at, attempts, ready) \
    SELECT t.id, left(t.task_type, 200), left(t.to_role, 200), t.priority, t.run_after, t.created_at, ";

/// Adds a pending task to the queue, or changes its row there. Returns whether it can be claimed now.
fn enter(id: Uuid, is_new: bool, thread_id: Option<&str>) -> Result<bool, Error> {
    // A new task has no attempts.
    static NEW: Statement = Statement::new(concatcp!(
        ENTER,
        "0, $2 FROM orchestrator.tasks AS t WHERE t.id = $1 RETURNING q.run_after <= now()"
    ));
    static AGAIN: Statement = Statement::new(concatcp!(
        ENTER,
        "(SELECT coalesce(max(a.attempt), 0) FROM orchestrator.task_attempts AS a WHERE a.task_id = t.id), $2 \
         FROM orchestrator.tasks AS t WHERE t.id = $1 \
         ON CONFLICT (task_id) DO UPDATE SET task_type = excluded.task_type, to_role = excluded.to_role, \
             priority = excluded.priority, run_after = excluded.run_after, created_at = excluded.created_at, \
             attempts = excluded.attempts, ready = excluded.ready \
         RETURNING q.run_after <= now()"
    ));
    // A new task is in no workflow.
    let is_ready = (is_new || workflows::let_begin(id)?)
        && match thread_id {
            Some(thread_id) => run_goes_on(thread_id)?,
            None => true,
        };
    // While a dump is restored, a row of the queue may come before its task.
    let statement = if is_new && !backend_state::restores() { &NEW } else { &AGAIN };
    let is_due = statement.update(&[id.into(), is_ready.into()], statements::one::<bool>)?;
    Ok(is_ready && is_due == Some(true))
}

/// Whether a run does not keep its tasks back. An update of the run that lets it go on marks the tasks that
/// it sees in the queue. So a task that is kept back is written under a lock of the run, and that update waits
/// for it. If another transaction changes the run, its tasks count as ones that may begin: claims look again.
fn run_goes_on(thread_id: &str) -> Result<bool, Error> {
    const GOES_ON: &str = "SELECT r.gate_status NOT IN ('hold', 'kill') FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = $1";
    static NOW: Statement = Statement::new(GOES_ON);
    static LOCKED: Statement = Statement::new(concatcp!(GOES_ON, " FOR SHARE SKIP LOCKED"));
    let goes_on = |statement: &'static Statement| {
        Ok::<_, Error>(
            statement.update(&[thread_id.into()], statements::one::<bool>)? != Some(false),
        )
    };
    Ok(goes_on(&NOW)? || goes_on(&LOCKED)?)
}

/// Locks a run that keeps its tasks back, before one of its entries is removed. Else its resumption, which writes
/// the entry, and the removal, which may go on to other tasks of the run, could wait for each other.
fn lock_if_held(thread_id: &str) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "SELECT r.id FROM orchestrator.orchestrator_runs AS r \
         WHERE r.thread_id = $1 AND r.gate_status IN ('hold', 'kill') FOR SHARE",
    );
    LOCK.update(&[thread_id.into()], |_| Ok(()))
}
