//! Reads that share one snapshot: the active one, which is that of the calling statement unless a caller
//! chooses the newest. `Statement::select` has it only while the transaction has no id; with one, the
//! server takes a snapshot for each read.

use std::ffi::{CStr, c_char};

use pgrx::datum::DatumWithOid;
use pgrx::memcxt::PgMemoryContexts;
use pgrx::prelude::*;
use pgrx::spi::SpiError;

use crate::server::error::{Error, Kind};
use crate::server::rows::Row;
use crate::server::{backend_state, interrupts};

/// The number of rows that `stream` fetches at once.
const BATCH: i64 = 2_000;

/// Runs `work` with the newest snapshot as the active one.
pub fn newest<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    // SAFETY: the snapshot is active until `work` returns. An error that the server raises before ends the
    // transaction or subtransaction, which gives the snapshot back.
    unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) };
    let outcome = work();
    // SAFETY: the snapshot from above is the active one again.
    unsafe { pg_sys::PopActiveSnapshot() };
    outcome
}

/// The same, if the transaction keeps an older one. Otherwise the snapshot is that of the statement.
pub fn newest_if_kept<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    if backend_state::keeps_its_snapshot() { newest(work) } else { work() }
}

/// A row that a read returned.
pub struct SnapshotRow {
    row: pg_sys::HeapTuple,
    columns: pg_sys::TupleDesc,
}

impl SnapshotRow {
    /// The value of a column, counted from 1; `None` if it is null.
    pub fn datum(&self, position: usize) -> Option<pg_sys::Datum> {
        let mut is_null = false;
        // SAFETY: a row is only lent while its result is kept.
        let datum =
            unsafe { pg_sys::SPI_getbinval(self.row, self.columns, position as i32, &mut is_null) };
        (!is_null).then_some(datum)
    }
}

impl Row for SnapshotRow {
    fn at<T: FromDatum + IntoDatum>(&self, position: usize) -> Result<Option<T>, SpiError> {
        let datum = self.datum(position);
        let value = datum.unwrap_or(pg_sys::Datum::null());
        // SAFETY: the value belongs to the row, and has the type of its column.
        unsafe {
            let column_type = pg_sys::SPI_gettypeid(self.columns, position as i32);
            Ok(T::try_from_datum(value, datum.is_none(), column_type)?)
        }
    }
}

/// Runs `sql`, a SELECT, and returns every row, read by `read`, in order. Each call plans the statement for
/// its arguments.
pub fn each<R>(
    sql: &'static CStr,
    arguments: &[DatumWithOid<'_>],
    read: impl FnMut(&SnapshotRow) -> Result<R, Error>,
) -> Result<Vec<R>, Error> {
    run(sql, arguments, 0, read)
}

/// The same for the first row; `None` if there is none.
pub fn first<R>(
    sql: &'static CStr,
    arguments: &[DatumWithOid<'_>],
    read: impl FnMut(&SnapshotRow) -> Result<R, Error>,
) -> Result<Option<R>, Error> {
    Ok(run(sql, arguments, 1, read)?.pop())
}

/// Gives every row of a long result to `take`, in order. `take` runs in memory that is freed after each row.
pub fn stream(
    sql: &'static CStr,
    arguments: &[DatumWithOid<'_>],
    mut take: impl FnMut(&SnapshotRow) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut parameters = Parameters::of(arguments);
    let mut memory = PgMemoryContexts::new("a row of a stream");
    Spi::connect(|_| {
        let plan = parameters.plan(sql)?;
        // SAFETY: the interface is connected until the closure ends, and the arguments live as long.
        let portal = unsafe {
            pg_sys::SPI_cursor_open(
                std::ptr::null(),
                plan,
                parameters.values.as_mut_ptr(),
                parameters.nulls.as_ptr(),
                true,
            )
        };
        loop {
            // SAFETY: the portal is open. A fetched row stays until `SPI_freetuptable`.
            unsafe { pg_sys::SPI_cursor_fetch(portal, true, BATCH) };
            let count = each_fetched(|row| {
                // SAFETY: nothing that `take` returns is in the memory, which no one else knows.
                unsafe {
                    memory.switch_to(|_| take(row))?;
                    // A single row may be large.
                    memory.reset();
                }
                Ok(())
            })?;
            // SAFETY: no row is used any more.
            unsafe { pg_sys::SPI_freetuptable(pg_sys::SPI_tuptable) };
            if count == 0 {
                break;
            }
        }
        // SAFETY: the portal is open.
        unsafe { pg_sys::SPI_cursor_close(portal) };
        Ok(())
    })
}

/// `limit`: the number of rows; 0 for all.
fn run<R>(
    sql: &'static CStr,
    arguments: &[DatumWithOid<'_>],
    limit: i64,
    mut read: impl FnMut(&SnapshotRow) -> Result<R, Error>,
) -> Result<Vec<R>, Error> {
    let mut parameters = Parameters::of(arguments);
    Spi::connect(|_| {
        let plan = parameters.plan(sql)?;
        // SAFETY: the interface is connected until the closure ends, and the arguments live as long.
        let outcome = unsafe {
            pg_sys::SPI_execute_plan(
                plan,
                parameters.values.as_mut_ptr(),
                parameters.nulls.as_ptr(),
                true,
                limit,
            )
        };
        if outcome != pg_sys::SPI_OK_SELECT as i32 {
            return Err(failed(outcome));
        }
        let mut found = Vec::new();
        each_fetched(|row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    })
}

/// Lends each row of the result that the server has just returned. Returns their number.
fn each_fetched(mut take: impl FnMut(&SnapshotRow) -> Result<(), Error>) -> Result<u64, Error> {
    // SAFETY: the server set both for the result of the interface that is connected.
    let (result, count) = unsafe { (pg_sys::SPI_tuptable, pg_sys::SPI_processed) };
    if result.is_null() {
        return Err(failed(pg_sys::SPI_ERROR_TRANSACTION));
    }
    for place in 0..count as usize {
        interrupts::allow();
        // SAFETY: the result has that many rows, and is kept as long as the interface is connected.
        let row =
            unsafe { SnapshotRow { row: *(*result).vals.add(place), columns: (*result).tupdesc } };
        take(&row)?;
    }
    Ok(count)
}

/// The arguments of a statement, as the server takes them.
struct Parameters {
    types: Vec<pg_sys::Oid>,
    values: Vec<pg_sys::Datum>,
    nulls: Vec<c_char>,
}

impl Parameters {
    fn of(arguments: &[DatumWithOid<'_>]) -> Parameters {
        let value = |argument: &DatumWithOid<'_>| {
            argument.datum().map_or(pg_sys::Datum::null(), |datum| datum.sans_lifetime())
        };
        let null_mark = |argument: &DatumWithOid<'_>| {
            (if argument.datum().is_some() { b' ' } else { b'n' }) as c_char
        };
        Parameters {
            types: arguments.iter().map(DatumWithOid::oid).collect(),
            values: arguments.iter().map(value).collect(),
            nulls: arguments.iter().map(null_mark).collect(),
        }
    }

    /// The plan of a statement for them. The interface is connected.
    fn plan(&mut self, sql: &'static CStr) -> Result<pg_sys::SPIPlanPtr, Error> {
        // SAFETY: the list has as many elements as the statement has parameters.
        let plan = unsafe {
            pg_sys::SPI_prepare(sql.as_ptr(), self.types.len() as i32, self.types.as_mut_ptr())
        };
        // SAFETY: a plain variable of the backend.
        if plan.is_null() { Err(failed(unsafe { pg_sys::SPI_result })) } else { Ok(plan) }
    }
}

fn failed(outcome: i32) -> Error {
    Error::new(Kind::Internal, format!("the server's query interface failed: SPI {outcome}"))
}
