//! Sessions: the heartbeat of a client connection, and what becomes of one that fell silent.

use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::iter::SetOfIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::{Error, Kind, required};
use crate::plans;

/// Notes that the client of a session is alive, which also makes an inactive session active.
///
/// Returns: the time of this heartbeat. Errors: 22004, P0002 unknown session. Since 0.1.4.
#[pg_extern(sql = false, volatile)]
fn session_heartbeat(session_id: Option<Uuid>) -> Result<TimestampWithTimeZone, ErrorReport> {
    const BEAT: &str = "UPDATE orchestrator.sessions AS s \
         SET last_heartbeat = greatest(s.last_heartbeat, pg_catalog.clock_timestamp()), is_active = true \
         WHERE s.id = $1 RETURNING s.last_heartbeat";
    let id = required("session_id", session_id)?;
    let beat = plans::update(BEAT, &[id.into()], plans::one::<TimestampWithTimeZone>)?;
    Ok(beat.ok_or_else(|| Error::new(Kind::NotFound, format!("session {id} does not exist")))?)
}

/// Marks as inactive every active session without a heartbeat for that long. A session whose
/// heartbeat is being written at this moment is left alone.
///
/// `silent_for`: the longest silence, not negative. Returns: the ids of the sessions it marked.
/// Errors: 22004, 22023 negative interval, or one of more than 6000 years. Since 0.1.4.
#[pg_extern(sql = false, volatile)]
fn deactivate_stale_sessions(
    silent_for: default!(Option<Interval>, "'60 seconds'"),
) -> Result<SetOfIterator<'static, Uuid>, ErrorReport> {
    const DEACTIVATE: &str = "UPDATE orchestrator.sessions AS s SET is_active = false \
         WHERE s.id IN (SELECT c.id FROM orchestrator.sessions AS c \
                        WHERE c.is_active AND c.last_heartbeat < pg_catalog.now() - $1 \
                        ORDER BY c.last_heartbeat, c.id FOR UPDATE SKIP LOCKED) \
         RETURNING s.id";
    let silent_for = not_negative("silent_for", silent_for)?;
    Ok(SetOfIterator::new(plans::update(DEACTIVATE, &[silent_for.into()], plans::column::<Uuid>)?))
}

/// The longest length of time: taken from now, it leaves a time that the server can hold.
const LONGEST_YEARS: i32 = 6000;

/// Whether it is too long. The server takes months, days and the rest off one after another, so
/// what a negative part makes up for counts too.
fn is_too_long(value: &Interval) -> bool {
    const MONTH: i128 = 31 * DAY;
    const DAY: i128 = 86_400_000_000;
    let parts = [
        i128::from(value.months()) * MONTH,
        i128::from(value.days()) * DAY,
        i128::from(value.micros()),
    ];
    parts.iter().filter(|part| **part > 0).sum::<i128>() > i128::from(LONGEST_YEARS) * 12 * MONTH
}

/// A length of time, which may be zero.
///
/// Errors: 22004, 22023 negative, or longer than 6000 years.
pub fn not_negative(argument: &str, value: Option<Interval>) -> Result<Interval, Error> {
    let value = required(argument, value)?;
    let refused = |rule: String| {
        Error::new(Kind::InvalidValue, format!("argument \"{argument}\" must not be {rule}"))
    };
    if value.as_micros() < 0 {
        return Err(refused("negative".to_owned()));
    }
    if is_too_long(&value) {
        return Err(refused(format!("longer than {LONGEST_YEARS} years")));
    }
    Ok(value)
}
