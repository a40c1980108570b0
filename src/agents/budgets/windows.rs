//! The windows of budgets: which a call belongs to, and their locks.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;

use super::Scope;
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{locks, plans, rows};

/// The budgets `b` that are about a call of project $1, agent $2, thread $3 and subject $4, each by a prefix of the index of
/// scopes. A digest is compared because a name may be too long for an index.
const MATCHING: &str = include_str!("matching.sql");

/// The beginning of the window of budget `m` in which time $5 lies.
const BEGINNING: &str =
    "CASE m.period WHEN 'total' THEN '-infinity' ELSE date_trunc(m.period, $5, 'UTC') END";

/// The beginning of the present window of budget `b`.
pub const PRESENT: &str = "CASE b.period WHEN 'total' THEN '-infinity' ELSE date_trunc(b.period, clock_timestamp(), 'UTC') END";

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

/// Locks the windows of all budgets that are about a call, and those in which a reservation is held. Windows that do not
/// exist yet are made.
///
/// Returns: those of the budgets that are about the call.
/// Errors: 40001 a window was changed since the snapshot of a transaction that keeps its snapshot, 55000 a window is hidden.
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
        ") ORDER BY m.id ON CONFLICT DO NOTHING"
    ));
    // A budget that was set after the statement before is left out: it has no window yet.
    static FIND: Statement = Statement::new(concatcp!(
        "SELECT k.id, k.starts_at FROM (SELECT m.id, ",
        BEGINNING,
        " AS starts_at FROM (",
        MATCHING,
        ") AS m) AS k WHERE EXISTS (SELECT FROM orchestrator.budget_windows AS w WHERE w.budget_id = k.id AND w.starts_at = k.starts_at)"
    ));
    let [project, agent, thread, subject] = scope.parameters();
    let arguments = [project, agent, thread, subject, at.into()];
    in_order();
    plans::by_index(|| {
        OPEN.update(&arguments, |_| Ok(()))?;
        let found = FIND.update(&arguments, keys)?;
        let held = reservation.map(held).transpose()?.unwrap_or_default();
        let others = held.into_iter().filter(|window| !found.contains(window));
        lock_all(found.iter().copied().chain(others))?;
        let (budgets, beginnings) = found.into_iter().unzip();
        Ok(Windows { budgets, beginnings })
    })
}

/// Locks the windows in which a reservation is or was held. Returns whether there is such a reservation.
///
/// Errors: 40001 and 55000, as `lock`.
pub fn lock_of(reservation: Uuid) -> Result<bool, Error> {
    in_order();
    plans::by_index(|| {
        let held = held(reservation)?;
        let is_known = !held.is_empty();
        lock_all(held.into_iter())?;
        Ok(is_known)
    })
}

/// Locks the tables in the order of updates, for statements that look at questions.
pub fn questions_first() {
    locks::in_order(&[c"human_review_queue", c"gates", c"budgets", c"budget_windows"]);
}

/// Locks the tables in the order of updates.
fn in_order() {
    locks::in_order(&[c"budgets", c"budget_windows", c"budget_holds"]);
}

/// The windows in which a reservation is or was held.
fn held(reservation: Uuid) -> Result<Vec<Key>, Error> {
    static HELD: Statement = Statement::new(
        "SELECT h.budget_id, h.starts_at FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $1",
    );
    HELD.update(&[reservation.into()], keys)
}

fn lock_all(windows: impl Iterator<Item = Key>) -> Result<(), Error> {
    // Apart from the statement that finds them: after a wait, the server looks at each locked row again, and leaves out
    // those that it had joined to a union.
    static LOCK: Statement = Statement::new(
        "SELECT w.budget_id, w.starts_at FROM unnest($1, $2) AS u (budget_id, starts_at) \
         JOIN orchestrator.budget_windows AS w ON w.budget_id = u.budget_id AND w.starts_at = u.starts_at \
         ORDER BY w.budget_id, w.starts_at FOR NO KEY UPDATE OF w",
    );
    let (budgets, beginnings): (Vec<_>, Vec<_>) = windows.unzip();
    let found = budgets.len();
    if LOCK.update(&[budgets.into(), beginnings.into()], keys)?.len() == found {
        return Ok(());
    }
    Err(Error::no_row("a window of a budget could not be locked", "budget_windows"))
}

/// Writes the present window of a budget, so that a transaction that keeps an older snapshot fails with 40001 instead of
/// going by the limit of before. A no to its last question no longer stands.
pub fn write_present(budget: Uuid) -> Result<(), Error> {
    static WRITE: Statement = Statement::new(concatcp!(
        "INSERT INTO orchestrator.budget_windows AS w (budget_id, starts_at) \
         SELECT b.id, ",
        PRESENT,
        " FROM orchestrator.budgets AS b WHERE b.id = $1 \
         ON CONFLICT ON CONSTRAINT budget_windows_pkey DO UPDATE SET review_id = ",
        OPEN_QUESTION
    ));
    WRITE.update(&[budget.into()], |_| Ok(()))
}

/// The question about window `w` if it is still open.
pub const OPEN_QUESTION: &str = "(SELECT q.id FROM orchestrator.human_review_queue AS q WHERE q.id = w.review_id AND q.status = 'pending' \
     UNION ALL SELECT g.id FROM orchestrator.gates AS g WHERE g.id = w.review_id AND g.status = 'pending')";

/// A budget, and the beginning of one of its windows.
type Key = (Uuid, TimestampWithTimeZone);

fn keys(found: SpiTupleTable<'_>) -> Result<Vec<Key>, Error> {
    rows::each(found, |row| {
        let budget = rows::value::<Uuid>(row, 1, "budget_windows.budget_id")?;
        Ok((budget, rows::value::<TimestampWithTimeZone>(row, 2, "budget_windows.starts_at")?))
    })
}
