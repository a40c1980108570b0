//! Reads one value with the newest snapshot, also in a transaction that keeps an older one (REPEATABLE
//! READ, SERIALIZABLE). A function needs this if it has locked rows, and its decision depends on rows
//! that others may have added before the lock: its own snapshot may lack them, and no lock reports a row
//! that the snapshot lacks. The server checks foreign keys in the same way.

use std::ffi::CStr;

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::server::error::Error;
use crate::server::rows::Row;
use crate::server::snapshot;

/// Runs `sql`, a SELECT of one column, with the newest snapshot, and returns the value of its first
/// row; `None` if it is null, or no row is found. Each call plans the statement for its arguments.
pub fn value<T: FromDatum + IntoDatum>(
    sql: &'static CStr,
    arguments: &[DatumWithOid<'_>],
) -> Result<Option<T>, Error> {
    let found = snapshot::newest(|| snapshot::first(sql, arguments, |row| Ok(row.at::<T>(1)?)))?;
    Ok(found.flatten())
}

/// A statement for `value`: a text whose last byte, and no other, is zero.
pub const fn statement(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(sql) => sql,
        Err(_) => panic!("the last byte, and no other, must be zero"),
    }
}
