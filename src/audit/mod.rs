//! The audit trail: events, by trace, each added in the transaction of the change that it reports.
//! Rows are added and never changed. Only `purge_audit_events` deletes events, and only old ones.
//!
//! Every state function records through `record`. It writes with the rights of the trail's owner,
//! so that nobody needs, or gets, the right to write into the table itself. It writes the key
//! `session_user` last, so that a caller's metadata cannot claim another one.

use std::cell::Cell;

use pgrx::datum::{DatumWithOid, Interval};
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, JsonB, PgRelation, Uuid};
use serde_json::json;

use crate::configuration::retention::{self, Age};
use crate::server::error::{Error, Kind, required};
use crate::server::ids::uuidv7;
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{
    arguments, backend_state, concurrent_drop, excerpt, interrupts, rows, statements,
};

/// The role of events that no role causes.
pub const SYSTEM: &str = "system";

/// An event to record.
pub struct Event<'a> {
    /// The kind of event, in words joined by underscores.
    pub event_type: &'a str,
    /// The role that caused it, or that is asked.
    pub role: &'a str,
    /// The trace that it belongs to.
    pub trace_id: Uuid,
    /// Its ids and facts, an object.
    pub metadata: Document,
}

/// Adds an event to the trail, in the running transaction, and returns its id. Long texts in its
/// metadata are kept whole in the rows that the event is about, and as excerpts in the trail.
pub fn record(mut event: Event<'_>) -> Result<Uuid, Error> {
    event.metadata = excerpts(event.metadata)?;
    insert(Event { role: &excerpt::of(event.role, LONGEST_ROLE), ..event })
}

/// The longest text of the library's own metadata, in characters.
pub const LONGEST_EXCERPT: usize = 2_000;

/// The longest name of a role in an event, in characters.
pub const LONGEST_ROLE: usize = 500;

/// Metadata with its long texts and lists cut. The key `excerpts` names the keys that were cut.
fn excerpts(metadata: Document) -> Result<Document, Error> {
    if metadata.size() <= LONGEST_EXCERPT {
        return Ok(metadata);
    }
    // A list is cut to the beginnings of its first ten elements; any other value to the beginning
    // of its text.
    static CUT: Statement = Statement::new(include_str!("excerpts.sql"));
    let arguments = [metadata.into(), (LONGEST_EXCERPT as i32).into()];
    let cut = CUT.select(&arguments, statements::one::<Document>)?;
    cut.ok_or_else(|| Error::new(Kind::Internal, "the server gave no excerpts"))
}

fn insert(event: Event<'_>) -> Result<Uuid, Error> {
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) \
         VALUES ($1, $2, $3, $4 || pg_catalog.jsonb_build_object('session_user', session_user)) RETURNING id",
    );
    let arguments =
        [event.event_type.into(), event.role.into(), event.trace_id.into(), event.metadata.into()];
    let id = as_owner(|| INSERT.update(&arguments, statements::one::<Uuid>))?;
    id.ok_or_else(not_recorded)
}

/// An event that the trail does not take must cause an error.
fn not_recorded() -> Error {
    Error::no_row("the event could not be recorded", "audit_events")
}

/// Adds many events, in order.
pub fn record_all<'a>(events: impl Iterator<Item = Event<'a>>) -> Result<(), Error> {
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) \
         SELECT e.event_type, e.role, e.trace_id, \
                e.metadata || (SELECT pg_catalog.jsonb_build_object('session_user', session_user)) \
         FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) \
              WITH ORDINALITY AS e (event_type, role, trace_id, metadata, place) \
         ORDER BY e.place",
    );
    // Few enough at a time for the arrays to stay small.
    const BATCH: usize = 10_000;
    let mut events = events.peekable();
    while events.peek().is_some() {
        let (mut types, mut roles) = (Vec::new(), Vec::new());
        let (mut traces, mut metadata) = (Vec::new(), Vec::new());
        for event in events.by_ref().take(BATCH) {
            interrupts::allow();
            types.push(event.event_type.to_owned());
            roles.push(excerpt::of(event.role, LONGEST_ROLE).into_owned());
            traces.push(event.trace_id);
            metadata.push(excerpts(event.metadata)?);
        }
        let count = types.len();
        let arguments: [DatumWithOid<'_>; 4] =
            [types.into(), roles.into(), traces.into(), metadata.into()];
        record_by(&INSERT, &arguments, count)?;
    }
    Ok(())
}

/// Adds the `count` events that a statement selects, in its order. The statement inserts into the
/// trail, and writes the key `session_user` itself.
pub fn record_by(
    insert: &'static Statement,
    arguments: &[DatumWithOid<'_>],
    count: usize,
) -> Result<(), Error> {
    let recorded = as_owner(|| insert.update(arguments, |rows| Ok(rows.len())))?;
    if recorded == count { Ok(()) } else { Err(not_recorded()) }
}

/// Runs `work` with the rights of the role that owns the trail.
fn as_owner<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    let owner = concurrent_drop::while_others_drop(|| {
        let trail = PgRelation::open_with_name_and_share_lock("orchestrator.audit_events")
            .map_err(|_| no_trail())?;
        // SAFETY: the relation is open, so its catalog row is in memory.
        Ok(unsafe { (*trail.rd_rel).relowner })
    })?;
    backend_state::with_rights_of(owner, work)
}

fn no_trail() -> Error {
    Error::new(Kind::NotReady, "table orchestrator.audit_events does not exist")
        .detail("What cannot be recorded is not done.")
        .hint("See how it is made again: SELECT * FROM orchestrator.verify();")
}

/// Adds an event to the audit trail.
///
/// `event_type`: the kind of event, at most 500 characters; `role`: the role that caused it;
/// `trace_id`: the trace it belongs to; `metadata`: its facts, an object. The key `session_user` in
/// it is overwritten with the database role that is logged in.
/// Returns: the id. Errors: 22004, 22023 blank text, too long a name, metadata that are no object,
/// or an event by which an approval judges whether a run may go on. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn record_event(
    event_type: Option<&str>,
    role: Option<&str>,
    trace_id: Option<Uuid>,
    metadata: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    let event_type = not_reserved(arguments::name("event_type", event_type)?)?;
    let role = arguments::filled("role", role)?;
    let trace_id = required("trace_id", trace_id)?;
    let metadata = jsonb::object("metadata", metadata)?;
    // The caller's metadata is recorded whole, without excerpts.
    Ok(insert(Event { event_type, role, trace_id, metadata })?)
}

/// The events that show whether a run was stopped after the last question about it, each with the
/// function that records it. An approval depends on the last of them, so no other caller may add
/// one.
const RESERVED: [(&str, &str); 3] = [
    ("run_paused", "pause_run"),
    ("run_resumed", "resume_run"),
    ("review_requested", "request_review"),
];

fn not_reserved(event_type: &str) -> Result<&str, Error> {
    match RESERVED.iter().find(|(reserved, _)| *reserved == event_type) {
        None => Ok(event_type),
        Some((_, function)) => Err(Error::new(
            Kind::InvalidValue,
            format!("event type \"{event_type}\" is recorded by its own function only"),
        )
        .hint(format!("Call orchestrator.{function}, or use another name for your event."))),
    }
}

thread_local! {
    /// The time before which the running `purge_audit_events` deletes events. No statement can set
    /// it: it is this library's own memory.
    static PURGED_BEFORE: Cell<Option<TimestampWithTimeZone>> = const { Cell::new(None) };
}

/// While it lives, events that are old enough can be deleted.
struct Purge;

impl Purge {
    fn of_events_before(time: TimestampWithTimeZone) -> Self {
        PURGED_BEFORE.set(Some(time));
        Purge
    }
}

impl Drop for Purge {
    fn drop(&mut self) {
        PURGED_BEFORE.set(None);
    }
}

/// Deletes the events that are older than that, except the pause of a run that no later event
/// supersedes. Records an event `audit_events_purged` with the number of events deleted and the
/// time before which they were.
///
/// `older_than`: at least one day. Returns: how many were deleted.
/// Errors: 22004, 22023 less than one day. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn purge_audit_events(older_than: Option<Interval>) -> Result<i64, ErrorReport> {
    Ok(purge(required("older_than", older_than)?, true)?)
}

/// Deletes the events that are older than the configured age. Readers see the event that reports
/// it. That event leaves the time out if the age is a secret.
pub fn purge_configured(age: &Age) -> Result<i64, Error> {
    purge(age.length, !age.is_secret)
}

fn purge(older_than: Interval, tells_time: bool) -> Result<i64, Error> {
    // A day as a length, and also as time that has passed: a day that was shorter by an hour counts
    // too.
    static LONG_ENOUGH: Statement = Statement::new(
        "SELECT $1 OPERATOR(pg_catalog.>=) interval '1 day' \
            AND $2 OPERATOR(pg_catalog.<=) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '23 hours')",
    );
    // A pause that no later event supersedes is kept: an approval must still find it.
    static DELETE: Statement = Statement::new(
        "WITH purged AS (DELETE FROM orchestrator.audit_events AS e WHERE e.\"timestamp\" < $1 \
             AND NOT (e.event_type = 'run_paused' AND NOT EXISTS ( \
                 SELECT FROM orchestrator.audit_events AS n WHERE n.trace_id = e.trace_id AND n.id > e.id \
                   AND array_position(ARRAY['run_paused', 'run_resumed', 'run_killed', 'review_requested', 'review_rejected'], n.event_type) IS NOT NULL)) \
             RETURNING e.id) \
         SELECT pg_catalog.count(*), pg_catalog.to_jsonb($1) FROM purged",
    );
    let before = retention::before("older_than", older_than)?;
    let arguments = [older_than.into(), before.into()];
    if LONG_ENOUGH.select(&arguments, statements::one::<bool>)? != Some(true) {
        return Err(Error::new(
            Kind::InvalidValue,
            "argument \"older_than\" must not be less than one day",
        )
        .hint("Events of the last day are kept in any case."));
    }
    let (purged, time) = as_owner(|| {
        let _purge = Purge::of_events_before(before);
        DELETE.update(&[before.into()], |rows| {
            let rows = rows.first();
            Ok((rows::value::<i64>(&rows, 1, "count")?, rows::optional::<JsonB>(&rows, 2, "time")?))
        })
    })?;
    if purged > 0 {
        let mut told = json!({ "purged": purged });
        if let Some(JsonB(before)) = time.filter(|_| tells_time) {
            told["before"] = before;
        }
        record(Event {
            event_type: "audit_events_purged",
            role: SYSTEM,
            trace_id: uuidv7(),
            metadata: Document::composed(told),
        })?;
    }
    Ok(purged)
}

/// BEFORE UPDATE OR DELETE OR TRUNCATE trigger of an append-only table, per statement and per row.
/// Refuses the change, whichever role makes it, except a deletion by `purge_audit_events` of rows
/// that are old enough.
///
/// Errors: 42501. Since 0.3.0.
#[pg_trigger(sql = false)]
fn enforce_append_only<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let operation = trigger.op()?;
    let old = trigger.old();
    if let (PgTriggerOperation::Delete, Some(before)) = (&operation, PURGED_BEFORE.get()) {
        let time = old.as_ref().map(|row| row.get_by_name::<TimestampWithTimeZone>("timestamp"));
        let passes = match time {
            // The trigger of the whole statement; the rows follow one by one.
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
        format!("cannot {what} {table}: what is recorded stays"),
    )
    .detail(format!("Table {table} is append-only, for its owner and for superusers too."))
    .hint("Events that are old enough are deleted by orchestrator.purge_audit_events(older_than).");
    ErrorReport::from(error).report(PgLogLevel::ERROR);
    Ok(None)
}
