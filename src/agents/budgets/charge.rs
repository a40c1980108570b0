//! The charges of calls to the budgets that are about them.

use const_format::concatcp;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use super::settle::settle;
use super::spend::{SPEND, facts, record_exceeded};
use super::{Scope, exist, windows};
use crate::server::error::Error;
use crate::server::statements::Statement;

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
