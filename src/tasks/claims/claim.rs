//! The claim of tasks.
//!
//! `queued_tasks` has a row for each pending task, and its indexes begin with the type, or with the role
//! and the type. A lane is the part of such an index with one type and one priority: its claimable tasks
//! come first, in the order of claims, and those that are due later come after them. So a claim reads a
//! few rows at the head of each lane, and nothing of tasks that are due later, kept back or over.

use const_format::concatcp;
use pgrx::datum::{DatumWithOid, Interval};
use pgrx::iter::SetOfIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Row, expired};
use crate::runs::waiting;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::{arguments, locks, plans, rows};
use crate::tasks::queue;

/// The greatest number of tasks in a call.
const MOST: i32 = 10_000;

/// The number of candidates beyond the batch, for those that others are claiming at the same time.
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
        c"queued_tasks",
        c"task_attempts",
    ]);
    Ok(SetOfIterator::new(plans::by_index(|| claim.take())?))
}

fn types(task_types: Option<Vec<Option<String>>>) -> Result<Option<Vec<String>>, Error> {
    let Some(types) = task_types else { return Ok(None) };
    let types = types.into_iter().map(|task_type| required("task_types", task_type));
    types.collect::<Result<Vec<_>, _>>().map(Some)
}

fn batch_of(batch: Option<i32>) -> Result<i32, Error> {
    let batch = required("batch", batch)?;
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
    /// The number of candidates that there are, at most as many as were asked for.
    seen: i64,
    /// The number of candidates that were locked. One whose entry was replaced after the snapshot is not
    /// taken; the next statement sees its new entry.
    locked: i64,
    rows: Vec<Row>,
}

impl Claim<'_> {
    fn take(&self) -> Result<Vec<Row>, Error> {
        expired::reclaim(self.batch.max(TAKEN_BACK))?;
        let mut candidates = self.batch + BESIDE;
        let mut taken = self.take_from(self.head(), candidates, self.batch)?.rows;
        while (taken.len() as i64) < self.batch {
            let wanted = self.batch - taken.len() as i64;
            let more = self.take_from(self.lanes(), candidates, wanted)?;
            let are_all_new = more.locked == more.rows.len() as i64;
            taken.extend(more.rows);
            if more.seen >= candidates {
                // Others are claiming the candidates, or their runs wait: more are needed.
                candidates *= 4;
            } else if are_all_new {
                break;
            }
        }
        Ok(taken)
    }

    /// The statement that takes tasks from among the first entries of the queue. These are too few if others
    /// are claiming them, or if tasks that are due later come before the ones that are wanted.
    fn head(&self) -> &'static Statement {
        match (self.types.as_deref(), self.role) {
            (None, None) => &HEAD,
            (Some([_]), None) => &HEAD_OF_TYPE,
            (Some(_), None) => &HEAD_OF_TYPES,
            (None, Some(_)) => &HEAD_OF_ROLE,
            (Some(_), Some(_)) => &HEAD_OF_ROLE_AND_TYPES,
        }
    }

    /// The statement that takes tasks from among the first claimable entries.
    fn lanes(&self) -> &'static Statement {
        match (&self.types, self.role) {
            (None, None) => &ANY,
            (Some(_), None) => &OF_TYPES,
            (None, Some(_)) => &OF_ROLE,
            (Some(_), Some(_)) => &OF_ROLE_AND_TYPES,
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
                let (mut seen, mut locked, mut removed) = (0, 0, 0);
                let found = rows::each(rows, |row| {
                    seen = rows::value::<i64>(row, 1, "count")?;
                    locked = rows::value::<i64>(row, 2, "count")?;
                    removed = rows::value::<i64>(row, 3, "count")?;
                    rows::optional::<Row>(row, 4, "tasks.id")
                })?;
                let rows: Vec<_> = found.into_iter().flatten().collect();
                Ok((Taken { seen, locked, rows }, removed))
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

/// The columns of an entry `q` of the queue.
const ENTRY: &str = "q.task_id, q.priority, q.run_after, q.created_at";

/// The order of claims, for the rows of `$rows`.
macro_rules! order {
    ($rows:expr) => {
        concatcp!(
            " ORDER BY ",
            $rows,
            ".priority DESC, ",
            $rows,
            ".run_after, ",
            $rows,
            ".created_at, ",
            $rows,
            ".task_id "
        )
    };
}

/// The statements that take tasks: those of `candidate`, an entry each, in its order. `$exactly` restricts
/// the tasks `t`, because an entry has the first characters only. A plan may be made while the tables are
/// empty, so no table is joined: each row is found by a key.
///
/// Candidates are read without a lock. Between the snapshot and the lock of its task, another worker may have
/// taken a candidate and put it back. Then its entry is another one, with another number of attempts. So only
/// a task whose entry can be removed is taken. The claim begins by the clock, because the attempt before may
/// have ended after this transaction began.
macro_rules! take {
    ($exactly:expr) => {
        concatcp!(
            "picked AS MATERIALIZED ( \
                 SELECT p.id FROM candidate AS c, \
                     LATERAL (SELECT t.id FROM orchestrator.tasks AS t \
                              WHERE t.id = c.task_id AND t.status IS NOT DISTINCT FROM 'pending' AND t.run_after <= now()", $exactly, " \
                                AND (t.thread_id IS NULL \
                                     OR (SELECT NOT ", waiting::WAITS, " FROM orchestrator.orchestrator_runs AS r \
                                         WHERE r.thread_id = t.thread_id)) \
                              FOR NO KEY UPDATE SKIP LOCKED) AS p \
                 LIMIT $3), \
             taken AS ( \
                 DELETE FROM orchestrator.queued_tasks AS q \
                 WHERE q.task_id = ANY (ARRAY(SELECT p.id FROM picked AS p)) AND q.ready AND q.run_after <= now() \
                 RETURNING q.task_id, q.attempts), \
             claimed AS ( \
                 UPDATE orchestrator.tasks AS t SET status = 'running' WHERE t.id = ANY (ARRAY(SELECT q.task_id FROM taken AS q)) \
                 RETURNING t AS task, t.priority, t.run_after, t.created_at, t.id AS task_id), \
             attempt AS ( \
                 INSERT INTO orchestrator.task_attempts (task_id, attempt, worker, claimed_at, lease_expires_at) \
                 SELECT q.task_id, q.attempts + 1, $1, clock_timestamp(), clock_timestamp() + $2 FROM taken AS q) \
             SELECT n.seen, n.locked, n.taken, c.task \
             FROM (SELECT (SELECT count(*) FROM candidate) AS seen, (SELECT count(*) FROM picked) AS locked, \
                          (SELECT count(*) FROM taken) AS taken) AS n \
             LEFT JOIN claimed AS c ON true",
            order!("c")
        )
    };
}

/// The statement that claims from the head of the queue. `$entries` are its first entries in order.
/// Entries of a lane that are due later come after all others of the lane. So the ones that are due now
/// among the first entries are the first ones that are due now.
/// Arguments: worker, lease, number of tasks, number of entries, types, role.
macro_rules! head {
    ($entries:expr, $exactly:expr) => {
        Statement::new(concatcp!(
            "WITH RECURSIVE ", $entries, ", \
             candidate AS MATERIALIZED (SELECT h.* FROM head AS h WHERE h.run_after <= now()), ",
            take!($exactly)
        ))
    };
}

/// The first entries of the queue, or of a part of it.
macro_rules! first {
    ($of:expr) => {
        concatcp!(
            "SELECT ",
            ENTRY,
            " FROM orchestrator.queued_tasks AS q WHERE q.ready",
            $of,
            order!("q"),
            "LIMIT $4"
        )
    };
}

/// The first entries of several types.
macro_rules! merged {
    ($kinds:expr, $of:expr) => {
        concatcp!(
            "kind (task_type) AS (",
            $kinds,
            "), \
             head AS (SELECT c.* FROM kind AS k, LATERAL (",
            first!(concatcp!($of, " AND q.task_type = k.task_type")),
            ") AS c",
            order!("c"),
            "LIMIT $4)"
        )
    };
}

/// The statement that claims from every lane. `$kinds` selects the types, `$of` restricts the entries `q`
/// of the queue to those of a role.
/// Arguments: worker, lease, number of tasks, number of candidates, types, role.
macro_rules! lanes {
    ($kinds:expr, $of:expr, $exactly:expr) => {
        Statement::new(concatcp!(
            "WITH RECURSIVE kind (task_type) AS (", $kinds, "), \
             lane (task_type, priority, found) AS ( \
                 SELECT k.task_type, p.priority, d.found FROM kind AS k, \
                     LATERAL (SELECT q.priority FROM orchestrator.queued_tasks AS q \
                              WHERE q.ready", $of, " AND q.task_type = k.task_type ORDER BY q.priority DESC LIMIT 1) AS p, \
                     LATERAL (SELECT count(*) AS found FROM ( \
                                  SELECT FROM orchestrator.queued_tasks AS q \
                                  WHERE q.ready", $of, " AND q.task_type = k.task_type AND q.priority = p.priority \
                                    AND q.run_after <= now() LIMIT $4) AS q) AS d \
                 UNION ALL \
                 SELECT l.task_type, p.priority, l.found + d.found FROM lane AS l, \
                     LATERAL (SELECT q.priority FROM orchestrator.queued_tasks AS q \
                              WHERE q.ready", $of, " AND q.task_type = l.task_type AND q.priority < l.priority \
                              ORDER BY q.priority DESC LIMIT 1) AS p, \
                     LATERAL (SELECT count(*) AS found FROM ( \
                                  SELECT FROM orchestrator.queued_tasks AS q \
                                  WHERE q.ready", $of, " AND q.task_type = l.task_type AND q.priority = p.priority \
                                    AND q.run_after <= now() LIMIT $4) AS q) AS d \
                 WHERE l.found < $4), \
             candidate AS MATERIALIZED ( \
                 SELECT c.* FROM lane AS l, LATERAL (",
            first!(concatcp!($of, " AND q.task_type = l.task_type AND q.priority = l.priority AND q.run_after <= now()")),
            ") AS c",
            order!("c"),
            "LIMIT $4), ",
            take!($exactly)
        ))
    };
}

/// The types in an argument, as the queue has them.
const GIVEN: &str = "SELECT DISTINCT left(k, 200) FROM unnest($5) AS k";

/// Every type in the queue; one step of an index for each.
const ALL: &str = "\
    (SELECT q.task_type FROM orchestrator.queued_tasks AS q WHERE q.ready ORDER BY q.task_type LIMIT 1) \
    UNION ALL \
    SELECT n.task_type FROM kind AS k, \
        LATERAL (SELECT q.task_type FROM orchestrator.queued_tasks AS q \
                 WHERE q.ready AND q.task_type > k.task_type ORDER BY q.task_type LIMIT 1) AS n";

/// The same for a role.
const ALL_OF_ROLE: &str = "\
    (SELECT q.task_type FROM orchestrator.queued_tasks AS q \
     WHERE q.ready AND q.to_role = left($6, 200) ORDER BY q.task_type LIMIT 1) \
    UNION ALL \
    SELECT n.task_type FROM kind AS k, \
        LATERAL (SELECT q.task_type FROM orchestrator.queued_tasks AS q \
                 WHERE q.ready AND q.to_role = left($6, 200) AND q.task_type > k.task_type \
                 ORDER BY q.task_type LIMIT 1) AS n";

const ROLE: &str = " AND q.to_role = left($6, 200)";

const EXACT_TYPES: &str = " AND t.task_type = ANY ($5)";
const EXACT_ROLE: &str = " AND t.to_role = $6";
const EXACT_BOTH: &str = concatcp!(EXACT_ROLE, EXACT_TYPES);

static HEAD: Statement = head!(concatcp!("head AS (", first!(""), ")"), "");
static HEAD_OF_TYPE: Statement =
    head!(concatcp!("head AS (", first!(" AND q.task_type = left($5[1], 200)"), ")"), EXACT_TYPES);
static HEAD_OF_TYPES: Statement = head!(merged!(GIVEN, ""), EXACT_TYPES);
static HEAD_OF_ROLE: Statement = head!(merged!(ALL_OF_ROLE, ROLE), EXACT_ROLE);
static HEAD_OF_ROLE_AND_TYPES: Statement = head!(merged!(GIVEN, ROLE), EXACT_BOTH);

static ANY: Statement = lanes!(ALL, "", "");
static OF_TYPES: Statement = lanes!(GIVEN, "", EXACT_TYPES);
static OF_ROLE: Statement = lanes!(ALL_OF_ROLE, ROLE, EXACT_ROLE);
static OF_ROLE_AND_TYPES: Statement = lanes!(GIVEN, ROLE, EXACT_BOTH);
