//! The events of the trail in the order of seals: by their time, and those of one time by their id.

use std::ffi::CStr;

use pgrx::datum::{DatumWithOid, TimestampWithTimeZone};
use pgrx::memcxt::PgMemoryContexts;
use pgrx::prelude::*;

use super::canonical::Form;
use crate::server::error::{Error, Kind};
use crate::server::interrupts;

/// The number of events that are read at once.
const BATCH: i64 = 2_000;

/// The events with a time from $1 to before $2. The casts make a column of another type count by its content.
const EVENTS: &CStr = c"SELECT e.id::uuid, e.event_type::text, e.role::text, e.\"timestamp\"::timestamptz, e.trace_id::uuid, e.metadata::jsonb \
    FROM orchestrator.audit_events AS e WHERE e.\"timestamp\" >= $1 AND e.\"timestamp\" < $2 ORDER BY e.\"timestamp\", e.id";

/// Which events a reader sees.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All that are committed, also those that came after the snapshot of the transaction.
    Newest,
    /// Those of the calling statement.
    OfStatement,
}

/// Reads the events of a span, and gives each to `take`, with its time and its form.
pub fn events(
    view: View,
    from: TimestampWithTimeZone,
    until: TimestampWithTimeZone,
    mut take: impl FnMut(i64, &[u8]),
) -> Result<(), Error> {
    let arguments: [DatumWithOid<'_>; 2] = [from.into(), until.into()];
    let mut values = arguments.each_ref().map(|argument| {
        argument.datum().map_or(pg_sys::Datum::null(), |datum| datum.sans_lifetime())
    });
    let mut types = arguments.each_ref().map(DatumWithOid::oid);
    let mut form = Form::default();
    let mut read = |portal: pg_sys::Portal| -> Result<bool, Error> {
        let mut memory = PgMemoryContexts::new("events of the audit trail");
        // SAFETY: the portal is open; its rows stay until `SPI_freetuptable`, and have the columns of the query.
        unsafe {
            pg_sys::SPI_cursor_fetch(portal, true, BATCH);
            let (rows, count) = (pg_sys::SPI_tuptable, pg_sys::SPI_processed);
            for place in 0..count as usize {
                interrupts::allow();
                form.clear();
                let row = *(*rows).vals.add(place);
                let at = memory.switch_to(|_| write(&mut form, row, (*rows).tupdesc))?;
                take(at, form.bytes());
                // A single event may be large.
                memory.reset();
            }
            pg_sys::SPI_freetuptable(rows);
            Ok(count > 0)
        }
    };
    Spi::connect(|_| {
        // SAFETY: the interface is connected until the closure ends, and the arguments live as long. An error before
        // the snapshot is given back ends the transaction or subtransaction, which gives it back.
        unsafe {
            let plan = pg_sys::SPI_prepare(EVENTS.as_ptr(), 2, types.as_mut_ptr());
            if plan.is_null() {
                return Err(Error::new(Kind::Internal, "the events could not be read"));
            }
            if view == View::Newest {
                pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot());
            }
            let portal = pg_sys::SPI_cursor_open(
                std::ptr::null(),
                plan,
                values.as_mut_ptr(),
                std::ptr::null(),
                true,
            );
            if view == View::Newest {
                pg_sys::PopActiveSnapshot();
            }
            while read(portal)? {}
            pg_sys::SPI_cursor_close(portal);
            Ok(())
        }
    })
}

/// Writes the form of an event. Returns its time, in microseconds since 2000.
///
/// # Safety
/// The row is one of the query.
unsafe fn write(
    form: &mut Form,
    row: pg_sys::HeapTuple,
    columns: pg_sys::TupleDesc,
) -> Result<i64, Error> {
    let column = |number: i32| {
        let mut is_null = false;
        // SAFETY: the row has six columns.
        let datum = unsafe { pg_sys::SPI_getbinval(row, columns, number, &mut is_null) };
        if is_null { Err(not_an_event()) } else { Ok(datum) }
    };
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
