//! Reads rows with the newest snapshot, also in a transaction that keeps an older one (REPEATABLE READ,
//! SERIALIZABLE). A function needs this if it has locked rows, and its decision depends on rows that
//! others may have added before the lock: its own snapshot may lack them, and no lock reports a row
//! that the snapshot lacks. The server checks foreign keys in the same way.

use std::ffi::{CStr, c_char};

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::server::backend_state;
use crate::server::error::{Error, Kind};

/// Runs `sql`, a SELECT of one column, with the newest snapshot, and returns the value of its first
/// row; `None` if it is null, or no row is found. Each call plans the statement for its arguments.
pub fn value<T: FromDatum + IntoDatum>(
    sql: &'static CStr,
    arguments: &[DatumWithOid<'_>],
) -> Result<Option<T>, Error> {
    let mut types: Vec<pg_sys::Oid> = arguments.iter().map(DatumWithOid::oid).collect();
    let mut nulls: Vec<c_char> = arguments.iter().map(null_mark).collect();
    let mut values: Vec<pg_sys::Datum> = arguments
        .iter()
        .map(|argument| {
            argument.datum().map_or(pg_sys::Datum::null(), |datum| datum.sans_lifetime())
        })
        .collect();
    // A client for writing assigns a transaction id, which a transaction that holds row locks has
    // anyway.
    Spi::connect_mut(|_| {
        // SAFETY: the interface is connected until the closure ends. The three lists have as many
        // elements as the statement has parameters, and live as long as it runs.
        unsafe {
            let plan =
                pg_sys::SPI_prepare(sql.as_ptr(), arguments.len() as i32, types.as_mut_ptr());
            if plan.is_null() {
                return Err(failed(pg_sys::SPI_result));
            }
            // An error before the snapshot is released ends the transaction or subtransaction, which
            // releases it.
            let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot());
            let outcome = pg_sys::SPI_execute_snapshot(
                plan,
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
                snapshot,
                std::ptr::null_mut(),
                true,
                false,
                1,
            );
            pg_sys::UnregisterSnapshot(snapshot);
            if outcome != pg_sys::SPI_OK_SELECT as i32 || pg_sys::SPI_tuptable.is_null() {
                return Err(failed(outcome));
            }
            first::<T>(pg_sys::SPI_tuptable)
        }
    })
}

/// Runs `work` with the newest snapshot, if the transaction keeps an older one. Every statement of `work` that only reads
/// has that one snapshot.
pub fn snapshot_if_kept<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    if !backend_state::keeps_its_snapshot() {
        return work();
    }
    // SAFETY: the snapshot is active until `work` returns. An error that the server raises before ends the transaction or
    // subtransaction, which gives the snapshot back.
    unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) };
    let outcome = work();
    // SAFETY: the snapshot from above is the active one again.
    unsafe { pg_sys::PopActiveSnapshot() };
    outcome
}

/// The first column of the first row of a result.
///
/// # Safety
/// `rows` is the result of a SELECT in the connection that is open.
unsafe fn first<T: FromDatum + IntoDatum>(
    rows: *mut pg_sys::SPITupleTable,
) -> Result<Option<T>, Error> {
    // SAFETY: the caller has just received the result. Its first `numvals` rows exist, and their
    // columns agree with the descriptor. The type is compared before the value is read.
    unsafe {
        let row_type = (*rows).tupdesc;
        if (*rows).numvals == 0 {
            return Ok(None);
        }
        if !T::is_compatible_with(pg_sys::SPI_gettypeid(row_type, 1)) {
            return Err(Error::new(
                Kind::Internal,
                "a statement of the library returned another type",
            ));
        }
        let mut is_null = false;
        let value = pg_sys::SPI_getbinval(*(*rows).vals, row_type, 1, &mut is_null);
        Ok(T::from_datum(value, is_null))
    }
}

/// A statement for `value`: a text whose last byte, and no other, is zero.
pub const fn statement(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(sql) => sql,
        Err(_) => panic!("the last byte, and no other, must be zero"),
    }
}

fn null_mark(argument: &DatumWithOid<'_>) -> c_char {
    (if argument.datum().is_some() { b' ' } else { b'n' }) as c_char
}

fn failed(outcome: i32) -> Error {
    Error::new(Kind::Internal, format!("the server's query interface failed: SPI {outcome}"))
}
