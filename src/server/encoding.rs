//! Databases with another encoding than UTF8. Rust reads text as UTF-8, so pgrx panics at the first
//! character beyond ASCII, and a panic would reach the caller as XX000. This module turns that panic
//! into 0A000 with a hint.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{self, PanicHookInfo};
use std::ptr;

use pgrx::pg_sys;

// pgrx keeps the server's reporting functions to itself. They only fill in the error that is being
// raised.
unsafe extern "C-unwind" {
    fn errcode(sqlerrcode: c_int) -> c_int;
    fn errmsg(format: *const c_char, ...) -> c_int;
    fn errhint(format: *const c_char, ...) -> c_int;
}

/// The name of the database's encoding, unless it is UTF8.
fn other_encoding() -> Option<CString> {
    // SAFETY: plain reads of the backend; the name is a constant of the server.
    unsafe {
        if pg_sys::GetDatabaseEncoding() == pg_sys::pg_enc::PG_UTF8 as c_int {
            return None;
        }
        let name = pg_sys::GetDatabaseEncodingName();
        (!name.is_null()).then(|| CStr::from_ptr(name).to_owned())
    }
}

/// Whether the database can hold a text of this library, which is UTF-8.
pub fn holds(text: &str) -> bool {
    text.is_ascii() || other_encoding().is_none()
}

/// Makes pgrx's panics about text that is not UTF-8 errors with SQLSTATE 0A000. Called while the
/// library is loaded; the database may not be known yet.
pub fn report_text_that_cannot_be_read() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        before(info);
        if is_about_encoding(info) && other_encoding().is_some() {
            explain_next_error();
        }
    }));
}

/// Whether pgrx could not read a text. Every such panic names the encoding that Rust needs.
fn is_about_encoding(info: &PanicHookInfo<'_>) -> bool {
    let payload = info.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    message.is_some_and(|message| message.to_ascii_lowercase().contains("utf-8"))
}

/// Adds a callback that the server calls while it raises the error into which pgrx turns the panic. The
/// code that catches the error removes this callback, together with all that are newer than its own.
fn explain_next_error() {
    static mut EXPLANATION: pg_sys::ErrorContextCallback = pg_sys::ErrorContextCallback {
        previous: ptr::null_mut(),
        callback: Some(explain),
        arg: ptr::null_mut(),
    };
    let explanation = &raw mut EXPLANATION;
    // SAFETY: the stack of callbacks is the backend's own, used by its only thread.
    unsafe {
        if pg_sys::error_context_stack != explanation {
            (*explanation).previous = pg_sys::error_context_stack;
            pg_sys::error_context_stack = explanation;
        }
    }
}

/// Replaces message and hint of the error that is being raised.
unsafe extern "C-unwind" fn explain(_: *mut c_void) {
    let Some(encoding) = other_encoding() else { return };
    let state = pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED as c_int;
    // SAFETY: called by the server while it raises an error; formats and arguments are
    // NUL-terminated, and each format has one `%s` for its one argument or none.
    unsafe {
        errcode(state);
        errmsg(
            c"text that is not ASCII cannot be read in a database with encoding %s".as_ptr(),
            encoding.as_ptr(),
        );
        errhint(
            c"Use a database with encoding UTF8: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0;"
                .as_ptr(),
        );
    }
}
