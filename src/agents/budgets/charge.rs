//! The charges of calls to the budgets that are about them.

use const_format::concatcp;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;
use pgrx::{AnyNumeric, Uuid};

use super::settle::settle;
use super::{Scope, exist, windows};
use crate::audit;
use crate::server::error::Error;
use crate::server::jsonb::Document;
use crate::server::rows;
use crate::server::statements::Statement;

/// The statement that charges the windows of `k`: budget_id, starts_at, the cost, and what is no longer reserved. It returns
/// the facts of each, and whether the cost has led beyond the limit. The caller has locked the windows.
pub const SPEND: &str = "UPDATE orchestrator.budget_windows AS w SET spent = w.spent + k.cost, reserved = w.reserved - k.freed \
     FROM k JOIN orchestrator.budgets AS b ON b.id = k.budget_id WHERE w.budget_id = k.budget_id AND w.starts_at = k.starts_at \
     RETURNING w.budget_id, jsonb_build_object('budget_id', w.budget_id, 'starts_at', w.starts_at, 'limit_usd', b.limit_usd, \
                   'raised', w.raised, 'spent', w.spent) AS facts, \
               w.spent > b.limit_usd + w.raised AND w.spent - k.cost <= b.limit_usd + w.raised AS is_exceeded";

/// Charges a call that was recorded: settles its reservation, and adds the cost to every budget that is about the call and
/// was not asked before it. Records `budget_exceeded` once for each window that the cost leads beyond its limit.
///
/// `at`: the time of the call; `cost`: USD, `None` for unknown: then the reservation counts.
/// Errors: 23505 the reservation was settled at another cost, P0002 there is no such reservation, 40001 a window was changed
/// since the snapshot of a transaction that keeps its snapshot.
pub fn charge(
    scope: &Scope<'_>,
    at: TimestampWithTimeZone,
    cost: Option<AnyNumeric>,
    reservation: Option<Uuid>,
) -> Result<(), Error> {
    static ADD: Statement = Statement::new(concatcp!(
        "WITH k AS (SELECT u.budget_id, u.starts_at, $3 AS cost, 0 AS freed FROM unnest($1, $2) AS u (budget_id, starts_at) \
             WHERE NOT EXISTS (SELECT FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $4 AND h.budget_id = u.budget_id)), \
         spent AS (",
        SPEND,
        ") SELECT s.facts FROM spent AS s WHERE s.is_exceeded ORDER BY s.budget_id"
    ));
    if reservation.is_none() && (cost.is_none() || !exist()) {
        return Ok(());
    }
    let windows = if exist() { windows::lock(scope, at, reservation)? } else { Default::default() };
    if let Some(reservation) = reservation {
        settle(reservation, cost.clone())?;
    }
    let Some(cost) = cost.filter(|_| !windows.are_none()) else { return Ok(()) };
    let arguments =
        [windows.budgets.into(), windows.beginnings.into(), cost.into(), reservation.into()];
    record_exceeded(ADD.update(&arguments, facts)?)
}

/// The documents of a statement's rows.
pub fn facts(found: SpiTupleTable<'_>) -> Result<Vec<Document>, Error> {
    rows::each(found, |row| rows::value(row, 1, "budget_windows.spent"))
}

pub fn record_exceeded(windows: Vec<Document>) -> Result<(), Error> {
    windows
        .into_iter()
        .try_for_each(|facts| audit::record_document("budget_exceeded", audit::SYSTEM, facts))
}
