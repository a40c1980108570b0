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
use crate::server::{arguments, latest, relations, rows};

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
    windows::lock_of(reservation)?;
    Ok(settle(reservation, cost)?)
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

/// Settles a reservation whose windows are locked. Returns the row of its first hold.
pub fn settle(reservation: Uuid, cost: Option<AnyNumeric>) -> Result<Row, Error> {
    static SETTLE: Statement = Statement::new(concatcp!(
        "WITH k AS (SELECT h.budget_id, h.starts_at, coalesce($2, h.amount) AS cost, CASE h.state WHEN 'held' THEN h.amount ELSE 0 END AS freed \
             FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $1), \
         spent AS (",
        SPEND,
        ") SELECT s.facts FROM spent AS s WHERE s.is_exceeded ORDER BY s.budget_id"
    ));
    static MARK: Statement = Statement::new(
        "UPDATE orchestrator.budget_holds AS h SET state = 'settled', actual = coalesce($2, h.amount) WHERE h.reservation_id = $1",
    );
    if relations::identifier_of(c"budget_holds") == pg_sys::InvalidOid {
        return Err(unknown(reservation));
    }
    let arguments = [reservation.into(), cost.clone().into()];
    if let Some(row) = settled_before(reservation, cost)? {
        return Ok(row);
    }
    record_exceeded(SETTLE.update(&arguments, facts)?)?;
    MARK.update(&arguments, |_| Ok(()))?;
    match first(reservation)? {
        Some(row) => Ok(row),
        None => Err(not_found(reservation)?),
    }
}

/// The row of a reservation that was settled at the same cost.
///
/// Errors: 23505 it was settled at another cost.
fn settled_before(reservation: Uuid, cost: Option<AnyNumeric>) -> Result<Option<Row>, Error> {
    static SETTLED: Statement = Statement::new(
        "SELECT h.actual = coalesce($2, h.amount), trim_scale(h.actual)::text FROM orchestrator.budget_holds AS h \
         WHERE h.reservation_id = $1 AND h.state IS NOT DISTINCT FROM 'settled' ORDER BY h.budget_id LIMIT 1",
    );
    let settled =
        SETTLED.update(&[reservation.into(), cost.into()], statements::two::<bool, String>)?;
    match settled {
        None => Ok(None),
        Some((Some(true), _)) => first(reservation),
        Some((_, actual)) => {
            let actual = actual.unwrap_or_default();
            let message = format!("reservation {reservation} was already settled at another cost");
            Err(Error::new(Kind::Duplicate, message)
                .detail(format!("It was settled at {} USD.", arguments::shortened(&actual)))
                .hint("Repeat the first call unchanged. Each call of a model needs a reservation of its own."))
        }
    }
}

fn first(reservation: Uuid) -> Result<Option<Row>, Error> {
    static FIRST: Statement = Statement::new(
        "SELECT h FROM orchestrator.budget_holds AS h WHERE h.reservation_id = $1 ORDER BY h.budget_id LIMIT 1",
    );
    FIRST.update(&[reservation.into()], |found| rows::one(found, "budget_holds.reservation_id"))
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
    if windows::lock_of(reservation)?.are_none() {
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

fn unknown(reservation: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("reservation {reservation} does not exist")).hint(
        "orchestrator.reserve_budget returns the id of a reservation; NULL if no budget is about the call.",
    )
}
