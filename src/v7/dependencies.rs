//! Dependencies between tasks: each refers to an existing task, and none closes a circle.

use std::collections::BTreeSet;

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use super::check::{self, Finding};
use super::graph::{Graph, Id, graph_of, has_circle, never_ready};
use super::phase;
use crate::schema::lifecycle::misused;
use crate::server::error::{Error, Kind, without_nulls};
use crate::server::statements::Statement;
use crate::server::trigger_rows::Rows;
use crate::server::{interrupts, statements};

/// The tasks, as phase and number, that wait for themselves, with the command that ends it.
pub fn circles() -> Result<Vec<Finding>, Error> {
    static EDGES: Statement = Statement::new(
        "SELECT t.id, d.id FROM orchestrator.v7_subworkflow_tasks AS t, unnest(t.dependencies) AS d (id)",
    );
    static TITLES: Statement = Statement::new(
        "SELECT format('%s.%s waits for itself', t.parent_phase, t.task_number), \
             format('UPDATE orchestrator.v7_subworkflow_tasks SET dependencies = ''{}'' WHERE id = %L;', t.id) \
         FROM orchestrator.v7_subworkflow_tasks AS t WHERE t.id = ANY ($1) ORDER BY t.parent_phase, t.task_number",
    );
    let graph = EDGES.select(&[], graph_of)?;
    let stuck: Vec<Uuid> = never_ready(&graph).into_iter().map(Uuid::from_bytes).collect();
    if stuck.is_empty() {
        return Ok(Vec::new());
    }
    TITLES.select(&[stuck.into()], check::findings)
}

/// The ids of an argument, each once, if a task may wait for all of them. `task` is the waiting task;
/// none if it is new.
///
/// Errors: 22004 a NULL among them, P0002 an unknown one, 22023 a circle.
pub fn checked(task: Option<Uuid>, ids: Vec<Option<Uuid>>) -> Result<Vec<Uuid>, Error> {
    static EXISTING: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.v7_subworkflow_tasks AS t \
         WHERE t.id = ANY ($1) ORDER BY t.id FOR KEY SHARE",
    );
    static REACHED: Statement = Statement::new(
        "WITH RECURSIVE reached AS ( \
             SELECT t.id, t.dependencies FROM orchestrator.v7_subworkflow_tasks AS t WHERE t.id = ANY ($1) \
             UNION \
             SELECT t.id, t.dependencies FROM reached AS r \
             CROSS JOIN LATERAL unnest(r.dependencies) AS d (id) \
             JOIN orchestrator.v7_subworkflow_tasks AS t ON t.id = d.id) \
         SELECT r.id, d.id FROM reached AS r, unnest(r.dependencies) AS d (id)",
    );
    let ids = without_nulls("dependencies", ids)?;
    let wanted = each_once(ids.iter().map(|id| *id.as_bytes()));
    let wanted_ids: Vec<Uuid> = wanted.iter().copied().map(Uuid::from_bytes).collect();
    if wanted.is_empty() {
        return Ok(wanted_ids);
    }
    let arguments = [wanted_ids.clone().into()];
    let existing = EXISTING.update(&arguments, statements::column::<Uuid>)?;
    let existing: Vec<Id> = existing.iter().map(|id| *id.as_bytes()).collect();
    if let Some(unknown) = first_missing(&wanted, &existing) {
        let unknown = Uuid::from_bytes(unknown);
        return Err(Error::new(Kind::NotFound, format!("task {unknown} does not exist"))
            .hint("A task waits for tasks of orchestrator.v7_subworkflow_tasks."));
    }
    let mut graph = REACHED.update(&arguments, graph_of)?;
    // A new task has no id yet; no task has this one.
    let start = task.map_or([0; 16], |id| *id.as_bytes());
    graph.insert(start, wanted);
    if task.is_some() {
        unchanged_since_snapshot(&graph)?;
    }
    if has_circle(&graph, start) {
        let subject = task.map_or("a new task".to_owned(), |id| format!("task {id}"));
        return Err(Error::new(
            Kind::InvalidValue,
            format!("the dependencies of {subject} make a circle"),
        )
        .detail("Following them leads back to a task on the way; none of these could ever start.")
        .hint("Leave out the dependency that closes the circle."));
    }
    Ok(wanted_ids)
}

/// Values in their order, each once.
fn each_once<T: Copy + Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut known = BTreeSet::new();
    let is_new = |value: &T| {
        interrupts::allow();
        known.insert(*value)
    };
    values.filter(is_new).collect()
}

/// The first of the values that is not among others.
fn first_missing<T: Copy + Ord>(values: &[T], others: &[T]) -> Option<T> {
    let others: BTreeSet<_> = others.iter().collect();
    let is_missing = |value: &&T| {
        interrupts::allow();
        !others.contains(value)
    };
    values.iter().find(is_missing).copied()
}

/// Fails with 40001 when the transaction keeps a snapshot and a task of the graph has changed since: its
/// new dependencies could close a circle that the snapshot does not show. Locking a row finds a newer
/// version of it.
fn unchanged_since_snapshot(graph: &Graph) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.v7_subworkflow_tasks AS t \
         WHERE t.id = ANY ($1) AND current_setting('transaction_isolation') IN ('repeatable read', 'serializable') \
         ORDER BY t.id FOR SHARE",
    );
    let ids: BTreeSet<Id> = graph.values().flatten().copied().collect();
    let ids: Vec<Uuid> = ids.into_iter().map(Uuid::from_bytes).collect();
    LOCK.update(&[ids.into()], |_| Ok(()))
}

/// BEFORE UPDATE row trigger of the tasks, for changes of phase or dependencies: a phase that is over
/// takes no task; dependencies must exist and close no circle. Changes of dependencies wait for one
/// another, so that two of them cannot close a circle together.
///
/// Errors: 22004, P0002, 22023, 55000 the phase is over. Since 0.4.3.
#[pg_trigger(sql = false)]
fn v7_enforce_dependencies<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let Some(rows) = Rows::of(trigger) else {
        misused("v7_enforce_dependencies", "it must be fired BEFORE UPDATE, FOR EACH ROW");
    };
    if let Err(error) = enforce(&rows) {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
    Ok(Some(rows.into_row()))
}

fn enforce(rows: &Rows<'_>) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(
        "LOCK TABLE orchestrator.v7_subworkflow_tasks IN SHARE UPDATE EXCLUSIVE MODE",
    );
    let read = |name: &str| rows.column(name);
    let phase_column = read("parent_phase");
    let phases = [
        phase_column.and_then(|column| rows.before::<i32>(column)),
        phase_column.and_then(|column| rows.after::<i32>(column)),
    ];
    if let [old, Some(new)] = phases
        && old != Some(new)
    {
        phase::lock_for_task(new)?;
    }
    let id = read("id").and_then(|column| rows.after::<Uuid>(column));
    let new = read("dependencies").and_then(|column| rows.after::<Vec<Option<Uuid>>>(column));
    let old = read("dependencies").and_then(|column| rows.before::<Vec<Option<Uuid>>>(column));
    if let Some(new) = new.filter(|new| Some(new) != old.as_ref()) {
        LOCK.update(&[], |_| Ok(()))?;
        checked(id, new)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use super::*;
    use crate::server::interrupts::steps;

    thread_local! {
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    /// A number that counts how often it is compared.
    #[derive(Clone, Copy, Debug)]
    struct Counted(u32);

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            COMPARISONS.set(COMPARISONS.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other).is_eq()
        }
    }

    impl Eq for Counted {}

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    #[test]
    fn many_dependencies_take_few_comparisons_each() {
        const MANY: u32 = 20_000;
        let numbers: Vec<_> = (0..MANY).rev().chain(0..MANY).map(Counted).collect();
        let (steps, once) = steps(|| each_once(numbers.iter().copied()));
        assert_eq!((steps, once.len()), (numbers.len(), MANY as usize));
        assert_eq!(first_missing(&once, &once), None);
        assert_eq!(first_missing(&once, &once[1..]), Some(once[0]));
        // A search for a number among 20,000 that are in order compares it some 15 times.
        let comparisons = COMPARISONS.get();
        assert!(comparisons < 200 * numbers.len(), "{comparisons}");
    }
}
