//! Sessions: the work of a role or a client, step by step; the heartbeat of a client connection;
//! and what becomes of a session that fell silent.

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

/// The events that move a session, and the state each leads to. Source: the session lifecycle of
/// the session persistence system.
pub const EVENTS: [(&str, &str); 4] =
    [("activate", "active"), ("complete", "completed"), ("fail", "failed"), ("expire", "expired")];

/// How often a session is tried that others move each time between two statements.
const ATTEMPTS: usize = 100;

/// How long a session lives without a sign of life. Source: SESSION_RETENTION_DAYS of the session
/// persistence decisions.
const RETENTION: Lifetime =
    Lifetime { key: "session_retention_days", unit: Unit::Days, default: 7.0 };

/// What an audit event tells of session `s`: the trace of its task, or else itself; its role, or
/// else that it is a client's; its ids.
const TOLD_OF_SESSION: &str = "coalesce((SELECT t.trace_id FROM orchestrator.tasks AS t WHERE t.id = s.task_id), s.id), \
         coalesce(s.role, 'client'), \
         pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('session_id', s.id, 'task_id', s.task_id, 'client_id', s.client_id))";

/// Moves a session to its next state. Activating an active session changes nothing; a session that
/// has ended stays as it is.
///
/// `event`: activate, complete, fail or expire. Returns: the row.
/// Errors: 22004, 22023 unknown event, P0002 unknown session, 55000 a step that is not allowed.
/// Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn move_session(
    session_id: Option<Uuid>,
    event: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.sessions"), ErrorReport> {
    static MOVE: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.sessions AS s SET status = $2 WHERE s.id = $1 AND array_position($3, s.status) IS NOT NULL RETURNING s, ",
        TOLD_OF_SESSION
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
                Ok((session, Told::read(row, 2)?))
            })
        })?;
        if let Some((session, told)) = moved {
            audit::record(told.event(&event_type))?;
            return Ok(session);
        }
        if let Some(session) = as_it_is(id, status)? {
            return Ok(session);
        }
        // It came into a state that allows the step between the two statements.
    }
    Err(Error::no_row(format!("session {id} could not be moved"), "sessions")
        .detail("It is in a state that allows the step, and the update met no row.")
        .into())
}

/// The session when it is in that state already, and has not ended; `None` when the step has
/// become possible; or else why it is not.
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

/// Expires every pending or active session that had neither a heartbeat nor an update for that
/// long. The session of a task that is pending or running, or that waits for an approval, is kept
/// whatever its age: a human may need longer. A session that somebody is changing at this moment is
/// left alone.
///
/// `retention`: not negative; NULL reads configuration session_retention_days, else 7 days.
/// Returns: how many expired. Errors: 22023 negative, or a configuration that is no number.
/// Since 0.3.0.
#[pg_extern(sql = false, volatile)]
pub fn expire_sessions(retention: default!(Option<Interval>, "NULL")) -> Result<i64, ErrorReport> {
    // Leaves alone, unlocked, what is known to be at work. Sessions are updated where they were
    // locked: of a list of unknown length the server finds each, and does not read the whole table.
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
        TOLD_OF_SESSION
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
    let told =
        EXPIRE.update(&[expiring.into()], |rows| rows::each(rows, |row| Told::read(row, 1)))?;
    let expired = told.len() as i64;
    audit::record_all(told.iter().map(|told| told.event("session_expired")))?;
    Ok(expired)
}

/// What an audit event tells of a session.
struct Told {
    trace_id: Uuid,
    role: String,
    metadata: Document,
}

impl Told {
    /// Reads the three columns of `told_of_session!` from the one at `first` on.
    fn read(row: &impl Row, first: usize) -> Result<Told, Error> {
        Ok(Told {
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

/// Notes that the client of a session is alive, which also makes an inactive session active.
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
    Err(if is_known { not_noted(id) } else { unknown(id) }.into())
}

/// Notes that the client of a session is alive, which also makes an inactive session active. A
/// session that has ended stays as it is.
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
            not_noted(id)
        }
        Some(status) => over(id, &status),
        None => unknown(id),
    }
    .into())
}

fn last_heartbeat(rows: SpiTupleTable<'_>) -> Result<Option<TimestampWithTimeZone>, Error> {
    rows::one(rows, "sessions.last_heartbeat")
}

fn not_noted(id: Uuid) -> Error {
    Error::no_row(format!("the heartbeat of session {id} could not be noted"), "sessions")
}

fn unknown(id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("session {id} does not exist"))
        .hint("SELECT * FROM orchestrator.active_sessions lists the sessions at work.")
}

fn over(id: Uuid, status: &str) -> Error {
    Error::new(Kind::NotReady, format!("session {id} has already ended"))
        .detail(format!("It is {status}."))
        .hint("A session ends once; begin a new one.")
}

/// Marks as inactive every active session without a heartbeat for that long. A session whose
/// heartbeat is being written at this moment is left alone.
///
/// `silent_for`: the longest silence, not negative. Returns: the ids of the sessions it marked.
/// Errors: 22004, 22023 negative interval, or one of more than 6000 years. Since 0.1.4.
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
    let before = retention::before("silent_for", required("silent_for", silent_for)?)?;
    Ok(SetOfIterator::new(DEACTIVATE.update(&[before.into()], statements::column::<Uuid>)?))
}
