//! Resolves one review, only once, however many callers try at the same time. Review, run and audit
//! event change together or not at all. The run is locked first: calls for the same run queue
//! there, and each sees the changes of the calls before it. Since 0.7.3 the caller who made a decision
//! may repeat it.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::resolution::{RESOLUTION, Resolution};
use super::rules::{self, Rules};
use crate::audit;
use crate::audit::identity::IDENTITY;
use crate::decisions::question;
use crate::decisions::terms::{
    HAS_NO_TERMS_AS, Outcome, TIMEOUT, Terms, deciding, refuse_unseen_terms, was_cast,
};
use crate::runs::{self, Naming, Row, Run};
use crate::server::error::{Error, Kind, required};
use crate::server::statements::{self, Statement};
use crate::server::{arguments, rows};

/// Resolves a pending review, and records `review_approved` or `review_rejected`. Approving the
/// last pending review of a run clears its requires_human_review and resumes the run if it is on
/// hold. A run that `pause_run` paused after the last request for a review stays on hold until
/// `resume_run`. A rejection kills the run. A run that has ended does not change.
///
/// `decision`: approved or rejected; `notes`: a comment, required for a rejection.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a rejection without notes, P0002 unknown
/// review, 55000 the review is already resolved. Since 0.5.0; replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_review(
    review_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.human_review_queue"), ErrorReport> {
    Ok(resolve(&rules::SINCE_0_5_0, review_id, decision, resolved_by, notes)?)
}

/// Resolves a pending review, and records `review_approved` or `review_rejected`. When the last
/// question about a run is decided (a review, a gate, or an approval of one of its tasks), its
/// requires_human_review is cleared, and it resumes if a question held it. A paused run stays on
/// hold until `resume_run`. A rejection kills the run. A run that has ended does not change.
///
/// `decision`: approved or rejected; `notes`: a comment, required for a rejection.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a rejection without notes, P0002 unknown
/// review, 55000 the review is already resolved. Since 0.7.0; replaced in 0.7.3.
#[pg_extern(sql = false, volatile)]
pub fn resolve_review_0_7_0(
    review_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.human_review_queue"), ErrorReport> {
    Ok(resolve(&rules::SINCE_0_7_0, review_id, decision, resolved_by, notes)?)
}

/// Resolves a pending review, and records `review_approved` or `review_rejected`. When the last
/// question about a run is decided (a review, a gate, or an approval of one of its tasks), its
/// requires_human_review is cleared, and it resumes if a question held it. A paused run stays on
/// hold until `resume_run`. A rejection kills the run. A run that has ended does not change. The same
/// decision again by the same person, logged in as the same role, returns the row and changes nothing.
///
/// `decision`: approved or rejected; `notes`: a comment, required for a rejection.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a rejection without notes, P0002 unknown
/// review, 55000 the review is already resolved otherwise. Since 0.7.3; replaced in 0.8.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_review_0_7_3(
    review_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.human_review_queue"), ErrorReport> {
    Ok(resolve(&rules::SINCE_0_7_3, review_id, decision, resolved_by, notes)?)
}

/// Resolves a pending review, and records `review_approved` or `review_rejected`. When the last
/// question about a run is decided (a review, a gate, or an approval of one of its tasks), its
/// requires_human_review is cleared, and it resumes if a question held it. A paused run stays on
/// hold until `resume_run`. A rejection kills the run. A run that has ended does not change. The same
/// decision again by the same person, logged in as the same role, returns the row and changes nothing.
/// If the review has terms, the call is a vote, recorded as `decision_voted`; the review stays pending until
/// enough people agree.
///
/// `decision`: approved or rejected; `notes`: a comment, required for a rejection.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a rejection without notes, P0002 unknown
/// review, 42501 the caller asked and may not decide, 55000 the review is already resolved otherwise, or
/// somebody else has claimed it. Since 0.8.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_review_0_8_0(
    review_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.human_review_queue"), ErrorReport> {
    Ok(resolve(&rules::SINCE_0_8_0, review_id, decision, resolved_by, notes)?)
}

/// Asks for changes to what a review is about: its run is done again as the notes say. Returns the row.
pub fn request_changes(id: Uuid, resolved_by: &str, notes: Option<&str>) -> Result<Row, Error> {
    conclude(&rules::SINCE_0_8_0, id, &Resolution::requesting_changes(resolved_by, notes))
}

/// Resolves a review whose deadline has passed, with its locked run. Returns whether it was pending.
pub fn decide_at_deadline(id: Uuid, run: Run, approves: bool, notes: &str) -> Result<bool, Error> {
    let decision = if approves { "approved" } else { "rejected" };
    let resolution = Resolution::of(Some(decision), Some(TIMEOUT), Some(notes))?;
    let resolved = write(&RESOLVE, id, &run, &resolution)?;
    let row = resolved.map(|resolved| apply(&rules::SINCE_0_8_0, id, run, &resolution, resolved));
    Ok(row.transpose()?.is_some())
}

fn resolve(
    rules: &'static Rules,
    review_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: Option<&str>,
) -> Result<Row, Error> {
    let id = required("review_id", review_id)?;
    conclude(rules, id, &Resolution::of(decision, resolved_by, notes)?)
}

/// Resolves a review as its terms allow, or finds the same decision of the same person. Returns the row.
fn conclude(rules: &'static Rules, id: Uuid, resolution: &Resolution<'_>) -> Result<Row, Error> {
    let run = lock_run(id)?;
    if rules.has_terms {
        refuse_unseen_terms("review", vec![id])?;
    }
    let first = if rules.has_terms { &RESOLVE_WITHOUT_TERMS } else { &RESOLVE };
    if let Some(resolved) = deciding(|| write(first, id, &run, resolution))? {
        return apply(rules, id, run, resolution, resolved);
    }
    if rules.has_terms {
        match vote(id, resolution)? {
            Some(Outcome::Open) => return read(id),
            Some(Outcome::Decides) => {
                if let Some(resolved) = write(&RESOLVE, id, &run, resolution)? {
                    return apply(rules, id, run, resolution, resolved);
                }
            }
            Some(Outcome::Late) | None => {}
        }
    }
    let before = if rules.repeats { resolution.made_before(&[id])?.pop() } else { None };
    match before {
        Some((_, row)) => Ok(row),
        None if rules.has_terms && is_decided_by_vote(id, resolution)? => read(id),
        None => Err(not_pending(id)?),
    }
}

/// Casts the vote of a resolution, if the review has terms. The run is locked.
pub fn vote(id: Uuid, resolution: &Resolution<'_>) -> Result<Option<Outcome>, Error> {
    let terms = Terms::lock("review", id)?;
    terms.map(|terms| resolution.vote().cast("review", id, &terms)).transpose()
}

/// Whether the review is resolved as the caller has voted.
fn is_decided_by_vote(id: Uuid, resolution: &Resolution<'_>) -> Result<bool, Error> {
    static STATUS: Statement =
        Statement::new("SELECT q.status FROM orchestrator.human_review_queue AS q WHERE q.id = $1");
    let status = STATUS.update(&[id.into()], statements::one::<String>)?;
    Ok(status.as_deref() == Some(resolution.decision) && was_cast(id, &resolution.vote())?)
}

fn read(id: Uuid) -> Result<Row, Error> {
    static READ: Statement =
        Statement::new("SELECT q FROM orchestrator.human_review_queue AS q WHERE q.id = $1");
    READ.update(&[id.into()], statements::one::<Row>)?.ok_or_else(|| unknown(id))
}

/// The statement that resolves a pending review $1 of the locked run of thread $5.
const RESOLVE_PENDING: &str = concatcp!(
    "UPDATE orchestrator.human_review_queue AS q ",
    RESOLUTION,
    "WHERE q.id = $1 AND q.status IS NOT DISTINCT FROM 'pending' AND q.thread_id = $5"
);
const RETURNING: &str = " RETURNING q, q.review_type";
static RESOLVE: Statement = Statement::new(concatcp!(RESOLVE_PENDING, RETURNING));
static RESOLVE_WITHOUT_TERMS: Statement =
    Statement::new(concatcp!(RESOLVE_PENDING, " AND ", HAS_NO_TERMS_AS, "'review')", RETURNING));

/// Resolves a pending review of a locked run. Returns its row and its type; `None` if it was not pending.
fn write(
    resolve: &'static Statement,
    id: Uuid,
    run: &Run,
    resolution: &Resolution<'_>,
) -> Result<Option<(Row, String)>, Error> {
    let arguments = [
        id.into(),
        resolution.decision.into(),
        resolution.resolved_by.into(),
        resolution.notes.into(),
        run.thread_id.as_str().into(),
    ];
    resolve.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let review = rows::value::<Row>(row, 1, "human_review_queue.id")?;
            Ok((review, rows::value::<String>(row, 2, "human_review_queue.review_type")?))
        })
    })
}

/// Lets the run of a resolved review follow, and records the decision. Returns the row.
fn apply(
    rules: &'static Rules,
    id: Uuid,
    run: Run,
    resolution: &Resolution<'_>,
    (row, review_type): (Row, String),
) -> Result<Row, Error> {
    let run = if run.has_ended() {
        run
    } else if resolution.requests_changes() {
        run.recycle()?
    } else {
        rules.conclude(&[&run], resolution)?.pop().unwrap_or(run)
    };
    record(id, &review_type, run, resolution)?;
    Ok(row)
}

/// Locks the run of a review.
///
/// Errors: P0002 unknown review.
pub fn lock_run(review_id: Uuid) -> Result<Run, Error> {
    // Every review names a run, so it is enough that the review exists.
    static RUN: Naming = Naming::new(
        concatcp!(
            runs::LOCK_RUN_OF,
            "SELECT q.thread_id FROM orchestrator.human_review_queue AS q WHERE q.id = $1) FOR NO KEY UPDATE"
        ),
        "SELECT q.id::text FROM orchestrator.human_review_queue AS q WHERE q.id = $1",
    );
    Run::lock_of(review_id, &RUN)?.ok_or_else(|| unknown(review_id))
}

/// Records the resolution of one review, with the same keys as `resolve_reviews`.
fn record(id: Uuid, review_type: &str, run: Run, resolution: &Resolution<'_>) -> Result<(), Error> {
    // All values are texts; an object from an array of texts costs half as much.
    static RECORD: Statement = Statement::new(concatcp!(
        "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) \
         VALUES ($3, $4, $5, jsonb_object( \
             CASE WHEN $11 IS NOT NULL THEN ARRAY['notes', $11] END || \
             ARRAY['thread_id', $6, 'review_id', $7::text, 'review_type', $8, 'phase', $9, 'gate_status', $10] || ",
        IDENTITY,
        "))"
    ));
    let (recorded_as, notes) = (resolution.recorded_as(), resolution.recorded_notes());
    let arguments = [
        resolution.event_type().into(),
        recorded_as.as_ref().into(),
        run.id.into(),
        run.thread_id.into(),
        id.into(),
        review_type.into(),
        run.phase.into(),
        run.gate_status.into(),
        notes.as_deref().into(),
    ];
    audit::record_by(&RECORD, arguments, 1)
}

pub fn unknown(id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("review {id} does not exist"))
        .hint("List pending reviews: SELECT * FROM orchestrator.human_review_queue WHERE status = 'pending';")
}

/// Reviews that are pending, but that the update did not find.
pub fn not_resolvable(ids: &[Uuid]) -> Error {
    let message = match ids {
        [id] => format!("review {id} could not be resolved"),
        ids => format!("{} could not be resolved", arguments::counted(ids.len() as i64, "review")),
    };
    Error::no_row(message, "human_review_queue")
        .detail("The review is pending, but the update found no row: the review was moved to another run, or a trigger, a rule or a policy hides it.")
}

/// The reason why a review cannot be resolved.
fn not_pending(id: Uuid) -> Result<Error, Error> {
    static RESOLUTION: Statement = Statement::new(
        "SELECT q.status, format('%s at %s', q.resolved_by, q.resolved_at), q.resolution_notes \
         FROM orchestrator.human_review_queue AS q WHERE q.id = $1",
    );
    let found = RESOLUTION.update(&[id.into()], |rows| {
        rows::first(rows, |row| {
            let status = rows::value::<String>(row, 1, "human_review_queue.status")?;
            let how = rows::value::<String>(row, 2, "human_review_queue.status")?;
            Ok((
                status,
                how,
                rows::optional::<String>(row, 3, "human_review_queue.resolution_notes")?,
            ))
        })
    })?;
    let Some((status, how, notes)) = found else {
        return Ok(unknown(id));
    };
    if status == "pending" {
        return Ok(not_resolvable(&[id]));
    }
    let notes = notes.map(|notes| format!(" Notes: {notes}")).unwrap_or_default();
    let status = question::in_words(&status);
    Ok(Error::new(Kind::NotReady, format!("review {id} is already {status}"))
        .detail(format!("It was {status} by {how}.{notes}"))
        .hint("A review is resolved once; ask again with orchestrator.request_review."))
}
