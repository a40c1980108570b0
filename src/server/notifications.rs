//! Notifications, which listeners receive when the transaction commits.

use pgrx::prelude::*;

use crate::server::{backend_state, settings};

/// Whether changes are announced: `orchestrator_schema.notify` is on, and no dump is being restored and
/// no extension script runs.
pub fn are_on() -> bool {
    settings::notify() && !backend_state::restores()
}

/// Sends a notification. The server delivers equal ones of a transaction only once.
pub fn send(channel: &str, payload: &str) {
    // SAFETY: the server's own function on two texts.
    unsafe {
        pgrx::direct_function_call::<()>(
            pg_sys::pg_notify,
            &[channel.into_datum(), payload.into_datum()],
        );
    }
}
