//! The claim of tasks.

use pgrx::datum::{DatumWithOid, Interval};
use pgrx::iter::SetOfIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Row, expired, queries};
use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::{arguments, locks, plans, rows};
use crate::tasks::queue;

/// The greatest number of tasks in a call.
const MOST: i32 = 10_000;

/// The number of candidates beyond twice the batch, for those that others are claiming at the same time.
const BESIDE: i64 = 10;

/// The number of tasks with an expired lease that a claim takes back at most.
const TAKEN_BACK: i64 = 100;

/// Takes waiting tasks for a worker, until the end of a lease: first those with the greatest priority,
/// of these the ones with the earliest run_after, of these the oldest. No task goes to two workers.
/// Tasks of a run that is on hold or was killed are left out. Tasks whose lease has expired are taken
/// back first.
///
/// `worker`: the name of the worker, 500 characters at most; a name of its own for each process;
/// `task_types`: only tasks of these types; NULL means of any; `to_role`: only tasks for this role;
/// NULL means for any, and for none; `batch`: the greatest number of tasks, 10000 at most; `lease`: the
/// time after which others may take the tasks, unless `renew_claim` extends it.
/// Returns: the rows, in status `running`, the most urgent first; none if no task waits.
/// Errors: 22004, 22023 blank or overlong worker, a batch that is not between 1 and 10000, or a lease
/// that is not longer than zero. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn claim_tasks(
    worker: Option<&str>,
    task_types: default!(Option<Vec<Option<String>>>, "NULL"),
    to_role: default!(Option<&str>, "NULL"),
    batch: default!(Option<i32>, "1"),
    lease: default!(Option<Interval>, "'5 minutes'"),
) -> Result<SetOfIterator<'static, pgrx::composite_type!('static, "orchestrator.tasks")>, ErrorReport>
{
    let claim = Claim {
        worker: arguments::name("worker", worker)?,
        types: types(task_types)?,
        role: to_role,
        batch: i64::from(batch_of(batch)?),
        lease: super::lease(lease)?,
    };
    // In the order of updates, which lock the same relations.
    locks::in_order(&[
        c"orchestrator_runs",
        c"human_review_queue",
        c"gates",
        c"tasks",
        c"approvals",
        c"queued_tasks",
        c"task_attempts",
        c"workflows",
        c"workflow_tasks",
    ]);
    Ok(SetOfIterator::new(plans::by_index(|| claim.take())?))
}

fn types(task_types: Option<Vec<Option<String>>>) -> Result<Option<Vec<String>>, Error> {
    let Some(types) = task_types else { return Ok(None) };
    let types = types.into_iter().map(|task_type| required("task_types", task_type));
    types.collect::<Result<Vec<_>, _>>().map(Some)
}

fn batch_of(batch: Option<i32>) -> Result<i32, Error> {
    let batch = batch.unwrap_or(1);
    if !(1..=MOST).contains(&batch) {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("batch {batch} is not between 1 and {MOST}"),
        ));
    }
    Ok(batch)
}

struct Claim<'a> {
    worker: &'a str,
    types: Option<Vec<String>>,
    role: Option<&'a str>,
    batch: i64,
    lease: Interval,
}

/// The outcome of one statement.
struct Taken {
    /// The number of entries that were read, at most as many as were asked for.
    entries: i64,
    /// The number of candidates: those of the entries that are due.
    seen: i64,
    /// The number of candidates that were locked. One whose entry was replaced after the snapshot is not
    /// taken; the next statement sees its new entry.
    locked: i64,
    rows: Vec<Row>,
}

impl Claim<'_> {
    fn take(&self) -> Result<Vec<Row>, Error> {
        expired::reclaim(self.batch.max(TAKEN_BACK))?;
        let mut candidates = 2 * self.batch + BESIDE;
        let mut statement = self.head();
        let mut taken = Vec::new();
        loop {
            let wanted = self.batch - taken.len() as i64;
            let more = self.take_from(statement, candidates, wanted)?;
            let are_all_new = more.locked == more.rows.len() as i64;
            taken.extend(more.rows);
            if taken.len() as i64 >= self.batch {
                return Ok(taken);
            }
            if more.seen >= candidates {
                // Others are claiming the candidates, or their runs wait: more are needed.
                candidates *= 4;
            } else if more.entries >= candidates {
                statement = self.lanes();
            } else if are_all_new {
                return Ok(taken);
            }
        }
    }

    /// The statement that takes tasks from among the first entries of the queue. These are too few if others
    /// are claiming them, or if tasks that are due later come before the ones that are wanted.
    fn head(&self) -> &'static Statement {
        match (self.types.as_deref(), self.role) {
            (None, None) => &queries::HEAD,
            (Some([_]), None) => &queries::HEAD_OF_TYPE,
            (Some(_), None) => &queries::HEAD_OF_TYPES,
            (None, Some(_)) => &queries::HEAD_OF_ROLE,
            (Some(_), Some(_)) => &queries::HEAD_OF_ROLE_AND_TYPES,
        }
    }

    /// The statement that takes tasks from among the first claimable entries.
    fn lanes(&self) -> &'static Statement {
        match (&self.types, self.role) {
            (None, None) => &queries::ANY,
            (Some(_), None) => &queries::OF_TYPES,
            (None, Some(_)) => &queries::OF_ROLE,
            (Some(_), Some(_)) => &queries::OF_ROLE_AND_TYPES,
        }
    }

    fn take_from(
        &self,
        statement: &'static Statement,
        candidates: i64,
        wanted: i64,
    ) -> Result<Taken, Error> {
        let arguments = self.arguments(candidates, wanted);
        let (taken, removed) = queue::claiming(|| {
            statement.update(&arguments, |rows| {
                let (mut entries, mut seen, mut locked, mut removed) = (0, 0, 0, 0);
                let found = rows::each(rows, |row| {
                    entries = rows::value::<i64>(row, 1, "count")?;
                    seen = rows::value::<i64>(row, 2, "count")?;
                    locked = rows::value::<i64>(row, 3, "count")?;
                    removed = rows::value::<i64>(row, 4, "count")?;
                    rows::optional::<Row>(row, 5, "tasks.id")
                })?;
                let rows: Vec<_> = found.into_iter().flatten().collect();
                Ok((Taken { entries, seen, locked, rows }, removed))
            })
        })?;
        if taken.rows.len() as i64 != removed {
            return Err(Error::no_row("the tasks could not be claimed", "tasks"));
        }
        Ok(taken)
    }

    fn arguments(&self, candidates: i64, wanted: i64) -> [DatumWithOid<'_>; 6] {
        [
            self.worker.into(),
            self.lease.into(),
            wanted.into(),
            candidates.into(),
            self.types.clone().into(),
            self.role.into(),
        ]
    }
}
