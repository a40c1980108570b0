//! Human reviews: questions to a human about a run. A request marks the run; a resolution resumes
//! or kills it in the same transaction.

mod resolution;
pub mod resolve;
mod resolve_many;
mod rules;
mod safety;

use const_format::concatcp;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;
use pgrx::{AnyNumeric, Uuid};

use super::request_key::{Kind, RequestKey};
use crate::audit;
use crate::runs::Run;
use crate::runs::amounts::score;
use crate::server::error::{Error, required};
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{arguments, numbers, rows};

const REVIEW: Kind = Kind {
    name: "review",
    table: "human_review_queue",
    not_asked: "the review could not be requested",
};

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
/// context that is not an object, P0002 unknown thread, 55000 the run has ended. Since 0.5.0;
/// replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn request_review(
    thread_id: Option<&str>,
    review_type: Option<&str>,
    reason: Option<&str>,
    safety_score: default!(Option<AnyNumeric>, "NULL"),
    context: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let request = Request::of(review_type, reason, safety_score, context)?;
    let run = Run::lock_open(thread_id)?;
    run.mark()?;
    Ok(ask(&run, request)?)
}

/// Asks a human about a run, sets its requires_human_review, and records `review_requested`.
///
/// `review_type`: safety, gate_override or budget_exceeded; `reason`: why a human has to decide;
/// `safety_score`: from 0 to 1, rounded down to two decimals; `context`: facts for the human, a
/// JSON object; `request_key`: the agent's own key of the question, 500 characters at most. A second
/// call with the same key and the same content returns the first review, whatever its state.
/// Returns: the id of the review.
/// Errors: 22004, 22023 unknown type, blank reason or key, a score that is not between 0 and 1, or a
/// context that is not an object, 23505 the key was used with other content, P0002 unknown thread,
/// 55000 the run has ended. Since 0.7.0.
#[pg_extern(sql = false, volatile)]
fn request_review_0_7_0(
    thread_id: Option<&str>,
    review_type: Option<&str>,
    reason: Option<&str>,
    safety_score: default!(Option<AnyNumeric>, "NULL"),
    context: default!(Option<Document>, "'{}'"),
    request_key: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let request = Request::of(review_type, reason, safety_score, context)?;
    Ok(ask_once(thread_id, request, request_key)?)
}

/// The form of `request_review` for a float, which is taken as the shortest decimal that reads back
/// the same.
///
/// `review_type`: safety, gate_override or budget_exceeded; `reason`: why a human has to decide;
/// `safety_score`: from 0 to 1, rounded down to two decimals, NULL for none; `context`: facts for the
/// human, a JSON object; `request_key`: the agent's own key of the question, 500 characters at most. A
/// second call with the same key and the same content returns the first review, whatever its state.
/// Returns: the id of the review.
/// Errors: 22004, 22023 unknown type, blank reason or key, a score that is not between 0 and 1, or a
/// context that is not an object, 23505 the key was used with other content, P0002 unknown thread,
/// 55000 the run has ended. Since 0.7.3.
#[pg_extern(sql = false, volatile)]
fn request_review_0_7_3_float(
    thread_id: Option<&str>,
    review_type: Option<&str>,
    reason: Option<&str>,
    safety_score: Option<f64>,
    context: default!(Option<Document>, "'{}'"),
    request_key: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    let safety_score = safety_score.map(numbers::decimal).transpose()?;
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let request = Request::of(review_type, reason, safety_score, context)?;
    Ok(ask_once(thread_id, request, request_key)?)
}

/// Asks a human about the run of a thread, unless a review has the key already. Returns the id of the
/// review.
fn ask_once(
    thread_id: &str,
    request: Request<'_>,
    request_key: Option<&str>,
) -> Result<Uuid, Error> {
    static INSERT: Statement = Statement::new(concatcp!(INSERTED_WITH_KEY, ASKED));
    // A lower score of a safety review may have arrived since. Runs come before reviews in the order of
    // locks.
    static FIRST: Statement = Statement::new(
        "SELECT q.id, concat_ws(', ', \
            CASE WHEN q.thread_id IS DISTINCT FROM $2 THEN 'thread_id' END, \
            CASE WHEN q.review_type IS DISTINCT FROM $3 THEN 'review_type' END, \
            CASE WHEN q.reason IS DISTINCT FROM $4 THEN 'reason' END, \
            CASE WHEN CASE q.review_type WHEN 'safety' THEN coalesce(q.safety_score > trunc($5, 2), $5 IS NOT NULL) \
                      ELSE q.safety_score IS DISTINCT FROM trunc($5, 2) END THEN 'safety_score' END, \
            CASE WHEN q.context IS DISTINCT FROM $6 THEN 'context' END) \
         FROM orchestrator.orchestrator_runs AS r RIGHT JOIN orchestrator.human_review_queue AS q ON r.thread_id = q.thread_id \
         WHERE q.request_key = $1",
    );
    let key = RequestKey::of(request_key)?;
    let content = [
        request_key.into(),
        thread_id.into(),
        request.review_type.into(),
        request.reason.into(),
        request.safety_score.clone().into(),
        request.context.clone().into(),
    ];
    let insert = || {
        let run = Run::lock_open(thread_id)?;
        let Some((id, metadata)) = INSERT.update(&content, read_asked)? else { return Ok(None) };
        run.mark()?;
        record(&run, metadata)?;
        Ok(Some(id))
    };
    REVIEW.ask(key, &FIRST, &content, insert)
}

impl<'a> Request<'a> {
    /// The request in the arguments.
    fn of(
        review_type: Option<&'a str>,
        reason: Option<&'a str>,
        safety_score: Option<AnyNumeric>,
        context: Option<Document>,
    ) -> Result<Self, Error> {
        let review_type =
            arguments::one_of("review_type", required("review_type", review_type)?, &TYPES)?;
        let reason = arguments::filled("reason", reason)?;
        let safety_score =
            safety_score.map(|given| score("safety_score", Some(given))).transpose()?;
        let context = jsonb::object_or_empty("context", context)?;
        Ok(Request { review_type, reason, safety_score, context })
    }
}

/// The parts of the event about review `q`.
const ASKED: &str = " RETURNING q.id, jsonb_strip_nulls(jsonb_build_object('thread_id', q.thread_id, 'review_id', q.id, \
     'review_type', q.review_type, 'reason', q.reason, 'safety_score', q.safety_score))";

/// The statement that inserts a review, unless another review has its key.
const INSERTED_WITH_KEY: &str = "INSERT INTO orchestrator.human_review_queue AS q \
     (request_key, thread_id, review_type, reason, safety_score, context) \
     VALUES ($1, $2, $3, $4, trunc($5, 2), $6) \
     ON CONFLICT (request_key) WHERE request_key IS NOT NULL DO NOTHING";

/// Inserts a review of a locked run into the queue and returns its id.
pub fn ask(run: &Run, request: Request<'_>) -> Result<Uuid, Error> {
    static INSERT: Statement = Statement::new(concatcp!(
        "INSERT INTO orchestrator.human_review_queue AS q (thread_id, review_type, reason, safety_score, context) \
         VALUES ($1, $2, $3, trunc($4, 2), $5)",
        ASKED
    ));
    let arguments = [
        run.thread_id.as_str().into(),
        request.review_type.into(),
        request.reason.into(),
        request.safety_score.into(),
        request.context.into(),
    ];
    let (id, metadata) = INSERT
        .update(&arguments, read_asked)?
        .ok_or_else(|| Error::no_row(REVIEW.not_asked, REVIEW.table))?;
    record(run, metadata)?;
    Ok(id)
}

/// The id of the inserted review, and the metadata of its event.
fn read_asked(rows: SpiTupleTable<'_>) -> Result<Option<(Uuid, Document)>, Error> {
    rows::first(rows, |row| {
        let id = rows::value(row, 1, "human_review_queue.id")?;
        Ok((id, rows::value(row, 2, "human_review_queue.id")?))
    })
}

fn record(run: &Run, metadata: Document) -> Result<(), Error> {
    run.record_as(audit::SYSTEM, "review_requested", metadata)
}
