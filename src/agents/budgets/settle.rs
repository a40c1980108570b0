//! The end of a reservation: settled at its cost, or released.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use super::spend::{SPEND, facts, record_exceeded};
use super::{overtaken, usd, windows};
use crate::runs::Row;
use crate::server::error::{Error, Kind, required};
use crate::server::numbers::decimal;
use crate::server::statements::{self, Statement};
use crate::server::{arguments, latest, rows};

/// Settles a reservation at the cost of its call: the cost is spent in the windows in which it was reserved, and what was
/// reserved is free again. A reservation that has expired or was released is settled, too, because the money was spent.
/// The same cost again changes nothing.
///
/// `cost`: USD, 0 or more, below 10^12; NULL, as for a call without a price, means what was reserved.
/// Returns: the row of the hold in the first of its budgets.
/// Errors: 22004, 22023 a cost out of range, 23505 the reservation was settled at another cost, P0002 unknown reservation,
/// 40001 a budget was changed since the snapshot of a transaction that keeps its snapshot. Since 0.9.2.
#[pg_extern(sql = false, volatile)]
fn settle_budget(
    reservation_id: Option<Uuid>,
    cost: Option<AnyNumeric>,
) -> Result<pgrx::composite_type!('static, "orchestrator.budget_holds"), ErrorReport> {
    let reservation = required("reservation_id", reservation_id)?;
    let cost = cost.map(|cost| usd("cost", Some(cost))).transpose()?;
    if !windows::lock_of(reservation)? {
        return Err(not_found(reservation)?.into());
    }
    if settle_first(reservation, cost.clone())?.is_none() {
        refuse_other_cost(reservation, cost)?;
    }
    Ok(first(reservation)?)
}

/// The form of `settle_budget` for a cost that is a float. It is taken as the shortest decimal that reads back the same.
///
/// The arguments, the result and the errors are those of the form for numeric. Since 0.9.2.
#[pg_extern(sql = false, volatile)]
fn settle_budget_0_9_2_float(
    reservation_id: Option<Uuid>,
    cost: Option<f64>,
) -> Result<pgrx::composite_type!('static, "orchestrator.budget_holds"), ErrorReport> {
    settle_budget(reservation_id, cost.map(decimal).transpose()?)
}

/// Settles a reservation whose windows are locked, unless it is settled. Returns its cost; `None` if it was settled before.
///
/// Errors: P0002 unknown reservation, 40001 it was made since the snapshot of the transaction.
pub fn settle_first(
    reservation: Uuid,
    cost: Option<AnyNumeric>,
) -> Result<Option<AnyNumeric>, Error> {
    static SETTLE: Statement = Statement::new(concatcp!(
        "WITH k AS (SELECT h.budget_id, h.starts_at, coalesce($2, h.amount) AS cost, CASE h.state WHEN 'held' THEN h.amount ELSE 0 END AS freed \
             FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $1), \
         spent AS (",
        SPEND,
        ") SELECT s.facts FROM spent AS s WHERE s.is_exceeded ORDER BY s.budget_id"
    ));
    static MARK: Statement = Statement::new(
        "UPDATE orchestrator.budget_holds AS h SET state = 'settled', actual = coalesce($2, h.amount) WHERE h.reservation_id = $1 \
         RETURNING h.actual",
    );
    match is_settled(reservation)? {
        None => return Err(not_found(reservation)?),
        Some(true) => return Ok(None),
        Some(false) => {}
    }
    let arguments = [reservation.into(), cost.into()];
    record_exceeded(SETTLE.update(&arguments, facts)?)?;
    let actual = MARK.update(&arguments, statements::one::<AnyNumeric>)?;
    actual.map(Some).ok_or_else(|| not_settled(reservation))
}

/// Whether a reservation is settled; `None` if there is none.
fn is_settled(reservation: Uuid) -> Result<Option<bool>, Error> {
    static IS_SETTLED: Statement = Statement::new(
        "SELECT bool_or(h.state IS NOT DISTINCT FROM 'settled') FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $1",
    );
    IS_SETTLED.update(&[reservation.into()], statements::one::<bool>)
}

/// Errors: 23505 the reservation was settled at another cost.
fn refuse_other_cost(reservation: Uuid, cost: Option<AnyNumeric>) -> Result<(), Error> {
    static SETTLED: Statement = Statement::new(
        "SELECT h.actual = coalesce($2, h.amount), trim_scale(h.actual)::text FROM orchestrator.budget_holds AS h \
         WHERE h.reservation_id = $1 ORDER BY h.budget_id LIMIT 1",
    );
    let settled =
        SETTLED.update(&[reservation.into(), cost.into()], statements::two::<bool, String>)?;
    let Some((Some(false), actual)) = settled else { return Ok(()) };
    let actual = actual.unwrap_or_default();
    let message = format!("reservation {reservation} was already settled at another cost");
    Err(Error::new(Kind::Duplicate, message)
        .detail(format!("It was settled at {} USD.", arguments::shortened(&actual)))
        .hint(
            "Repeat the first call unchanged. Each call of a model needs a reservation of its own.",
        ))
}

/// The row of a reservation in the first of its budgets.
fn first(reservation: Uuid) -> Result<Row, Error> {
    static FIRST: Statement = Statement::new(
        "SELECT h FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $1 ORDER BY h.budget_id LIMIT 1",
    );
    let row = FIRST
        .update(&[reservation.into()], |found| rows::one(found, "budget_holds.reservation_id"))?;
    row.ok_or_else(|| not_settled(reservation))
}

fn not_settled(reservation: Uuid) -> Error {
    let message = format!("reservation {reservation} could not be settled");
    Error::no_row(message, "budget_holds")
}

/// Gives a reservation back, because its call is not made.
///
/// Returns: whether it was still held. One that has expired, or was settled or released, stays as it is.
/// Errors: 22004, P0002 unknown reservation, 40001 a budget was changed since the snapshot of a transaction that keeps its
/// snapshot. Since 0.9.2.
#[pg_extern(sql = false, volatile)]
fn release_budget(reservation_id: Option<Uuid>) -> Result<bool, ErrorReport> {
    static RELEASE: Statement = Statement::new(
        "WITH freed AS (UPDATE orchestrator.budget_holds AS h SET state = 'released' WHERE h.reservation_id = $1 AND h.state = 'held' \
             RETURNING h.budget_id, h.starts_at, h.amount) \
         UPDATE orchestrator.budget_windows AS w SET reserved = w.reserved - f.amount \
         FROM freed AS f WHERE w.budget_id = f.budget_id AND w.starts_at = f.starts_at",
    );
    let reservation = required("reservation_id", reservation_id)?;
    if !windows::lock_of(reservation)? {
        return Err(not_found(reservation)?.into());
    }
    // `UPDATE` returns no rows, but their number.
    Ok(RELEASE.update(&[reservation.into()], |found| Ok(!found.is_empty()))?)
}

/// The error for a reservation that the snapshot lacks.
fn not_found(reservation: Uuid) -> Result<Error, Error> {
    const KNOWN: &CStr =
        c"SELECT EXISTS (SELECT FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $1)";
    Ok(match latest::value::<bool>(KNOWN, &[reservation.into()])? {
        Some(true) => overtaken(&format!("reservation {reservation} was made")),
        _ => unknown(reservation),
    })
}

pub fn unknown(reservation: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("reservation {reservation} does not exist")).hint(
        "orchestrator.reserve_budget returns the id of a reservation; NULL if no budget is about the call.",
    )
}
