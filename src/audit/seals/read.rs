//! The events of the trail in the order of seals: by their time, and those of one time by their id.

use std::ffi::CStr;

use pgrx::datum::TimestampWithTimeZone;

use super::canonical::Form;
use crate::server::error::{Error, Kind};
use crate::server::snapshot::{self, SnapshotRow};

/// The events with a time from $1 to before $2. The casts make a column of another type count by its content.
const EVENTS: &CStr = c"SELECT e.id::uuid, e.event_type::text, e.role::text, e.\"timestamp\"::timestamptz, e.trace_id::uuid, e.metadata::jsonb \
    FROM orchestrator.audit_events AS e WHERE e.\"timestamp\" >= $1 AND e.\"timestamp\" < $2 ORDER BY e.\"timestamp\", e.id";

/// Reads the events of a span, and gives each to `take`, with its time and its form.
pub fn events(
    from: TimestampWithTimeZone,
    until: TimestampWithTimeZone,
    mut take: impl FnMut(i64, &[u8]),
) -> Result<(), Error> {
    let mut form = Form::default();
    snapshot::stream(EVENTS, &[from.into(), until.into()], |row| {
        form.clear();
        let at = write(&mut form, row)?;
        take(at, form.bytes());
        Ok(())
    })
}

/// Writes the form of an event, a row of the query. Returns its time, in microseconds since 2000.
fn write(form: &mut Form, row: &SnapshotRow) -> Result<i64, Error> {
    let column = |position: usize| row.datum(position).ok_or_else(not_an_event);
    // SAFETY: the casts of the query give each column its type.
    unsafe {
        form.uuid(column(1)?);
        form.text(column(2)?);
        form.text(column(3)?);
        let at = column(4)?.value() as i64;
        form.number(at);
        form.uuid(column(5)?);
        form.document(column(6)?);
        Ok(at)
    }
}

/// Whether an event in its form has this type. Its id comes first, and the type with its length next.
pub fn is_of_type(form: &[u8], event_type: &str) -> bool {
    const ID: usize = 16;
    let length = (event_type.len() as u64).to_be_bytes();
    let rest = form.get(ID..).and_then(|rest| rest.strip_prefix(length.as_slice()));
    rest.is_some_and(|rest| rest.starts_with(event_type.as_bytes()))
}

fn not_an_event() -> Error {
    Error::new(Kind::NotReady, "an event of the audit trail has a column without a value")
        .hint("See what differs from the installed version: SELECT * FROM orchestrator.verify();")
}

/// The beginning of time.
pub fn always() -> TimestampWithTimeZone {
    TimestampWithTimeZone::negative_infinity()
}

/// A digest in hexadecimal digits.
pub fn in_hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
