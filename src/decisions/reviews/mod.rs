//! Human reviews: questions to a human about a run. A request marks the run; a resolution resumes
//! or kills it in the same transaction.

mod resolve;
mod resolve_many;
mod safety;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use crate::audit::{self, Event};
use crate::runs::Run;
use crate::runs::amounts::score;
use crate::server::error::{Error, required};
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{arguments, rows};

pub use resolve::resolve_review;

/// The types of a review.
pub const TYPES: [&str; 3] = ["safety", "gate_override", "budget_exceeded"];

/// A question to a human.
pub struct Request<'a> {
    pub review_type: &'a str,
    pub reason: &'a str,
    pub safety_score: Option<AnyNumeric>,
    pub context: Document,
}

/// Asks a human about a run, sets its requires_human_review, and records `review_requested`.
///
/// `review_type`: safety, gate_override or budget_exceeded; `reason`: why a human has to decide;
/// `safety_score`: from 0 to 1, rounded down to two decimals; `context`: facts for the human, a
/// JSON object. Returns: the id of the review.
/// Errors: 22004, 22023 unknown type, blank reason, a score that is not between 0 and 1, or a
/// context that is not an object, P0002 unknown thread, 55000 the run has ended. Since 0.5.0.
#[pg_extern(sql = false, volatile)]
fn request_review(
    thread_id: Option<&str>,
    review_type: Option<&str>,
    reason: Option<&str>,
    safety_score: default!(Option<AnyNumeric>, "NULL"),
    context: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    // Writes the row also if it is marked already; `Run::write` says why.
    static MARK: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r SET requires_human_review = true \
         WHERE r.id = $1 AND (NOT r.requires_human_review OR r.xmin <> pg_current_xact_id()::xid)",
    );
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let review_type =
        arguments::one_of("review_type", required("review_type", review_type)?, &TYPES)?;
    let reason = arguments::filled("reason", reason)?;
    let safety_score = safety_score.map(|given| score("safety_score", Some(given))).transpose()?;
    let context = jsonb::object("context", context)?;
    let run = Run::lock_open(thread_id)?;
    if MARK.update(&[run.id.into()], |rows| Ok(rows.is_empty()))? && !is_marked(&run)? {
        return Err(run.not_written().into());
    }
    Ok(ask(&run, Request { review_type, reason, safety_score, context })?)
}

/// Whether a run is marked for a human review.
fn is_marked(run: &Run) -> Result<bool, Error> {
    static MARKED: Statement = Statement::new(
        "SELECT r.requires_human_review FROM orchestrator.orchestrator_runs AS r WHERE r.id = $1",
    );
    MARKED.update(&[run.id.into()], |rows| {
        rows::only(rows, "orchestrator_runs.requires_human_review")
    })
}

/// Inserts a review of a locked run into the queue and returns its id.
pub fn ask(run: &Run, request: Request<'_>) -> Result<Uuid, Error> {
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.human_review_queue AS q (thread_id, review_type, reason, safety_score, context) \
         VALUES ($1, $2, $3, trunc($4, 2), $5) \
         RETURNING q.id, jsonb_strip_nulls(jsonb_build_object('thread_id', q.thread_id, 'review_id', q.id, \
             'review_type', q.review_type, 'reason', q.reason, 'safety_score', q.safety_score))",
    );
    let arguments = [
        run.thread_id.as_str().into(),
        request.review_type.into(),
        request.reason.into(),
        request.safety_score.into(),
        request.context.into(),
    ];
    let asked = INSERT.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let id = rows::value(row, 1, "human_review_queue.id")?;
            Ok((id, rows::value(row, 2, "human_review_queue.id")?))
        })
    })?;
    let (id, metadata) = asked
        .ok_or_else(|| Error::no_row("the review could not be requested", "human_review_queue"))?;
    audit::record(Event {
        event_type: "review_requested",
        role: audit::SYSTEM,
        trace_id: run.id,
        metadata,
    })?;
    Ok(id)
}
