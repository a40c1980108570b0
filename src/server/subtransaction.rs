//! Work in a subtransaction: a failure undoes its changes and releases its locks.

use std::panic::AssertUnwindSafe;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

use crate::server::error::Error;

/// Runs `work` in a subtransaction, which is committed if it succeeds and rolled back if it fails.
///
/// Returns: the result of `work`, or the error that the server raised.
pub fn run<R>(
    work: impl FnOnce() -> Result<R, Error>,
) -> Result<Result<R, Error>, Box<CaughtError>> {
    // SAFETY: plain variables of the backend, read on its only thread. Every path ends the
    // subtransaction below, as PL/pgSQL does for a block with EXCEPTION.
    let (context, owner, in_script) = unsafe {
        let saved = (
            pg_sys::CurrentMemoryContext,
            pg_sys::CurrentResourceOwner,
            pg_sys::creating_extension,
        );
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::CurrentMemoryContext = saved.0;
        saved
    };
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| Ok(work())))
        .catch_others(|error| Err(Box::new(error)))
        .execute();
    // SAFETY: the subtransaction was opened above. Subtransactions that `work` opened have ended or end
    // with it. A rollback restores settings and rights, but not these three variables.
    unsafe {
        if matches!(outcome, Ok(Ok(_))) {
            pg_sys::ReleaseCurrentSubTransaction();
        } else {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
        }
        pg_sys::CurrentMemoryContext = context;
        pg_sys::CurrentResourceOwner = owner;
        pg_sys::creating_extension = in_script;
    }
    outcome
}

/// The SQLSTATE of a caught error; `None` for a panic of Rust.
pub fn sqlstate(error: &CaughtError) -> Option<PgSqlErrorCode> {
    match error {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => {
            Some(report.sql_error_code())
        }
        CaughtError::RustPanic { .. } => None,
    }
}
