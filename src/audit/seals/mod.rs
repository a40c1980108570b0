//! Seals over the trail. A seal holds the SHA-256 of the seal before it and of the events of a span, so that a later
//! change of any of them is found, also one by a superuser. Events are sealed when no honest one can be added to
//! their span any more (`horizon`), in one form that depends on no setting (`canonical`).

mod canonical;
mod chain;
mod horizon;
mod marks;
mod read;
mod verify;

use std::ffi::CStr;

use pgrx::AllocatedByRust;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::iter::{SetOfIterator, TableIterator};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

pub use chain::last_to_purge;
pub use horizon::now as horizon;
pub use marks::{PURGED, mark};
pub use verify::differing;

use self::chain::Seal;
use self::read::always;
use crate::server::error::Error;
use crate::server::statements::{self, Statement};
use crate::server::{latest, locks};

/// Seals the events that are not sealed yet and are older than the beginning of the oldest transaction that still runs,
/// or is prepared: such a transaction could still add one.
///
/// Returns: the seal; no row if there is nothing new.
/// Errors: 25006 the server is a standby, 55000 a session hides when its transaction began. Since 0.8.1.
#[pg_extern(sql = false, volatile)]
fn seal_audit_events() -> Result<
    SetOfIterator<'static, pgrx::composite_type!('static, "orchestrator.audit_seals")>,
    ErrorReport,
> {
    static ROW: Statement =
        Statement::new("SELECT s FROM orchestrator.audit_seals AS s WHERE s.sequence = $1");
    one_at_a_time()?;
    let rows = match seal_before(horizon()?)? {
        Some(seal) => ROW.update(
            &[seal.sequence.into()],
            statements::column::<PgHeapTuple<'static, AllocatedByRust>>,
        )?,
        None => Vec::new(),
    };
    Ok(SetOfIterator::new(rows))
}

/// Seals the events that are older than a time and not sealed yet. The caller has made other callers wait. Returns the
/// seal; `None` if there is no such event.
pub fn seal_before(until: TimestampWithTimeZone) -> Result<Option<Seal>, Error> {
    chain::seal_before(chain::newest()?.as_ref(), until)
}

/// Seals what can be sealed before a time, in spans of a day in UTC at most, so that a purge may delete the older ones.
/// Returns the number of seals.
pub fn seal_by_days(until: TimestampWithTimeZone) -> Result<i64, Error> {
    const END_OF_DAY: &CStr = c"SELECT pg_catalog.date_trunc('day', pg_catalog.min(e.\"timestamp\"), 'UTC') + interval '1 day' \
        FROM orchestrator.audit_events AS e WHERE e.\"timestamp\" >= $1 AND e.\"timestamp\" < $2 AND pg_catalog.isfinite(e.\"timestamp\")";
    one_at_a_time()?;
    let mut last = chain::newest()?;
    let mut seals = 0;
    loop {
        let from = last.as_ref().map_or_else(always, |seal| seal.sealed_until);
        let end = latest::value::<TimestampWithTimeZone>(END_OF_DAY, &[from.into(), until.into()])?;
        // The events of the last day, and those at the end of time, are in no whole day.
        let end = end.filter(|end| *end < until);
        let Some(seal) = chain::seal_before(last.as_ref(), end.unwrap_or(until))? else { break };
        seals += 1;
        last = Some(seal);
    }
    Ok(seals)
}

/// The last seal that a purge by a version without seals has touched, and the time of that purge; `None` if none has. Such
/// a purge deletes what is at least a day old, and no event that was sealed after it.
pub fn purged_without_mark() -> Result<Option<(i64, TimestampWithTimeZone)>, Error> {
    static TOUCHED: Statement = Statement::new(include_str!("purged_without_mark.sql"));
    let touched = TOUCHED.update(&[], statements::two::<i64, TimestampWithTimeZone>)?;
    Ok(touched.and_then(|(seal, purged_at)| seal.zip(purged_at)))
}

/// Waits for another call that seals or purges. Maintenance does both, so its lock serves all of them.
pub fn one_at_a_time() -> Result<(), Error> {
    locks::one_at_a_time("run_maintenance")
}

/// The end of the chain, to be kept outside of the database: `verify_audit_seals` finds out whether the chain still
/// holds it.
///
/// Returns: the last seal's number, the end of its span, and its digest; no row without a seal. Since 0.8.1.
#[pg_extern(sql = false, stable, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn audit_head() -> Result<
    TableIterator<
        'static,
        (name!(sequence, i64), name!(sealed_until, TimestampWithTimeZone), name!(digest, Vec<u8>)),
    >,
    ErrorReport,
> {
    let head = chain::last()?.map(|seal| (seal.sequence, seal.sealed_until, seal.digest));
    Ok(TableIterator::new(head))
}
