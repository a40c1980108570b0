//! Statements that are composed at run time. Identifiers are quoted by `quote`; the functions that
//! run such statements have a fixed search_path.

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::server::error::Error;
use crate::server::{interrupts, rows};

/// Runs a statement and returns the number of its rows.
pub fn execute(sql: &str) -> Result<i64, Error> {
    Spi::connect_mut(|client| Ok(client.update(sql, None, &[])?.len() as i64))
}

/// The one value of the one row; `None` if the statement returns no row, or NULL.
pub fn value<T: FromDatum + IntoDatum>(
    sql: &str,
    arguments: &[DatumWithOid<'_>],
) -> Result<Option<T>, Error> {
    Spi::connect_mut(|client| {
        let rows = client.update(sql, Some(1), arguments)?;
        if rows.is_empty() { Ok(None) } else { Ok(rows.first().get_one()?) }
    })
}

/// The one value of a statement that always returns one, such as a count. An error names it by
/// `name`.
pub fn known<T: FromDatum + IntoDatum>(
    sql: &str,
    arguments: &[DatumWithOid<'_>],
    name: &str,
) -> Result<T, Error> {
    Spi::connect_mut(|client| rows::only(client.update(sql, Some(1), arguments)?, name))
}

/// The first column of every row, NULLs left out.
pub fn column<T: FromDatum + IntoDatum>(
    sql: &str,
    arguments: &[DatumWithOid<'_>],
) -> Result<Vec<T>, Error> {
    Spi::connect_mut(|client| {
        let mut values = Vec::new();
        for row in client.update(sql, None, arguments)? {
            interrupts::allow();
            values.extend(row.get::<T>(1)?);
        }
        Ok(values)
    })
}

/// Names, quoted and separated by commas, each after `prefix`.
pub fn list<S: AsRef<str>>(prefix: &str, names: &[S]) -> String {
    let quoted: Vec<_> =
        names.iter().map(|name| format!("{prefix}{}", quote(name.as_ref()))).collect();
    quoted.join(", ")
}

/// `name` as an SQL identifier. Names are compared with those of the manifest, so that a session with quote_all_identifiers
/// gets the same one.
pub fn quote(name: &str) -> String {
    // SAFETY: a plain variable of the backend. Nothing raises an error until it is set again, but for a lack of memory.
    let all = unsafe { pg_sys::quote_all_identifiers };
    // SAFETY: as above.
    unsafe { pg_sys::quote_all_identifiers = false };
    let quoted = pgrx::spi::quote_identifier(name);
    // SAFETY: as above.
    unsafe { pg_sys::quote_all_identifiers = all };
    quoted
}
