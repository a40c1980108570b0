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
const BESIDE: i64 = 3;

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

impl Claim<'_> {
    fn take(&self) -> Result<Vec<Row>, Error> {
        expired::reclaim(self.batch.max(TAKEN_BACK))?;
        let mut taken = Vec::new();
        let mut candidates = self.batch + BESIDE;
        loop {
            let wanted = self.batch - taken.len() as i64;
            let (seen, rows) = self.take_from(candidates, wanted)?;
            taken.extend(rows);
            if taken.len() as i64 >= self.batch || seen < candidates {
                return Ok(taken);
            }
            // Others are claiming the candidates, or their runs wait: more are needed.
            candidates *= 4;
        }
    }

    /// Takes tasks from among the first candidates. Returns the number of candidates that there are, and
    /// the tasks.
    fn take_from(&self, candidates: i64, wanted: i64) -> Result<(i64, Vec<Row>), Error> {
        let statement = match (&self.types, self.role) {
            (None, None) => &ANY,
            (Some(_), None) => &OF_TYPES,
            (None, Some(_)) => &OF_ROLE,
            (Some(_), Some(_)) => &OF_ROLE_AND_TYPES,
        };
        let arguments: [DatumWithOid<'_>; 6] = [
            self.worker.into(),
            self.lease.into(),
            wanted.into(),
            candidates.into(),
            self.types.clone().into(),
            self.role.into(),
        ];
        queue::claiming(|| {
            statement.update(&arguments, |rows| {
                let mut seen = 0;
                let found = rows::each(rows, |row| {
                    seen = rows::value::<i64>(row, 1, "count")?;
                    rows::optional::<Row>(row, 2, "tasks.id")
                })?;
                Ok((seen, found.into_iter().flatten().collect()))
            })
        })
    }
}

/// The statement of a claim. `$kinds` selects the types, `$of` restricts the entries `q` of the queue to
/// those of a role, and `$exactly` the tasks `t`, because an entry has the first characters only.
/// Arguments: worker, lease, number of tasks, number of candidates, types, role.
///
/// Candidates are read without a lock. Between the snapshot and the lock of its task, another worker may have
/// taken a candidate and put it back: the removal of its entry is refused then, and decides who has taken it.
macro_rules! claim {
    ($kinds:expr, $of:expr, $exactly:expr) => {
        Statement::new(concatcp!(
            "WITH RECURSIVE kind (task_type) AS (", $kinds, "), \
             lane (task_type, priority, found) AS ( \
                 SELECT k.task_type, p.priority, d.found FROM kind AS k, \
                     LATERAL (SELECT q.priority FROM orchestrator.queued_tasks AS q \
                              WHERE q.ready AND ", $of, "q.task_type = k.task_type ORDER BY q.priority DESC LIMIT 1) AS p, \
                     LATERAL (SELECT count(*) AS found FROM ( \
                                  SELECT FROM orchestrator.queued_tasks AS q \
                                  WHERE q.ready AND ", $of, "q.task_type = k.task_type AND q.priority = p.priority \
                                    AND q.run_after <= now() LIMIT $4) AS q) AS d \
                 UNION ALL \
                 SELECT l.task_type, p.priority, l.found + d.found FROM lane AS l, \
                     LATERAL (SELECT q.priority FROM orchestrator.queued_tasks AS q \
                              WHERE q.ready AND ", $of, "q.task_type = l.task_type AND q.priority < l.priority \
                              ORDER BY q.priority DESC LIMIT 1) AS p, \
                     LATERAL (SELECT count(*) AS found FROM ( \
                                  SELECT FROM orchestrator.queued_tasks AS q \
                                  WHERE q.ready AND ", $of, "q.task_type = l.task_type AND q.priority = p.priority \
                                    AND q.run_after <= now() LIMIT $4) AS q) AS d \
                 WHERE l.found < $4), \
             candidate AS MATERIALIZED ( \
                 SELECT c.* FROM lane AS l, \
                     LATERAL (SELECT q.task_id, q.priority, q.run_after, q.created_at FROM orchestrator.queued_tasks AS q \
                              WHERE q.ready AND ", $of, "q.task_type = l.task_type AND q.priority = l.priority \
                                AND q.run_after <= now() \
                              ORDER BY q.run_after, q.created_at, q.task_id LIMIT $4) AS c \
                 ORDER BY c.priority DESC, c.run_after, c.created_at, c.task_id LIMIT $4), \
             picked AS MATERIALIZED ( \
                 SELECT t.id FROM orchestrator.orchestrator_runs AS r \
                 RIGHT JOIN orchestrator.tasks AS t ON r.thread_id = t.thread_id \
                 JOIN candidate AS c ON c.task_id = t.id \
                 WHERE t.status = 'pending' AND t.run_after <= now()", $exactly, " \
                   AND (r.gate_status IS NULL OR NOT ", waiting::WAITS, ") \
                 ORDER BY c.priority DESC, c.run_after, c.created_at, c.task_id \
                 LIMIT $3 FOR NO KEY UPDATE OF t SKIP LOCKED), \
             taken AS ( \
                 DELETE FROM orchestrator.queued_tasks AS q USING picked AS p \
                 WHERE q.task_id = p.id AND q.ready AND q.run_after <= now() \
                 RETURNING q.task_id, q.attempts + 1 AS attempt, q.priority, q.run_after, q.created_at), \
             claimed AS ( \
                 UPDATE orchestrator.tasks AS t SET status = 'running' FROM taken AS q WHERE t.id = q.task_id \
                 RETURNING t AS task, t.id, q.attempt, q.priority, q.run_after, q.created_at), \
             attempt AS ( \
                 INSERT INTO orchestrator.task_attempts (task_id, attempt, worker, lease_expires_at) \
                 SELECT c.id, c.attempt, $1, clock_timestamp() + $2 FROM claimed AS c) \
             SELECT n.seen, c.task FROM (SELECT count(*) AS seen FROM candidate) AS n LEFT JOIN claimed AS c ON true \
             ORDER BY c.priority DESC, c.run_after, c.created_at, c.id"
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

const ROLE: &str = "q.to_role = left($6, 200) AND ";

static ANY: Statement = claim!(ALL, "", "");
static OF_TYPES: Statement = claim!(GIVEN, "", " AND t.task_type = ANY ($5)");
static OF_ROLE: Statement = claim!(ALL_OF_ROLE, ROLE, " AND t.to_role = $6");
static OF_ROLE_AND_TYPES: Statement =
    claim!(GIVEN, ROLE, " AND t.to_role = $6 AND t.task_type = ANY ($5)");
