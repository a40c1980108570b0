//! Money that was spent: the sums of windows, and the event of one that goes beyond its limit.

use pgrx::spi::SpiTupleTable;

use crate::audit;
use crate::server::error::Error;
use crate::server::jsonb::Document;
use crate::server::rows;

/// The statement that charges the windows of `k`: budget_id, starts_at, the cost, and what is no longer reserved. It returns
/// the facts of each, and whether the cost has led beyond the limit. The caller has locked the windows.
pub const SPEND: &str = "UPDATE orchestrator.budget_windows AS w SET spent = w.spent + k.cost, reserved = w.reserved - k.freed \
     FROM k JOIN orchestrator.budgets AS b ON b.id = k.budget_id WHERE w.budget_id = k.budget_id AND w.starts_at = k.starts_at \
     RETURNING w.budget_id, jsonb_build_object('budget_id', w.budget_id, 'starts_at', w.starts_at, 'limit_usd', b.limit_usd, \
                   'raised', w.raised, 'spent', w.spent) AS facts, \
               w.spent > b.limit_usd + w.raised AND w.spent - k.cost <= b.limit_usd + w.raised AS is_exceeded";

/// The documents of a statement's rows.
pub fn facts(found: SpiTupleTable<'_>) -> Result<Vec<Document>, Error> {
    rows::each(found, |row| rows::value(row, 1, "budget_windows.spent"))
}

/// Records the windows that a cost has led beyond their limits.
pub fn record_exceeded(windows: Vec<Document>) -> Result<(), Error> {
    windows
        .into_iter()
        .try_for_each(|facts| audit::record_document("budget_exceeded", audit::SYSTEM, facts))
}
