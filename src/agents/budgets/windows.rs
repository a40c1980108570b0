//! The windows of budgets: which a call belongs to, and their locks.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::prelude::*;
use pgrx::spi::{SpiHeapTupleData, SpiTupleTable};

use super::Scope;
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{plans, rows};

/// The budgets `b` that are about a call of project $1, agent $2, thread $3 and subject $4, each by a prefix of the index of
/// scopes. A digest is compared because a name may be too long for an index.
const MATCHING: &str = include_str!("matching.sql");

/// The beginning of the window of budget `m` in which time $5 lies.
const BEGINNING: &str =
    "CASE m.period WHEN 'total' THEN '-infinity' ELSE date_trunc(m.period, $5, 'UTC') END";

/// Windows that are locked until the transaction ends.
#[derive(Default)]
pub struct Windows {
    /// The budget of each, in the order of the locks.
    pub budgets: Vec<Uuid>,
    /// The beginning of each.
    pub beginnings: Vec<TimestampWithTimeZone>,
}

impl Windows {
    pub fn are_none(&self) -> bool {
        self.budgets.is_empty()
    }
}

/// Locks the windows of all budgets that are about a call, and those in which a reservation is held, whose budgets are
/// asked no second time. Windows that do not exist yet are made.
///
/// Errors: 40001 a window was changed since the snapshot of a transaction that keeps its snapshot.
pub fn lock(
    scope: &Scope<'_>,
    at: TimestampWithTimeZone,
    reservation: Option<Uuid>,
) -> Result<Windows, Error> {
    static OPEN: Statement = Statement::new(concatcp!(
        "INSERT INTO orchestrator.budget_windows (budget_id, starts_at) \
         SELECT m.id, ",
        BEGINNING,
        " FROM (",
        MATCHING,
        ") AS m WHERE NOT EXISTS (SELECT FROM orchestrator.budget_windows AS w WHERE w.budget_id = m.id AND w.starts_at = ",
        BEGINNING,
        ") AND NOT EXISTS (SELECT FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $6 AND h.budget_id = m.id) \
         ORDER BY m.id ON CONFLICT DO NOTHING"
    ));
    static FIND: Statement = Statement::new(concatcp!(
        "SELECT h.budget_id AS id, h.starts_at FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $6 \
         UNION ALL SELECT m.id, ",
        BEGINNING,
        " FROM (",
        MATCHING,
        ") AS m WHERE NOT EXISTS (SELECT FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $6 AND h.budget_id = m.id)"
    ));
    // Apart from the statement that finds them: after a wait, the server looks at each locked row again, and leaves out
    // those that it had joined to a union.
    static LOCK: Statement = Statement::new(
        "SELECT w.budget_id, w.starts_at FROM unnest($1, $2) AS u (budget_id, starts_at) \
         JOIN orchestrator.budget_windows AS w ON w.budget_id = u.budget_id AND w.starts_at = u.starts_at \
         ORDER BY w.budget_id, w.starts_at FOR NO KEY UPDATE OF w",
    );
    let [project, agent, thread, subject] = scope.parameters();
    let arguments = [project, agent, thread, subject, at.into(), reservation.into()];
    plans::by_index(|| {
        OPEN.update(&arguments, |_| Ok(()))?;
        let Windows { budgets, beginnings } = FIND.update(&arguments, windows)?;
        let found = budgets.len();
        let locked = LOCK.update(&[budgets.into(), beginnings.into()], windows)?;
        if locked.budgets.len() == found {
            return Ok(locked);
        }
        Err(Error::no_row("a window of a budget could not be locked", "budget_windows"))
    })
}

/// Locks the windows in which a reservation is or was held; none if there is no such reservation.
pub fn lock_of(reservation: Uuid) -> Result<Windows, Error> {
    static LOCK: Statement = Statement::new(
        "SELECT w.budget_id, w.starts_at FROM orchestrator.budget_holds AS h \
         JOIN orchestrator.budget_windows AS w ON w.budget_id = h.budget_id AND w.starts_at = h.starts_at \
         WHERE h.reservation_id = $1 ORDER BY w.budget_id, w.starts_at FOR NO KEY UPDATE OF w",
    );
    plans::by_index(|| LOCK.update(&[reservation.into()], windows))
}

/// Writes the present window of a budget without a change, so that a transaction that keeps an older snapshot fails with
/// 40001 instead of going by the limit of before.
pub fn write_present(budget: Uuid) -> Result<(), Error> {
    static WRITE: Statement = Statement::new(
        "UPDATE orchestrator.budget_windows AS w SET raised = w.raised \
         FROM orchestrator.budgets AS b \
         WHERE b.id = $1 AND w.budget_id = b.id \
           AND w.starts_at = CASE b.period WHEN 'total' THEN '-infinity' ELSE date_trunc(b.period, clock_timestamp(), 'UTC') END",
    );
    WRITE.update(&[budget.into()], |_| Ok(()))
}

fn windows(found: SpiTupleTable<'_>) -> Result<Windows, Error> {
    let window = |row: &SpiHeapTupleData<'_>| {
        let budget = rows::value::<Uuid>(row, 1, "budget_windows.budget_id")?;
        let beginning = rows::value::<TimestampWithTimeZone>(row, 2, "budget_windows.starts_at")?;
        Ok((budget, beginning))
    };
    let (budgets, beginnings) = rows::each(found, window)?.into_iter().unzip();
    Ok(Windows { budgets, beginnings })
}
