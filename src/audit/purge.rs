//! Purges: the one way to delete events, and only old ones; everything else that would change the trail is refused.

use std::cell::Cell;

use pgrx::datum::{Interval, transaction_timestamp};
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, JsonB};
use serde_json::json;

use super::{SYSTEM, as_owner, record_fact, seals};
use crate::configuration::retention::{self, Age};
use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::{rows, scoped, statements};

thread_local! {
    /// The time before which the running purge deletes events. No statement can set
    /// it, because it is in the memory of this library.
    static PURGED_BEFORE: Cell<Option<TimestampWithTimeZone>> = const { Cell::new(None) };
}

/// Deletes the events that are older than `older_than`, and records `audit_events_purged` with
/// their number and the time. The last pause of a run is kept if nothing followed it.
///
/// `older_than`: at least one day. Returns: the number of deleted events.
/// Errors: 22004, 22023 less than one day. Since 0.3.0; replaced in 0.8.1.
#[pg_extern(sql = false, volatile)]
fn purge_audit_events(older_than: Option<Interval>) -> Result<i64, ErrorReport> {
    Ok(purge(long_ago(required("older_than", older_than)?)?, true)?)
}

/// Deletes the events that are older than the configured age. The event about it leaves out the
/// time if the age is a secret, because every reader sees the event.
pub fn purge_configured(age: &Age) -> Result<i64, Error> {
    purge(long_ago(age.length)?, !age.is_secret)
}

/// Deletes the events of every seal that ends before `older_than`; the seals stay, marked by `purged_at`, so that the
/// chain can still be verified. Events of that time which are not sealed yet are sealed first. Records
/// `audit_events_purged` with the number of deleted events, the time, the last purged seal, the number and SHA-256 of
/// the events that were kept, and the seals whose events had been changed before: the last pause of a run is kept if
/// nothing followed it.
///
/// `older_than`: at least one day. Returns: the number of deleted events; those of a seal that ends later stay.
/// Errors: 22004, 22023 less than one day, 40001 events came after the snapshot of the transaction, 55000 a session
/// hides when its transaction began, or a trigger of a user keeps events. Since 0.8.1.
#[pg_extern(sql = false, volatile)]
fn purge_audit_events_0_8_1(older_than: Option<Interval>) -> Result<i64, ErrorReport> {
    let before = long_ago(required("older_than", older_than)?)?;
    seals::one_at_a_time()?;
    let horizon = seals::horizon()?;
    seals::seal_before(before.min(horizon))?;
    Ok(purge_seals(before, true)?)
}

/// The same with the configured age, and what was not sealed is sealed in whole days: every reader sees the ends of
/// seals, and the age may be a secret. `horizon`: the time before which no event can be added any more.
pub fn purge_configured_seals(age: &Age, horizon: TimestampWithTimeZone) -> Result<i64, Error> {
    static DAY: Statement = Statement::new("SELECT pg_catalog.date_trunc('day', $1, 'UTC')");
    let before = long_ago(age.length)?;
    if let Some(day) =
        DAY.select(&[before.min(horizon).into()], statements::one::<TimestampWithTimeZone>)?
    {
        seals::seal_by_days(day)?;
    }
    purge_seals(before, !age.is_secret)
}

fn purge_seals(before: TimestampWithTimeZone, shows_time: bool) -> Result<i64, Error> {
    let Some(last) = seals::last_to_purge(before)? else { return Ok(0) };
    let (last, until) = (last.sequence, last.sealed_until);
    let differing = seals::differing(last)?;
    let purged = delete(until)?;
    if purged > 0 {
        let mark = || as_owner(|| seals::mark(last, transaction_timestamp(), None, differing));
        let purge = scoped::with(&PURGED_BEFORE, Some(until), mark)?;
        record_purge(purged, before, purge.facts(), shows_time)?;
    }
    Ok(purged)
}

/// Marks the seals whose events a version without seals has purged, and records that. Part of the update to 0.8.1.
#[pg_extern(sql = false, volatile)]
fn mark_purged_seals() -> Result<(), ErrorReport> {
    let Some((last, purged_at)) = seals::purged_without_mark()? else { return Ok(()) };
    let purge = as_owner(|| seals::mark(last, purged_at, Some(last), Vec::new()))?;
    Ok(record_purge(0, purged_at, purge.facts(), false)?)
}

/// The time that lies so long ago, at least one day.
///
/// Errors: 22023 less than one day.
fn long_ago(older_than: Interval) -> Result<TimestampWithTimeZone, Error> {
    // One day as a length, and as time that has passed: a day with the change to summer time has 23
    // hours.
    static LONG_ENOUGH: Statement = Statement::new(
        "SELECT $1 OPERATOR(pg_catalog.>=) interval '1 day' \
            AND $2 OPERATOR(pg_catalog.<=) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '23 hours')",
    );
    let before = retention::before("older_than", older_than)?;
    let arguments = [older_than.into(), before.into()];
    if LONG_ENOUGH.select(&arguments, statements::one::<bool>)? != Some(true) {
        return Err(Error::new(
            Kind::InvalidValue,
            "argument \"older_than\" must not be less than one day",
        )
        .hint("Events of the last day are always kept."));
    }
    Ok(before)
}

fn purge(before: TimestampWithTimeZone, shows_time: bool) -> Result<i64, Error> {
    let purged = delete(before)?;
    if purged > 0 {
        record_purge(purged, before, json!({}), shows_time)?;
    }
    Ok(purged)
}

/// Deletes the events before a time. Returns their number.
fn delete(before: TimestampWithTimeZone) -> Result<i64, Error> {
    // A pause that nothing followed is kept, because an approval has to find it.
    static DELETE: Statement = Statement::new(
        "WITH purged AS (DELETE FROM orchestrator.audit_events AS e WHERE e.\"timestamp\" < $1 \
             AND NOT (e.event_type = 'run_paused' AND NOT EXISTS ( \
                 SELECT FROM orchestrator.audit_events AS n WHERE n.trace_id = e.trace_id AND n.id > e.id \
                   AND array_position(ARRAY['run_paused', 'run_resumed', 'run_killed', 'review_requested', 'review_rejected'], n.event_type) IS NOT NULL)) \
             RETURNING e.id) \
         SELECT pg_catalog.count(*) FROM purged",
    );
    as_owner(|| {
        scoped::with(&PURGED_BEFORE, Some(before), || {
            DELETE.update(&[before.into()], |rows| rows::only::<i64>(rows, "count"))
        })
    })
}

/// Records a purge. `facts`: a JSON object.
fn record_purge(
    purged: i64,
    before: TimestampWithTimeZone,
    mut facts: serde_json::Value,
    shows_time: bool,
) -> Result<(), Error> {
    static TIME: Statement = Statement::new("SELECT pg_catalog.to_jsonb($1)");
    facts["purged"] = json!(purged);
    if shows_time
        && let Some(JsonB(time)) = TIME.select(&[before.into()], statements::one::<JsonB>)?
    {
        facts["before"] = time;
    }
    record_fact(seals::PURGED, SYSTEM, facts)
}

/// BEFORE UPDATE OR DELETE OR TRUNCATE trigger of an append-only table, per statement and per row.
/// Refuses the change for every role. Only `purge_audit_events` may delete, and only old rows.
///
/// Errors: 42501. Since 0.3.0.
#[pg_trigger(sql = false)]
fn enforce_append_only<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let operation = trigger.op()?;
    let old = trigger.old();
    if let (PgTriggerOperation::Update, Some(_)) = (&operation, PURGED_BEFORE.get())
        && trigger.table_name()? == "audit_seals"
    {
        // The purge marks the seals whose events it deletes.
        return Ok(trigger.new());
    }
    if let (PgTriggerOperation::Delete, Some(before)) = (&operation, PURGED_BEFORE.get()) {
        let time = old.as_ref().map(|row| row.get_by_name::<TimestampWithTimeZone>("timestamp"));
        let passes = match time {
            // The trigger of the statement; that of each row checks its time.
            None => true,
            Some(time) => time.ok().flatten().is_some_and(|time| time < before),
        };
        if passes {
            return Ok(old);
        }
    }
    let what = match operation {
        PgTriggerOperation::Insert => "insert into",
        PgTriggerOperation::Update => "update",
        PgTriggerOperation::Delete => "delete from",
        PgTriggerOperation::Truncate => "truncate",
    };
    let table = format!("{}.{}", trigger.table_schema()?, trigger.table_name()?);
    let error = Error::new(
        Kind::Forbidden,
        format!("cannot {what} {table}: the table is append-only"),
    )
    .detail(format!("Table {table} only takes new rows, also from its owner and from superusers."))
    .hint("Delete old events with orchestrator.purge_audit_events, for example SELECT orchestrator.purge_audit_events('365 days');");
    ErrorReport::from(error).report(PgLogLevel::ERROR);
    Ok(None)
}
