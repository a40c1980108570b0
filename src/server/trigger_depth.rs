//! The number of triggers that run around the present statement.

use pgrx::prelude::*;

/// The depth, as `pg_trigger_depth()` returns it.
pub fn now() -> i32 {
    // SAFETY: the server's own function, without arguments, reads a plain variable of the backend.
    unsafe { pgrx::direct_function_call::<i32>(pg_sys::pg_trigger_depth, &[]) }.unwrap_or(0)
}
