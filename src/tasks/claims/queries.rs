//! The statements that claim tasks.
//!
//! `queued_tasks` has a row for each pending task, in three orders: of all tasks, of each type, and of each
//! type of a role. A lane is the part of such an order with one type and one priority: its claimable tasks
//! come first, and those that are due later come after them. So a claim reads a few rows at the head of the
//! queue or of each lane, and nothing of tasks that are due later, kept back or over.

use const_format::concatcp;

use crate::runs::waiting;
use crate::schema::verify::row_rules::KEPT_BACK;
use crate::server::statements::Statement;

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
/// the tasks `t`, because an entry has the first characters only; `$entries` are the entries that were read.
/// A plan may be made while the tables are empty, so no table is joined: each row is found by a key.
///
/// Candidates are read without a lock. Between the snapshot and the lock of its task, another worker may have
/// taken a candidate and put it back. Then its entry is another one, with another number of attempts. So only
/// a task whose entry can be removed is taken. The claim begins by the clock, because the attempt before may
/// have ended after this transaction began.
macro_rules! take {
    ($entries:expr, $exactly:expr) => {
        concatcp!(
            "picked AS MATERIALIZED ( \
                 SELECT p.id FROM candidate AS c, \
                     LATERAL (SELECT t.id FROM orchestrator.tasks AS t \
                              WHERE t.id = c.task_id AND t.status IS NOT DISTINCT FROM 'pending' AND t.run_after <= now()", $exactly, " \
                                AND (t.thread_id IS NULL \
                                     OR (SELECT NOT ", waiting::WAITS, " FROM orchestrator.orchestrator_runs AS r \
                                         WHERE r.thread_id = t.thread_id)) \
                                AND (", KEPT_BACK, ") IS NULL \
                              FOR NO KEY UPDATE SKIP LOCKED) AS p \
                 LIMIT $3), ",
            include_str!("take.sql"),
            "SELECT n.entries, n.seen, n.locked, n.taken, c.task \
             FROM (SELECT (SELECT count(*) FROM ", $entries, ") AS entries, (SELECT count(*) FROM candidate) AS seen, \
                          (SELECT count(*) FROM picked) AS locked, (SELECT count(*) FROM taken) AS taken) AS n \
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
            take!("head", $exactly)
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
            take!("candidate", $exactly)
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

pub static HEAD: Statement = head!(concatcp!("head AS (", first!(""), ")"), "");
pub static HEAD_OF_TYPE: Statement =
    head!(concatcp!("head AS (", first!(" AND q.task_type = left($5[1], 200)"), ")"), EXACT_TYPES);
pub static HEAD_OF_TYPES: Statement = head!(merged!(GIVEN, ""), EXACT_TYPES);
pub static HEAD_OF_ROLE: Statement = head!(merged!(ALL_OF_ROLE, ROLE), EXACT_ROLE);
pub static HEAD_OF_ROLE_AND_TYPES: Statement = head!(merged!(GIVEN, ROLE), EXACT_BOTH);

pub static ANY: Statement = lanes!(ALL, "", "");
pub static OF_TYPES: Statement = lanes!(GIVEN, "", EXACT_TYPES);
pub static OF_ROLE: Statement = lanes!(ALL_OF_ROLE, ROLE, EXACT_ROLE);
pub static OF_ROLE_AND_TYPES: Statement = lanes!(GIVEN, ROLE, EXACT_BOTH);
