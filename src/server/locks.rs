//! Locks that make the callers of a function wait for one another.
//!
//! Any role that may connect can take an advisory lock and keep it for ever. These locks are instead on
//! the function's entry in the catalog, as a change of the function would take them. A role that does
//! not own the function cannot keep such a lock: COMMENT, ALTER and DROP take it before they check
//! the owner, and release it with the error.

use std::ffi::CStr;

use pgrx::prelude::*;

use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{backend_state, statements};

/// Waits until no other transaction holds the lock of the function, and holds it until the transaction
/// ends. The next statement sees everything that earlier holders committed.
///
/// Errors: 25006 the server is a standby, 55000 the function does not exist.
pub fn one_at_a_time(function: &'static str) -> Result<(), Error> {
    lock(function, 0, pg_sys::ExclusiveLock)
}

/// Waits until no other transaction holds the lock of the function alone, and keeps those that want it alone waiting
/// until the transaction ends. Others share it.
///
/// Errors: as `one_at_a_time`.
pub fn shared(function: &'static str) -> Result<(), Error> {
    lock(function, 0, pg_sys::ShareLock)
}

/// The same for one value. Callers with another value do not wait, unless both values map to the same
/// one of 65,535 places.
pub fn one_at_a_time_for(function: &'static str, value: &str) -> Result<(), Error> {
    lock(function, place(value.as_bytes()), pg_sys::ExclusiveLock)
}

/// Locks tables of schema orchestrator for reading, in this order, until the transaction ends. A function
/// needs this if its first statement reads tables in another order than updates lock them. A table that
/// does not exist is left out: the statement that needs it reports that.
pub fn in_order(tables: &[&CStr]) {
    // SAFETY: looks up names in the catalog, and waits as every lock of the server does.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"orchestrator".as_ptr(), true);
        for table in tables {
            let table = pg_sys::get_relname_relid(table.as_ptr(), schema);
            if table != pg_sys::InvalidOid {
                pg_sys::LockRelationOid(table, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
            }
        }
    }
}

fn lock(function: &'static str, place: u16, mode: u32) -> Result<(), Error> {
    backend_state::only_on_a_primary()?;
    let function = identifier(function)?;
    let mode = mode as pg_sys::LOCKMODE;
    // SAFETY: waits as every lock of the server does, until the transaction that holds it ends, a
    // timeout or a cancellation.
    unsafe { pg_sys::LockDatabaseObject(pg_sys::ProcedureRelationId, function, place, mode) };
    Ok(())
}

fn identifier(function: &'static str) -> Result<pg_sys::Oid, Error> {
    static FUNCTION: Statement = Statement::new(
        "SELECT min(p.oid) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace \
         WHERE n.nspname = 'orchestrator' AND p.proname = $1",
    );
    FUNCTION.select(&[function.into()], statements::one::<pg_sys::Oid>)?.ok_or_else(|| {
        Error::new(Kind::NotReady, format!("function orchestrator.{function} does not exist"))
            .detail("Its callers lock it, so that one waits for another.")
            .hint("SELECT * FROM orchestrator.verify(); shows the statement that creates it again.")
    })
}

/// The place of a value's lock beside that of the function itself, the same in every process: FNV-1a,
/// folded.
fn place(value: &[u8]) -> u16 {
    let hash = value
        .iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    let folded = (hash >> 16) ^ (hash & 0xffff);
    u16::try_from(folded).unwrap_or(u16::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_are_alike_have_places_of_their_own() {
        let places: std::collections::BTreeSet<u16> =
            (0..100).map(|number| place(format!("agent_{number}").as_bytes())).collect();
        assert_eq!(places.len(), 100);
    }

    proptest! {
        #[test]
        fn no_value_takes_the_lock_of_the_function_itself(value in any::<Vec<u8>>()) {
            prop_assert_ne!(place(&value), 0);
        }
    }
}
