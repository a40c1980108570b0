//! One review is resolved, once, however many try at the same time: review, run and audit event
//! change together or not at all. The run is locked first, so that the calls for it queue there,
//! and each sees what the one before it did.

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

/// How often the run of a review is locked whose thread is renamed each time between two
/// statements.
pub const ATTEMPTS: usize = 100;

/// The columns of a review that a resolution sets, by parameters $2 to $4.
pub const RESOLUTION: &str =
    "SET status = $2, resolved_by = $3, resolution_notes = $4, resolved_at = pg_catalog.now() ";

/// The columns of a run that the last approval sets. A run on hold goes on, unless somebody paused it
/// and nothing has been asked about it since: no question has spoken of that pause. The events are
/// ordered by their ids, which grow with the time at which the locked run was paused or asked about.
pub const FREED: &str = "SET requires_human_review = false, \
             gate_status = CASE WHEN r.gate_status IS DISTINCT FROM 'hold' \
                 OR (SELECT (array_agg(e.event_type ORDER BY e.id DESC))[1] FROM orchestrator.audit_events AS e \
                     WHERE e.trace_id = r.id \
                       AND array_position(ARRAY['run_paused', 'run_resumed', 'review_requested'], e.event_type) IS NOT NULL) \
                    IS NOT DISTINCT FROM 'run_paused' \
                 THEN r.gate_status ELSE 'go' END ";

/// The columns of a run that a rejection sets; $2 says why.
pub const KILLED: &str = "SET gate_status = 'kill', phase = 'failed', error = $2 ";

/// A decision with who made it and why.
pub struct Resolution<'a> {
    pub decision: &'a str,
    pub resolved_by: &'a str,
    pub notes: Option<&'a str>,
}

impl<'a> Resolution<'a> {
    /// The decision that the arguments make.
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
            .hint("Say in argument \"notes\" why; it becomes the error of the run."));
        }
        Ok(Resolution { decision, resolved_by, notes })
    }

    pub fn approves(&self) -> bool {
        self.decision == "approved"
    }

    pub fn event_type(&self) -> &'static str {
        if self.approves() { "review_approved" } else { "review_rejected" }
    }

    /// Who made it, as the trail names them.
    pub fn recorded_as(&self) -> Cow<'a, str> {
        excerpt::of(self.resolved_by, audit::LONGEST_ROLE)
    }

    /// Why, as the trail holds it: the whole text stands in the review.
    pub fn recorded_notes(&self) -> Option<Cow<'a, str>> {
        self.notes.map(|notes| excerpt::of(notes, audit::LONGEST_EXCERPT))
    }

    /// The error of a run that a rejection kills.
    pub fn error(&self) -> String {
        format!("review rejected by {}: {}", self.resolved_by, self.notes.unwrap_or_default())
    }
}

/// Resolves a pending review, and records `review_approved` or `review_rejected`. The last approval
/// of a run frees it: it needs no human any more, and goes on when it was on hold, unless
/// `pause_run` stopped it after the last question about it; then `resume_run` lets it go on. Any
/// rejection kills it. A run that has ended is left as it is.
///
/// `decision`: approved or rejected; `notes`: what the human says about it, which a rejection
/// needs. Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a rejection without notes, P0002 unknown
/// review, 55000 it has been resolved already. Since 0.5.0.
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

/// Locks the run that a review is about.
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

/// Frees the run when its last review is approved, kills it when one is rejected, and gives it as
/// it is then.
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

/// Records the resolution of one review, with the keys that `resolve_reviews` gives each of its own.
fn record(id: Uuid, review_type: &str, run: Run, resolution: &Resolution<'_>) -> Result<(), Error> {
    // All values are texts, and an array of them makes an object at half the cost.
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
        .hint("SELECT * FROM orchestrator.human_review_queue WHERE status = 'pending' shows those that wait.")
}

/// The run that is locked is not that of the review, however often it is tried.
pub fn not_lockable() -> Error {
    Error::new(Kind::NotReady, "the run of the review could not be locked")
        .detail("Its thread was renamed, or the review moved to another one, or a rule or a policy hides it.")
        .hint(
            "Try again; look for a rule or a policy of your own on orchestrator.orchestrator_runs.",
        )
}

/// Reviews that are pending, and that the table does not let be resolved.
pub fn not_resolvable(ids: &[Uuid]) -> Error {
    let message = match ids {
        [id] => format!("review {id} could not be resolved"),
        ids => format!("{} could not be resolved", arguments::counted(ids.len() as i64, "review")),
    };
    Error::no_row(message, "human_review_queue")
        .detail("The review is pending, but the update found no row: it moved to another run, or a trigger, a rule or a policy hides it.")
}

/// Why a review cannot be resolved.
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
