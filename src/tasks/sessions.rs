//! Sessions of roles and clients: their steps, the heartbeat of a client connection, and the end of
//! sessions without a sign of life.

use const_format::concatcp;
use pgrx::datum::Interval;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::iter::SetOfIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;
use pgrx::{AllocatedByRust, Uuid};

use crate::audit::{self, Event};
use crate::configuration::retention::{self, Lifetime, Unit};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::rows::{self, Row};
use crate::server::statements::Statement;
use crate::server::{arguments, statements};
use crate::tasks::unfinished;

/// The events of a session with the state that each leads to. Source: the session lifecycle of
/// the session persistence system.
pub const EVENTS: [(&str, &str); 4] =
    [("activate", "active"), ("complete", "completed"), ("fail", "failed"), ("expire", "expired")];

/// The number of attempts when others move the session between two statements each time.
const ATTEMPTS: usize = 100;

/// The age without a sign of life after which a session expires. Source: SESSION_RETENTION_DAYS of
/// the session persistence decisions.
const RETENTION: Lifetime =
    Lifetime { key: "session_retention_days", unit: Unit::Days, default: 7.0 };

/// The trace, the role and the metadata of an audit event about session `s`. The trace is that of
/// its task, or the id of the session; the role of a session without one is `client`.
const EVENT_OF_SESSION: &str = "coalesce((SELECT t.trace_id FROM orchestrator.tasks AS t WHERE t.id = s.task_id), s.id), \
         coalesce(s.role, 'client'), \
         pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('session_id', s.id, 'task_id', s.task_id, 'client_id', s.client_id))";

/// Moves a session to its next state. Activating an active session changes nothing; a session that
/// has ended cannot be moved.
///
/// `event`: activate, complete, fail or expire. Returns: the row.
/// Errors: 22004, 22023 unknown event, P0002 unknown session, 55000 the session has ended, or its
/// state does not allow the step.
/// Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn move_session(
    session_id: Option<Uuid>,
    event: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.sessions"), ErrorReport> {
    static MOVE: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.sessions AS s SET status = $2 WHERE s.id = $1 AND array_position($3, s.status) IS NOT NULL RETURNING s, ",
        EVENT_OF_SESSION
    ));
    let id = required("session_id", session_id)?;
    let event =
        arguments::one_of("event", required("event", event)?, &EVENTS.map(|(name, _)| name))?;
    let status = EVENTS.iter().find(|(name, _)| *name == event).map_or("", |(_, status)| status);
    let event_type = format!("session_{status}");
    let from = lifecycle::leading_to("session", status);
    for _ in 0..ATTEMPTS {
        let moved = MOVE.update(&[id.into(), status.into(), from.clone().into()], |rows| {
            rows::first(rows, |row| {
                let session =
                    rows::value::<PgHeapTuple<'static, AllocatedByRust>>(row, 1, "sessions.id")?;
                Ok((session, SessionEvent::read(row, 2)?))
            })
        })?;
        if let Some((session, about)) = moved {
            audit::record(about.event(&event_type))?;
            return Ok(session);
        }
        if let Some(session) = as_it_is(id, status)? {
            return Ok(session);
        }
        // Between the two statements it came into a state that allows the step.
    }
    Err(Error::no_row(format!("session {id} could not be moved"), "sessions")
        .detail("Its state allows the step, but the update found no row.")
        .into())
}

/// The session if it is in that state already and has not ended; `None` if the step has become
/// possible. Errors: P0002 unknown session, 55000 it has ended, or its state does not allow the
/// step.
fn as_it_is(
    id: Uuid,
    status: &str,
) -> Result<Option<PgHeapTuple<'static, AllocatedByRust>>, Error> {
    static SESSION: Statement =
        Statement::new("SELECT s, s.status FROM orchestrator.sessions AS s WHERE s.id = $1");
    let found = SESSION.update(&[id.into()], |rows| {
        rows::first(rows, |row| {
            let session =
                rows::value::<PgHeapTuple<'static, AllocatedByRust>>(row, 1, "sessions.id")?;
            Ok((session, rows::value::<String>(row, 2, "sessions.status")?))
        })
    })?;
    let Some((session, current)) = found else {
        return Err(unknown(id));
    };
    match lifecycle::state("session", &current) {
        Some(state) if state.next.is_empty() => Err(over(id, &current)),
        _ if current == status => Ok(Some(session)),
        Some(state) if !state.allows(status) => Err(Error::new(
            Kind::NotReady,
            format!("session {id} cannot go from \"{current}\" to \"{status}\""),
        )
        .hint(state.allowed_in_words())),
        _ => Ok(None),
    }
}

/// Expires every pending or active session without a heartbeat and without an update for longer
/// than `retention`. The session of a task that is pending or running, or that waits for an
/// approval, stays at any age, because a human may need longer. Sessions that are locked by another
/// transaction are skipped.
///
/// `retention`: not negative; NULL means configuration session_retention_days, or 7 days if that is
/// not set. Returns: the number of expired sessions.
/// Errors: 22023 a negative retention, or a configuration that is not a number. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
pub fn expire_sessions(retention: default!(Option<Interval>, "NULL")) -> Result<i64, ErrorReport> {
    // Sessions with unfinished work are not even locked. The others are updated by their places,
    // which are known since they are locked; from a list of unknown length, so that the server does
    // not plan to read the whole table.
    static LOCK: Statement = Statement::new(
        "SELECT c.ctid, c.task_id FROM ONLY orchestrator.sessions AS c \
         WHERE c.status IN ('pending', 'active') AND greatest(c.last_heartbeat, c.updated_at) < $1 \
           AND NOT EXISTS (SELECT FROM orchestrator.tasks AS t WHERE t.id = c.task_id \
                           AND array_position($2, t.status) IS NOT NULL) \
           AND NOT EXISTS (SELECT FROM orchestrator.approvals AS a WHERE a.task_id = c.task_id \
                           AND a.status IS NOT DISTINCT FROM 'pending') \
         ORDER BY greatest(c.last_heartbeat, c.updated_at), c.id FOR UPDATE SKIP LOCKED",
    );
    static EXPIRE: Statement = Statement::new(concatcp!(
        "UPDATE ONLY orchestrator.sessions AS s SET status = 'expired' \
         WHERE s.ctid = ANY (ARRAY(SELECT unnest($1))) RETURNING ",
        EVENT_OF_SESSION
    ));
    let before = retention::before_or_configured("retention", retention, &RETENTION)?;
    let silent = LOCK.update(&[before.into(), unfinished::states().into()], |rows| {
        rows::each(rows, |row| {
            let place = rows::value::<pg_sys::ItemPointerData>(row, 1, "sessions.ctid")?;
            Ok((place, rows::optional::<Uuid>(row, 2, "sessions.task_id")?))
        })
    })?;
    let over = unfinished::lock_over(silent.iter().filter_map(|(_, task)| *task).collect())?;
    let has_ended = |task: &Option<Uuid>| task.is_none_or(|task| over.contains(task.as_bytes()));
    let expiring = silent.into_iter().filter(|(_, task)| has_ended(task));
    let expiring: Vec<_> = expiring.map(|(place, _)| place).collect();
    if expiring.is_empty() {
        return Ok(0);
    }
    let events = EXPIRE
        .update(&[expiring.into()], |rows| rows::each(rows, |row| SessionEvent::read(row, 1)))?;
    let expired = events.len() as i64;
    audit::record_all(events.iter().map(|about| about.event("session_expired")))?;
    Ok(expired)
}

/// The parts of an audit event about a session.
struct SessionEvent {
    trace_id: Uuid,
    role: String,
    metadata: Document,
}

impl SessionEvent {
    /// Reads the three columns of `EVENT_OF_SESSION`, the first of which is at `first`.
    fn read(row: &impl Row, first: usize) -> Result<SessionEvent, Error> {
        Ok(SessionEvent {
            trace_id: rows::value(row, first, "sessions.id")?,
            role: rows::value(row, first + 1, "sessions.role")?,
            metadata: rows::value(row, first + 2, "sessions.id")?,
        })
    }

    fn event<'a>(&'a self, event_type: &'a str) -> Event<'a> {
        Event {
            event_type,
            role: &self.role,
            trace_id: self.trace_id,
            metadata: self.metadata.clone(),
        }
    }
}

/// Records that the client of a session is alive. An inactive session becomes active again.
///
/// Returns: the time of this heartbeat. Errors: 22004, P0002 unknown session. Since 0.1.4; replaced
/// in 0.3.0.
#[pg_extern(sql = false, volatile)]
fn session_heartbeat(session_id: Option<Uuid>) -> Result<TimestampWithTimeZone, ErrorReport> {
    static BEAT: Statement = Statement::new(
        "UPDATE orchestrator.sessions AS s \
         SET last_heartbeat = greatest(s.last_heartbeat, pg_catalog.clock_timestamp()), is_active = true \
         WHERE s.id = $1 RETURNING s.last_heartbeat",
    );
    static KNOWN: Statement =
        Statement::new("SELECT s.id FROM orchestrator.sessions AS s WHERE s.id = $1");
    let id = required("session_id", session_id)?;
    if let Some(beat) = BEAT.update(&[id.into()], last_heartbeat)? {
        return Ok(beat);
    }
    let is_known = KNOWN.update(&[id.into()], statements::one::<Uuid>)?.is_some();
    Err(if is_known { not_recorded(id) } else { unknown(id) }.into())
}

/// Records that the client of a session is alive. An inactive session becomes active again; a
/// session that has ended is refused.
///
/// Returns: the time of this heartbeat.
/// Errors: 22004, P0002 unknown session, 55000 it has ended. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn session_heartbeat_0_3_0(session_id: Option<Uuid>) -> Result<TimestampWithTimeZone, ErrorReport> {
    static BEAT: Statement = Statement::new(
        "UPDATE orchestrator.sessions AS s \
         SET last_heartbeat = greatest(s.last_heartbeat, pg_catalog.clock_timestamp()), is_active = true \
         WHERE s.id = $1 AND array_position($2, s.status) IS NOT NULL RETURNING s.last_heartbeat",
    );
    static STATUS: Statement =
        Statement::new("SELECT s.status FROM orchestrator.sessions AS s WHERE s.id = $1");
    let id = required("session_id", session_id)?;
    let arguments = [id.into(), lifecycle::open_states("session").into()];
    if let Some(beat) = BEAT.update(&arguments, last_heartbeat)? {
        return Ok(beat);
    }
    let status =
        STATUS.update(&[id.into()], |rows| rows::one::<String>(rows, "sessions.status"))?;
    Err(match status {
        Some(status) if lifecycle::open_states("session").contains(&status.as_str()) => {
            not_recorded(id)
        }
        Some(status) => over(id, &status),
        None => unknown(id),
    }
    .into())
}

fn last_heartbeat(rows: SpiTupleTable<'_>) -> Result<Option<TimestampWithTimeZone>, Error> {
    rows::one(rows, "sessions.last_heartbeat")
}

fn not_recorded(id: Uuid) -> Error {
    Error::no_row(format!("the heartbeat of session {id} could not be recorded"), "sessions")
}

fn unknown(id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("session {id} does not exist"))
        .hint("List active sessions: SELECT * FROM orchestrator.active_sessions;")
}

fn over(id: Uuid, status: &str) -> Error {
    Error::new(Kind::NotReady, format!("session {id} has already ended"))
        .detail(format!("Its status is {status}."))
        .hint("A session ends once; begin a new one.")
}

/// Marks every active session as inactive that had no heartbeat for longer than `silent_for`.
/// Sessions that are locked by another transaction, such as that of a heartbeat, are skipped.
///
/// `silent_for`: not negative. Returns: the ids of the marked sessions.
/// Errors: 22023 a negative interval, or one of more than 6000 years. Since 0.1.4.
#[pg_extern(sql = false, volatile)]
pub fn deactivate_stale_sessions(
    silent_for: default!(Option<Interval>, "'60 seconds'"),
) -> Result<SetOfIterator<'static, Uuid>, ErrorReport> {
    static DEACTIVATE: Statement = Statement::new(
        "UPDATE orchestrator.sessions AS s SET is_active = false \
         WHERE s.id IN (SELECT c.id FROM orchestrator.sessions AS c \
                        WHERE c.is_active AND c.last_heartbeat < $1 \
                        ORDER BY c.last_heartbeat, c.id FOR UPDATE SKIP LOCKED) \
         RETURNING s.id",
    );
    let before = retention::before(
        "silent_for",
        silent_for.unwrap_or_else(|| Interval::from_seconds(60.0)),
    )?;
    Ok(SetOfIterator::new(DEACTIVATE.update(&[before.into()], statements::column::<Uuid>)?))
}
