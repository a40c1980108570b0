//! The audit trail: events, grouped by trace, each in the transaction of the change that it
//! describes. Rows are added and never changed. Only `purge_audit_events` deletes rows, and only
//! old ones.
//!
//! Every state function records its events with `record`, which writes with the rights of the
//! trail's owner: no role needs, or has, the right to write into the table. The keys of `identity` are
//! written last, so that metadata of a caller cannot claim another user.

pub mod identity;
mod levels;
pub mod purge;
pub mod seals;

use const_format::concatcp;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{PgRelation, Uuid};

use crate::audit::identity::{IDENTITY, Identity};
use crate::server::error::{Error, Kind, required};
use crate::server::ids::uuidv7;
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{arguments, backend_state, concurrent_drop, excerpt, interrupts, statements};

/// The role of events without a role.
pub const SYSTEM: &str = "system";

/// An event to record.
pub struct Event<'a> {
    /// The name of the event, in words joined by underscores.
    pub event_type: &'a str,
    /// The role that acts, or that is asked.
    pub role: &'a str,
    /// The trace of the event.
    pub trace_id: Uuid,
    /// Ids and facts, a JSON object.
    pub metadata: Document,
}

/// Adds an event to the trail and returns its id. Long texts of the metadata are cut to excerpts;
/// the rows that the event is about hold the whole texts.
pub fn record(mut event: Event<'_>) -> Result<Uuid, Error> {
    event.metadata = excerpts(event.metadata)?;
    insert(Event { role: &excerpt::of(event.role, LONGEST_ROLE), ..event })
}

/// Adds an event that belongs to no other: its trace is its own. `facts`: a JSON object.
pub fn record_fact(event_type: &str, role: &str, facts: serde_json::Value) -> Result<(), Error> {
    record_document(event_type, role, Document::composed(facts))
}

/// The same for facts that the server composed.
pub fn record_document(event_type: &str, role: &str, facts: Document) -> Result<(), Error> {
    record(Event { event_type, role, trace_id: uuidv7(), metadata: facts }).map(|_| ())
}

/// The longest text of the library's own metadata, in characters.
pub const LONGEST_EXCERPT: usize = 2_000;

/// The longest name of a role in an event, in characters.
pub const LONGEST_ROLE: usize = 500;

/// Metadata with long texts and lists cut. The key `excerpts` lists the keys that were cut.
fn excerpts(metadata: Document) -> Result<Document, Error> {
    if metadata.size() <= LONGEST_EXCERPT {
        return Ok(metadata);
    }
    // A list keeps the beginnings of its first ten elements, anything else the beginning of its
    // text.
    static CUT: Statement = Statement::new(include_str!("excerpts.sql"));
    let arguments = [metadata.into(), (LONGEST_EXCERPT as i32).into()];
    let cut = CUT.select(&arguments, statements::one::<Document>)?;
    cut.ok_or_else(|| Error::new(Kind::Internal, "the server gave no excerpts"))
}

fn insert(event: Event<'_>) -> Result<Uuid, Error> {
    // Removing a key costs more than looking for it, and metadata seldom has it.
    static INSERT: Statement = Statement::new(concatcp!(
        "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) \
         VALUES ($3, $4, $5, CASE WHEN $6 ? 'subject' THEN $6 - 'subject' ELSE $6 END || pg_catalog.jsonb_object(",
        IDENTITY,
        ")) RETURNING id"
    ));
    let arguments = Identity::of_the_caller().before([
        event.event_type.into(),
        event.role.into(),
        event.trace_id.into(),
        event.metadata.into(),
    ]);
    let id = as_owner(|| INSERT.update(&arguments, statements::one::<Uuid>))?;
    id.ok_or_else(not_recorded)
}

/// The trail did not take an event. Without the event the change is refused.
fn not_recorded() -> Error {
    Error::no_row("the event could not be recorded", "audit_events")
}

/// Adds many events, in order. No metadata is a caller's.
pub fn record_all<'a>(events: impl Iterator<Item = Event<'a>>) -> Result<(), Error> {
    // The identity is the same for all of them, so it is composed once.
    static INSERT: Statement = Statement::new(concatcp!(
        "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) \
         SELECT e.event_type, e.role, e.trace_id, \
                e.metadata || (SELECT pg_catalog.jsonb_object(",
        IDENTITY,
        ")) \
         FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6)) \
              WITH ORDINALITY AS e (event_type, role, trace_id, metadata, place) \
         ORDER BY e.place"
    ));
    // In batches, so that the arrays stay small.
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
        let arguments = [types.into(), roles.into(), traces.into(), metadata.into()];
        record_by(&INSERT, arguments, count)?;
    }
    Ok(())
}

/// Adds `count` events with a statement that inserts them into the trail, in its order, and that
/// writes the keys of `IDENTITY` itself. `arguments` follow its two parameters.
pub fn record_by<const COUNT: usize>(
    insert: &'static Statement,
    arguments: [DatumWithOid<'_>; COUNT],
    count: usize,
) -> Result<(), Error> {
    let arguments = Identity::of_the_caller().before(arguments);
    let recorded = as_owner(|| insert.update(&arguments, |rows| Ok(rows.len())))?;
    if recorded == count { Ok(()) } else { Err(not_recorded()) }
}

/// Runs `work` with the rights of the role that owns the trail.
pub fn as_owner<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
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
        .detail("A change that cannot be recorded is refused.")
        .hint("See how to create the table again: SELECT * FROM orchestrator.verify();")
}

/// Adds an event to the audit trail.
///
/// `event_type`: the name of the event, at most 500 characters; `role`: the role that acted;
/// `trace_id`: the trace of the event; `metadata`: its facts, a JSON object. Three keys in it are not
/// the caller's: `session_user` is overwritten with the database role that is logged in, `role` with
/// the role in force (SET ROLE), and `subject` with the `sub` of the setting `request.jwt.claims`, or
/// removed if there is none.
/// Returns: the id. Errors: 22004, 22023 blank text, a name that is too long, metadata that is not
/// an object, or an event type that only another function records, such as run_paused.
/// Since 0.3.0.
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
    let metadata = jsonb::object_or_empty("metadata", metadata)?;
    // The caller's metadata is stored as it is, without excerpts.
    Ok(insert(Event { event_type, role, trace_id, metadata })?)
}

/// The events that others rely on, each with the function that records it: an approval resumes a run by the last event
/// of its pauses and reviews, and seals are compared with the last purge. No other function may add them.
const RESERVED: [(&str, &str); 4] = [
    ("run_paused", "pause_run"),
    ("run_resumed", "resume_run"),
    ("review_requested", "request_review"),
    ("audit_events_purged", "purge_audit_events"),
];

fn not_reserved(event_type: &str) -> Result<&str, Error> {
    match RESERVED.iter().find(|(reserved, _)| *reserved == event_type) {
        None => Ok(event_type),
        Some((_, function)) => Err(Error::new(
            Kind::InvalidValue,
            format!("event type \"{event_type}\" is recorded by its own function only"),
        )
        .hint(format!("Call orchestrator.{function}, or use another name for the event."))),
    }
}
