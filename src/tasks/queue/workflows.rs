//! The tasks of workflows in the queue: kept back until each of their workflows lets them begin.
//!
//! A workflow keeps all of its tasks back unless it is active, and those that come after a task which is
//! not over. The link of a task says whether the task is over (`workflow_tasks.done`), so the next tasks of a
//! workflow are found by a step in an index, however many came before them.
//!
//! A change that lets tasks go on locks its workflow before it looks at the others, and an entry is written as
//! kept back only under a lock of the workflow that keeps it back. So whichever of two changes comes second
//! sees the first. Locks are taken in the order task, link, workflow, run, entry of the queue.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::CStr;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, AllocatedByRust, Uuid};

use super::entries;
use super::selection::{Selection, selection};
use crate::schema::lifecycle;
use crate::schema::verify::row_rules::{IS_OVER, KEPT_BACK};
use crate::server::error::Error;
use crate::server::statements::{self, Statement};
use crate::server::triggers::{altered, by_key, of};
use crate::server::{backend_state, latest, rows, trigger_depth};

/// Whether no workflow keeps task `$1` back.
const LETS_BEGIN: &str =
    concatcp!("SELECT (", KEPT_BACK, ") IS NULL FROM orchestrator.tasks AS t WHERE t.id = $1");

/// Whether no workflow keeps a task back, whose entry in the queue is about to be written.
///
/// Nothing waits here, because a worker that reclaims tasks does not know their workflows. If another
/// transaction has locked one of them, the task counts as one that may begin: claims look again.
pub fn let_begin(id: Uuid) -> Result<bool, Error> {
    static LOCK: Statement = Statement::new(
        "WITH own AS MATERIALIZED (SELECT l.workflow_id FROM orchestrator.workflow_tasks AS l WHERE l.task_id = $1), \
              locked AS MATERIALIZED ( \
                  SELECT w.id FROM orchestrator.workflows AS w WHERE w.id = ANY (ARRAY(SELECT o.workflow_id FROM own AS o)) \
                  ORDER BY w.id FOR NO KEY UPDATE SKIP LOCKED) \
         SELECT (SELECT count(*) FROM own) = (SELECT count(*) FROM locked)",
    );
    const NOW: &CStr = latest::statement(concatcp!(LETS_BEGIN, "\0"));
    if may_begin(id)? || LOCK.update(&[id.into()], statements::one::<bool>)? != Some(true) {
        return Ok(true);
    }
    Ok(latest::value::<bool>(NOW, &[id.into()])? != Some(false))
}

fn may_begin(id: Uuid) -> Result<bool, Error> {
    static MAY_BEGIN: Statement = Statement::new(LETS_BEGIN);
    Ok(MAY_BEGIN.update(&[id.into()], statements::one::<bool>)? != Some(false))
}

/// Locks the workflows of a task that is kept back.
pub fn lock_if_kept_back(id: Uuid) -> Result<(), Error> {
    static WORKFLOWS: Statement = Statement::new(
        "SELECT l.workflow_id FROM orchestrator.workflow_tasks AS l WHERE l.task_id = $1",
    );
    if may_begin(id)? {
        return Ok(());
    }
    lock(WORKFLOWS.update(&[id.into()], statements::column::<Uuid>)?)
}

/// Locks workflows, in the order of their ids.
fn lock(workflows: Vec<Uuid>) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "SELECT w.id FROM orchestrator.workflows AS w WHERE w.id = ANY ($1) ORDER BY w.id FOR NO KEY UPDATE",
    );
    LOCK.update(&[workflows.into()], |_| Ok(()))
}

/// A task that a statement completed or cancelled.
struct Ended {
    transaction: pg_sys::TransactionId,
    /// The number of triggers around the statement's own.
    depth: i32,
    id: Uuid,
}

thread_local! {
    /// The tasks that statements completed or cancelled and whose triggers are not over. An error may leave
    /// tasks here; `advance` looks at the status of each.
    static ENDED: RefCell<Vec<Ended>> = const { RefCell::new(Vec::new()) };
}

/// Notes a task that is over, for the trigger at the end of the statement.
pub fn note_end(id: Uuid) {
    let ended =
        Ended { transaction: backend_state::transaction(), depth: trigger_depth::now(), id };
    ENDED.with_borrow_mut(|all| {
        if all.last().is_some_and(|last| last.transaction != ended.transaction) {
            all.clear();
        }
        all.push(ended);
    });
}

/// The tasks that the statement ended whose trigger runs. Those of a statement around it wait for its end.
fn ended_here() -> Vec<Uuid> {
    ENDED.with_borrow_mut(|all| {
        // Most statements end no task.
        if all.is_empty() {
            return Vec::new();
        }
        let (transaction, depth) = (backend_state::transaction(), trigger_depth::now());
        let (here, around): (Vec<Ended>, Vec<Ended>) = std::mem::take(all)
            .into_iter()
            .filter(|ended| ended.transaction == transaction)
            .partition(|ended| ended.depth >= depth);
        *all = around;
        here.into_iter().map(|ended| ended.id).collect()
    })
}

/// AFTER UPDATE statement trigger of tasks: marks the links of the tasks that are over, and lets the tasks
/// be claimed that come next in their workflows.
///
/// Errors: 40001 a workflow was changed after the snapshot of the transaction. Since 0.7.1.
#[pg_trigger(sql = false)]
fn advance_workflows<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let ended = ended_here();
    if !ended.is_empty() {
        by_key(trigger, || advance(ended));
    }
    Ok(None)
}

fn advance(ended: Vec<Uuid>) -> Result<(), Error> {
    /// The links of tasks `$1` that are over, and not marked.
    const UNMARKED: &str = concatcp!(
        "l.task_id = ANY ($1) AND NOT l.done AND (SELECT ",
        IS_OVER,
        " FROM orchestrator.tasks AS t WHERE t.id = l.task_id)"
    );
    static MARK: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.workflow_tasks AS l SET done = true WHERE ",
        UNMARKED,
        " RETURNING l.workflow_id, l.sequence"
    ));
    static LEFT: Selection = selection!(concatcp!(
        "SELECT l.task_id AS id FROM orchestrator.workflow_tasks AS l WHERE ",
        UNMARKED,
        " ORDER BY l.task_id"
    ));
    // Of several tasks of a workflow, the first one: if no task up to it is left, the next ones begin.
    let mut passed = Passed::default();
    MARK.update(&[ended.clone().into()], |rows| {
        rows::each(rows, |row| {
            let workflow = rows::value::<Uuid>(row, 1, "workflow_tasks.workflow_id")?;
            passed.add(workflow, rows::value::<i32>(row, 2, "workflow_tasks.sequence")?);
            Ok(())
        })
    })?;
    if backend_state::keeps_its_snapshot() {
        // A link that was added after the snapshot would stay open.
        LEFT.read(&[ended.into()])?;
    }
    if passed.0.is_empty() {
        return Ok(());
    }
    lock(passed.workflows())?;
    passed.let_next_begin()
}

/// Workflows, and the sequence of the first task of each that no longer keeps others back.
#[derive(Default)]
struct Passed(BTreeMap<[u8; 16], i32>);

impl Passed {
    fn add(&mut self, workflow: Uuid, sequence: i32) {
        let first = self.0.entry(*workflow.as_bytes()).or_insert(sequence);
        *first = sequence.min(*first);
    }

    fn workflows(&self) -> Vec<Uuid> {
        self.0.keys().copied().map(Uuid::from_bytes).collect()
    }

    /// Lets the next tasks be claimed, unless tasks are left that keep them back. The workflows are locked.
    fn let_next_begin(self) -> Result<(), Error> {
        static NEXT: Selection = selection!(include_str!("next.sql"));
        let workflows = self.workflows();
        let sequences: Vec<i32> = self.0.into_values().collect();
        release(NEXT.read(&[workflows.clone().into(), sequences.into()])?, workflows)
    }
}

/// Lets those of the tasks be claimed that neither a workflow nor their run keeps back. The workflows are those that
/// are locked. For a task of another workflow too, the lock of its entry makes changes of the two wait for one
/// another, and the lock of a run that is on hold keeps it so meanwhile. If another transaction has locked such a run, it
/// may resume it, or wait for a workflow: nothing waits for it here, and claims look again.
fn release(ids: Vec<Uuid>, workflows: Vec<Uuid>) -> Result<(), Error> {
    static LOCK_RUNS: Statement = Statement::new(
        "SELECT r.id FROM orchestrator.orchestrator_runs AS r \
         WHERE r.thread_id = ANY (ARRAY(SELECT t.thread_id FROM orchestrator.tasks AS t WHERE t.id = ANY ($1))) \
           AND array_position(ARRAY['hold', 'kill'], r.gate_status) IS NOT NULL \
         ORDER BY r.id FOR SHARE SKIP LOCKED",
    );
    static LOCK_ENTRIES: Statement = Statement::new(
        "SELECT q.task_id FROM orchestrator.queued_tasks AS q \
         WHERE q.task_id = ANY ($1) AND NOT q.ready \
           AND (SELECT true FROM orchestrator.workflow_tasks AS l WHERE l.task_id = q.task_id AND l.workflow_id <> ALL ($2) LIMIT 1) \
         ORDER BY q.task_id FOR NO KEY UPDATE",
    );
    // A run that was held since is not locked.
    static RELEASED: Selection = selection!(concatcp!(
        "SELECT t.id FROM orchestrator.tasks AS t WHERE t.id = ANY ($1) AND t.status IS NOT DISTINCT FROM 'pending' AND (",
        KEPT_BACK,
        ") IS NULL AND (SELECT true FROM orchestrator.orchestrator_runs AS r \
                        WHERE r.thread_id = t.thread_id AND r.id = ANY ($2) AND r.gate_status IN ('hold', 'kill')) IS NULL \
         ORDER BY t.id"
    ));
    if ids.is_empty() {
        return Ok(());
    }
    let held = LOCK_RUNS.update(&[ids.clone().into()], statements::column::<Uuid>)?;
    LOCK_ENTRIES.update(&[ids.clone().into(), workflows.into()], |_| Ok(()))?;
    entries::let_go(RELEASED.read(&[ids.clone().into(), held.into()])?)?;
    entries::let_go(entries::marked_here(ids)?)
}

/// AFTER UPDATE row trigger of workflows: lets the next tasks of a workflow that became active be claimed, and
/// keeps those of one that is active no longer back.
///
/// Errors: 40001 the workflow was changed after the snapshot of the transaction. Since 0.7.1.
#[pg_trigger(sql = false)]
fn queue_tasks_of_workflow<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    static CLAIMABLE: Statement = Statement::new(
        "SELECT l.task_id FROM orchestrator.workflow_tasks AS l WHERE l.workflow_id = $1 AND NOT l.done \
           AND (SELECT q.ready FROM orchestrator.queued_tasks AS q WHERE q.task_id = l.task_id)",
    );
    if backend_state::in_script() {
        return Ok(None);
    }
    let (Some(old), Some(new)) = (trigger.old(), trigger.new()) else {
        const RULE: &str = "it must be fired AFTER UPDATE, FOR EACH ROW";
        lifecycle::misused("queue_tasks_of_workflow", RULE);
    };
    by_key(trigger, || {
        let workflow = of::<Uuid>(&new, "id")?.ok_or_else(|| rows::null("workflows.id"))?;
        let (was_active, is_active) = (is_active(&old)?, is_active(&new)?);
        if was_active == is_active {
            return Ok(());
        }
        if is_active {
            let mut passed = Passed::default();
            passed.add(workflow, -1);
            passed.let_next_begin()?;
            // A pause leaves the entries of locked tasks as they are, so there may have been none to let go.
            entries::announce();
            return Ok(());
        }
        entries::keep_back(CLAIMABLE.update(&[workflow.into()], statements::column::<Uuid>)?)
    });
    Ok(None)
}

fn is_active(workflow: &PgHeapTuple<'_, AllocatedByPostgres>) -> Result<bool, Error> {
    Ok(of::<String>(workflow, "status")?.as_deref() == Some("active"))
}

/// The link of a task to a workflow.
#[derive(Clone, Copy)]
struct Link {
    workflow: Uuid,
    task: Uuid,
    sequence: i32,
    done: bool,
}

impl Link {
    fn read(row: &PgHeapTuple<'_, AllocatedByPostgres>) -> Result<Link, Error> {
        let null = |column: &str| rows::null(&format!("workflow_tasks.{column}"));
        Ok(Link {
            workflow: of(row, "workflow_id")?.ok_or_else(|| null("workflow_id"))?,
            task: of(row, "task_id")?.ok_or_else(|| null("task_id"))?,
            sequence: of(row, "sequence")?.ok_or_else(|| null("sequence"))?,
            done: of(row, "done")?.ok_or_else(|| null("done"))?,
        })
    }

    fn place(&self) -> (Uuid, Uuid, i32) {
        (self.workflow, self.task, self.sequence)
    }

    /// Keeps the tasks back that come next after this one, and this one if the workflow does so. The workflow is
    /// locked.
    fn keep_back(&self) -> Result<(), Error> {
        static KEPT: Statement = Statement::new(include_str!("kept.sql"));
        let arguments = [self.workflow.into(), self.sequence.into(), self.task.into()];
        entries::keep_back(KEPT.update(&arguments, statements::column::<Uuid>)?)
    }

    /// Lets the tasks be claimed that this link kept back, and its own. The link is removed, or changed.
    fn let_go(&self) -> Result<(), Error> {
        release(vec![self.task], vec![self.workflow])?;
        let mut passed = Passed::default();
        passed.add(self.workflow, self.sequence);
        passed.let_next_begin()
    }
}

/// AFTER INSERT, UPDATE or DELETE row trigger of workflow_tasks: keeps tasks back that no longer may begin, and
/// lets those go on that now may.
///
/// Errors: 40001 the workflow was changed after the snapshot of the transaction. Since 0.7.1.
#[pg_trigger(sql = false)]
fn queue_linked_tasks<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if backend_state::in_script() {
        return Ok(None);
    }
    by_key(trigger, || {
        let old = trigger.old().as_ref().map(Link::read).transpose()?;
        let new = trigger.new().as_ref().map(Link::read).transpose()?;
        if old.map(|link| link.place()) == new.map(|link| link.place()) {
            return Ok(());
        }
        // The link of a task that is over keeps nothing back.
        let (old, new) = (old.filter(|link| !link.done), new.filter(|link| !link.done));
        let workflows: Vec<_> = old.iter().chain(&new).map(|link| link.workflow).collect();
        if workflows.is_empty() {
            return Ok(());
        }
        lock(workflows)?;
        old.map_or(Ok(()), |link| link.let_go())?;
        new.map_or(Ok(()), |link| link.keep_back())
    });
    Ok(None)
}

/// BEFORE INSERT or UPDATE row trigger of workflow_tasks: sets `done` as the task is. The lock of the task makes
/// its end wait: either its end sees the link, or the link sees its end.
///
/// Errors: 40001 the task was changed after the snapshot of the transaction. Since 0.7.1.
#[pg_trigger(sql = false)]
fn mark_done<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>, PgTriggerError> {
    let Some(new) = trigger.new() else {
        lifecycle::misused("mark_done", "it must be fired BEFORE INSERT or UPDATE, FOR EACH ROW");
    };
    let mut new = new.into_owned();
    if backend_state::in_script() {
        return Ok(Some(new));
    }
    by_key(trigger, || {
        let task = of::<Uuid>(&new, "task_id")?;
        match trigger.old() {
            Some(old)
                if of::<Uuid>(&old, "task_id")? == task
                    && of::<bool>(&old, "done")? == of::<bool>(&new, "done")? =>
            {
                Ok(())
            }
            _ => set_done(&mut new, task),
        }
    });
    Ok(Some(new))
}

fn set_done(link: &mut PgHeapTuple<'_, AllocatedByRust>, task: Option<Uuid>) -> Result<(), Error> {
    static IS_DONE: Statement = Statement::new(concatcp!(
        "SELECT ",
        IS_OVER,
        " FROM orchestrator.tasks AS t WHERE t.id = $1 FOR SHARE"
    ));
    // Without a task the row is refused anyway.
    let done = IS_DONE.update(&[task.into()], statements::one::<bool>)?.unwrap_or(false);
    link.set_by_name("done", done)
        .map_err(|_| altered("column workflow_tasks.done cannot be written"))
}
