//! Resolves one review, only once, however many callers try at the same time. Review, run and audit
//! event change together or not at all. The run is locked first: calls for the same run queue
//! there, and each sees the changes of the calls before it.

use std::borrow::Cow;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, Uuid};

use crate::audit;
use crate::runs::Run;
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::{arguments, excerpt, rows, statements};

/// The number of attempts to lock a run whose thread is renamed between two statements each time.
pub const ATTEMPTS: usize = 100;

/// The columns of a review that a resolution sets, by parameters $2 to $4.
pub const RESOLUTION: &str =
    "SET status = $2, resolved_by = $3, resolution_notes = $4, resolved_at = pg_catalog.now() ";

/// The columns of a run that the last approval sets. A run on hold resumes, unless it was paused
/// and no review was requested since: the approved reviews are older than the pause and do not
/// concern it. The order of events is that of their ids, which grow, because each was recorded
/// under a lock of the run.
pub const FREED: &str = "SET requires_human_review = false, \
             gate_status = CASE WHEN r.gate_status IS DISTINCT FROM 'hold' \
                 OR (SELECT (array_agg(e.event_type ORDER BY e.id DESC))[1] FROM orchestrator.audit_events AS e \
                     WHERE e.trace_id = r.id \
                       AND array_position(ARRAY['run_paused', 'run_resumed', 'review_requested'], e.event_type) IS NOT NULL) \
                    IS NOT DISTINCT FROM 'run_paused' \
                 THEN r.gate_status ELSE 'go' END ";

/// The columns of a run that a rejection sets; $2 is the error.
pub const KILLED: &str = "SET gate_status = 'kill', phase = 'failed', error = $2 ";

/// A decision with its author and notes.
pub struct Resolution<'a> {
    pub decision: &'a str,
    pub resolved_by: &'a str,
    pub notes: Option<&'a str>,
}

impl<'a> Resolution<'a> {
    /// The decision in the arguments.
    ///
    /// Errors: 22004, 22023 unknown decision, blank name, a rejection without notes.
    pub fn of(
        decision: Option<&'a str>,
        resolved_by: Option<&'a str>,
        notes: Option<&'a str>,
    ) -> Result<Self, Error> {
        let decision = arguments::one_of(
            "decision",
            required("decision", decision)?,
            &lifecycle::ends("review"),
        )?;
        let resolved_by = arguments::filled("resolved_by", resolved_by)?;
        if decision == "rejected" && notes.is_none_or(arguments::is_blank) {
            return Err(Error::new(
                Kind::InvalidValue,
                "a review cannot be rejected without notes",
            )
            .hint("Give the reason in argument \"notes\"; it becomes the error of the run."));
        }
        Ok(Resolution { decision, resolved_by, notes })
    }

    pub fn approves(&self) -> bool {
        self.decision == "approved"
    }

    pub fn event_type(&self) -> &'static str {
        if self.approves() { "review_approved" } else { "review_rejected" }
    }

    /// The author, cut to the length of a role in the trail.
    pub fn recorded_as(&self) -> Cow<'a, str> {
        excerpt::of(self.resolved_by, audit::LONGEST_ROLE)
    }

    /// The notes, cut to an excerpt for the trail; the review holds the whole text.
    pub fn recorded_notes(&self) -> Option<Cow<'a, str>> {
        self.notes.map(|notes| excerpt::of(notes, audit::LONGEST_EXCERPT))
    }

    /// The error of a run that a rejection kills.
    pub fn error(&self) -> String {
        format!("review rejected by {}: {}", self.resolved_by, self.notes.unwrap_or_default())
    }
}

/// Resolves a pending review, and records `review_approved` or `review_rejected`. Approving the
/// last pending review of a run clears its requires_human_review and resumes the run if it is on
/// hold. A run that `pause_run` paused after the last request for a review stays on hold until
/// `resume_run`. A rejection kills the run. A run that has ended does not change.
///
/// `decision`: approved or rejected; `notes`: a comment, required for a rejection.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a rejection without notes, P0002 unknown
/// review, 55000 the review is already resolved. Since 0.5.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_review(
    review_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.human_review_queue"), ErrorReport> {
    static RESOLVE: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.human_review_queue AS q ",
        RESOLUTION,
        "WHERE q.id = $1 AND q.status IS NOT DISTINCT FROM 'pending' AND q.thread_id = $5 RETURNING q, q.review_type, \
             NOT EXISTS (SELECT FROM orchestrator.human_review_queue AS o \
                         WHERE o.thread_id = q.thread_id AND o.status IS NOT DISTINCT FROM 'pending' AND o.id <> q.id)"
    ));
    let id = required("review_id", review_id)?;
    let resolution = Resolution::of(decision, resolved_by, notes)?;
    let run = lock_run(id)?;
    let arguments = [
        id.into(),
        resolution.decision.into(),
        resolution.resolved_by.into(),
        resolution.notes.into(),
        run.thread_id.as_str().into(),
    ];
    let resolved = RESOLVE.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let review = rows::value::<PgHeapTuple<'static, AllocatedByRust>>(
                row,
                1,
                "human_review_queue.id",
            )?;
            let review_type = rows::value::<String>(row, 2, "human_review_queue.review_type")?;
            Ok((review, review_type, rows::value(row, 3, "human_review_queue.status")?))
        })
    })?;
    let Some((row, review_type, is_last)) = resolved else {
        return Err(not_pending(id)?.into());
    };
    let run = conclude(run, &resolution, is_last)?;
    record(id, &review_type, run, &resolution)?;
    Ok(row)
}

/// Locks the run of a review.
///
/// Errors: P0002 unknown review.
fn lock_run(review_id: Uuid) -> Result<Run, Error> {
    static LOCK: Statement = Statement::new(
        "SELECT r.id, r.thread_id, r.phase, r.gate_status \
         FROM orchestrator.orchestrator_runs AS r \
         WHERE r.thread_id = (SELECT q.thread_id FROM orchestrator.human_review_queue AS q WHERE q.id = $1) \
         FOR NO KEY UPDATE",
    );
    static EXISTS: Statement =
        Statement::new("SELECT q.id FROM orchestrator.human_review_queue AS q WHERE q.id = $1");
    for _ in 0..ATTEMPTS {
        if let Some(run) = LOCK.update(&[review_id.into()], Run::first)? {
            return Ok(run);
        }
        if EXISTS.update(&[review_id.into()], statements::one::<Uuid>)?.is_none() {
            return Err(unknown(review_id));
        }
        // Its thread was renamed while this call waited for the lock.
    }
    Err(not_lockable())
}

/// Resumes the run if its last pending review is approved, kills it if a review is rejected, and
/// returns its new state.
fn conclude(run: Run, resolution: &Resolution<'_>, is_last: bool) -> Result<Run, Error> {
    static FREE: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.orchestrator_runs AS r ",
        FREED,
        "WHERE r.id = $1 RETURNING r.id, r.thread_id, r.phase, r.gate_status"
    ));
    static KILL: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.orchestrator_runs AS r ",
        KILLED,
        "WHERE r.id = $1 RETURNING r.id, r.thread_id, r.phase, r.gate_status"
    ));
    if run.has_ended() {
        return Ok(run);
    }
    if resolution.approves() && !is_last {
        Run::write(vec![run.id])?;
        return Ok(run);
    }
    let concluded = if resolution.approves() {
        FREE.update(&[run.id.into()], Run::first)?
    } else {
        KILL.update(&[run.id.into(), resolution.error().into()], Run::first)?
    };
    concluded.ok_or_else(|| run.not_written())
}

/// Records the resolution of one review, with the same keys as `resolve_reviews`.
fn record(id: Uuid, review_type: &str, run: Run, resolution: &Resolution<'_>) -> Result<(), Error> {
    // All values are texts; an object from an array of texts costs half as much.
    static RECORD: Statement = Statement::new(
        "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata) \
         VALUES ($1, $2, $3, jsonb_object( \
             CASE WHEN $9 IS NOT NULL THEN ARRAY['notes', $9] END || \
             ARRAY['thread_id', $4, 'review_id', $5::text, 'review_type', $6, 'phase', $7, 'gate_status', $8, \
                   'session_user', session_user::text]))",
    );
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
    audit::record_by(&RECORD, &arguments, 1)
}

pub fn unknown(id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("review {id} does not exist"))
        .hint("List pending reviews: SELECT * FROM orchestrator.human_review_queue WHERE status = 'pending';")
}

/// No attempt locked the run of the review.
pub fn not_lockable() -> Error {
    Error::new(Kind::NotReady, "the run of the review could not be locked")
        .detail("The thread was renamed, the review was moved to another thread, or a rule or a policy hides the run.")
        .hint(
            "Try again, or look for a rule or a policy of your own on orchestrator.orchestrator_runs.",
        )
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
        "SELECT q.status, format('%s by %s at %s', q.status, q.resolved_by, q.resolved_at), q.resolution_notes \
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
    Ok(Error::new(Kind::NotReady, format!("review {id} is already {status}"))
        .detail(format!("It was {how}.{notes}"))
        .hint("A review is resolved once; ask again with orchestrator.request_review."))
}
