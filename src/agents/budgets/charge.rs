//! The charges of calls to the budgets that are about them.

use const_format::concatcp;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use super::settle::{settle_first, unknown};
use super::spend::{SPEND, facts, record_exceeded};
use super::{Scope, exist, windows};
use crate::runs::Run;
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{backend_state, locks};

/// Locks the tables of a call in the order of updates: its cost is found after its row was written, and then its budgets.
pub fn lock_tables() {
    locks::in_order(&[
        c"orchestrator_runs",
        c"llm_prices_by_name",
        c"llm_price_periods",
        c"llm_model_aliases",
        c"llm_price_components",
        c"llm_pricing",
        c"llm_token_usage",
        c"budgets",
    ]);
}

/// Charges a call that was recorded: settles its reservation, and adds the cost to every budget that is about the call and
/// was not asked before it. A reservation pays for one call: another one with it is charged like one without. Records
/// `budget_exceeded` for each window that the cost leads beyond its limit.
///
/// `at`: the time of the call; `cost`: USD, `None` for unknown: then what was reserved counts.
/// Errors: P0002 there is no such reservation, 40001 a window was changed since the snapshot of a transaction that keeps its
/// snapshot.
pub fn charge(
    mut scope: Scope<'_>,
    run: Option<&Run>,
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
    if !exist() {
        return reservation.map_or(Ok(()), |reservation| Err(unknown(reservation)));
    }
    if reservation.is_none() && cost.is_none() {
        return Ok(());
    }
    scope.complete(run)?;
    let windows = windows::lock(&scope, at, reservation)?;
    let settled = match reservation {
        Some(reservation) => settle_first(reservation, cost.clone())?,
        None => None,
    };
    if let Some(reservation) = reservation.filter(|_| settled.is_none()) {
        let message = format!("reservation {reservation} was settled before");
        let detail = "The call is charged to the budgets like one without a reservation.";
        backend_state::notice(message, Some(detail.to_owned()));
    }
    let paid = reservation.filter(|_| settled.is_some());
    let Some(cost) = cost.or(settled).filter(|_| !windows.are_none()) else { return Ok(()) };
    let arguments = [windows.budgets.into(), windows.beginnings.into(), cost.into(), paid.into()];
    record_exceeded(ADD.update(&arguments, facts)?)
}
