//! Reads the catalog while other transactions drop objects.

use std::ffi::CStr;
use std::panic::AssertUnwindSafe;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

use crate::server::error::{Error, Kind};
use crate::server::latest;

/// Runs `work`, which reads the catalog or opens relations. If another transaction drops an object that
/// `work` has found, the server raises an internal error; the caller can try again. An internal error of
/// another kind, such as that of a damaged catalog, is raised unchanged.
///
/// Errors: 40001 with the server's message.
pub fn while_others_drop<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    PgTryBuilder::new(AssertUnwindSafe(work))
        .catch_when(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, |error| {
            let words = match &error {
                CaughtError::PostgresError(raised) => raised.message().to_owned(),
                _ => error.rethrow(),
            };
            match missing_object(&words) {
                Some(object) if !is_referenced(object)? => Err(dropped(&words)),
                _ => error.rethrow(),
            }
        })
        .execute()
}

fn dropped(words: &str) -> Error {
    Error::new(Kind::Serialization, "an object was changed while it was read")
        .detail(format!("The server reports: {words}."))
        .hint("Another transaction dropped or changed it: roll back and try again. If the error returns while no other session is active, the catalog is damaged.")
}

/// The object that the server did not find, according to its internal error. The server reports these
/// errors with `elog`, which never translates its text.
fn missing_object(words: &str) -> Option<pg_sys::Oid> {
    const BEGINNINGS: [&str; 3] = [
        "cache lookup failed for ",
        "could not open relation with OID ",
        "could not find tuple for ",
    ];
    if !BEGINNINGS.iter().any(|beginning| words.starts_with(beginning)) {
        return None;
    }
    // "... for attribute 2 of relation 16400": the object is the last number.
    let number =
        words.rsplit(|letter: char| !letter.is_ascii_digit()).find(|part| !part.is_empty());
    number?.parse().ok().map(pg_sys::Oid::from_u32)
}

/// Whether the catalog still refers to the object: a drop removes every reference with it, so
/// something else has removed the object. The first identifiers belong to the server itself, which
/// records no references to them.
fn is_referenced(object: pg_sys::Oid) -> Result<bool, Error> {
    const REFERENCED: &CStr =
        c"SELECT EXISTS (SELECT FROM pg_catalog.pg_depend AS d \
                         WHERE d.refobjid OPERATOR(pg_catalog.=) $1 OR d.objid OPERATOR(pg_catalog.=) $1)";
    if object.to_u32() < pg_sys::FirstNormalObjectId {
        return Ok(true);
    }
    Ok(latest::value::<bool>(REFERENCED, &[object.into()])?.unwrap_or(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_object_is_the_last_number_of_an_error_that_names_one() {
        for (words, object) in [
            ("cache lookup failed for function 16400", Some(16_400)),
            ("cache lookup failed for attribute 2 of relation 16401", Some(16_401)),
            ("could not open relation with OID 16402", Some(16_402)),
            ("could not find tuple for constraint 16403", Some(16_403)),
            ("cache lookup failed for function \"f\"", None),
            ("unrecognized node type: 345", None),
            ("missing chunk number 0 for toast value 16404 in pg_toast_2619", None),
            ("cache lookup failed for type 99999999999", None),
        ] {
            assert_eq!(missing_object(words).map(|oid| oid.to_u32()), object, "{words}");
        }
    }
}
