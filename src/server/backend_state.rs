//! The state of the backend: read, or changed while a function runs and restored afterwards.

use std::ffi::CStr;

use pgrx::pg_sys::panic::{CaughtError, ErrorReport};
use pgrx::prelude::*;

use crate::server::error::{self, Error, Kind};
use crate::server::subtransaction;

/// Keeps Rust backtraces out of the DETAIL of errors, where users look for facts, even if the server's
/// environment has RUST_BACKTRACE. RUST_LIB_BACKTRACE=1 still shows them.
pub fn without_backtraces() {
    const NAME: &str = "RUST_LIB_BACKTRACE";
    if std::env::var_os(NAME).is_none() {
        // SAFETY: called while the library is loaded, by the only thread of the process.
        unsafe { std::env::set_var(NAME, "0") };
    }
}

/// The settings that affect how the server prints values and definitions, with their defaults. With
/// some other values, different values would look the same.
const PLAIN_STYLE: [(&CStr, &CStr); 9] = [
    (c"intervalstyle", c"postgres"),
    (c"datestyle", c"ISO, YMD"),
    (c"timezone", c"UTC"),
    (c"extra_float_digits", c"1"),
    (c"bytea_output", c"hex"),
    (c"xmlbinary", c"base64"),
    (c"lc_monetary", c"C"),
    (c"standard_conforming_strings", c"on"),
    (c"quote_all_identifiers", c"off"),
];

/// Runs `work`, which prints values or definitions, with the default settings for printing.
pub fn in_plain_style<R>(work: impl FnOnce() -> R) -> R {
    with_settings(&PLAIN_STYLE, work)
}

/// Runs `work` with a setting changed, even if the caller has no right to change it.
pub fn with_setting<R>(name: &CStr, value: &CStr, work: impl FnOnce() -> R) -> R {
    with_settings(&[(name, value)], work)
}

fn with_settings<R>(settings: &[(&CStr, &CStr)], work: impl FnOnce() -> R) -> R {
    // SAFETY: takes no arguments. The level ends below, or with the transaction if an error is raised
    // before that.
    let level = unsafe { pg_sys::NewGUCNestLevel() };
    for (name, value) in settings {
        // SAFETY: both texts are NUL-terminated.
        unsafe {
            pg_sys::set_config_option(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_SUSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
        }
    }
    let result = work();
    // SAFETY: the level was opened above, and every level opened later has ended.
    unsafe { pg_sys::AtEOXact_GUC(true, level) };
    result
}

/// Runs `work` as if no extension script were running: a grant made inside one would count as the
/// extension's own, and a dump would leave it out.
pub fn outside_the_script<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: a plain flag of the backend. When `work` raises an error the script ends and the
    // server clears the flag itself, or `attempt` sets it again.
    unsafe {
        let in_script = pg_sys::creating_extension;
        pg_sys::creating_extension = false;
        let result = work();
        pg_sys::creating_extension = in_script;
        result
    }
}

/// Whether a script of CREATE EXTENSION or ALTER EXTENSION ... UPDATE is running.
pub fn in_script() -> bool {
    // SAFETY: a plain flag of the backend, read on its only thread.
    unsafe { pg_sys::creating_extension }
}

/// Runs `work` with the rights of `role`, as a SECURITY DEFINER function of that role would.
pub fn with_rights_of<R>(role: pg_sys::Oid, work: impl FnOnce() -> R) -> R {
    // SAFETY: plain variables of the backend. When `work` raises an error the transaction, or the
    // subtransaction, ends, and the server itself restores the caller's rights.
    unsafe {
        let (mut caller, mut context) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&mut caller, &mut context);
        let definer = context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32;
        pg_sys::SetUserIdAndSecContext(role, definer);
        let result = work();
        pg_sys::SetUserIdAndSecContext(caller, context);
        result
    }
}

/// The role in force for the caller: the one of SET ROLE, else the one that is logged in. Within a
/// SECURITY DEFINER function `current_user` is the owner instead.
pub fn callers_role() -> pg_sys::Oid {
    // SAFETY: reads a plain variable of the backend.
    unsafe { pg_sys::GetOuterUserId() }
}

/// The name of the role in force for the caller.
pub fn caller() -> String {
    // SAFETY: the name of a role that another session has dropped is null; its session goes on.
    let name = unsafe { pg_sys::GetUserNameFromId(callers_role(), true) };
    if name.is_null() {
        return "unknown".to_owned();
    }
    // SAFETY: a NUL-terminated text of the server's encoding, which lives as long as the call.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

/// The transaction that runs; invalid while it has written nothing and locked no row.
pub fn transaction() -> pg_sys::TransactionId {
    // SAFETY: reads a plain variable of the backend.
    unsafe { pg_sys::GetTopTransactionIdIfAny() }
}

/// Whether the transaction keeps its first snapshot: REPEATABLE READ or SERIALIZABLE.
pub fn keeps_its_snapshot() -> bool {
    // SAFETY: a plain variable of the backend, read on its only thread.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32 }
}

/// Runs `work` in a subtransaction. A failure undoes its changes, and its error is returned instead of
/// raised. An error that is not about the work, such as a cancellation, is raised all the same and ends
/// the caller's transaction.
pub fn attempt<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<Result<R, Setback>, Error> {
    let outcome = subtransaction::run(work);
    let setback = match outcome {
        Ok(Ok(result)) => return Ok(Ok(result)),
        Ok(Err(error)) if ends_the_transaction(error.sqlstate()) => return Err(error),
        Ok(Err(error)) => Setback::new(error.sqlstate(), error.message(), error.facts()),
        Err(raised) => match *raised {
            CaughtError::PostgresError(raised) | CaughtError::ErrorReport(raised)
                if !ends_the_transaction(raised.sql_error_code()) =>
            {
                Setback::new(raised.sql_error_code(), raised.message(), raised.detail())
            }
            raised => raised.rethrow(),
        },
    };
    Ok(Err(setback))
}

/// The error of work that was undone, in words: `428C9: column "a" ... (Column "a" is ...)`.
pub struct Setback(pub String);

impl Setback {
    fn new(sqlstate: PgSqlErrorCode, message: &str, detail: Option<&str>) -> Setback {
        let detail = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
        Setback(format!("{}: {message}{detail}", error::in_characters(sqlstate)))
    }
}

/// Whether an error is about the transaction, the session or the server, and not about the attempted
/// work: cancelled or shut down, out of memory or disk, read-only, in conflict with another transaction,
/// or a lock timeout.
fn ends_the_transaction(sqlstate: PgSqlErrorCode) -> bool {
    const CLASSES: [&str; 5] = ["25", "40", "53", "57", "58"];
    sqlstate == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE
        || CLASSES.contains(&&error::in_characters(sqlstate)[..2])
}

/// Whether the session restores a dump, or an extension script runs: rows that arrive then are history.
/// Every dump begins with these two settings, and nothing else sets both.
pub fn restores() -> bool {
    // SAFETY: plain variables of the backend, read on its only thread.
    unsafe {
        pg_sys::creating_extension || !(pg_sys::check_function_bodies || pg_sys::row_security)
    }
}

/// Fails on a standby, which cannot write.
///
/// Errors: 25006 the server is a standby.
pub fn only_on_a_primary() -> Result<(), Error> {
    // SAFETY: reads the state of the server, and nothing else.
    if unsafe { pg_sys::RecoveryInProgress() } {
        return Err(Error::new(Kind::Standby, "this server is a standby and cannot write")
            .hint("Connect to the primary."));
    }
    Ok(())
}

/// Reports a NOTICE. The server silences notices while an extension script runs, but a report about rows
/// must reach the user then, too. A session with `client_min_messages = error` gets none.
pub fn notice(message: String, detail: Option<String>) {
    let mut report = ErrorReport::new(PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION, message, "");
    if let Some(detail) = detail {
        report = report.set_detail(detail);
    }
    let report = || report.report(PgLogLevel::NOTICE);
    // SAFETY: a plain variable of the backend, read on its only thread.
    let silenced = unsafe { pg_sys::client_min_messages } == pg_sys::WARNING as i32;
    if in_script() && silenced {
        with_setting(c"client_min_messages", c"notice", report);
    } else {
        report();
    }
}
